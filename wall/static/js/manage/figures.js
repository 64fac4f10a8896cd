// The figures of a scope in a window, each of which leads to what is behind it; and files of many of them.

import { plus } from "../dates.js";
import { element, setText } from "../dom.js";
import { attempt, choice, field, form } from "./forms.js";
import { live, redraw } from "./live.js";
import { behind, naming } from "./naming.js";
import { ask } from "./session.js";
import { language, words } from "./words.js";

const GRAINS = ["day", "week", "month", "quarter", "year", "ever"];
const KINDS = ["company", "team:", "seller:", "customer:"];

export async function figures(page) {
  const said = words.figure;
  const names = await naming();
  const asked = new URLSearchParams(location.search);
  const shown = { scope: asked.get("scope") ?? "company", grain: asked.get("grain") ?? "month", day: asked.get("start") ?? names.today };
  const title = element("h2");
  const state = element("p", "hint");
  const place = element("div");
  let latest = 0;
  const draw = async () => {
    const { scope, grain } = shown;
    const start = names.startOf(grain, shown.day);
    const query = new URLSearchParams({ scope, grain, from: start, to: start });
    const mine = (latest += 1);
    const { records: [record] } = await ask("GET", `records?${query}`);
    // An answer that comes late is not what was chosen last.
    if (mine !== latest) return;
    setText(title, `${names.scope(scope)}, ${names.window(grain, start)}`);
    setText(state, record ? said.asOf(names.moment(record.as_of)) : said.none);
    redraw(place, ...(record ? groups(record, names, shown.day) : []));
  };
  await draw();
  const change = async (given) => {
    Object.assign(shown, given);
    const { scope, grain, day } = shown;
    // The day itself: of the window of all time the first is nobody's.
    history.replaceState(null, "", `?${new URLSearchParams({ scope, grain, start: grain === "ever" ? day : names.startOf(grain, day) })}`);
    await draw();
  };
  page.classList.add("wide");
  page.append(
    element("h1", "", said.title), element("p", "intro", said.intro), choices(shown, names, change), title, state, place,
    element("section", "", element("h2", "", said.files), element("p", "hint", said.filesHint), file(names)),
  );
  live(names, ["record"], draw);
}

function choices(shown, names, change) {
  const said = words.figure;
  const scopes = Object.fromEntries(names.scopes.map(({ scope }) => [scope, names.scope(scope)]));
  if (!(shown.scope in scopes)) scopes[shown.scope] = names.scope(shown.scope);
  const scope = choice(said.scope, "scope", scopes, shown.scope);
  const grain = choice(said.window, "grain", Object.fromEntries(GRAINS.map((each) => [each, said.grains[each]])), shown.grain);
  const day = field(said.day, "day", { type: "date", value: shown.day, required: false });
  const listen = (node, given) => node.addEventListener("change", (event) => attempt(() => change(given(event.target.value))));
  listen(scope, (value) => ({ scope: value }));
  listen(grain, (value) => ({ grain: value }));
  listen(day, (value) => ({ day: value || names.today }));
  const step = (text, days) => {
    const made = element("button", "plain", text);
    made.type = "button";
    made.addEventListener("click", () => {
      if (shown.grain === "ever") return;
      const start = names.startOf(shown.grain, shown.day);
      const to = days < 0 ? plus(start, -1) : names.after(shown.grain, start);
      day.querySelector("input").value = to;
      attempt(() => change({ day: to }));
    });
    return made;
  };
  return element("div", "choices", scope, grain, day, element("div", "actions", step(said.before, -1), step(said.after, 1)));
}

function groups(record, names, day) {
  const said = words.figure;
  const list = (figures) => element("ul", "figures", ...figures.map(([name, value]) => {
    const label = names.called(name);
    const text = names.figure(name, value);
    const leads = value !== null && Number(value) !== 0;
    const shownValue = leads ? element("a", "value", text) : element("span", "value", text);
    if (leads) {
      // Back from there one comes to the day that was looked at.
      shownValue.href = behind(record.scope, record.grain, record.start, name) + (record.grain === "ever" ? `&day=${day}` : "");
      shownValue.setAttribute("aria-label", `${label}: ${text}`);
      shownValue.dataset.place = name;
    }
    return element("li", "", shownValue, element("span", "name", label));
  }));
  // What a KPI says already, perhaps under another name, is not said twice.
  const told = new Set(Object.keys(record.kpis).map((name) => names.kpi(name)));
  const measures = Object.entries(record.measures).filter(([name]) => !(name in record.kpis) && !told.has(names.measure(name)));
  return [list(Object.entries(record.kpis)), element("h3", "", said.measures), list(measures)];
}

function file(names) {
  const said = words.figure;
  const kinds = Object.fromEntries(KINDS.map((kind) => [kind, said.kinds[kind]]));
  const grains = Object.fromEntries(GRAINS.map((each) => [each, said.grains[each]]));
  return form([element("div", "fields",
    choice(said.kind, "scope", kinds, "seller:"),
    choice(said.window, "grain", grains, "month"),
    field(said.from, "from", { type: "date", value: `${names.today.slice(0, 4)}-01-01` }),
    field(said.to, "to", { type: "date", value: names.today }))], said.save, async (given) => {
    location.assign(`/api/manage/records.csv?${new URLSearchParams([...given, ["lang", language]])}`);
  });
}
