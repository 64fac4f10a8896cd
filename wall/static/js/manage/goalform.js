// A goal while somebody writes it: what is to be said of it stands beside the fields, as they are filled in.

import { element } from "../dom.js";
import { button, choice, field, form } from "./forms.js";
import { ask } from "./session.js";
import { language, words } from "./words.js";

const WAIT_MS = 400;
const RELATIVE = /^\s*[+\-−].*%\s*$/;
/** Which of the form's fields a remark is shown at, where it is about something that is none. */
const AT = { every: "often", from: "from", until: "until", period: "period", better: "better", against: "against" };

/** A form for a new goal, or for one that there is. */
export function goalForm(listed, names, done, cancel) {
  const said = words.goal;
  const goal = listed?.goal ?? null;
  const fields = fieldsOf(listed, names);
  let latest = 0;
  const made = form([element("div", "fields", ...Object.values(fields))], goal ? words.save : said.go, async (given) => {
    latest += 1;
    const { goal: set, remarks } = await ask("POST", `manage/goals?lang=${language}`, draftOf(given, listed));
    remark(made, remarks);
    if (set) await done(set);
    else throw Object.assign(new Error("faulty"), { reason: "faulty" });
  });
  made.noValidate = true;
  made.querySelector(".actions").append(button(said.cancel, cancel));
  const fit = () => {
    const given = new FormData(made);
    const once = given.get("often") === "";
    fields.period.hidden = !once;
    fields.from.hidden = fields.until.hidden = once;
    fields.against.hidden = !RELATIVE.test(given.get("target"));
  };
  let waiting;
  made.addEventListener("input", () => {
    fit();
    clearTimeout(waiting);
    const mine = (latest += 1);
    waiting = setTimeout(async () => {
      const given = new FormData(made);
      // Nobody is told what is missing before they had time to write it.
      if (!given.get("target") || (!given.get("period") && !given.get("often"))) return;
      const { remarks } = await ask("POST", `manage/goals/check?lang=${language}`, draftOf(given, listed)).catch(() => ({ remarks: [] }));
      // What is said of an earlier draft is about what nobody sees any more.
      if (made.isConnected && mine === latest) remark(made, remarks);
    }, WAIT_MS);
  });
  fit();
  return made;
}

function fieldsOf(listed, names) {
  const said = words.goal;
  const goal = listed?.goal ?? null;
  const period = goal?.period ?? { kind: "once" };
  const scopes = Object.fromEntries(names.scopes.map(({ scope }) => [scope, names.scope(scope)]));
  if (goal && !(goal.scope in scopes)) scopes[goal.scope] = names.scope(goal.scope);
  const kpis = Object.fromEntries([...names.kpis.keys()].filter((kpi) => names.kpis.get(kpi).grains.some((grain) => grain !== "ever"))
    .map((kpi) => [kpi, names.kpi(kpi)]));
  if (goal && !(goal.kpi in kpis)) kpis[goal.kpi] = names.kpi(goal.kpi);
  const text = (label, name, value, hint = null, given = {}) => spot(field(label, name, { value: value ?? "", required: false, ...given }, hint), name);
  const list = (label, name, choices, value) => spot(choice(label, name, choices, value), name);
  const made = {
    scope: list(said.scope, "scope", scopes, goal?.scope ?? "company"),
    kpi: list(said.kpi, "kpi", kpis, goal?.kpi ?? "revenue"),
    target: text(said.target, "target", listed?.target, said.targetHint),
    against: list(said.against, "against", said.againsts, goal?.target.baseline ?? "last_year"),
    often: list(said.often, "often", said.oftens, period.kind === "once" ? "" : period.grain),
    period: text(said.period, "period", period.kind === "once" ? names.periodText(period) : "", said.periodHint),
    from: text(said.from, "from", period.kind === "recurring" ? period.start : names.startOf("month", names.today), null, { type: "date" }),
    until: text(said.until, "until", period.until, said.untilHint, { type: "date" }),
    better: list(said.way, "better", said.ways, goal?.better ?? ""),
    name: text(said.name, "name", goal?.name, said.nameHint),
    owner: text(said.ownerLabel, "owner", goal?.owner, said.ownerHint),
  };
  // Statuses of a goal are kept with whose it is: it stays theirs.
  made.scope.querySelector("select").disabled = goal !== null;
  return made;
}

/** A place for remarks below a field. */
function spot(label, name) {
  const remarks = element("span", "remarks");
  remarks.id = `remarks-${Math.random().toString(36).slice(2)}`;
  remarks.dataset.of = name;
  remarks.setAttribute("aria-live", "polite");
  label.querySelector("input, select").setAttribute("aria-describedby", remarks.id);
  label.append(remarks);
  return label;
}

function remark(made, remarks) {
  for (const place of made.querySelectorAll(".remarks")) {
    const own = remarks.filter(({ key }) => place.dataset.of === placeOf(made, key));
    place.replaceChildren(...own.map(({ sentence, warning }) => element("span", warning ? "remark" : "remark fault", sentence)));
    const faulty = own.some(({ warning }) => !warning);
    place.parentNode.querySelector("input, select").setAttribute("aria-invalid", String(faulty));
  }
}

/** The field that a remark is about; what is about the whole is said at the target. */
function placeOf(made, key) {
  const name = AT[key] ?? key;
  const place = made.querySelector(`[data-of="${CSS.escape(name || "target")}"]`);
  return place && !place.closest("label").hidden ? name || "target" : "target";
}

function draftOf(given, listed) {
  const once = given.get("often") === "";
  const relative = RELATIVE.test(given.get("target"));
  return {
    id: listed?.goal.id ?? "", version: listed?.version ?? 0,
    scope: listed?.goal.scope ?? given.get("scope"), kpi: given.get("kpi"), target: given.get("target"),
    against: relative ? given.get("against") : "", better: given.get("better"),
    period: once ? given.get("period") : "", every: given.get("often"),
    from: once ? "" : given.get("from"), until: once ? "" : given.get("until"),
    name: given.get("name"), owner: given.get("owner"),
  };
}
