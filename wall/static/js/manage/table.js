// Tables that a phone shows as blocks and a screen reader still as tables.

import { element } from "../dom.js";

/** A table: its name, its columns, and for each row what stands in its cells. */
export function table(name, columns, rows, cellsOf, dress = () => {}) {
  const heads = columns.map(({ text, className = "" }) => {
    const head = element("th", className, text);
    head.scope = "col";
    head.setAttribute("role", "columnheader");
    return head;
  });
  const body = rows.map((one) => {
    const row = element("tr", "", ...cellsOf(one).map((content, nth) => cell(columns[nth], content)));
    row.setAttribute("role", "row");
    dress(row, one);
    return row;
  });
  const head = element("tr", "", ...heads);
  head.setAttribute("role", "row");
  const made = element("table", "blocks", element("thead", "", head), element("tbody", "", ...body));
  made.setAttribute("role", "table");
  made.setAttribute("aria-label", name);
  for (const group of [made.tHead, ...made.tBodies]) group.setAttribute("role", "rowgroup");
  return made;
}

function cell({ text, row = false, className = "" }, content) {
  const made = element(row ? "th" : "td", className, ...[content].flat());
  // What is shown as a block has lost what it was; this says it again.
  made.setAttribute("role", row ? "rowheader" : "cell");
  if (row) made.scope = "row";
  else made.dataset.label = text;
  return made;
}
