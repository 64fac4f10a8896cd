// Forms: fields with labels, and a fault that is said where it happened.

import { by, element } from "../dom.js";
import { words } from "./words.js";

const SAID_MS = 6_000;
let sayingUntil;

/** Say that something was done, for those who see and those who hear. */
export function say(text) {
  hush();
  by("said").textContent = text;
  sayingUntil = setTimeout(hush, SAID_MS);
}

/** Say that something could not be done: that stays until it is closed, or something else is tried. */
function complain(text) {
  clearTimeout(sayingUntil);
  const close = element("button", "close", words.close);
  close.type = "button";
  close.addEventListener("click", hush);
  by("said").replaceChildren(element("span", "", text), close);
}

function hush() {
  clearTimeout(sayingUntil);
  by("said").replaceChildren();
}

/** What a refusal is called that says no reason. */
const UNREASONED = { 401: "session", 403: "stale" };

export function faultOf(error) {
  if (!error.reason && !error.status) return words.lost;
  const reason = error.reason ?? UNREASONED[error.status] ?? (error.status >= 500 ? "broken" : null);
  return words.reasons[reason] ?? (error.reason ? error.message : words.invalid + error.message);
}

/** A field with its label above it. */
export function field(label, name, given = {}, hint = null) {
  const input = element("input");
  Object.assign(input, { name, required: true, autocomplete: "off", ...given });
  return element("label", "", element("span", "", label), input, hint && element("span", "hint", hint));
}

/** A choice; the choices by what they mean. */
export function choice(label, name, choices, chosen, hint = null) {
  const select = element("select");
  select.name = name;
  for (const [value, text] of Object.entries(choices)) {
    const option = element("option", "", text);
    option.value = value;
    option.defaultSelected = value === chosen;
    select.append(option);
  }
  return element("label", "", element("span", "", label), select, hint && element("span", "hint", hint));
}

export function check(label, name, checked, value = "on", hint = null) {
  const input = element("input");
  Object.assign(input, { type: "checkbox", name, value, defaultChecked: checked });
  return element("label", "check", input, element("span", "", label, hint && element("span", "hint", ` ${hint}`)));
}

export function button(text, does, className = "plain") {
  const made = element("button", className, text);
  made.type = "button";
  made.addEventListener("click", async () => {
    made.disabled = true;
    await attempt(does);
    made.disabled = false;
  });
  return made;
}

/** Buttons of which one is chosen; what happens when another is. */
export function tabs(label, choices, chosen, does) {
  const made = element("div", "tabs");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  for (const [value, text] of Object.entries(choices)) {
    const one = element("button", "tab", text);
    one.type = "button";
    one.setAttribute("aria-pressed", String(value === chosen));
    one.addEventListener("click", () => {
      for (const each of made.children) each.setAttribute("aria-pressed", String(each === one));
      does(value);
    });
    made.append(one);
  }
  return made;
}

/** Do what somebody wants, and say so where it could not be done. */
export async function attempt(does) {
  hush();
  try {
    await does();
  } catch (error) {
    complain(faultOf(error));
  }
}

/** A form: its fields, what its button says, and what happens with what was filled in. */
export function form(fields, text, does) {
  const fault = element("p", "fault");
  fault.setAttribute("role", "alert");
  const submit = element("button", "", text);
  const made = element("form", "", ...fields, fault, element("div", "actions", submit));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    hush();
    fault.textContent = "";
    submit.disabled = true;
    try {
      await does(new FormData(made), made);
    } catch (error) {
      fault.textContent = faultOf(error);
    } finally {
      submit.disabled = false;
    }
  });
  return made;
}
