// What the page knows: the records of today's windows, the series it has shown, the feed, the goals. It is
// filled once and then kept by the stream; of two records with one key the higher revision holds. What is
// told and not shown is not kept: a page is open for weeks.

import { calledIn } from "./words.js";

const GRAINS = ["day", "week", "month"];
const FEED_LENGTH = 12;

export async function asked(path, given = {}) {
  const query = new URLSearchParams(given).toString();
  const response = await fetch(`/api/${path}${query ? `?${query}` : ""}`);
  // Whoever is nobody yet signs in first; a television is told what to do by the page around this one.
  if (response.status === 401 && window.top === window) {
    location.assign(`/manage/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
  }
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

// The view holds what is no more as such, so that it does not come back; here it is nothing.
const alive = (one) => !one.gone;
const statusKey = (status) => `${status.goal}|${status.start}`;

const keyOf = (record) => `${record.scope}|${record.grain}|${record.start}`;

export class Store {
  constructor() {
    this.forget();
  }

  forget() {
    this.starts = {};
    this.records = new Map();
    this.series = new Map();
    this.moments = new Map();
    this.goals = new Map();
    this.statuses = new Map();
    this.alerts = new Map();
    this.scopes = [];
    this.kpis = new Map();
  }

  /** Everything anew, as of the windows that begin on these days; answers with the position it holds at. */
  async fill(starts) {
    const feed = await asked("feed", { limit: FEED_LENGTH });
    const [scopes, { kpis }, { goals }, { statuses }, { alerts }, ...windows] = await Promise.all([
      asked("scopes"),
      asked("kpis"),
      asked("goals"),
      asked("statuses", { on: starts.day }),
      asked("alerts", { limit: FEED_LENGTH }),
      ...GRAINS.map((grain) => asked("records", { grain, from: starts[grain], to: starts[grain] })),
    ]);
    this.forget();
    this.starts = starts;
    this.scopes = scopes.scopes;
    this.learn(kpis);
    for (const moment of feed.moments) this.moments.set(momentKey(moment), moment);
    for (const goal of goals.filter(alive)) this.goals.set(goal.id, goal);
    for (const status of statuses.filter(alive)) this.statuses.set(statusKey(status), status);
    for (const alert of alerts) this.alerts.set(alert.id, alert);
    for (const { records } of windows) for (const record of records) this.record(record);
    return feed.position;
  }

  /** Take in what KPIs are called and how they are written. */
  learn(kpis) {
    this.kpis = new Map(kpis.map((one) => [one.kpi, one]));
  }

  /** Take a record in; whether it says something new that is shown. */
  record(record) {
    if (record.gone) return this.records.delete(record.key);
    const series = record.grain === "day" ? this.series.get(record.scope) : undefined;
    const drawn = series?.days.has(record.start) ?? false;
    if (drawn) {
      series.points.set(record.start, record.kpis.revenue);
      series.told.add(record.start);
    }
    if (this.starts[record.grain] !== record.start) return drawn;
    const known = this.records.get(keyOf(record));
    if (known && known.revision >= record.revision) return false;
    this.records.set(keyOf(record), record);
    return true;
  }

  /** Take a moment in. */
  moment(moment) {
    if (moment.at === null) this.moments.delete(momentKey(moment));
    else this.moments.set(momentKey(moment), moment);
    const latest = this.latest();
    this.moments = new Map(latest.slice(0, FEED_LENGTH).map((one) => [momentKey(one), one]));
  }

  /** Take in where a goal stands in a period that holds today. */
  status(status) {
    if (status.gone) this.statuses.delete(status.key);
    else if (status.start <= this.starts.day && this.starts.day <= status.end) this.statuses.set(statusKey(status), status);
    else this.statuses.delete(statusKey(status));
  }

  /** Take a goal in. */
  goal(goal) {
    if (goal.gone) this.goals.delete(goal.key);
    else this.goals.set(goal.id, goal);
  }

  /** Take in what happened to a goal. */
  alert(alert) {
    this.alerts.set(alert.id, alert);
    const latest = [...this.alerts.values()].sort((one, other) => new Date(other.at) - new Date(one.at));
    this.alerts = new Map(latest.slice(0, FEED_LENGTH).map((each) => [each.id, each]));
  }

  /** The deals won last, the latest first. */
  latest() {
    return [...this.moments.values()].sort((one, other) => new Date(other.at) - new Date(one.at));
  }

  of(scope, grain) {
    return this.records.get(`${scope}|${grain}|${this.starts[grain]}`);
  }

  /** The revenue of a scope by day, over some days; asked for once, and then kept by the stream. */
  async revenue(scope, ...spans) {
    const series = this.series.get(scope) ?? { points: new Map(), days: new Set(), told: new Set(), asked: new Set() };
    this.series.set(scope, series);
    const missing = spans.filter((days) => days.length && !series.asked.has(days[0] + days.at(-1)));
    // From now on the stream tells of them.
    for (const day of missing.flat()) series.days.add(day);
    await Promise.all(missing.map(async (days) => {
      const between = { from: days[0], to: days.at(-1) };
      const { points } = await asked("series", { scope, kpi: "revenue", grain: "day", ...between });
      // What the stream has told meanwhile is newer.
      for (const { start, value } of points) if (!series.told.has(start)) series.points.set(start, value);
      series.asked.add(days[0] + days.at(-1));
    }));
    return series.points;
  }

  /** What a KPI is called in a language; ids name those that nobody knows. */
  kpi(kpi, language) {
    return calledIn(language, this.kpis.get(kpi)?.name, kpi);
  }

  name(scope) {
    return this.scopes.find((one) => one.scope === scope)?.name ?? scope.slice(scope.indexOf(":") + 1);
  }
}

const momentKey = (moment) => JSON.stringify([moment.customer, moment.deal]);
