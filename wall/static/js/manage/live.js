// Keeping a page current: it is drawn again when something it shows has changed, not more than once a second;
// and where what it shows may not be how it is, it says so, as the wall does.

import { Clock } from "../clock.js";
import { by, setText } from "../dom.js";
import { Connection } from "../stream.js";
import { wordsOf } from "../words.js";
import { language } from "./words.js";

const SOON_MS = 1_000;

/** Do it again whenever one of these kinds changes after what was named, or figures are counted otherwise. */
export function live(names, kinds, again) {
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      await again().catch(console.warn);
    }, SOON_MS);
  };
  const clock = new Clock();
  const tell = () => setText(by("warning"), clock.warning(wordsOf(language)));
  const heard = (kind, data) => {
    if (kind !== "heartbeat") return soon();
    clock.heard(data);
    if (names.hear(data)) soon();
    tell();
  };
  return new Connection(names.position, heard, (lost) => {
    clock.lost = lost;
    tell();
    // Whoever was away for a while sees what happened meanwhile.
    if (!lost) soon();
  }, kinds);
}

/** Draw into a node what may have changed, and leave whoever uses the keyboard where they are. */
export function redraw(node, ...children) {
  const held = node.contains(document.activeElement) ? document.activeElement.dataset.place : undefined;
  for (const old of [...node.children]) if (!children.includes(old)) old.remove();
  // What stays is not moved either: a field would lose the keyboard.
  children.forEach((child, nth) => {
    if (node.children[nth] !== child) node.insertBefore(child, node.children[nth] ?? null);
  });
  if (held !== undefined) node.querySelector(`[data-place="${CSS.escape(held)}"]`)?.focus();
}
