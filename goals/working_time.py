"""Working time: how much of it lies between two instants, for an organisation and for each of its people.

Goals keep pace with it, and not with the calendar: nobody is behind on a Monday morning because there was a
weekend. All of it is exact, in whole seconds, and adds up over adjacent spans.
"""

from bisect import bisect_right
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from kpis.calendar import Calendar, date_of, day_number, micros_of
from kpis.public_holidays import countries, public_holidays

MICROS = 1_000_000
MINUTES = 24 * 60
_SHARES_KEPT = 256
"""Of how many periods and instants it is kept how much has passed: many goals have the same period."""
_DAYS_KEPT = 4_096
"""Of how many days the working time is kept: a goal reaches over a year, and its baseline over another."""


class WorkingTimeError(ValueError):
    """Working time cannot be told so; the message says why, and what to write instead."""


class Hours(NamedTuple):
    """A stretch of a day on the clock on the wall, in minutes since midnight: from 8:00 to 17:00."""

    start: int
    end: int


OFFICE = (Hours(8 * 60, 12 * 60), Hours(13 * 60, 17 * 60))
"""Eight hours and lunch."""

Week = tuple[tuple[Hours, ...], ...]
"""The business hours of each weekday, Monday first."""

OFFICE_WEEK: Week = (OFFICE,) * 5 + ((),) * 2


class Plan(Struct, frozen=True, kw_only=True):
    """When an organisation works."""

    week: Week = OFFICE_WEEK
    country: str | None = "SE"
    """Whose public holidays are days off (ISO 3166); None where none are."""
    days_off: frozenset[date] = frozenset()
    """More days off, of the organisation's own."""
    half_days: frozenset[date] = frozenset()
    """Days of which only the first half of their working time is worked."""

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise WorkingTimeError(f"a week has 7 days; these hours are for {len(self.week)}.")
        for hours in self.week:
            end = 0
            for stretch in hours:
                if not end <= stretch.start < stretch.end <= MINUTES:
                    raise WorkingTimeError(
                        "business hours go from an earlier to a later time of one day, in order, and do not"
                        f" overlap; {_clock(stretch.start)} to {_clock(stretch.end)} does not fit."
                    )
                end = stretch.end
        if self.country is not None and self.country not in countries():
            raise WorkingTimeError(
                f"{self.country!r} is no country whose public holidays are known, such as SE, NO or DE."
            )


class Person(Struct, frozen=True, kw_only=True):
    """When one of its people works, where that is not all of the organisation's working time."""

    percent: int = 100
    """Of a full-time week."""
    weekdays: frozenset[int] = frozenset(range(7))
    """On which they work, Monday is 0. Somebody who works 60 % on three days works whole days."""
    days_off: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not 1 <= self.percent <= 100:
            raise WorkingTimeError(f"a share of full time is 1 to 100 percent, not {self.percent}.")
        if not self.weekdays <= set(range(7)):
            raise WorkingTimeError("weekdays are 0 for Monday to 6 for Sunday.")


FULL_TIME = Person()


class _Day(NamedTuple):
    """A day's working time."""

    starts: tuple[int, ...]
    """The instants at which its stretches start, in seconds since the epoch,"""
    ends: tuple[int, ...]
    """end,"""
    before: tuple[int, ...]
    """and how many seconds of the day are worked before each."""
    whole: int
    """The seconds that would be worked if none were taken off: of half days, and by those part-time."""
    limit: int
    """After how many of them work ends on a half day."""


class WorkingTime:
    """The working time of an organisation, or of one of its people."""

    def __init__(self, calendar: Calendar, plan: Plan, person: Person = FULL_TIME) -> None:
        self._calendar = calendar
        self._plan = plan
        self._person = person
        self._off = plan.days_off | person.days_off
        self._weekdays = person.weekdays
        self._factor = _factor(plan.week, person)
        self._holidays = None if plan.country is None else public_holidays(plan.country)
        self._day = lru_cache(_DAYS_KEPT)(self._planned)
        self.on = lru_cache(_DAYS_KEPT)(self._on)
        self.share = lru_cache(_SHARES_KEPT)(self._share)

    def __reduce__(self) -> tuple[type["WorkingTime"], tuple[Calendar, Plan, Person]]:
        # Another process keeps its own days.
        return WorkingTime, (self._calendar, self._plan, self._person)

    def between(self, start: int, end: int) -> int:
        """The seconds of working time between two instants, in microseconds since the epoch.

        Counted to the second in which each instant lies. It is negative where `end` is the earlier.
        """
        if end < start:
            return -self.between(end, start)
        first, last = self._calendar.day(start), self._calendar.day(end)
        whole = sum(self.on(day) for day in range(first, last))
        return whole + self.until(last, end) - self.until(first, start)

    def works(self, day: int) -> bool:
        """Whether any of a day is working time."""
        return self.on(day) > 0

    def until(self, day: int, at: int) -> int:
        """The seconds of working time of a day until an instant."""
        planned = self._day(day)
        second = at // MICROS
        place = bisect_right(planned.starts, second) - 1
        if place < 0:
            return 0
        worked = planned.before[place] + min(second, planned.ends[place]) - planned.starts[place]
        return self._share_of(min(worked, planned.limit))

    def days_left(self, at: int, last: int) -> float:
        """The working days from an instant to the end of a day; today is one while any of its work is left.

        A half day is half a day.
        """
        today = self._calendar.day(at)
        left = 0.0
        for day in range(today, last + 1):
            if self.on(day) > (self.until(day, at) if day == today else 0):
                left += 0.5 if date_of(day) in self._plan.half_days else 1.0
        return left

    def _share(self, start: int, end: int, at: int) -> Fraction:
        """The share of the working time between two instants that has passed at a third.

        Where nobody works between them at all it is a share of the time on the clock.
        """
        if at <= start:
            return Fraction(0)
        if at >= end:
            return Fraction(1)
        whole = self.between(start, end)
        if whole == 0:
            return Fraction(at - start, end - start)
        return Fraction(self.between(start, at), whole)

    def _on(self, day: int) -> int:
        """The seconds of working time of a day."""
        planned = self._day(day)
        return self._share_of(min(planned.whole, planned.limit))

    def _share_of(self, seconds: int) -> int:
        return seconds * self._factor.numerator // self._factor.denominator

    def _planned(self, day: int) -> _Day:
        on = date_of(day)
        weekday = on.weekday()
        holiday = self._holidays is not None and on in self._holidays
        if holiday or on in self._off or weekday not in self._weekdays:
            return _Day((), (), (), 0, 0)
        starts: list[int] = []
        ends: list[int] = []
        before: list[int] = []
        whole = 0
        for stretch in self._plan.week[weekday]:
            # Where the clock on the wall leaps, stretches would overlap or be turned round.
            start = max(self._second(on, stretch.start), ends[-1] if ends else 0)
            end = max(self._second(on, stretch.end), start)
            starts.append(start)
            ends.append(end)
            before.append(whole)
            whole += end - start
        return _Day(
            tuple(starts),
            tuple(ends),
            tuple(before),
            whole,
            whole // 2 if on in self._plan.half_days else whole,
        )

    def _second(self, on: date, minute: int) -> int:
        if minute == MINUTES:
            return self._calendar.start_of(day_number(on) + 1) // MICROS
        wall = datetime.combine(on, time()) + timedelta(minutes=minute)
        return micros_of(self._calendar.at(wall)) // MICROS


def _factor(week: Week, person: Person) -> Fraction:
    """Of the hours of a day on which somebody works, the share that they work."""
    minutes = [sum(stretch.end - stretch.start for stretch in hours) for hours in week]
    worked = sum(minutes[weekday] for weekday in person.weekdays)
    if not worked:
        raise WorkingTimeError("somebody who works on none of the organisation's working days has no pace.")
    return min(Fraction(1), Fraction(person.percent * sum(minutes), 100 * worked))


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"
