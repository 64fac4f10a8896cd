// Who can sign in.

import { element } from "../dom.js";
import { button, field, form, say } from "./forms.js";
import { account, ask, enter } from "./session.js";
import { words } from "./words.js";

const password = (label, name, autocomplete, hint = null) =>
  field(label, name, { type: "password", autocomplete }, hint);

export async function accounts(page) {
  const list = element("ul", "rows");
  const fill = async () => {
    const all = await ask("GET", "accounts");
    list.replaceChildren(...all.map((one) => {
      const mine = one.id === account().id;
      const remove = button(words.remove, async () => {
        if (!confirm(words.sure(one.name))) return;
        await ask("DELETE", `accounts/${one.id}`);
        if (mine) location.assign("/manage/sign-in");
        else await fill();
      }, "danger");
      remove.setAttribute("aria-label", `${words.remove}: ${one.name}`);
      return element("li", "row", element("span", "", one.name, mine ? ` (${words.people.you})` : ""), remove);
    }));
  };
  await fill();
  const { people } = words;
  const add = form([
    element("div", "fields", field(words.signIn.name, "name", { maxLength: 100 }),
      password(words.signIn.password, "password", "new-password", words.rule)),
  ], people.go, async (given, made) => {
    await ask("POST", "accounts", Object.fromEntries(given));
    made.reset();
    await fill();
    say(words.saved);
  });
  const change = form([
    element("div", "fields", password(people.old, "old", "current-password"),
      password(people.fresh, "new", "new-password", words.rule)),
  ], people.change, async (given, made) => {
    await enter("PUT", "password", Object.fromEntries(given));
    made.reset();
    say(people.changed);
  });
  page.append(
    element("h1", "", people.title), element("p", "intro", people.intro),
    element("section", "", list),
    element("section", "", element("h2", "", people.add), add),
    element("section", "", element("h2", "", people.mine), change),
  );
}
