// Who is ahead and who is behind: where each goal stands now, what needs attention first.

import { element, setText } from "../dom.js";
import { toTake } from "../figures.js";
import { wordsOf } from "../words.js";
import { download, fileAt } from "./download.js";
import { choice, tabs } from "./forms.js";
import { live, redraw } from "./live.js";
import { behind, grainOf, naming } from "./naming.js";
import { ask } from "./session.js";
import { table } from "./table.js";
import { track } from "./track.js";
import { language, words } from "./words.js";

const ATTENTION = ["slipped", "at_risk", "missed", "on_track", "pending", "achieved"];
const PERIODS = ["month", "week", "day", "longer"];
const standings = wordsOf(language).standings;

const periodOf = ({ start, end }) => {
  const grain = grainOf(start, end);
  return ["day", "week", "month"].includes(grain) ? grain : "longer";
};

/** What asks for attention before other things: by standing, then by chance, then by how far behind it is. */
function byAttention(one, other) {
  const chance = ({ probability }) => probability ?? 1;
  const ahead = ({ attainment, pace }) => (attainment ?? 0) - (pace ?? 0);
  return ATTENTION.indexOf(one.standing) - ATTENTION.indexOf(other.standing)
    || chance(one) - chance(other) || ahead(one) - ahead(other) || one.goal.localeCompare(other.goal);
}

export async function standing(page) {
  const said = words.standing;
  const names = await naming();
  const asked = new URLSearchParams(location.search);
  const shown = { period: asked.get("period"), team: asked.get("team") ?? "" };
  const summary = element("p", "summary");
  const place = element("div");
  // It may be another day than when the page was opened.
  const address = () => `manage/standings.csv?on=${names.today}`;
  const file = download(address(), said.csv);
  let stands = [];
  let goals = new Map();
  const draw = () => {
    const rows = stands.filter((one) => periodOf(one) === shown.period && isOf(one.scope, shown.team, names)).sort(byAttention);
    const counts = ATTENTION.map((each) => [rows.filter((one) => one.standing === each).length, standings[each]]);
    setText(summary, said.sum(counts.filter(([count]) => count)));
    file.href = fileAt(address());
    redraw(place, rows.length ? tableOf(rows, goals, names) : element("p", "calm", stands.length ? said.noneHere : said.none));
  };
  const fill = async () => {
    await names.look();
    const [found, { statuses }] = await Promise.all([ask("GET", "goals"), ask("GET", `statuses?on=${names.today}`)]);
    goals = new Map(found.goals.map((one) => [one.id, one]));
    stands = statuses.filter((one) => goals.get(one.goal)?.accepted && one.target !== null);
    shown.period ??= PERIODS.find((each) => stands.some((one) => periodOf(one) === each)) ?? "month";
    draw();
  };
  await fill();
  const change = (given) => {
    Object.assign(shown, given);
    history.replaceState(null, "", `?${new URLSearchParams(Object.entries(shown).filter(([, value]) => value))}`);
    draw();
  };
  const teams = choice(said.team, "team", { "": said.all, company: said.company,
    ...Object.fromEntries(names.teams.map((team) => [`team:${team}`, names.scope(`team:${team}`)])) }, shown.team);
  teams.addEventListener("change", (event) => change({ team: event.target.value }));
  page.classList.add("wide");
  page.append(
    element("h1", "", said.title), element("p", "intro", said.intro),
    element("div", "choices", tabs(said.period, said.periods, shown.period, (period) => change({ period })), teams),
    summary, place, file,
  );
  live(names, ["status", "goal", "name", "member"], fill);
}

/** Whether a scope is among those of a team: itself, and who is in it. */
const isOf = (scope, chosen, names) =>
  !chosen || scope === chosen || (chosen.startsWith("team:") && names.team(scope) === chosen.slice("team:".length));

function tableOf(rows, goals, names) {
  const said = words.standing;
  const columns = [
    { text: said.who, row: true, className: "whole" },
    { text: said.stands, className: "standing" },
    { text: said.progress, className: "whole" },
    { text: said.due, className: "number" },
    { text: said.forecast, className: "number" },
    { text: said.chance, className: "number" },
    { text: said.needs, className: "number" },
  ];
  return table(said.title, columns, rows, (status) => cells(status, goals.get(status.goal), names), (row, status) => {
    row.dataset.standing = status.standing;
  });
}

function cells(status, goal, names) {
  const said = words.standing;
  const { kpi } = status;
  const under = (text) => element("span", "under", text);
  const ceiling = goal.better === "at_most";
  const grain = grainOf(status.start, status.end);
  const about = goal.name ?? names.kpi(kpi);
  const period = names.period(status.start, status.end);
  const figure = names.figure(kpi, status.value);
  const value = grain ? element("a", "", figure) : element("b", "", figure);
  if (grain) {
    value.href = behind(status.scope, grain, status.start, kpi);
    value.dataset.place = `${status.goal}|${status.start}`;
  }
  const target = names.figure(kpi, status.target);
  const need = Number(status.remaining) > 0 && status.standing !== "achieved" && status.standing !== "missed";
  return [
    [element("b", "", names.scope(status.scope)), under(`${about}, ${period}`)],
    [element("span", "mark"), standings[status.standing]],
    [value, ` ${ceiling ? said.atMost(target) : said.of(target)}`, ceiling ? "" : ` · ${names.percent(status.attainment)}`, track(status, names)],
    ceiling || status.expected === null ? "–" : [names.short(kpi, status.expected), under(names.percent(shareOf(status.expected, status.target)))],
    status.forecast === null ? "–" : [names.short(kpi, status.forecast),
      status.low === null ? null : under(said.range(names.short(kpi, status.low), names.short(kpi, status.high)))],
    names.percent(status.probability),
    !need ? "–" : ceiling ? said.left(names.short(kpi, status.remaining)) : status.per_working_day === null ? names.short(kpi, status.remaining)
      : [said.perDay(names.short(kpi, toTake(status.per_working_day))),
        status.leads_needed === null ? null : under(said.leads(names.count.format(Math.ceil(status.leads_needed))))],
  ];
}

const shareOf = (figure, target) => (Number(target) ? Number(figure) / Number(target) : null);
