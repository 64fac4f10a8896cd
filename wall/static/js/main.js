// The wall: which view is shown, what is in it, and when it is drawn again.

import { Celebration } from "./celebration.js";
import { Clock } from "./clock.js";
import { accumulated, drawBars, drawCurve } from "./curve.js";
import { windowOf } from "./dates.js";
import { by, element, setFigure, setText } from "./dom.js";
import { Figures, toTake } from "./figures.js";
import { along, budget, current, foremost, isCeiling, isOf } from "./goals.js";
import { Store, asked } from "./store.js";
import { Connection } from "./stream.js";
import { capitalised, wordsOf } from "./words.js";

const GRAINS = ["day", "week", "month"];
const SHOWN_KPIS = ["deals_won", "meetings_booked", "quotes_sent", "new_leads", "win_rate", "average_deal_value"];
const ACTIVITIES = ["calls", "emails", "meetings_booked", "meetings_held", "quotes_sent", "visits"];
const ROWS = 5;
const FEED_ROWS = 3;
const PHONE_FEED_ROWS = 6;
const SMALL_GOALS = 4;
/** What is nobody's business but one's own, where it is a seller's. */
const SETBACKS = ["at_risk", "slipped", "missed"];
const ROTATE_S = 20;
const RETRY_MS = 2_000;
const FADE_MS = 350;
const POINTED_MS = 4_000;

const query = new URLSearchParams(location.search);
const language = query.get("lang") === "en" ? "en" : "sv";
const words = wordsOf(language);
const phone = matchMedia("(max-width: 60em)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const rotateS = Number(query.get("rotate") ?? (phone.matches ? 0 : ROTATE_S));
const board = query.get("board") ?? "activity";
const named = query.get("names") !== "0";

const store = new Store();
const clock = new Clock();
let figures;
let celebration;
let connection;
let views = [];
let place = 0;
let shown = null; // what is on the screen: a scope, a window, its series
let wanted = null; // what is to be there: the same, or the next, once its series has come
let trying; // again, where it did not come
let learning; // again, who there is
let learned = 0; // how often that was asked
let paused = false;
let since = performance.now();
let drawing = false;

document.documentElement.lang = language;
document.documentElement.dataset.theme = query.get("theme") === "light" ? "light" : "dark";

// --- what there is to show

/** The views in their order: the company's three windows, then a team's or seller's month. */
function allViews() {
  const kinds = (query.get("views") ?? "company,team,seller").split(",");
  const asked = query.get("scope");
  const period = GRAINS.includes(query.get("period")) ? query.get("period") : null;
  const found = [];
  for (const { scope } of store.scopes) {
    const [kind] = scope.split(":");
    if (asked ? scope !== asked : !kinds.includes(kind)) continue;
    const grains = period ? [period] : kind === "company" ? GRAINS : ["month"];
    for (const grain of grains) found.push({ scope, grain });
  }
  return found.length ? found : [{ scope: "company", grain: period ?? "month" }];
}

function titleOf(scope) {
  if (scope === "company") return words.company;
  return scope.startsWith("team:") ? words.team(nameOf(scope)) : nameOf(scope);
}

/** What a scope is called here: a seller by their initials, where names are not to be shown. */
function nameOf(scope) {
  const name = capitalised(store.name(scope), language);
  if (named || !scope.startsWith("seller:")) return name;
  return name.split(/[\s.-]+/).map((part) => part.charAt(0)).join("").toLocaleUpperCase(words.locale);
}

// --- showing a view

async function show(scope, grain) {
  since = performance.now();
  clearTimeout(trying);
  const slide = by("slide");
  const next = { scope, window: windowOf(grain, clock.today(), words.locale), series: null };
  wanted = next;
  // What is on the screen stays there until this has come.
  try {
    next.series = await store.revenue(scope, next.window.days, next.window.before);
  } catch (error) {
    slide.dataset.loaded = shown ? "yes" : "no";
    throw error;
  }
  if (wanted !== next) return;
  slide.dataset.loaded = "no";
  await new Promise((done) => setTimeout(done, calm.matches ? 0 : FADE_MS));
  // Somebody may have gone on meanwhile.
  if (wanted !== next) return;
  shown = next;
  draw({ lit: false });
  slide.dataset.loaded = "yes";
}

function go(step) {
  // Before anything has come there is nowhere to go.
  if (!views.length) return;
  place = (place + step + views.length) % views.length;
  const { scope, grain } = views[place];
  show(scope, grain).catch(later);
}

function later() {
  clearTimeout(trying);
  trying = setTimeout(() => show(wanted.scope, wanted.window.grain).catch(later), RETRY_MS);
}

/** Draw again, once for all that came together. */
function drawSoon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    draw({ lit: true });
  });
}

function draw({ lit }) {
  if (!shown) return;
  const { scope, window } = shown;
  const record = store.of(scope, window.grain);
  const when = words.when[window.grain](window);
  setText(by("title"), titleOf(scope));
  document.title = `${titleOf(scope)} · Målvakt`;
  for (const button of by("periods").children) {
    button.setAttribute("aria-current", String(button.value === window.grain));
  }
  by("scope").value = scope;
  drawDots();
  drawHero(record, when, lit);
  drawGoals(scope, window);
  drawPlot(record);
  drawFigures(record, lit);
  drawBoard(scope, window.grain, when);
  drawFeed(scope);
}

function drawDots() {
  const dots = by("dots");
  dots.hidden = views.length < 2;
  while (dots.children.length < views.length) dots.append(element("i"));
  while (dots.children.length > views.length) dots.lastChild.remove();
  [...dots.children].forEach((dot, nth) => dot.classList.toggle("on", nth === place));
}

function drawHero(record, when, lit) {
  setText(by("hero-label"), words.revenue(when));
  const parts = figures.moneyParts(record?.kpis.revenue ?? 0).map((part) =>
    // The space between figure and currency is as small as the currency.
    ["currency", "literal"].includes(part.type) ? element("span", "unit", part.value) : part.value);
  const hero = by("hero");
  setFigure(hero, parts, record?.as_of, lit);
  hero.style.setProperty("--letters", hero.textContent.length);
  const { window, series } = shown;
  const compare = by("compare");
  const now = accumulated(series, window.days, clock.today());
  const before = accumulated(series, window.before).at(now.length - 1);
  if (!window.before.length || !before) {
    compare.replaceChildren();
    delete compare.dataset.way;
    return;
  }
  const change = now.at(-1) / before - 1;
  const way = change >= 0.005 ? "up" : change <= -0.005 ? "down" : "even";
  const arrow = { up: "▲ +", down: "▼ −", even: "± " }[way];
  compare.dataset.way = way;
  compare.replaceChildren(element("b", "", `${arrow}${figures.change(change)}`), ` ${words.lastYear}`);
}

function drawGoals(scope, window) {
  const statuses = current(store, scope, clock.today());
  const large = foremost(statuses, window);
  by("goal").hidden = !large;
  if (large) drawGoal(large, window);
  const others = statuses.filter((status) => status !== large).map((status) => ({ status, title: labelOf(status) }));
  const rows = [others, scope === "company" ? ofTeams(window) : []].map((goals) => goals.slice(0, SMALL_GOALS));
  by("goals").replaceChildren(...rows.flatMap((goals) => goals.map((goal, nth) => smallGoal(goal, window, nth === 0))));
  by("goals").classList.toggle("many", rows.some((goals) => goals.length === SMALL_GOALS));
  by("goals").hidden = !by("goals").children.length;
}

/** How the teams stand against their goals. */
function ofTeams(window) {
  return store.scopes.filter(({ scope }) => scope.startsWith("team:")).flatMap(({ scope }) => {
    const status = foremost(current(store, scope, clock.today()), window);
    if (!status) return [];
    const about = status.kpi === "revenue" ? "" : ` · ${labelOf(status)}`;
    return [{ status, title: `${titleOf(scope)}${about}` }];
  });
}

/** What a goal is about: what people call it, else its KPI. */
function labelOf({ goal, kpi, scope }) {
  // A goal is often called after whose it is.
  const hidden = !named && scope.startsWith("seller:");
  return (hidden ? null : store.goals.get(goal)?.name) ?? kpiName(kpi);
}
const kpiName = (kpi) => (kpi === "deals_won" ? words.dealsWon : store.kpi(kpi, language));

const paceOf = (status) => along(status.expected, status);

function fillTrack(status, done, pace) {
  done.style.width = `${(along(status.value, status) ?? 0) * 100}%`;
  const at = paceOf(status);
  pace.hidden = at === null;
  pace.style.left = `${(at ?? 0) * 100}%`;
}

function smallGoal({ status, title }, window, first) {
  const share = figures.percent.format(status.attainment ?? 0);
  const done = element("span", "done");
  const pace = element("span", "pace");
  fillTrack(status, done, pace);
  const value = element("b", "figure", isCeiling(store, status) ? figures.amount(status.kpi, status.value) : share);
  const node = element("li", "", element("span", "goal-name", title), value, element("span", "track", done, pace),
    element("span", "standing", words.standings[status.standing] + (isOf(status, window) ? "" : ` · ${dayOf(status.end, "short")}`)));
  node.classList.toggle("first", first);
  node.dataset.standing = status.standing;
  node.dataset.asOf = status.as_of;
  node.title = `${figures.amount(status.kpi, status.value)} / ${figures.amount(status.kpi, status.target)}`;
  return node;
}

function drawGoal(status, window) {
  const amount = (value) => figures.amount(status.kpi, value);
  fillTrack(status, by("goal-done"), by("goal-pace"));
  const [low, high] = [along(status.low, status), along(status.high, status)];
  const range = by("goal-range");
  range.hidden = low === null || high === null;
  range.style.left = `${(low ?? 0) * 100}%`;
  range.style.width = `${((high ?? 0) - (low ?? 0)) * 100}%`;
  by("goal").dataset.standing = status.standing;
  const ceiling = isCeiling(store, status);
  const share = figures.percent.format(status.attainment ?? 0);
  // Of the figure above it nothing need be said.
  const about = status.kpi === "revenue" && isOf(status, window) ? "" : `${labelOf(status)} ${words.until(dayOf(status.end))}`;
  by("goal-about").hidden = !about;
  setText(by("goal-about"), about);
  const [bold, rest] = ceiling
    ? words.ceiling(amount(status.value), amount(status.target)) : words.goalShare(share, amount(status.target));
  const track = by("goal-track");
  track.setAttribute("aria-valuenow", String(Math.round((along(status.value, status) ?? 0) * 100)));
  track.setAttribute("aria-label", `${about} ${bold}${rest}`.trim());
  track.dataset.asOf = status.as_of;
  const pace = paceOf(status);
  const due = pace === null || ceiling ? "" : words.goalPace(figures.percent.format(pace));
  by("goal-share").replaceChildren(element("b", "", bold), rest, due);
  setText(by("goal-standing"), words.standings[status.standing]);
  by("goal-forecast").replaceChildren(...forecastOf(status, amount));
  setText(by("goal-rest"), ceiling ? "" : restOf(status, amount));
}

/** How it will end, and how sure that is. */
function forecastOf(status, amount) {
  if (status.forecast === null) return [];
  const range = status.low === null || status.high === null ? null : [amount(status.low), amount(status.high)];
  const chance = status.probability === null ? null : figures.percent.format(status.probability);
  const [before, value, after] = words.forecast(amount(status.forecast), range, chance);
  return [before, element("b", "", value), after];
}

/** What it takes from now on. */
function restOf(status, amount) {
  if (status.standing === "achieved" || status.per_working_day === null || !(Number(status.remaining) > 0)) return "";
  const leads = status.leads_needed === null ? null : Math.ceil(status.leads_needed);
  return words.rest(amount(toTake(status.per_working_day)), leads);
}

const dayOf = (day, month = "long") =>
  new Intl.DateTimeFormat(words.locale, { day: "numeric", month, timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));

function drawPlot(record) {
  const { window, series } = shown;
  const today = clock.today();
  const plot = by("curve");
  setText(by("curve-label"), words.curve[window.grain]);
  plot.setAttribute("role", "img");
  if (window.grain === "day") {
    drawBars(plot, { window, today, series, words, figures });
    plot.setAttribute("aria-label", words.barsSay(figures.money(record?.kpis.revenue ?? 0)));
    return;
  }
  const now = accumulated(series, window.days, today);
  const before = accumulated(series, window.before);
  const goal = foremost(current(store, shown.scope, today), window);
  const planned = goal?.kpi === "revenue" && isOf(goal, window) ? budget(goal, window.days, today) : [];
  drawCurve(plot, { window, today, now, before, planned, words, figures });
  const then = before[Math.min(now.length, before.length) - 1] ?? 0;
  plot.setAttribute("aria-label", words.curveSays(figures.money(now.at(-1) ?? 0), figures.money(then)));
}

function drawFigures(record, lit) {
  const list = by("figures");
  if (!list.children.length) {
    for (const kpi of SHOWN_KPIS) {
      const figure = element("dd", "figure");
      figure.dataset.kpi = kpi;
      list.append(element("div", "", element("dt", "", kpiName(kpi)), figure));
    }
  }
  for (const node of list.querySelectorAll("dd")) {
    const kpi = node.dataset.kpi;
    const value = record ? (kpi in record.kpis ? record.kpis[kpi] : record.measures[kpi] ?? 0) : null;
    setFigure(node, [figures.kpi(kpi, value)], record?.as_of, lit);
  }
}

// --- the board and the feed

/** What a seller is placed by: how much they do, or how far they are to their own goal. */
function merit(scope, grain) {
  if (board === "share") {
    const goals = current(store, scope, clock.today()).filter((status) => !isCeiling(store, status));
    return foremost(goals, shown.window)?.attainment ?? null;
  }
  const record = store.of(scope, grain);
  if (!record) return null;
  return ACTIVITIES.reduce((sum, measure) => sum + (record.measures[measure] ?? 0), 0);
}

function drawBoard(scope, grain, when) {
  const sellers = store.scopes.filter((one) => one.scope.startsWith("seller:"));
  const own = sellers.find((one) => one.scope === scope);
  const team = own ? own.team : scope.startsWith("team:") ? scope.slice("team:".length) : null;
  const among = team === null || team === undefined ? sellers : sellers.filter((one) => one.team === team);
  const placed = among
    .map((one) => ({ ...one, merit: merit(one.scope, grain) }))
    .filter((one) => one.merit !== null)
    .sort((one, other) => other.merit - one.merit)
    .map((one, nth) => ({ ...one, place: nth + 1 }));
  const section = by("board");
  section.hidden = board === "off" || !placed.length;
  section.classList.toggle("mine", own !== undefined);
  if (section.hidden) return;
  setText(by("board-label"), board === "share" ? words.share(when) : words.activity(when));
  by("board-label").title = board === "share" ? "" : words.contacts;
  const top = placed.slice(0, ROWS);
  const mine = placed.find((one) => one.scope === scope);
  // Whose view it is stands on the board, wherever they are.
  if (mine && !top.includes(mine)) top[top.length - 1] = mine;
  const most = Math.max(...placed.map((one) => one.merit), 0) || 1;
  const rows = by("board-rows");
  while (rows.children.length < top.length) {
    rows.append(element("li", "", element("span", "place figure"), element("span", "name"),
      element("span", "bar-room", element("span", "length")), element("span", "value")));
  }
  while (rows.children.length > top.length) rows.lastChild.remove();
  top.forEach((one, nth) => {
    const row = rows.children[nth];
    const [number, name, room, value] = row.children;
    setText(number, String(one.place));
    setText(name, nameOf(one.scope));
    room.firstChild.style.width = `${Math.max(0, one.merit / most) * 100}%`;
    setText(value, board === "share" ? figures.percent.format(one.merit) : figures.whole.format(one.merit));
    row.dataset.asOf = store.of(one.scope, grain)?.as_of ?? "";
    if (one.scope === scope) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  });
}

/** What happened last: deals won, and what became of goals. */
function drawFeed(scope) {
  setText(by("feed-label"), words.feed);
  const deals = store.latest().map((moment) => ({ at: moment.at, row: dealRow(moment) }));
  const alerts = [...store.alerts.values()].filter((alert) => isTold(alert, scope)).map((alert) => ({ at: alert.at, row: alertRow(alert) }));
  const rows = [...deals, ...alerts]
    .sort((one, other) => new Date(other.at) - new Date(one.at))
    .slice(0, phone.matches ? PHONE_FEED_ROWS : FEED_ROWS)
    .map(({ row }) => row);
  by("feed-rows").replaceChildren(...(rows.length ? rows : [element("li", "empty", words.nothingWon)]));
}

function feedRow(when, ...rest) {
  const at = element("time", "", timeOf(when));
  at.dateTime = when;
  return element("li", "", at, ...rest);
}

function dealRow(moment) {
  const value = moment.value === null ? "" : figures.money(moment.value, moment.currency ?? undefined);
  return feedRow(moment.at, element("span", "name", winnerOf(moment) ?? words.somebody), element("span", "value", value));
}

/** A seller's setback is told where they look, and not to the whole floor. */
function isTold({ kind, status }, scope) {
  return status.scope === scope || !(status.scope.startsWith("seller:") && SETBACKS.includes(kind));
}

function alertRow({ kind, at, name, status }) {
  const about = (named || !status.scope.startsWith("seller:") ? name : null) ?? kpiName(status.kpi);
  const row = feedRow(at, element("span", "name wide", words.alerts[kind](titleOf(status.scope), about)));
  row.dataset.alert = kind;
  return row;
}

const winnerOf = (moment) => (moment.seller === null ? null : nameOf(`seller:${moment.seller}`));

/** When something was: the time today, yesterday as such, else the date. */
function timeOf(at) {
  const { timezone: timeZone } = clock.heartbeat;
  const then = new Date(at);
  const day = new Intl.DateTimeFormat("sv-SE", { timeZone }).format(then);
  const today = clock.today();
  if (day === today) return new Intl.DateTimeFormat(words.locale, { hour: "2-digit", minute: "2-digit", timeZone }).format(then);
  if (Date.parse(today) - Date.parse(day) === 86_400_000) return words.yesterday;
  return new Intl.DateTimeFormat(words.locale, { day: "numeric", month: "short", timeZone }).format(then);
}

// --- the clock, and how fresh it all is

function tell() {
  if (clock.heartbeat) {
    const timeZone = clock.heartbeat.timezone;
    const now = clock.now();
    setText(by("time"), new Intl.DateTimeFormat(words.locale, { hour: "2-digit", minute: "2-digit", timeZone }).format(now));
    by("time").dateTime = now.toISOString();
    setText(by("date"), new Intl.DateTimeFormat(words.locale, { weekday: "long", day: "numeric", month: "long", timeZone }).format(now));
  }
  // What the server calls fresh is not what is shown, until that has been asked for anew.
  const state = filling && clock.state() === "fresh" ? "unknown" : clock.state();
  by("fresh").dataset.state = state;
  setText(by("fresh-words"), state === "unknown" ? words.fresh.unknown : clock.asOf() ? words.asOf(clock.time(words)) : "");
  const says = clock.warning(words);
  document.body.classList.toggle("stale", says !== "");
  const warning = by("warning");
  if (says) setText(warning, says);
  warning.hidden = !says;
}

function everySecond() {
  tell();
  if (!clock.heartbeat || !shown) return;
  if (clock.today() !== store.starts.day) {
    if (!filling) refill();
  } else if (rotateS > 0 && !paused && views.length > 1 && performance.now() - since > rotateS * 1000) go(1);
}

// --- beginning, and beginning again

const startsOf = (today) =>
  Object.fromEntries(GRAINS.map((grain) => [grain, windowOf(grain, today, words.locale).start]));

let filling = false;
let stale = false; // what has been asked for holds no more

/** Everything anew: at the beginning, at midnight, and where the server's view began a new life. */
async function refill() {
  stale = true;
  if (filling) return;
  filling = true;
  while (stale) {
    stale = false;
    if (!(await fill())) {
      stale = true;
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
  filling = false;
  tell();
}

/** Ask for everything; whether all was answered. */
async function fill() {
  let told = false;
  try {
    const heartbeat = await asked("now");
    clock.heard(heartbeat);
    told = true;
    figures ??= new Figures(words.locale, heartbeat.currency, (kpi) => store.kpis.get(kpi));
    celebration ??= new Celebration(words, figures, query.get("sound") === "1");
    const position = await store.fill(startsOf(clock.today()));
    views = allViews();
    place = Math.min(place, views.length - 1);
    offerScopes();
    offerPages().catch(console.warn);
    // It goes on from where the answers hold, and tells what has changed since once more.
    connection?.close();
    connection = new Connection(position, heard, (lost) => {
      clock.lost = lost;
      tell();
    });
    clock.lost = false;
    const { scope, grain } = wanted ? { scope: wanted.scope, grain: wanted.window.grain } : views[place];
    await show(scope, grain);
    return true;
  } catch (error) {
    console.warn(error);
    // A server that answers this, though not the rest, says itself what is wrong.
    clock.lost = !told;
    tell();
    return false;
  }
}

function heard(kind, data) {
  if (kind === "heartbeat") {
    clock.heard(data);
    // A server that began without Kafka learns later how the installation counts.
    if (figures.currency !== data.currency) {
      figures.currency = data.currency;
      drawSoon();
    }
    tell();
  } else if (kind === "reset") {
    refill();
  } else if (kind === "record") {
    if (store.record(data)) drawSoon();
  } else if (kind === "moment") {
    store.moment(data);
    celebration.of(data, winnerOf(data));
    drawSoon();
  } else if (kind === "status" || kind === "goal" || kind === "alert") {
    store[kind](data);
    drawSoon();
  } else {
    // Somebody new, or with a new name or team; or another definition of a KPI.
    learn();
  }
}

function learn() {
  const mine = (learned += 1);
  Promise.all([asked("scopes"), asked("kpis")]).then(([{ scopes }, { kpis }]) => {
    // An answer that comes late is not how it is now.
    if (mine !== learned) return;
    store.scopes = scopes;
    store.learn(kpis);
    views = allViews();
    place = Math.min(place, views.length - 1);
    offerScopes();
    drawSoon();
  }).catch((error) => {
    console.warn(error);
    // The stream tells of it once.
    clearTimeout(learning);
    learning = setTimeout(learn, RETRY_MS);
  });
}

// --- what one can do

function offerScopes() {
  by("scope").replaceChildren(...store.scopes.map(({ scope }) => {
    const option = element("option", "", titleOf(scope));
    option.value = scope;
    return option;
  }));
}

/** The way to the pages on which people set things, for whoever is signed in to them. */
async function offerPages() {
  // A television shows the wall in a frame.
  if (window.top === window) by("manage").hidden = !(await asked("session")).account;
}

/** Show what somebody chose, and rest there. */
function choose(scope, grain) {
  const nth = views.findIndex((view) => view.scope === scope && view.grain === grain);
  if (nth >= 0) place = nth;
  show(scope, grain).catch(later);
}

function pause(rest) {
  paused = rest;
  since = performance.now();
  setText(by("pause"), paused ? words.go : words.pause);
  by("pause").setAttribute("aria-pressed", String(paused));
}

function setUp() {
  by("periods").setAttribute("aria-label", words.choosePeriod);
  for (const grain of GRAINS) {
    const button = element("button", "", words.periods[grain]);
    button.type = "button";
    button.value = grain;
    button.addEventListener("click", () => wanted && choose(wanted.scope, grain));
    by("periods").append(button);
  }
  setText(by("scope-label"), words.scope);
  setText(by("manage"), words.manage);
  by("scope").addEventListener("change", (event) => wanted && choose(event.target.value, wanted.window.grain));
  by("previous").setAttribute("aria-label", words.previous);
  by("next").setAttribute("aria-label", words.next);
  by("previous").addEventListener("click", () => go(-1));
  by("next").addEventListener("click", () => go(1));
  by("pause").addEventListener("click", () => pause(!paused));
  pause(false);
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("select, button") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowRight") go(1);
    else if (event.key === "ArrowLeft") go(-1);
    else if (event.key === " ") pause(!paused);
    else return;
    event.preventDefault();
  });
  let hiding;
  document.addEventListener("pointermove", () => {
    document.body.classList.add("pointed");
    clearTimeout(hiding);
    hiding = setTimeout(() => document.body.classList.remove("pointed"), POINTED_MS);
  });
  new ResizeObserver(() => drawSoon()).observe(by("curve"));
  // A phone that was in a pocket hears at once that it missed something.
  document.addEventListener("visibilitychange", tell);
  setInterval(everySecond, 1000);
}

setUp();
refill();
