// Keeping a page current: it is drawn again when something it shows has changed, not more than once a second.

import { Connection } from "../stream.js";

const SOON_MS = 1_000;

/** Do it again whenever one of these kinds changes after a position. */
export function live(position, kinds, again) {
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(async () => {
      waiting = false;
      await again().catch(console.warn);
    }, SOON_MS);
  };
  const heard = (kind) => kind !== "heartbeat" && soon();
  // Whoever was away for a while sees what happened meanwhile.
  return new Connection(position, heard, (lost) => !lost && soon(), kinds);
}

/** Draw into a node what may have changed, and leave whoever uses the keyboard where they are. */
export function redraw(node, ...children) {
  const held = node.contains(document.activeElement) ? document.activeElement.dataset.place : undefined;
  node.replaceChildren(...children);
  if (held !== undefined) node.querySelector(`[data-place="${CSS.escape(held)}"]`)?.focus();
}
