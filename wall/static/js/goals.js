// Which goals a view shows, and which of them large.

/** The least remarkable first: what slips is shown before what is well. */
const CALM = ["pending", "achieved", "on_track", "missed", "at_risk", "slipped"];

/** Where the accepted goals of a scope stand in the period that a day is in, the shortest period first. */
export function current(store, scope, today) {
  const drafts = (status) => store.goals.has(status.goal) && !store.goals.get(status.goal).accepted;
  return [...store.statuses.values()]
    .filter((status) => status.scope === scope && status.start <= today && today <= status.end)
    .filter((status) => status.target !== null && !drafts(status))
    .sort((one, other) => one.end.localeCompare(other.end) || one.goal.localeCompare(other.goal));
}

/** Whether a goal's period is the window that is shown. */
export const isOf = (status, window) =>
  status.start === window.start && status.end === (window.grain === "day" ? window.start : window.days.at(-1));

/** The goal to show large: the revenue of the window, else what slips most, else revenue, else the nearest. */
export function foremost(statuses, window) {
  const revenue = statuses.filter((status) => status.kpi === "revenue");
  const own = revenue.find((status) => isOf(status, window));
  if (own) return own;
  const worst = [...statuses].sort((one, other) => CALM.indexOf(other.standing) - CALM.indexOf(one.standing))[0];
  if (worst && ["at_risk", "slipped"].includes(worst.standing)) return worst;
  return revenue[0] ?? statuses[0];
}

/** Where a figure is on the way to its target, from 0 to 1; none where it has no place on it. */
export function along(figure, status) {
  if (figure === null || Number(status.target) <= 0) return null;
  return Math.max(0, Math.min(1, Number(figure) / Number(status.target)));
}

/** Whether a goal is one to stay below. */
export const isCeiling = (store, status) => store.goals.get(status.goal)?.better === "at_most";

const isWeekend = (day) => [0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay());

/**
 * What there should be at the end of each day of a goal's period: at an even pace over its weekdays, led
 * through what is expected by now. That is the status's, which knows of holidays and hours; a wall does not.
 */
export function budget(status, days, today) {
  const target = Number(status.target);
  const now = days.indexOf(today);
  const known = status.expected !== null && now >= 0;
  const before = known ? spread(days.slice(0, now + 1), 0, Number(status.expected)) : [];
  return [...before, ...spread(days.slice(before.length), before.at(-1) ?? 0, target)];
}

function spread(days, from, to) {
  const working = days.filter((day) => !isWeekend(day)).length;
  let passed = 0;
  return days.map((day, nth) => {
    passed += isWeekend(day) ? 0 : 1;
    return from + (to - from) * (working ? passed / working : (nth + 1) / days.length);
  });
}
