// What is behind a figure: counted again from every event, with each object's share. Leaving the page stops it.

import { element, setText } from "../dom.js";
import { download } from "./download.js";
import { naming } from "./naming.js";
import { table } from "./table.js";
import { words } from "./words.js";

export async function behind(page) {
  const said = words.behind;
  const names = await naming();
  const given = new URLSearchParams(location.search);
  const asked = Object.fromEntries(["scope", "grain", "start", "kpi"].map((name) => [name, given.get(name) ?? ""]));
  const { scope, grain, start, kpi } = asked;
  const figure = element("p", "large", "–");
  const state = element("p", "hint");
  state.setAttribute("role", "status");
  const bar = element("div", "busy");
  const place = element("div");
  const back = element("a", "back", said.back);
  back.href = `/manage/figures?${new URLSearchParams({ scope, grain, start: given.get("day") ?? start })}`;
  page.classList.add("wide");
  page.append(
    back, element("h1", "", names.called(kpi)),
    element("p", "intro", `${names.scope(scope)}, ${names.window(grain, start)}`),
    figure, state, bar, place,
  );
  const stop = (text) => {
    source.close();
    bar.hidden = true;
    setText(state, text);
  };
  const since = performance.now();
  const source = new EventSource(`/api/manage/behind?${new URLSearchParams(asked)}`);
  source.addEventListener("stage", ({ data }) => {
    const { stage, events } = JSON.parse(data);
    const seconds = Math.round((performance.now() - since) / 1_000);
    setText(state, said.stages[stage](names.count.format(events)) + (seconds < 3 ? "" : ` ${said.seconds(seconds)}`));
  });
  source.addEventListener("answer", ({ data }) => {
    const answer = JSON.parse(data);
    stop(compared(answer, names));
    setText(figure, names.figure(kpi, answer.value, true));
    place.replaceChildren(answer.since ? element("p", "hint", said.since[answer.since]) : "", ...sumsOf(answer, asked, names));
  });
  source.addEventListener("refused", ({ data }) => {
    const { reason, figures } = JSON.parse(data);
    stop(`${words.reasons[reason] ?? words.lost}${figures.length ? ` ${said.thereAre(figures.map((one) => names.called(one)).join(", "))}` : ""}`);
  });
  // One that is broken off is not begun again by itself: it is long work.
  source.addEventListener("error", () => stop(said.refused));
  addEventListener("pagehide", () => source.close());
}

/** Whether that is what the record says. */
function compared({ value, published, figure }, names) {
  const said = words.behind;
  if (!published) return said.unpublished;
  if (String(published.value) === String(value)) return said.same(names.moment(published.as_of));
  return said.differs(names.figure(figure, published.value, true), names.moment(published.as_of));
}

function sumsOf(answer, asked, names) {
  const said = words.behind;
  const several = answer.sums.length > 1;
  const parts = answer.sums.flatMap((sum) => {
    const days = sum.end === null ? "" : names.period(sum.start, lastOf(sum.end));
    const heading = element("h2", "", names.measure(sum.name), " ", element("span", "count", amount(sum.total, sum.name, names)));
    const rest = sum.count - sum.items.length;
    return [element("section", "",
      heading, element("p", "summary", said.count(names.count.format(sum.count)) + (several && days ? `, ${days}` : "")),
      sum.items.length ? tableOf(sum, names) : element("p", "calm", said.nothing),
      rest > 0 ? element("p", "hint", said.rest(names.count.format(rest))) : "")];
  });
  const formula = several ? element("p", "hint", said.formula(formulaOf(answer, names))) : "";
  return [formula, download(`manage/behind.csv?${new URLSearchParams(asked)}`, said.csv), ...parts];
}

function tableOf(sum, names) {
  const said = words.behind;
  const through = sum.items.some((item) => item.through.length);
  const columns = [
    { text: said.object, row: true },
    { text: said.share, className: "number" },
    { text: said.day },
    { text: said.customer },
    { text: said.seller },
    { text: said.team },
    ...(through ? [{ text: said.through, className: "whole" }] : []),
  ];
  return table(names.measure(sum.name), columns, sum.items, (item) => [
    item.object,
    element("b", "", amount(item.share, sum.name, names)),
    item.first_day === item.last_day ? names.day(item.first_day) : `${names.day(item.first_day)} – ${names.day(item.last_day)}`,
    item.customer ?? "–",
    item.seller === null ? "–" : item.seller.split(", ").map((one) => names.scope(`seller:${one}`)).join(", "),
    item.team === null ? "–" : item.team.split(", ").map((one) => names.scope(`team:${one}`)).join(", "),
    ...(through ? [item.through.join(", ")] : []),
  ]);
}


/** A share as people read it: money in its smallest unit, fractions to three decimals. */
function amount(text, measure, names) {
  const [above, below = "1"] = text.split("/");
  const value = Number(above) / Number(below);
  return names.measures.get(measure)?.unit === "money" ? names.minorMoney.format(value) : names.fine.format(value);
}

/** The formula with what stands in it. */
function formulaOf({ formula, sums }, names) {
  const read = new Set(sums.map((sum) => sum.name));
  return formula.replace(/\b[a-z][a-z0-9_]*\b/g, (word) => (read.has(word) ? names.measure(word) : word));
}

const lastOf = (end) => new Date(Date.parse(`${end}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
