"""When people may be disturbed: working days and quiet hours, on the clock of a business timezone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from msgspec import Struct

from kpis.calendar import Calendar
from kpis.public_holidays import public_holidays

MAX_DAYS = 400
"""How far ahead an open hour is looked for; every year has working days."""
_ONE_DAY = timedelta(days=1)


class Quiet(Struct, frozen=True):
    """Hours of every day in which nobody is disturbed; over midnight where `start` is the later one."""

    start: time
    end: time


class Span(Struct, frozen=True):
    """From one instant to before another."""

    start: datetime
    end: datetime


class Hours(Struct, frozen=True):
    """The hours in which a route is open."""

    timezone: str
    quiet: Quiet | None = None
    weekdays: frozenset[int] = frozenset(range(7))
    """Monday is 0."""
    country: str | None = None
    """Its public holidays are closed."""


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether somebody may be disturbed at an instant."""
    return next_open(hours, at) == at


def next_open(hours: Hours, at: datetime) -> datetime:
    """The first open instant, at or after another."""
    return max(at, next(open_spans(hours, at)).start)


def after_open(hours: Hours, at: datetime, working: timedelta) -> datetime:
    """The instant by which a route has been open for so long."""
    for span in open_spans(hours, at):
        start = max(at.astimezone(UTC), span.start)
        if span.end - start >= working:
            return start + working
        working -= span.end - start
    raise AssertionError("open_spans ends with an error where there is no more")


def open_spans(hours: Hours, at: datetime) -> Iterator[Span]:
    """The open spans that end after an instant, in order.

    Raises:
        ValueError: no hour is open for more than a year.
    """
    calendar = _calendar(hours.timezone)
    day = at.astimezone(calendar.zone).date() - _ONE_DAY
    closed = 0
    while closed < MAX_DAYS:
        spans = [span for span in _spans_of(hours, day) if span.end > at]
        yield from spans
        closed = 0 if spans else closed + 1
        day += _ONE_DAY
    raise ValueError("no hour is open for more than a year")


def works(hours: Hours, day: date) -> bool:
    """Whether a day is one on which somebody may be disturbed."""
    if day.weekday() not in hours.weekdays:
        return False
    return hours.country is None or day not in public_holidays(hours.country)


def local(hours: Hours, at: datetime) -> datetime:
    """An instant as the clock on the office wall shows it."""
    return at.astimezone(_calendar(hours.timezone).zone)


def instant(hours: Hours, day: date, at: time) -> datetime:
    """The instant at which the clock on the office wall shows a time; the earlier one of two."""
    # In UTC: Python compares times of one zone by what the clock shows, whatever was changed between them.
    return _calendar(hours.timezone).at(datetime.combine(day, at)).astimezone(UTC)


@lru_cache(1_024)
def _spans_of(hours: Hours, day: date) -> tuple[Span, ...]:
    if not works(hours, day):
        return ()
    start, end = instant(hours, day, time()), instant(hours, day + _ONE_DAY, time())
    quiet = hours.quiet
    if quiet is None:
        return (Span(start, end),)
    ceases, begins = instant(hours, day, quiet.end), instant(hours, day, quiet.start)
    spans = [Span(ceases, begins)] if quiet.start > quiet.end else [Span(start, begins), Span(ceases, end)]
    return tuple(span for span in spans if span.end > span.start)


@lru_cache(64)
def _calendar(timezone: str) -> Calendar:
    return Calendar(timezone)
