// What scopes, KPIs and periods are called, and how figures are written, at the pages.

import { plus } from "../dates.js";
import { calledIn, capitalised, wordsOf } from "../words.js";
import { ask } from "./session.js";
import { language, words } from "./words.js";

const wall = wordsOf(language);
const UTC = { timeZone: "UTC" };
const utc = (day) => new Date(`${day}T00:00:00Z`);

/** The window that a period is, if it is one; both days belong to it. */
export function grainOf(start, end) {
  const after = plus(end, 1);
  if (start === end) return "day";
  if (plus(start, 7) === after && utc(start).getUTCDay() === 1) return "week";
  if (start.slice(8) !== "01" || after.slice(8) !== "01") return null;
  const months = (Number(after.slice(0, 4)) - Number(start.slice(0, 4))) * 12 + Number(after.slice(5, 7)) - Number(start.slice(5, 7));
  const first = Number(start.slice(5, 7));
  if (months === 1) return "month";
  if (months === 3 && first % 3 === 1) return "quarter";
  return months === 12 && first === 1 ? "year" : null;
}

const weekOf = (monday) => {
  const thursday = utc(plus(monday, 3));
  return 1 + Math.floor((thursday - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000 / 7);
};

export class Naming {
  constructor({ position, scopes }, heartbeat, kpis, measures) {
    this.position = position;
    this.scopes = scopes;
    this.known = new Map(scopes.map((one) => [one.scope, one]));
    this.kpis = new Map(kpis.kpis.map((one) => [one.kpi, one]));
    this.measures = new Map(measures.map((one) => [one.measure, one]));
    const number = (given) => new Intl.NumberFormat(words.locale, given);
    this.count = number({ maximumFractionDigits: 1 });
    this.fine = number({ maximumFractionDigits: 3 });
    this.percents = number({ style: "percent", maximumFractionDigits: 1 });
    this.roughly = number({ style: "percent", maximumFractionDigits: 0 });
    this.compact = number({ notation: "compact", maximumSignificantDigits: 3 });
    this.dates = new Intl.DateTimeFormat(words.locale, { day: "numeric", month: "long", ...UTC });
    this.longDates = new Intl.DateTimeFormat(words.locale, { day: "numeric", month: "long", year: "numeric", ...UTC });
    this.hear(heartbeat);
  }

  /** Go by what the server says now; whether figures are counted otherwise than it said before. */
  hear({ now, clock, currency, timezone }) {
    /** What day it is to the pipeline. */
    this.today = (clock ?? now).slice(0, 10);
    // It may change once: a server that began without Kafka learns later how the installation counts.
    if (currency === this.currency && timezone === this.timezone) return false;
    this.currency = currency;
    this.timezone = timezone;
    const money = (given) => new Intl.NumberFormat(words.locale, { style: "currency", currency, currencyDisplay: "narrowSymbol", ...given });
    this.money = money({ maximumFractionDigits: 0 });
    this.exactMoney = money({ trailingZeroDisplay: "stripIfInteger" });
    // Where amounts stand below each other.
    this.minorMoney = money();
    this.times = new Intl.DateTimeFormat(words.locale, { hour: "2-digit", minute: "2-digit", timeZone: timezone });
    // As Swedes write a date, which is how ISO does.
    this.isoDays = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone });
    return true;
  }

  /** See what day it is: a page may be open overnight. */
  async look() {
    this.hear(await ask("GET", "now"));
  }

  /** Whose: the company, a team, or somebody. */
  scope(scope) {
    if (scope === "company") return wall.company;
    const kind = scope.slice(0, scope.indexOf(":"));
    const name = capitalised(this.known.get(scope)?.name ?? scope.slice(kind.length + 1), language);
    return kind === "team" ? wall.team(name) : name;
  }

  /** The team that a scope is, or is in; none of the company. */
  team(scope) {
    if (scope.startsWith("team:")) return scope.slice("team:".length);
    return this.known.get(scope)?.team ?? null;
  }

  get teams() {
    return this.scopes.filter(({ scope }) => scope.startsWith("team:")).map(({ scope }) => scope.slice("team:".length));
  }

  kpi(kpi) {
    return calledIn(language, this.kpis.get(kpi)?.name, kpi);
  }

  measure(measure) {
    return calledIn(language, this.measures.get(measure)?.name, measure, words.measures[measure]);
  }

  /** What is called so, a KPI or else a measure. */
  called(figure) {
    return this.kpis.has(figure) || !this.measures.has(figure) ? this.kpi(figure) : this.measure(figure);
  }

  unit(kpi) {
    return this.kpis.get(kpi)?.unit ?? "count";
  }

  /** A figure in its unit; money in whole units, unless each counts. */
  figure(kpi, value, exact = false) {
    if (value === null || value === undefined) return "–";
    const number = Number(value);
    switch (this.kpis.has(kpi) ? this.unit(kpi) : typeof value === "string" ? "money" : "count") {
      case "money": return (exact ? this.exactMoney : this.money).format(number);
      case "ratio": return this.percents.format(number);
      case "number": return this.fine.format(number);
      default: return this.count.format(number);
    }
  }

  /** A figure in few characters, where the exact one is beside it. */
  short(kpi, value) {
    if (value === null || value === undefined) return "–";
    const large = ["money", "count"].includes(this.unit(kpi)) && Math.abs(Number(value)) >= 10_000;
    if (large) return this.compact.format(Number(value));
    // Nobody expects a part of a meeting, unless there are only a few.
    return this.figure(kpi, this.unit(kpi) === "count" && Math.abs(Number(value)) >= 10 ? Math.round(Number(value)) : value);
  }

  percent(share) {
    return share === null ? "–" : this.roughly.format(share);
  }

  day(day) {
    return (day.slice(0, 4) === this.today.slice(0, 4) ? this.dates : this.longDates).format(utc(day));
  }

  /** An instant, with its day where that is not today's. */
  moment(instant) {
    const local = this.isoDays.format(new Date(instant));
    const time = this.times.format(new Date(instant));
    if (local === this.today) return words.todayAt(time);
    return `${this.day(local)} ${time}`;
  }

  /** What a goal asks for, in its unit or as a change. */
  target({ kpi, target }) {
    if (target.kind === "absolute") return this.figure(kpi, target.value, true);
    const change = Number(target.change);
    return `${change < 0 ? "−" : "+"}${this.percents.format(Math.abs(change))} ${words.goal.onBaseline[target.baseline]}`;
  }

  /** When a goal is for. */
  goalPeriod(period) {
    if (period.kind === "once") return this.period(period.start, period.end);
    const until = period.until ? ` ${words.goal.before(this.day(period.until))}` : "";
    return `${words.goal.every[period.grain]} ${words.goal.since(this.day(period.start))}${until}`;
  }

  /** A period as it is written in a form. */
  periodText({ start, end }) {
    if (!start) return "";
    switch (grainOf(start, end)) {
      case "day": return start;
      case "week": return `${plus(start, 3).slice(0, 4)}-W${two(weekOf(start))}`;
      case "month": return start.slice(0, 7);
      case "quarter": return `${start.slice(0, 4)}-Q${Math.ceil(Number(start.slice(5, 7)) / 3)}`;
      case "year": return start.slice(0, 4);
      default: return words.goal.between(start, end);
    }
  }

  /** The first day of the window that a day is in. */
  startOf(grain, day) {
    if (grain === "ever") return "1970-01-01";
    if (grain === "day") return day;
    if (grain === "week") return plus(day, -((utc(day).getUTCDay() + 6) % 7));
    return `${day.slice(0, 5)}${two(FIRST_MONTH[grain](Number(day.slice(5, 7))))}-01`;
  }

  /** The first day after a window. */
  after(grain, start) {
    if (!(grain in MONTHS)) return plus(start, grain === "week" ? 7 : grain === "day" ? 1 : 0);
    const months = Number(start.slice(0, 4)) * 12 + Number(start.slice(5, 7)) - 1 + MONTHS[grain];
    return `${Math.floor(months / 12)}-${two((months % 12) + 1)}-01`;
  }

  /** A window, by its name. */
  window(grain, start) {
    return grain === "ever" ? words.ever : this.period(start, plus(this.after(grain, start), -1));
  }

  /** A period, by its name where it is a calendar window. */
  period(start, end) {
    const year = start.slice(0, 4) === this.today.slice(0, 4) ? "" : ` ${start.slice(0, 4)}`;
    switch (grainOf(start, end)) {
      case "day": return this.day(start);
      case "week": return `${words.week} ${weekOf(start)}${year}`;
      case "month": return new Intl.DateTimeFormat(words.locale, { month: "long", ...UTC }).format(utc(start)) + year;
      case "quarter": return `${words.quarter} ${Math.ceil(Number(start.slice(5, 7)) / 3)}${year || ` ${start.slice(0, 4)}`}`;
      case "year": return start.slice(0, 4);
      default: return `${this.day(start)} – ${this.day(end)}`;
    }
  }
}

const FIRST_MONTH = { month: (month) => month, quarter: (month) => month - ((month - 1) % 3), year: () => 1 };
const MONTHS = { month: 1, quarter: 3, year: 12 };
const two = (number) => String(number).padStart(2, "0");

/** All that names things, as it is now. */
export async function naming() {
  return new Naming(...await Promise.all(["scopes", "now", "kpis", "manage/measures"].map((path) => ask("GET", path))));
}

/** Where what is behind a figure is shown. */
export const behind = (scope, grain, start, kpi) => `/manage/behind?${new URLSearchParams({ scope, grain, start, kpi })}`;
