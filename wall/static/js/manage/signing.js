// Signing in, and the first account.

import { by, element } from "../dom.js";
import { field, form } from "./forms.js";
import { enter } from "./session.js";
import { words } from "./words.js";

/** Where somebody wanted to go; only ever a page of this server. */
function onwards(otherwise) {
  const to = new URL(new URLSearchParams(location.search).get("to") ?? otherwise, location.origin);
  location.assign(to.origin === location.origin ? to.href : otherwise);
}

const name = () => field(words.signIn.name, "name", { autocomplete: "username", maxLength: 100 });

export function signIn(page, session) {
  page.classList.add("narrow");
  page.append(element("h1", "", words.signIn.title));
  if (session.first) {
    page.append(element("p", "intro", words.signIn.none));
    return;
  }
  const password = field(words.signIn.password, "password", { type: "password", autocomplete: "current-password" });
  page.append(form([name(), password], words.signIn.go, async (given) => {
    await enter("POST", "session", Object.fromEntries(given));
    onwards("/manage/alerts");
  }));
}

export function first(page) {
  page.classList.add("narrow");
  // After the #, so that it is in no log of any server.
  const code = field(words.first.code, "code", { value: decodeURIComponent(location.hash.slice(1)) });
  const password = field(words.signIn.password, "password", { type: "password", autocomplete: "new-password" }, words.rule);
  page.append(
    element("h1", "", words.first.title),
    element("p", "intro", words.first.intro),
    form([code, name(), password], words.first.go, async (given) => {
      await enter("POST", "first", Object.fromEntries(given));
      onwards("/manage/screens");
    }),
  );
}
