// Days as ISO dates, without a timezone: the pipeline has placed everything already.

const DAY_MS = 86_400_000;

const utc = (day) => new Date(`${day}T00:00:00Z`);
const iso = (date) => date.toISOString().slice(0, 10);

/** The day so many days later. */
export const plus = (day, days) => iso(new Date(utc(day).getTime() + days * DAY_MS));

/** The days from the first to the last, both included. */
export function span(first, last) {
  const days = [];
  for (let day = first; day <= last; day = plus(day, 1)) days.push(day);
  return days;
}

const monthBefore = (day) => {
  const year = Number(day.slice(0, 4)) - 1;
  return `${year}${day.slice(4)}`;
};

function lastOfMonth(day) {
  const date = utc(day);
  return iso(new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)));
}

function weekNumber(monday) {
  const thursday = utc(plus(monday, 3));
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return 1 + Math.floor((thursday.getTime() - first) / DAY_MS / 7);
}

/** The window of a grain that holds a day: its days, and those it is compared with a year before. */
export function windowOf(grain, today, locale) {
  if (grain === "day") {
    return { grain, start: today, days: span(plus(today, -29), today), before: [] };
  }
  if (grain === "week") {
    const start = plus(today, -((utc(today).getUTCDay() + 6) % 7));
    const before = span(plus(start, -364), plus(start, -358));
    return { grain, start, days: span(start, plus(start, 6)), before, week: weekNumber(start) };
  }
  const start = `${today.slice(0, 8)}01`;
  const first = monthBefore(start);
  const month = new Intl.DateTimeFormat(locale, { month: "long", timeZone: "UTC" }).format(utc(start));
  return { grain, start, days: span(start, lastOfMonth(start)), before: span(first, lastOfMonth(first)), month };
}

/** How a day is written under a curve. */
export function tickOf(grain, day, locale) {
  if (grain === "week") {
    return new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" }).format(utc(day));
  }
  if (grain === "month") return String(Number(day.slice(8)));
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" }).format(utc(day));
}

/** Whether a day is a Monday. */
export const isMonday = (day) => utc(day).getUTCDay() === 1;
