// A goal divided over those who are to reach it together: how, what each gets, and then it is so.

import { element, setText } from "../dom.js";
import { button, check, choice, faultOf, field, form } from "./forms.js";
import { ask } from "./session.js";
import { table } from "./table.js";
import { language, words } from "./words.js";

export function divisionOf({ goal }, names, done, cancel) {
  const said = words.goal;
  const among = names.scopes.filter(({ scope }) => isPart(scope, goal.scope, names));
  // Over teams or over sellers; over both each of them would be asked for twice.
  const kind = among.some(({ scope }) => scope.startsWith("team:")) ? "team:" : "seller:";
  const how = choice(said.how, "how", said.hows, "evenly");
  const over = element("fieldset", "", element("legend", "", said.over), ...among.map(({ scope }) => {
    const weight = field(said.weight(names.scope(scope)), `weight ${scope}`, { type: "number", min: 0, max: 1_000_000, value: 1, required: false });
    weight.className = "weight";
    return element("div", "share", check(names.scope(scope), "over", scope.startsWith(kind), scope), weight);
  }));
  const preview = element("div");
  const fault = element("p", "fault");
  fault.setAttribute("role", "alert");
  const made = form([how, over, preview, fault], said.divideGo, async (given) => {
    await ask("POST", `manage/goals/divide?lang=${language}`, asked(given, goal));
    await done();
  });
  made.querySelector(".actions").append(button(said.cancel, cancel));
  let latest = 0;
  const look = async () => {
    const given = new FormData(made);
    for (const weight of over.querySelectorAll(".weight")) weight.hidden = given.get("how") !== "weights";
    const mine = (latest += 1);
    try {
      const { parts } = await ask("POST", `manage/goals/division?lang=${language}`, asked(given, goal));
      if (mine !== latest) return;
      setText(fault, "");
      preview.replaceChildren(partsOf(parts, goal, names));
    } catch (error) {
      if (mine !== latest) return;
      setText(fault, faultOf(error));
      preview.replaceChildren();
    }
  };
  made.addEventListener("input", look);
  // Once it is on the page.
  setTimeout(look);
  return made;
}

const isPart = (scope, whole, names) => {
  if (scope === whole || scope === "company") return false;
  return whole === "company" || (scope.startsWith("seller:") && `team:${names.team(scope)}` === whole);
};

const asked = (given, goal) => ({
  id: goal.id,
  how: given.get("how"),
  over: given.getAll("over").map((scope) => ({ scope, weight: Math.max(0, Math.round(Number(given.get(`weight ${scope}`)) || 0)) })),
});

function partsOf(parts, goal, names) {
  const said = words.goal;
  const total = parts.reduce((sum, part) => sum + Number(part.target.value), 0);
  const columns = [{ text: words.standing.who, row: true }, { text: said.part, className: "number" }, { text: said.ofWhole, className: "number" }];
  const rows = table(said.parts, columns, parts, (part) => [
    names.scope(part.scope),
    element("b", "", names.figure(goal.kpi, part.target.value, true)),
    names.percent(Number(part.target.value) / Number(goal.target.value)),
  ]);
  const difference = Math.round((total - Number(goal.target.value)) * 1e6) / 1e6;
  return element("div", "", rows, element("p", "hint", said.together(names.figure(goal.kpi, total, true), difference ? names.figure(goal.kpi, difference, true) : null)));
}
