// Development over time, drawn: a line against last year's, or a bar for each day.

import { drawn } from "./dom.js";
import { isMonday, tickOf } from "./dates.js";

const STEPS = [1, 2, 2.5, 5, 10];

/** Round heights to draw lines at, from nothing to above the highest, in so many steps at most. */
function heights(highest, most) {
  const rough = Math.max(highest, 1) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * STEPS.find((one) => one * unit >= rough);
  const found = [];
  for (let at = 0; at < highest + step * 0.999; at += step) found.push(at);
  return found.length > 1 ? found : [0, step];
}

/** Sums from the first day on; up to and with `last`, where there is one. */
export function accumulated(series, days, last = null) {
  let sum = 0;
  const found = [];
  for (const day of days) {
    if (last !== null && day > last) break;
    sum += Number(series.get(day) ?? 0);
    found.push(sum);
  }
  return found;
}

function frame(plot, highest, figures) {
  const { width, height } = plot.getBoundingClientRect();
  const em = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const small = width < 800 ? em * 0.9375 : em * 1.5;
  const left = small * 4;
  const bottom = height - small * 1.9;
  const top = small * 0.9;
  // Where it is low there is no room for a figure at each of three.
  const lines = heights(highest, Math.min(3, Math.max(1, Math.floor((bottom - top) / (small * 1.25)))));
  const y = (value) => bottom - (value / lines.at(-1)) * (bottom - top);
  const svg = drawn("svg", { "aria-hidden": "true", viewBox: `0 0 ${width} ${height}` });
  for (const at of lines) {
    svg.append(drawn("line", { class: "grid", x1: left, x2: width, y1: y(at), y2: y(at) }));
    svg.append(drawn("text", { x: 0, y: y(at) + small * 0.35 }, at ? figures.short.format(at) : "0"));
  }
  return { svg, width, height, small, left, bottom, y };
}

const path = (points) => points.map(([x, y], nth) => `${nth ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** What a line is, at its end: above it, but below where another ends close above. */
function named(line, other, text, small) {
  const [x, y] = line.at(-1);
  const under = other !== undefined && other < y && y - other < small * 2;
  return drawn("text", { x, y: under ? y + small * 1.5 : Math.max(y - small * 0.7, small * 0.4), "text-anchor": "end" }, text);
}

/** The sum so far, day by day, against last year's and, where there is a goal, the budget. */
export function drawCurve(plot, { window, today, now, before, planned, words, figures }) {
  const highest = Math.max(...now, ...before, ...planned, 0);
  const { svg, width, height, small, left, bottom, y } = frame(plot, highest, figures);
  const count = Math.max(window.days.length, before.length);
  const right = width - small * 0.5;
  const x = (nth) => left + small * 0.5 + (nth / (count - 1)) * (right - left - small * 0.5);
  svg.prepend(
    drawn("defs", {}, drawn("linearGradient", { id: "fade", x1: 0, x2: 0, y1: 0, y2: 1 },
      drawn("stop", { offset: 0, "stop-color": "var(--accent)", "stop-opacity": 0.26 }),
      drawn("stop", { offset: 1, "stop-color": "var(--accent)", "stop-opacity": 0 }))),
  );
  for (const [nth, day] of window.days.entries()) {
    const shown = window.grain === "week" || nth === 0 || (nth + 1) % 5 === 0;
    if (!shown) continue;
    const text = drawn("text", { x: x(nth), y: height - small * 0.3, "text-anchor": "middle" }, tickOf(window.grain, day, words.locale));
    if (day === today) text.setAttribute("class", "now");
    svg.append(text);
  }
  const earlier = before.map((sum, nth) => [x(nth), y(sum)]);
  const points = now.map((sum, nth) => [x(nth), y(sum)]);
  if (earlier.some(([, at]) => at < bottom)) {
    svg.append(drawn("path", { class: "before", d: path(earlier) }));
    svg.append(named(earlier, planned.length ? y(planned.at(-1)) : undefined, words.lastYearLine, small));
  }
  if (planned.length) {
    const way = planned.map((sum, nth) => [x(nth), y(sum)]);
    svg.append(drawn("path", { class: "planned", d: path(way) }));
    svg.append(named(way, earlier.at(-1)?.[1], words.budgetLine, small));
  }
  if (points.length) {
    const [lastX, lastY] = points.at(-1);
    svg.append(drawn("path", { class: "area", d: `${path(points)}L${lastX} ${bottom}L${points[0][0]} ${bottom}Z` }));
    svg.append(drawn("path", { class: "line", d: path(points) }));
    svg.append(drawn("circle", { class: "here", cx: lastX, cy: lastY, r: small * 0.36 }));
    const room = lastX > left + small * 5;
    svg.append(drawn("text", { class: "now", x: room ? lastX - small * 0.5 : lastX + small * 0.8, y: lastY - small * 0.6,
      "text-anchor": room ? "end" : "start" }, words.thisYearLine));
  }
  plot.replaceChildren(svg);
}

/** A bar for each day. */
export function drawBars(plot, { window, today, series, words, figures }) {
  const values = window.days.map((day) => Number(series.get(day) ?? 0));
  const { svg, width, height, small, left, bottom, y } = frame(plot, Math.max(...values, 0), figures);
  const step = (width - left) / values.length;
  for (const [nth, day] of window.days.entries()) {
    const top = Math.min(y(Math.max(values[nth], 0)), bottom - 3);
    const kind = day === today ? "bar today" : values[nth] > 0 ? "bar" : "bar none";
    svg.append(drawn("rect", { class: kind, x: left + step * (nth + 0.16), width: step * 0.68, y: top, height: bottom - top, rx: Math.min(4, step * 0.2) }));
    if (isMonday(day) && nth < values.length - 2) {
      svg.append(drawn("text", { x: left + step * (nth + 0.5), y: height - small * 0.3, "text-anchor": "middle" }, tickOf("day", day, words.locale)));
    }
  }
  plot.replaceChildren(svg);
}
