"""Growth: what a window's revenue is compared with, which is read off other windows' sums.

A window that is over is compared with the one before it. One that is not is compared with as many days of
the one before as it has begun; the sum over these is kept until the day turns or one of them changes.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from kpis.calendar import date_of, day_number
from kpis.formulas import Compare, Compared
from kpis.money import above, below, parts_in
from kpis.spans import EVER, Span, held_in, span_before, spans_after, spans_from, spans_of
from schemas.internal import Measures

REVENUE = "revenue"
REVENUES = frozenset({REVENUE, above(REVENUE), below(REVENUE)})
"""The measures in which revenue travels."""
WINS = "deals_won"
KEPT = 200_000
"""Of how many open windows the sums over days are kept."""


class _Days(NamedTuple):
    """Sums over days, as they were on a day."""

    today: int
    before: int
    """Of the window before: as many days as have begun."""
    accumulated: int
    """Of the year before: up to the same date."""
    ahead: int
    """Of the year: after today."""


class Growth:
    """Comparisons of revenue, from the sums by record key."""

    def __init__(self, sums: Mapping[str, Measures]) -> None:
        self._sums = sums
        self._days: dict[str, _Days] = {}
        self._today = 0

    def forget(self) -> None:
        """The sums changed in other ways than were told."""
        self._days.clear()

    def of(
        self, key: str, scope: str, span: Span, measures: Measures, today: int, last_day: int
    ) -> Compare | None:
        """What a window is compared with today.

        `None` where no deal was won in either, and where it has not begun: nothing is like it yet.
        """
        if span.start > today or not self._wins(scope, EVER):
            return None
        earlier = span.before or span_before(span)
        before = self._won_in(scope, earlier)
        if not before and WINS not in measures:
            return None
        assert span.end is not None
        if span.end <= today:
            growth = _compared(measures, before)
            return Compare(growth, growth if span.is_year else None)
        self._today = today
        days = self._days.get(key)
        if days is None or days.today != today:
            if len(self._days) > KEPT:
                self._days.clear()
            days = self._days[key] = self._summed(scope, span, earlier, before, today, last_day)
        now = parts_in(measures, REVENUE)
        growth = Compared(now, days.before)
        if not span.is_year:
            return Compare(growth, None)
        return Compare(growth, Compared(now - days.ahead, days.accumulated))

    def _won_in(self, scope: str, span: Span) -> Measures:
        """The sums of a window in which a deal was won; nothing of another.

        Most scopes are customers, and most of their windows are empty. To see that takes a read where sums
        are on disk; those of longer windows are mostly at hand, as their records are written too.
        """
        for holders in held_in(span):
            if not any(self._wins(scope, holder) for holder in holders):
                return _NOTHING
        found = self._sums.get(scope + span.suffix, _NOTHING)
        return found if WINS in found else _NOTHING

    def _wins(self, scope: str, span: Span) -> bool:
        return WINS in self._sums.get(scope + span.suffix, _NOTHING)

    def changed(self, scope: str, day: int, last_day: int, touched: dict[str, tuple[str, Span]]) -> None:
        """Something changed on a day: so did what the windows after its own are compared with."""
        if self._days and day > self._today:
            year = next(span for span in spans_of(day) if span.is_year)
            self._days.pop(scope + year.suffix, None)
        if day >= last_day:
            # No window after any of its own has anything.
            return
        for span in spans_after(day):
            if span.start <= last_day:
                key = scope + span.suffix
                self._days.pop(key, None)
                if key in self._sums:
                    touched[key] = (scope, span)

    def _summed(
        self, scope: str, span: Span, earlier: Span, before: Measures, today: int, last_day: int
    ) -> _Days:
        assert span.end is not None
        begun = min(today - span.start + 1, span.start - earlier.start)
        of_year = ahead = 0
        if span.is_year:
            if before:
                of_year = self._sum(scope, earlier.start, _same_date_last_year(today) + 1)
            ahead = self._sum(scope, today + 1, min(last_day + 1, span.end))
        days_before = self._sum(scope, earlier.start, earlier.start + begun) if before else 0
        return _Days(today, days_before, of_year, ahead)

    def _sum(self, scope: str, start: int, end: int) -> int:
        """Revenue from a day until before another."""
        total = 0
        while start < end:
            # A day is looked at by itself only where no longer window fits in.
            span = next(span for span in spans_from(start) if span.end is not None and span.end <= end)
            measures = self._sums.get(scope + span.suffix)
            if measures is not None:
                total += parts_in(measures, REVENUE)
            assert span.end is not None
            start = span.end
        return total


def _compared(now: Measures, before: Measures) -> Compared:
    """Two sums beside each other, in whichever unit both are counted whole."""
    if _FINER.isdisjoint(now) and _FINER.isdisjoint(before):
        return Compared(now.get(REVENUE, 0), before.get(REVENUE, 0))
    return Compared(parts_in(now, REVENUE), parts_in(before, REVENUE))


_FINER = REVENUES - {REVENUE}
_NOTHING: Measures = {}


def _same_date_last_year(today: int) -> int:
    """Today's date a year before."""
    local = date_of(today)
    if (local.month, local.day) == (2, 29):
        return day_number(date(local.year - 1, 2, 28))
    return day_number(local.replace(year=local.year - 1))
