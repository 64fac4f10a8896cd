// Files for a spreadsheet, in the language of the page.

import { element } from "../dom.js";
import { language } from "./words.js";

/** A link that saves a file; the address may be one that is made when it is followed. */
export function download(address, text) {
  const link = element("a", "download", text);
  link.href = `/api/${address}${address.includes("?") ? "&" : "?"}lang=${language}`;
  link.download = "";
  return link;
}
