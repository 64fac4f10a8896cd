"""At what pace a result comes in over a period: evenly by working time, or as it always did.

A profile is learned from the days and hours at which results came in so far. It is a weight for each
stretch of working time, by where that lies in its month and in its day. So it says of any two instants how
much is due between them, and adds up over adjacent spans as working time does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache, partial

from msgspec import Struct

from goals.periods import Span, window_at
from goals.working_time import MICROS, WorkingTime
from kpis.calendar import Calendar, Grain

TENTHS = 10
"""Parts of a month, by working time."""
EIGHTHS = 8
"""Parts of a working day: its hours, where it has eight."""

LEAST_MONTHS = 6
"""From how many whole months a profile is learned, at least,"""
LEAST_DAYS = 60
"""and from how many days of these on which something came in."""
LEAST_MOMENTS = 100
"""From how many moments the hours of a day are learned, at least."""

_DAYS_KEPT = 4_096
_SHARES_KEPT = 256

_EVEN = 1_000
"""The weight of a stretch to which no more and no less comes in than to another."""


class Profile(Struct, frozen=True):
    """How much is due in a second of working time, compared with others."""

    by_month: tuple[int, ...]
    """In each tenth of its month,"""
    by_day: tuple[int, ...]
    """and in each eighth of its day."""


EVEN = Profile((1,) * TENTHS, (1,) * EIGHTHS)


class Pace:
    """What share of a period's result is due by an instant."""

    def __init__(self, calendar: Calendar, working: WorkingTime, profile: Profile = EVEN) -> None:
        self._calendar = calendar
        self._working = working
        self._profile = profile
        self._tenth = lru_cache(_DAYS_KEPT)(partial(tenth_of_month, working))
        self._on = lru_cache(_DAYS_KEPT)(self._whole)
        self.due = lru_cache(_SHARES_KEPT)(self._due)

    def _due(self, start: int, end: int, at: int) -> Fraction:
        """The share of what comes in between two instants that is due at a third: from 0, growing, to 1."""
        if at <= start:
            return Fraction(0)
        if at >= end:
            return Fraction(1)
        whole = self.between(start, end)
        if whole == 0:
            return self._working.share(start, end, at)
        return Fraction(self.between(start, at), whole)

    def between(self, start: int, end: int) -> int:
        """How much is due between two instants, in a unit that only a profile knows."""
        if self._profile == EVEN:
            return self._working.between(start, end)
        if end < start:
            return -self.between(end, start)
        first, last = self._calendar.day(start), self._calendar.day(end)
        until = self._working.until
        whole = sum(self._on(day) for day in range(first, last))
        return whole + self._of(last, until(last, end)) - self._of(first, until(first, start))

    def _whole(self, day: int) -> int:
        return self._of(day, self._working.on(day))

    def _of(self, day: int, seconds: int) -> int:
        """How much is due in the first seconds of a day's work."""
        whole = self._working.on(day)
        if not whole:
            return 0
        due = 0
        for part, weight in enumerate(self._profile.by_day):
            begin, end = whole * part // EIGHTHS, whole * (part + 1) // EIGHTHS
            due += weight * max(0, min(seconds, end) - begin)
        return due * self._profile.by_month[self._tenth(day)]


def tenth_of_month(working: WorkingTime, day: int) -> int:
    """In which tenth of its month's working time the middle of a day's lies."""
    month = window_at(Grain.MONTH, day)
    whole = sum(working.on(each) for each in range(month.first, month.end))
    if not whole:
        return 0
    before = sum(working.on(each) for each in range(month.first, day))
    return min(TENTHS - 1, (2 * before + working.on(day)) * TENTHS // (2 * whole))


def learned(
    by_day: Mapping[int, Fraction],
    moments: Iterable[int],
    calendar: Calendar,
    working: WorkingTime,
    known: Span,
) -> Profile | None:
    """The profile of what came in on each day, and at which moments; `None` where that is too little.

    `known` are the days of which all is given. Only its whole months count, each alike, however good it
    was; a month of even pace is added to them, so that no stretch of time is without weight. Nothing is
    learned from what came in on days off. Records know days and no hours: without as many moments as are
    needed, a day goes by evenly. A moment at which nobody works is none: midnight is what a CRM makes
    of a date.
    """
    months: dict[int, dict[int, Fraction]] = {}
    days = 0
    for day, amount in by_day.items():
        month = window_at(Grain.MONTH, day)
        if amount <= 0 or month.first < known.first or month.last > known.last or not working.on(day):
            continue
        days += 1
        tenths = months.setdefault(month.first, {})
        tenth = tenth_of_month(working, day)
        tenths[tenth] = tenths.get(tenth, Fraction(0)) + amount
    if len(months) < LEAST_MONTHS or days < LEAST_DAYS:
        return None
    by_month = [Fraction(1, TENTHS)] * TENTHS
    for tenths in months.values():
        whole = sum(tenths.values())
        for tenth, amount in tenths.items():
            by_month[tenth] += amount / whole
    return Profile(_weights(by_month), _hours(moments, calendar, working))


def _hours(moments: Iterable[int], calendar: Calendar, working: WorkingTime) -> tuple[int, ...]:
    eighths = Counter[int]()
    for at in moments:
        day = calendar.day(at)
        worked = working.until(day, at)
        if working.until(day, at + MICROS) > worked:
            eighths[worked * EIGHTHS // working.on(day)] += 1
    count = eighths.total()
    if count < LEAST_MOMENTS:
        return EVEN.by_day
    return _weights([Fraction(eighths[part]) + Fraction(count, LEAST_MOMENTS) for part in range(EIGHTHS)])


def _weights(parts: list[Fraction]) -> tuple[int, ...]:
    """Small integers in the same proportions."""
    whole = sum(parts)
    return tuple(max(1, int(part * len(parts) * _EVEN / whole)) for part in parts)
