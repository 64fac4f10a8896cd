// How far a goal is: what is done, where it should be by now, and where it will probably end.

import { along } from "../goals.js";
import { element } from "../dom.js";
import { words } from "./words.js";

const percent = (share) => `${share * 100}%`;

export function track(status, names) {
  const made = element("div", "track");
  const value = along(status.value, status);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", words.trackSays(names.figure(status.kpi, status.value), names.figure(status.kpi, status.target),
    status.expected === null ? null : names.figure(status.kpi, status.expected)));
  const [low, high, due] = [along(status.low, status), along(status.high, status), along(status.expected, status)];
  const place = (part, left, width) => {
    if (left !== null) part.style.left = percent(left);
    if (width !== null) part.style.width = percent(width);
    made.append(part);
  };
  if (low !== null && high !== null) place(element("span", "range"), low, high - low);
  if (value !== null) place(element("span", "done"), null, value);
  if (due !== null && status.standing !== "achieved") place(element("span", "pace"), due, null);
  return made;
}
