"""The sums over every window of a partition's scopes, and which records must be written when these change.

They are a view over the rows: what a scope's days hold, added up by week, month, quarter, year and in all.
"""

from collections.abc import MutableMapping
from typing import NamedTuple

from kpis.formulas import customers_staying
from kpis.growth import REVENUES, Growth
from kpis.measures import OF_GRAIN
from kpis.spans import EVER, Span, place_of, spans_of, years_of
from kpis.tally import add_measures
from schemas.internal import Measures

LAST_DAY = "last_day"
"""Of the clock: the last day that anything is counted for."""
DAYS_TURNED = 400
"""After more days without a tick all records are written anew, rather than those of each day."""

YearKey = tuple[int, str]
"""The first day of a year, and a scope for which something is counted in it."""

Touched = dict[str, tuple[str, Span]]
"""By the key of a KPI record: the scope and window it is about."""


class _Change(NamedTuple):
    """What a batch changes on a scope's day, put together from all its sources."""

    scope: str
    day: int
    measures: Measures
    revenue: bool
    """Whether growth may be another now, too."""


class WindowSums:
    """Adds changes of days up, in a view's mappings: `sums` by the key of a record, `years` and `clock`."""

    def __init__(
        self,
        sums: MutableMapping[str, Measures],
        years: MutableMapping[YearKey, int],
        clock: MutableMapping[str, int],
    ) -> None:
        self._sums = sums
        self._years = years
        self._clock = clock
        self.last_day = clock.get(LAST_DAY, 0)
        """The last day that anything is counted for."""
        self.growth = Growth(sums)
        self._changes: dict[tuple[str, int], _Change] = {}
        """By scope and day: what was noted, until it is added."""

    def touch_all(self, touched: Touched) -> None:
        """Note every record."""
        touched.update((key, place_of(key)) for key in self._sums)

    def note(self, scope: str, day: int, change: Measures) -> None:
        """Put a change with the others of its day, so that the sums over its windows change but once.

        Nothing may have changed: then the records of the day's windows are to be written as they stand.
        """
        key = scope, day
        revenue = not change or not REVENUES.isdisjoint(change)
        noted = self._changes.get(key)
        if noted is None:
            self._changes[key] = _Change(scope, day, change, revenue)
            return
        measures = noted.measures.copy()
        for name, amount in change.items():
            measures[name] = measures.get(name, 0) + amount
        together = {name: amount for name, amount in measures.items() if amount}
        self._changes[key] = _Change(scope, day, together, revenue or noted.revenue)

    def add_noted(self, touched: Touched) -> None:
        """Add what was noted, and note the records it concerns."""
        changes, self._changes = self._changes, {}
        for scope, day, measures, revenue in changes.values():
            self.add(scope, day, measures, touched)
            if revenue:
                self.growth.changed(scope, day, self.last_day, touched)

    def add(self, scope: str, day: int, change: Measures, touched: Touched) -> None:
        """Add a change to the sums of every window that holds a day, and note their records."""
        sums = self._sums
        if day > self.last_day:
            self.last_day = self._clock[LAST_DAY] = day
        of_grain: dict[str, Measures] | None = None
        if OF_GRAIN in "".join(change):
            change, of_grain = _apart(change)
        for span in spans_of(day):
            key = scope + span.suffix
            touched[key] = (scope, span)
            counted = change
            if of_grain is not None and span.grain in of_grain:
                counted = change | of_grain[span.grain]
            if counted:
                if span.is_year and key not in sums:
                    self._years[span.start, scope] = 1
                add_measures(sums, key, counted)

    def turn(self, first: int | None, last: int, touched: Touched) -> None:
        """Note the records that are others because it is another day.

        Windows end and begin with it, growth is of a day more, and customers have stayed longer.
        """
        if first is None or last - first > DAYS_TURNED:
            self.touch_all(touched)
            return
        spans = {span for each in range(first, last + 1) for span in spans_of(each)}
        # Of a week over New Year, what it counts may be of either year.
        years = {year.start for span in spans if span is not EVER for year in years_of(span)}
        for year, scope in list(self._years):
            key = scope + EVER.suffix
            if customers_staying(self._sums.get(key, {})):
                touched[key] = (scope, EVER)
            if year in years:
                for span in spans:
                    key = scope + span.suffix
                    if key in self._sums:
                        touched[key] = (scope, span)


def _apart(change: Measures) -> tuple[Measures, dict[str, Measures]]:
    """What adds up in every window, and what is counted in the windows of one grain only."""
    additive: Measures = {}
    of_grain: dict[str, Measures] = {}
    for name, amount in change.items():
        measure, mark, grain = name.rpartition(OF_GRAIN)
        if mark:
            of_grain.setdefault(grain, {})[measure] = amount
        else:
            additive[name] = amount
    return additive, of_grain
