"""Windows as records know them: their dates, names and neighbours, worked out once for each.

Every event touches two dozen records; what is the same for all records of a window is looked up here.
"""

from datetime import date
from functools import cache
from typing import Literal

from kpis.calendar import Grain, date_of, day_number, window_end, windows_of

GrainName = Literal["day", "week", "month", "quarter", "year", "ever"]

_NAMES: dict[Grain, GrainName] = {
    Grain.DAY: "day",
    Grain.WEEK: "week",
    Grain.MONTH: "month",
    Grain.QUARTER: "quarter",
    Grain.YEAR: "year",
    Grain.EVER: "ever",
}


class Span:
    """A window, and all that follows from it. There is one object for each window."""

    __slots__ = ("before", "end", "first", "grain", "is_year", "last", "start", "suffix")

    def __init__(self, grain: Grain, start: int) -> None:
        self.grain: GrainName = _NAMES[grain]
        self.start = start
        self.end = window_end(grain, start)
        """The first day after it; `None` for `ever`."""
        self.first = date_of(start)
        self.last = None if self.end is None else date_of(self.end)
        """As `end`, as a date."""
        self.suffix = f"|{grain.value}|{self.first}"
        """How the keys of its records end."""
        self.is_year = grain is Grain.YEAR
        self.before: Span | None = None
        """The one before it, once that was asked for."""


@cache
def _span(grain: str, start: int) -> Span:
    return Span(Grain(grain), start)


@cache
def spans_of(day: int) -> tuple[Span, ...]:
    """The windows that hold a day, the shortest first."""
    return tuple(_span(window.grain.value, window.start) for window in windows_of(day))


EVER = spans_of(0)[-1]
"""The window that holds everything."""


@cache
def years_of(span: Span) -> tuple[Span, ...]:
    """The years that a window that ends lies in: a week may lie in two."""
    return _of_grain(span, "year")


_HELD_IN: dict[GrainName, tuple[GrainName, ...]] = {
    "day": ("year", "month"),
    "week": ("year", "month"),
    "month": ("year", "quarter"),
    "quarter": ("year",),
    "year": ("year",),
}


@cache
def held_in(span: Span) -> tuple[tuple[Span, ...], ...]:
    """The years that a window that ends lies in, and then the windows of the next longer grain.

    There are two of either for a week that goes beyond one. A year lies in itself.
    """
    return tuple(_of_grain(span, grain) for grain in _HELD_IN[span.grain])


def _of_grain(span: Span, grain: GrainName) -> tuple[Span, ...]:
    """The windows of a grain that one that ends, and is no longer than these, lies in."""
    assert span.end is not None
    ends = (span.start, span.end - 1)
    return tuple(dict.fromkeys(each for day in ends for each in spans_of(day) if each.grain == grain))


@cache
def spans_after(day: int) -> tuple[Span, ...]:
    """The windows that begin where those end that hold a day."""
    return tuple(_span(span.grain, span.end) for span in spans_of(day) if span.end is not None)


@cache
def spans_from(day: int) -> tuple[Span, ...]:
    """The windows that begin on a day and end, the longest first."""
    spans = [span for span in spans_of(day) if span.start == day and span.end is not None]
    return tuple(reversed(spans))


def span_before(span: Span) -> Span:
    """The window of the same grain that ends where this one starts. `ever` has none."""
    if span.before is None:
        held = windows_of(span.start - 1)
        earlier = next(window for window in held if window.grain.value == span.grain)
        span.before = _span(span.grain, earlier.start)
    return span.before


def span_after(span: Span) -> Span:
    """The window of the same grain that starts where this one ends. `ever` has none."""
    assert span.end is not None
    return _span(span.grain, span.end)


def place_of(key: str) -> tuple[str, Span]:
    """The scope and window in the key of a record."""
    scope, grain, start = key.rsplit("|", 2)
    return scope, _span(grain, day_number(date.fromisoformat(start)))
