// What became of a goal: who changed what, and when; the latest first.

import { element } from "../dom.js";
import { button } from "./forms.js";
import { words } from "./words.js";

export function historyOf(versions, names, close) {
  const said = words.goal;
  const rows = versions.map((version, nth) => element("li", "row",
    element("span", "", changeOf(version.goal ?? null, versions[nth - 1]?.goal ?? null, names)),
    element("span", "hint", said.who(version.by, names.moment(version.at)))));
  return element("div", "history", element("ul", "rows", ...rows.reverse()), button(words.close, close));
}

function changeOf(goal, before, names) {
  const said = words.goal;
  if (goal === null) return said.was.retired;
  const asks = (one) => `${names.kpi(one.kpi)}, ${said.better[one.better]} ${names.target(one)}, ${names.goalPeriod(one.period)}`;
  if (before === null) return said.was.set(asks(goal));
  const changes = [];
  if (asks(goal) !== asks(before)) changes.push(said.was.asks(asks(goal), asks(before)));
  for (const name of ["name", "owner"]) {
    if (goal[name] !== before[name]) changes.push(said.was[name](goal[name] ?? "–", before[name] ?? "–"));
  }
  if (goal.accepted && goal.accepted.at !== before.accepted?.at) changes.push(said.was.accepted(goal.accepted.by));
  if (!goal.accepted && before.accepted) changes.push(said.was.draft);
  return changes.join(" ") || said.was.same;
}
