// The few things we need of the document.

export const by = (id) => document.getElementById(id);

/** An element with classes and children. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** An element of a drawing. */
export function drawn(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const LIT_MS = 900;

/** Set a figure: where it changes under the eyes of somebody, it lights up for a moment. */
export function setFigure(node, parts, asOf, lit) {
  const text = parts.map((part) => (typeof part === "string" ? part : part.textContent)).join("");
  if (asOf) node.dataset.asOf = asOf;
  else delete node.dataset.asOf;
  if (node.textContent === text) return;
  node.replaceChildren(...parts);
  if (lit) {
    node.classList.add("changed");
    setTimeout(() => node.classList.remove("changed"), LIT_MS);
  }
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
