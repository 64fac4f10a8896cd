"""The periods of a goal: which dates they are, what they are compared with, which windows they hold."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from kpis.calendar import Calendar, Grain, Window, date_of, day_number, window_end, windows_of
from schemas.goals import Once, Recurring, Relative

_SPANS_KEPT = 16_384
"""Of how many spans it is remembered which windows they are."""

_GRAINS = {grain: place for place, grain in enumerate(Grain)}
_LARGEST_FIRST = (Grain.YEAR, Grain.QUARTER, Grain.MONTH, Grain.WEEK, Grain.DAY)
"""A day is last: it is always one."""


class Span(NamedTuple):
    """Some days in a row, as day numbers."""

    first: int
    last: int
    """It is part of the span."""

    @property
    def end(self) -> int:
        """The first day after it."""
        return self.last + 1

    def __str__(self) -> str:
        return f"{date_of(self.first)} to {date_of(self.last)}"


def span_of(once: Once) -> Span:
    """The dates of a goal that is set once."""
    return Span(day_number(once.start), day_number(once.end))


def window_at(grain: Grain, day: int) -> Span:
    """The calendar window that holds a day."""
    start = windows_of(day)[_GRAINS[grain]].start
    end = window_end(grain, start)
    assert end is not None, "no goal is about all time"
    return Span(start, end - 1)


def period_at(period: Once | Recurring, day: int) -> Span | None:
    """The period that holds a day; `None` before the first one and after the last."""
    if isinstance(period, Once):
        span = span_of(period)
        return span if span.first <= day <= span.last else None
    span = window_at(Grain(period.grain), day)
    return span if _counts(period, span) else None


def periods_within(period: Once | Recurring, days: Span) -> Iterator[Span]:
    """The periods of which any day is among these, the earliest first."""
    if isinstance(period, Once):
        span = span_of(period)
        if span.first <= days.last and days.first <= span.last:
            yield span
        return
    grain = Grain(period.grain)
    # A recurring goal has a first period, and history has a beginning.
    span = window_at(grain, max(days.first, day_number(period.start)))
    while span.first <= days.last:
        if _counts(period, span):
            yield span
        span = window_at(grain, span.end)


def first_period(period: Once | Recurring) -> Span:
    """The first of a goal's periods; of a recurring one, the first whole window."""
    if isinstance(period, Once):
        return span_of(period)
    span = window_at(Grain(period.grain), day_number(period.start))
    return span if span.first >= day_number(period.start) else window_at(Grain(period.grain), span.end)


def _counts(period: Recurring, span: Span) -> bool:
    until = period.until
    return day_number(period.start) <= span.first and (until is None or span.first < day_number(until))


@lru_cache(_SPANS_KEPT)
def window_of(span: Span) -> Window | None:
    """The calendar window that a span is, if it is one."""
    for window in windows_of(span.first)[:-1]:
        if window.start == span.first and window_end(*window) == span.end:
            return window
    return None


def baseline_of(target: Relative, span: Span) -> Span:
    """The span that a relative target of a period looks back to."""
    return a_year_before(span) if target.baseline == "last_year" else span_before(span)


def span_before(span: Span) -> Span:
    """What comes right before a span: of whole months as many months, and otherwise as many days."""
    months = _whole_months(span)
    if months:
        return Span(_months_on(span.first, -months), span.first - 1)
    return Span(span.first - (span.end - span.first), span.first - 1)


def a_year_before(span: Span) -> Span:
    """The same dates a year earlier; whole months stay whole, whatever February has."""
    if _whole_months(span):
        return Span(_months_on(span.first, -12), _months_on(span.end, -12) - 1)
    return Span(_year_back(span.first), _year_back(span.last))


@lru_cache(_SPANS_KEPT)
def windows_in(span: Span) -> tuple[Window, ...]:
    """The fewest calendar windows, taken from the left, that are just these days."""
    found: list[Window] = []
    day = span.first
    while day <= span.last:
        windows = {window.grain: window for window in windows_of(day)}
        for grain in _LARGEST_FIRST:
            window = windows[grain]
            end = window_end(*window)
            if window.start == day and end is not None and end <= span.end:
                found.append(window)
                day = end
                break
    return tuple(found)


def begins(calendar: Calendar, span: Span) -> int:
    """The instant at which a span begins."""
    return calendar.start_of(span.first)


def ends(calendar: Calendar, span: Span) -> int:
    """The instant at which it is over."""
    return calendar.start_of(span.end)


def named(span: Span) -> str:
    """A span as people say it: 2026-04, 2026-Q2, 2026, 2026-W15, or its dates."""
    first = date_of(span.first)
    match window_of(span):
        case Window(grain=Grain.YEAR):
            return f"{first.year}"
        case Window(grain=Grain.QUARTER):
            return f"{first.year}-Q{(first.month + 2) // 3}"
        case Window(grain=Grain.MONTH):
            return f"{first:%Y-%m}"
        case Window(grain=Grain.WEEK):
            year, week, _ = first.isocalendar()
            return f"{year}-W{week:02d}"
        case Window():
            return f"{first}"
        case None:
            return str(span)


def _whole_months(span: Span) -> int:
    first, after = date_of(span.first), date_of(span.end)
    if first.day != 1 or after.day != 1:
        return 0
    return (after.year - first.year) * 12 + after.month - first.month


def _months_on(day: int, months: int) -> int:
    """The same day of the month, so many months on; only for the first of a month."""
    local = date_of(day)
    count = local.year * 12 + local.month - 1 + months
    return day_number(date(count // 12, count % 12 + 1, local.day))


def _year_back(day: int) -> int:
    local = date_of(day)
    last = 28 if (local.month, local.day) == (2, 29) else local.day
    return day_number(date(local.year - 1, local.month, last))
