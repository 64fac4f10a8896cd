// The wall: which view is shown, what is in it, and when it is drawn again.

import { Celebration } from "./celebration.js";
import { Clock } from "./clock.js";
import { accumulated, drawBars, drawCurve } from "./curve.js";
import { windowOf } from "./dates.js";
import { by, element, setFigure, setText } from "./dom.js";
import { Figures } from "./figures.js";
import { Store, asked } from "./store.js";
import { Connection } from "./stream.js";
import { wordsOf } from "./words.js";

const GRAINS = ["day", "week", "month"];
const SHOWN_KPIS = ["deals_won", "meetings_booked", "quotes_sent", "new_leads", "win_rate", "average_deal_value"];
const ACTIVITIES = ["calls", "emails", "meetings_booked", "meetings_held", "quotes_sent", "visits"];
const ROWS = 5;
const FEED_ROWS = 3;
const PHONE_FEED_ROWS = 6;
const ROTATE_S = 20;
const RETRY_MS = 2_000;
const FADE_MS = 350;
const POINTED_MS = 4_000;

const query = new URLSearchParams(location.search);
const words = wordsOf(query.get("lang"));
const phone = matchMedia("(max-width: 60em)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const rotateS = Number(query.get("rotate") ?? (phone.matches ? 0 : ROTATE_S));
const board = query.get("board") ?? "activity";

const store = new Store();
const clock = new Clock();
let figures;
let celebration;
let connection;
let views = [];
let place = 0;
let shown = null; // what is on the screen: a scope, a window, its series
let paused = false;
let since = performance.now();
let drawing = false;

document.documentElement.lang = words === wordsOf("en") ? "en" : "sv";
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
  const name = store.name(scope);
  if (scope === "company") return words.company;
  return scope.startsWith("team:") ? words.team(capitalised(name)) : capitalised(name);
}

const capitalised = (name) => name.charAt(0).toLocaleUpperCase(words.locale) + name.slice(1);

// --- showing a view

async function show(scope, grain) {
  since = performance.now();
  const slide = by("slide");
  const wanted = { scope, window: windowOf(grain, clock.today(), words.locale), series: null };
  shown = wanted;
  slide.dataset.loaded = "no";
  const [series] = await Promise.all([
    store.revenue(scope, wanted.window.days, wanted.window.before),
    new Promise((done) => setTimeout(done, calm.matches ? 0 : FADE_MS)),
  ]);
  // Somebody may have gone on meanwhile.
  if (shown !== wanted) return;
  wanted.series = series;
  draw({ lit: false });
  slide.dataset.loaded = "yes";
}

function go(step) {
  place = (place + step + views.length) % views.length;
  const { scope, grain } = views[place];
  show(scope, grain).catch(later);
}

function later() {
  setTimeout(() => shown && show(shown.scope, shown.window.grain).catch(later), RETRY_MS);
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
  if (!shown?.series) return;
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
  drawGoal(scope, window.grain);
  drawPlot(record);
  drawFigures(record, lit);
  drawBoard(scope, window.grain, when);
  drawFeed();
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

function drawGoal(scope, grain) {
  const status = store.goal(scope, grain);
  by("goal").hidden = !status;
  if (!status) return;
  const done = Math.max(0, Math.min(1, status.attainment ?? 0));
  by("goal-done").style.width = `${done * 100}%`;
  by("goal-pace").hidden = status.pace === null;
  by("goal-pace").style.left = `${Math.min(1, status.pace ?? 0) * 100}%`;
  const share = figures.percent.format(status.attainment ?? 0);
  const [bold, rest] = words.goalShare(share, `${figures.short.format(Number(status.target))}`);
  const track = by("goal-track");
  track.setAttribute("aria-valuenow", String(Math.round(done * 100)));
  track.setAttribute("aria-label", bold + rest);
  track.dataset.asOf = status.as_of;
  const pace = status.pace === null ? "" : words.goalPace(figures.percent.format(status.pace));
  by("goal-share").replaceChildren(element("b", "", bold), rest, pace);
  const forecast = by("goal-forecast");
  if (status.forecast === null) {
    forecast.replaceChildren();
    return;
  }
  const chance = status.probability === null ? null : figures.percent.format(status.probability);
  const [before, value, after] = words.forecast(figures.short.format(Number(status.forecast)), chance);
  forecast.replaceChildren(before, element("b", "", value), after);
}

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
  drawCurve(plot, { window, today, now, before, words, figures });
  const then = before[Math.min(now.length, before.length) - 1] ?? 0;
  plot.setAttribute("aria-label", words.curveSays(figures.money(now.at(-1) ?? 0), figures.money(then)));
}

function drawFigures(record, lit) {
  const list = by("figures");
  if (!list.children.length) {
    for (const kpi of SHOWN_KPIS) {
      const figure = element("dd", "figure");
      figure.dataset.kpi = kpi;
      list.append(element("div", "", element("dt", "", words.kpis[kpi]), figure));
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
  if (board === "share") return store.goal(scope, grain)?.attainment ?? null;
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
    setText(name, capitalised(one.name));
    room.firstChild.style.width = `${Math.max(0, one.merit / most) * 100}%`;
    setText(value, board === "share" ? figures.percent.format(one.merit) : figures.whole.format(one.merit));
    row.dataset.asOf = store.of(one.scope, grain)?.as_of ?? "";
    if (one.scope === scope) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  });
}

function drawFeed() {
  setText(by("feed-label"), words.feed);
  const moments = store.latest().slice(0, phone.matches ? PHONE_FEED_ROWS : FEED_ROWS);
  const rows = moments.map((moment) => {
    const at = element("time", "", timeOf(moment.at));
    at.dateTime = moment.at;
    const value = moment.value === null ? "" : figures.money(moment.value, moment.currency ?? undefined);
    return element("li", "", at, element("span", "name", winnerOf(moment) ?? words.somebody), element("span", "value", value));
  });
  by("feed-rows").replaceChildren(...(rows.length ? rows : [element("li", "empty", words.nothingWon)]));
}

const winnerOf = (moment) => (moment.seller === null ? null : capitalised(store.name(`seller:${moment.seller}`)));

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
  const state = clock.state();
  const asOf = clock.asOf();
  const time = asOf === null ? words.earlier : new Intl.DateTimeFormat(words.locale, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: clock.heartbeat.timezone }).format(asOf);
  by("fresh").dataset.state = state;
  const says = words.fresh[state];
  setText(by("fresh-words"), state === "fresh" ? words.asOf(time) : state === "unknown" ? says : words.asOf(time));
  const stale = state !== "fresh" && state !== "unknown";
  document.body.classList.toggle("stale", stale);
  const warning = by("warning");
  if (stale) setText(warning, says(time));
  warning.hidden = !stale;
}

function everySecond() {
  tell();
  if (!clock.heartbeat || !shown) return;
  if (clock.today() !== store.starts.day) refill();
  else if (rotateS > 0 && !paused && views.length > 1 && performance.now() - since > rotateS * 1000) go(1);
}

// --- beginning, and beginning again

const startsOf = (today) =>
  Object.fromEntries(GRAINS.map((grain) => [grain, windowOf(grain, today, words.locale).start]));

let filling = null;

/** Everything anew: at the beginning, at midnight, and where the server's view began a new life. */
function refill() {
  filling ??= fill().finally(() => {
    filling = null;
  });
  return filling;
}

async function fill() {
  try {
    const heartbeat = await asked("now");
    clock.heard(heartbeat);
    figures ??= new Figures(words.locale, heartbeat.currency);
    celebration ??= new Celebration(words, figures, query.get("sound") === "1");
    const position = await store.fill(startsOf(clock.today()));
    views = allViews();
    place = Math.min(place, views.length - 1);
    offerScopes();
    // It goes on from where the answers hold, and tells what has changed since once more.
    connection?.close();
    connection = new Connection(position, heard, (lost) => {
      clock.lost = lost;
      tell();
    });
    clock.lost = false;
    const { scope, grain } = shown ? { scope: shown.scope, grain: shown.window.grain } : views[place];
    await show(scope, grain);
  } catch (error) {
    console.warn(error);
    clock.lost = true;
    tell();
    await new Promise((done) => setTimeout(done, RETRY_MS));
    return fill();
  }
}

function heard(kind, data) {
  if (kind === "heartbeat") {
    clock.heard(data);
    tell();
  } else if (kind === "reset") {
    refill();
  } else if (kind === "record") {
    if (store.record(data)) drawSoon();
  } else if (kind === "moment") {
    store.moment(data);
    celebration.of(data, winnerOf(data));
    drawSoon();
  } else if (kind === "status") {
    store.status(data);
    drawSoon();
  } else {
    // Somebody new, or with a new name or team.
    asked("scopes").then(({ scopes }) => {
      store.scopes = scopes;
      views = allViews();
      place = Math.min(place, views.length - 1);
      offerScopes();
      drawSoon();
    }, console.warn);
  }
}

// --- what one can do

function offerScopes() {
  by("scope").replaceChildren(...store.scopes.map(({ scope }) => {
    const option = element("option", "", titleOf(scope));
    option.value = scope;
    return option;
  }));
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
    button.addEventListener("click", () => shown && choose(shown.scope, grain));
    by("periods").append(button);
  }
  setText(by("scope-label"), words.scope);
  by("scope").addEventListener("change", (event) => choose(event.target.value, shown.window.grain));
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
