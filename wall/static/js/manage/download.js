// Files for a spreadsheet, in the language of the page.

import { element } from "../dom.js";
import { language } from "./words.js";

/** Where a file is, which is made when it is asked for. */
export const fileAt = (address) => `/api/${address}&lang=${language}`;

/** A link that saves a file. */
export function download(address, text) {
  const link = element("a", "download", text);
  link.href = fileAt(address);
  link.download = "";
  return link;
}
