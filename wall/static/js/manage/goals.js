// Goals: those that nobody accepted yet, those that hold, and what became of each.

import { element, setText } from "../dom.js";
import { wordsOf } from "../words.js";
import { divisionOf } from "./dividing.js";
import { attempt, choice, button, say } from "./forms.js";
import { goalForm } from "./goalform.js";
import { historyOf } from "./history.js";
import { live, redraw } from "./live.js";
import { naming } from "./naming.js";
import { ask } from "./session.js";
import { track } from "./track.js";
import { language, words } from "./words.js";

const standings = wordsOf(language).standings;
const SETTLED_MS = 1_500;

export async function goals(page) {
  const said = words.goal;
  const names = await naming();
  let team = new URLSearchParams(location.search).get("team") ?? "";
  const drafts = element("ul", "list");
  const held = element("ul", "list");
  const count = element("span", "count");
  const none = element("p", "calm", said.none);
  const draftSection = element("section", "", element("h2", "", said.drafts, " ", count), element("p", "hint", said.draftsHint), drafts);
  // Goals at which something is being done, as they were listed, with their cards: what is written there stays.
  const open = new Map();
  const fill = async () => {
    const found = await ask("GET", "manage/goals");
    const gone = [...open.values()].map(([one]) => one).filter(({ goal }) => !found.some((one) => one.goal.id === goal.id));
    const all = [...found, ...gone].filter(({ goal }) => !team || goal.scope === team || `team:${names.team(goal.scope)}` === team);
    const place = ({ goal }) => names.scopes.findIndex(({ scope }) => scope === goal.scope);
    all.sort((one, other) => place(one) - place(other) || one.goal.id.localeCompare(other.goal.id));
    const cards = all.map((one) => open.get(one.goal.id) ?? [one, card(one, names, open, again)]);
    redraw(drafts, ...cards.filter(([one]) => !one.goal.accepted).map(([, made]) => made));
    redraw(held, ...cards.filter(([one]) => one.goal.accepted).map(([, made]) => made));
    setText(count, String(drafts.children.length || ""));
    draftSection.hidden = !drafts.children.length;
    none.hidden = held.children.length > 0;
  };
  // What was changed has gone through Kafka before it is here.
  const again = async () => {
    await fill();
    setTimeout(() => fill().catch(console.warn), SETTLED_MS);
  };
  await fill();
  const teams = choice(said.team, "team", { "": words.standing.all, company: words.standing.company,
    ...Object.fromEntries(names.teams.map((one) => [`team:${one}`, names.scope(`team:${one}`)])) }, team);
  teams.addEventListener("change", (event) => {
    team = event.target.value;
    history.replaceState(null, "", team ? `?${new URLSearchParams({ team })}` : location.pathname);
    attempt(fill);
  });
  const fresh = element("div");
  const add = button(said.add, () => {
    const close = () => fresh.replaceChildren(add);
    fresh.replaceChildren(element("div", "card", element("h2", "", said.add), goalForm(null, names, async (goal) => {
      close();
      say(said.made(goal.name ?? names.kpi(goal.kpi)));
      await again();
    }, close)));
    fresh.querySelector("select, input").focus();
  }, "");
  fresh.append(add);
  page.append(
    element("h1", "", said.title), element("p", "intro", said.intro), element("div", "choices", teams), fresh,
    draftSection,
    element("section", "", element("h2", "", said.held), none, held),
  );
  live(names, ["goal", "status"], fill);
}

function card(listed, names, open, fill) {
  const said = words.goal;
  const { goal, status } = listed;
  const title = element("h3", "", `${names.scope(goal.scope)}: ${goal.name ?? names.kpi(goal.kpi)}`);
  const place = element("div", "place");
  const named = { id: goal.id, version: listed.version };
  // What was changed meanwhile is drawn then.
  const shut = async () => {
    open.delete(goal.id);
    place.replaceChildren();
    await fill();
  };
  const show = (what) => () => {
    open.set(goal.id, [listed, item]);
    place.replaceChildren(what());
    place.querySelector("input, select, button")?.focus();
  };
  const does = (text, act, className = "plain") => {
    const made = button(text, act, className);
    made.setAttribute("aria-label", `${text}: ${title.textContent}`);
    made.dataset.place = `${goal.id} ${text}`;
    return made;
  };
  const done = (text) => async () => {
    say(text);
    await shut();
  };
  const actions = element("div", "actions",
    goal.accepted ? null : does(said.accept, async () => {
      await ask("POST", "manage/goals/accept", [named]);
      await done(said.accepted)();
    }, ""),
    does(said.edit, show(() => goalForm(listed, names, done(words.saved), shut))),
    listed.divides ? does(said.divide, show(() => divisionOf(listed, names, done(said.divided), shut))) : null,
    does(said.history, async () => {
      const versions = await ask("GET", `manage/goals/history?id=${encodeURIComponent(goal.id)}`);
      show(() => historyOf(versions, names, shut))();
    }),
    does(said.retire, async () => {
      if (!confirm(said.sure(title.textContent))) return;
      await ask("POST", "manage/goals/retire", [named]);
      await done(said.retired)();
    }));
  const about = [`${said.better[goal.better]} ${names.target(goal)}`, names.goalPeriod(goal.period), goal.owner ? said.owner(goal.owner) : null,
    goal.accepted ? said.by(goal.accepted.by) : said.draft];
  const stands = status && goal.accepted ? [
    element("p", "says", element("b", "", names.figure(goal.kpi, status.value)), ` · ${standings[status.standing]}`,
      status.probability === null ? "" : ` · ${words.standing.chance.toLocaleLowerCase(words.locale)} ${names.percent(status.probability)}`),
    track(status, names)] : [];
  const parts = listed.parts === 0 ? [] : [element("p", listed.beyond === null ? "hint" : "fault",
    listed.beyond === null ? said.whole(listed.parts) : Number(listed.beyond) > 0
      ? said.more(listed.parts, names.figure(goal.kpi, listed.beyond, true)) : said.less(listed.parts, names.figure(goal.kpi, Math.abs(Number(listed.beyond)), true)))];
  const item = element("li", "card goal", title, element("p", "hint", about.filter(Boolean).join(" · ")), ...stands, ...parts, actions, place);
  item.setAttribute("aria-label", title.textContent);
  return item;
}
