// What televisions show, and which they are.

import { element, setText } from "../dom.js";
import { button, check, choice, field, form, say } from "./forms.js";
import { ask } from "./session.js";
import { words } from "./words.js";

const KINDS = ["company", "team", "seller"];
const LOOK_MS = 2_000;
const LOOKS = 30;
const FRESH = { name: "", language: words.locale.slice(0, 2), theme: "dark", rotate_s: 20, views: KINDS, scope: null,
  period: null, board: "activity", names_hidden: false, initials: false, sound: false };

export async function screens(page) {
  const { scopes } = await ask("GET", "scopes");
  const list = element("ul", "list");
  const fill = async () => {
    const all = await ask("GET", "screens");
    list.replaceChildren(...(all.length ? all.map((one) => card(one, scopes, fill)) : [element("li", "intro", words.screen.none)]));
  };
  await fill();
  const add = form(fields(FRESH, scopes), words.screen.go, async (given, made) => {
    await ask("POST", "screens", settings(given));
    made.reset();
    await fill();
    say(words.screen.made);
  });
  page.append(
    element("h1", "", words.screen.title), element("p", "intro", words.screen.intro), list,
    element("section", "", element("h2", "", words.screen.add), add),
  );
}

function card({ id, screen, televisions }, scopes, fill) {
  const said = words.screen;
  const title = element("h2", "", screen.name);
  const remove = button(words.remove, async () => {
    if (!confirm(words.sure(screen.name))) return;
    await ask("DELETE", `screens/${id}`);
    await fill();
    say(said.removed);
  }, "danger");
  remove.setAttribute("aria-label", `${words.remove}: ${screen.name}`);
  const change = form(fields(screen, scopes), words.save, async (given) => {
    await ask("PUT", `screens/${id}`, settings(given));
    setText(title, given.get("name"));
    say(words.saved);
  });
  const time = new Intl.DateTimeFormat(words.locale, { dateStyle: "medium", timeStyle: "short" });
  const paired = televisions.map((one) => {
    const when = time.format(new Date(one.paired * 1000));
    const revoke = button(said.revoke, async () => {
      await ask("DELETE", `screens/${id}/televisions/${one.id}`);
      await fill();
      say(said.revoked);
    }, "danger");
    revoke.setAttribute("aria-label", `${said.revoke}: ${screen.name}, ${when}`);
    return element("li", "row", said.paired(when), revoke);
  });
  // The picture on a television leads here, with its code.
  const code = field(said.code, "code", { className: "code", maxLength: 20, spellcheck: false,
    value: new URLSearchParams(location.search).get("code") ?? "" });
  const pair = form([code], said.pair, async (given, made) => {
    await ask("POST", `screens/${id}/televisions`, Object.fromEntries(given));
    made.elements.code.value = "";
    say(said.isPaired);
    collected(id, televisions.length).then((is) => is && fill()).catch(console.warn);
  });
  const item = element("li", "card",
    element("div", "actions", title, remove),
    element("details", "", element("summary", "", said.settings), change),
    element("h3", "", said.televisions),
    paired.length ? element("ul", "rows", ...paired) : element("p", "hint", said.noTelevision),
    pair);
  item.setAttribute("aria-label", screen.name);
  return item;
}

/** Whether a television has collected its token, which it does when it asks next; what is being written stays until then. */
async function collected(id, before) {
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((later) => setTimeout(later, LOOK_MS));
    const now = (await ask("GET", "screens")).find((one) => one.id === id);
    if ((now?.televisions.length ?? 0) > before) return true;
  }
  return false;
}

function fields(screen, scopes) {
  const said = words.screen;
  const only = { "": said.all };
  for (const { scope, name } of scopes) only[scope] = scope === "company" ? said.kinds.company : `${said.kinds[scope.split(":")[0]]}: ${name}`;
  if (screen.scope && !(screen.scope in only)) only[screen.scope] = screen.scope;
  const views = element("fieldset", "", element("legend", "", said.views),
    ...KINDS.map((kind) => check(said.kinds[kind], "views", screen.views.includes(kind), kind)));
  return [
    element("div", "fields",
      field(said.name, "name", { defaultValue: screen.name, maxLength: 60 }),
      choice(said.language, "language", { sv: "Svenska", en: "English" }, screen.language),
      choice(said.theme, "theme", said.themes, screen.theme),
      field(said.rotate, "rotate_s", { type: "number", min: 0, max: 3600, defaultValue: screen.rotate_s }, said.rotateHint),
      choice(said.scope, "scope", only, screen.scope ?? ""),
      choice(said.period, "period", said.periods, screen.period ?? ""),
      choice(said.board, "board", said.boards, screen.board),
      choice(said.sellers, "sellers", said.shown, screen.names_hidden ? "none" : screen.initials ? "initials" : "names", said.sellersHint),
      views),
    check(said.sound, "sound", screen.sound),
  ];
}

const settings = (given) => ({
  name: given.get("name"),
  language: given.get("language"),
  theme: given.get("theme"),
  rotate_s: Number(given.get("rotate_s")),
  views: given.getAll("views"),
  scope: given.get("scope") || null,
  period: given.get("period") || null,
  board: given.get("board"),
  names_hidden: given.get("sellers") === "none",
  initials: given.get("sellers") === "initials",
  sound: given.has("sound"),
});
