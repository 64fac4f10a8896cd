"""The scorecards of one partition: keep each source's latest partial, sum them, write KPI records.

Rows hold what each source partition last reported for a scope and day. The sums over sources, and over
the days of longer windows, are a view that is rebuilt from the rows.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import date, datetime
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from kpis.calendar import (
    Grain,
    Window,
    date_of,
    day_number,
    labels_of,
    micros_of,
    window_end,
    windows_of,
)
from kpis.contributions import Business
from kpis.formulas import figures_of, minor_digits
from kpis.measures import MEASURES, first_in
from kpis.tally import add_measures
from kpis.versions import AS_OF, first_version
from schemas.internal import Cell, Contribution, Measures, Partial, ScorecardRow
from schemas.records import KpiRecord

TERMS = "0|"
"""The key of the row that holds, by source, from which version on its partials hold."""

Touched = dict[str, tuple[str, Window]]
"""By the key of a KPI record: the scope and window it is about."""


class Taken(NamedTuple):
    """What a batch of partials changed."""

    version: int
    rows: dict[str, ScorecardRow]
    touched: Touched
    """The records that must be written."""


class Scorecards:
    """One partition's scopes: reads their rows, and keeps the sums over them.

    The views are `sums` and `clock`, which holds the latest event time. Whoever keeps them elsewhere than
    in this process's memory gives them; they are empty, or as the rows make them.
    """

    def __init__(
        self,
        business: Business,
        rows: Mapping[str, ScorecardRow],
        term: int = 1,
        *,
        sums: MutableMapping[str, Measures] | None = None,
        clock: MutableMapping[str, int] | None = None,
    ) -> None:
        self._business = business
        self._rows = rows
        self._version = first_version(term)
        self._sums: MutableMapping[str, Measures] = {} if sums is None else sums
        self._clock: MutableMapping[str, int] = {} if clock is None else clock
        self._as_of = self._clock.get(AS_OF, 0)

    def begin_term(self, term: int) -> None:
        """Write under a new term from now on, if it is above the one in use."""
        self._version = max(self._version, first_version(term))

    def learn(self, key: str, row: ScorecardRow) -> None:
        """Take a row that was recovered into the sums."""
        self.relearn(key, None, row)

    def relearn(self, key: str, old: ScorecardRow | None, new: ScorecardRow) -> None:  # noqa: ARG002
        """Take a row that was recovered into the sums, in the place of the one they hold."""
        before = {} if old is None else {source: said.measures for source, said in old.sources.items()}
        for source, reported in new.sources.items():
            self._see(reported.as_of)
            change = reported.measures
            if source in before:
                change = _difference(change, before.pop(source))
            self._add(new.scope, new.day, change, {})
        # A writer that had not heard of a source knows nothing of it.
        for measures in before.values():
            self._add(new.scope, new.day, _difference({}, measures), {})

    def take(self, partials: Iterable[Partial]) -> Taken:
        """Take in a batch of partials, in any order."""
        self._version += 1
        rows: dict[str, ScorecardRow] = {}
        touched: Touched = {}
        terms = self._rows.get(TERMS) or ScorecardRow("", 0, {})
        for partial in partials:
            begun = terms.sources.get(partial.source)
            if begun is not None and partial.version < begun.version:
                self._refuse(partial, touched)
                continue
            if partial.begins_term:
                terms.sources[partial.source] = Contribution(partial.version, 0, {})
                rows[TERMS] = terms
                continue
            self._see(partial.as_of)
            for cell in partial.cells:
                key = scorecard_key(partial.scope, cell.day)
                row = rows.get(key) or self._rows.get(key)
                if row is None:
                    row = ScorecardRow(partial.scope, cell.day, {})
                if self._report(row, partial, cell, touched):
                    rows[key] = row
        if TERMS in rows:
            # Last, so that nothing can be known to be void before what came before it is safe.
            rows[TERMS] = rows.pop(TERMS)
        return Taken(self._version, rows, touched)

    def records(self, touched: Touched) -> Iterator[tuple[str, KpiRecord]]:
        """The records of scopes and windows as they stand now, by their keys."""
        at = At(self._as_of, self._business)
        for key, (scope, window) in touched.items():
            yield key, write_record(scope, window, self._sums.get(key, {}), self._version, at)

    def _refuse(self, partial: Partial, touched: Touched) -> None:
        """Take nothing from an owner whose time is over; but write what it touches as it stands.

        A worker that did not know may have published it, or this one before it crashed.
        """
        for cell in partial.cells:
            self._add(partial.scope, cell.day, {}, touched)

    def _see(self, time: int) -> None:
        """An event of this time is known."""
        if time > self._as_of:
            self._as_of = self._clock[AS_OF] = time

    def _report(self, row: ScorecardRow, partial: Partial, cell: Cell, touched: Touched) -> bool:
        """Replace what the source reported for a day, unless it has reported something later."""
        known = row.sources.get(partial.source)
        change = cell.measures
        if known is not None:
            if known.version > partial.version:
                return False
            change = _difference(cell.measures, known.measures)
        row.sources[partial.source] = Contribution(partial.version, partial.as_of, cell.measures)
        if change:
            self._add(row.scope, row.day, change, touched)
        elif known is None or known.version == partial.version:
            # A replay, which cannot know what was written.
            self._add(row.scope, row.day, {}, touched)
        return True

    def _add(self, scope: str, day: int, change: Measures, touched: Touched) -> None:
        """Add a change to the sums of every window that holds a day, and note their records."""
        sums = self._sums
        distinct: dict[Grain, Measures] | None = None
        if not _DISTINCT.keys().isdisjoint(change):
            change, distinct = _apart(change)
        for window, suffix in _places_of(day):
            key = scope + suffix
            touched[key] = (scope, window)
            if distinct is not None and window.grain in distinct:
                add_measures(sums, key, change | distinct[window.grain])
            elif change:
                add_measures(sums, key, change)


@cache
def _places_of(day: int) -> tuple[tuple[Window, str], ...]:
    """The windows that hold a day, and what follows the scope in the keys of their records."""
    return tuple(zip(windows_of(day), ("|" + label for label in labels_of(day)), strict=True))


class At:
    """What all records written at an instant (microseconds) have in common."""

    def __init__(self, as_of: int, business: Business) -> None:
        self.today = business.calendar.day(as_of)
        self.local = business.calendar.local(as_of)
        self.digits = minor_digits(business.currency)


def write_record(scope: str, window: Window, measures: Measures, revision: int, at: At) -> KpiRecord:
    """The KPI record of a scope and window, as it stands at an instant."""
    start, end, last = _dates_of(window)
    shown, kpis = figures_of(measures, at.digits)
    return KpiRecord(
        scope=scope,
        grain=window.grain.value,
        start=start,
        end=last,
        state=_state(end, at.today),
        revision=revision,
        measures=shown,
        kpis=kpis,
        as_of=at.local,
    )


@cache
def _dates_of(window: Window) -> tuple[date, int | None, date | None]:
    """A window's first date, and the first day after it, as a number and as a date."""
    end = window_end(*window)
    return date_of(window.start), end, None if end is None else date_of(end)


def read_at(record: KpiRecord, as_of: datetime, business: Business) -> KpiRecord:
    """A record as it reads at an instant: whether its window is over depends on the clock."""
    end = None if record.end is None else day_number(record.end)
    return msgspec.structs.replace(
        record,
        state=_state(end, business.calendar.day(micros_of(as_of))),
        as_of=as_of.astimezone(business.calendar.zone),
    )


def _state(end: int | None, today: int) -> Literal["open", "closed"]:
    return "closed" if end is not None and end <= today else "open"


def scorecard_key(scope: str, day: int) -> str:
    """The table key of a row."""
    return f"{day}|{scope}"


def _difference(new: Measures, old: Measures) -> Measures:
    change = {name: amount - old.get(name, 0) for name, amount in new.items()}
    for name, amount in old.items():
        if name not in new:
            change[name] = -amount
    return {name: amount for name, amount in change.items() if amount}


_DISTINCT: dict[str, tuple[str, Grain]] = {
    first_in(name, grain): (name, grain)
    for name, measure in MEASURES.items()
    if not measure.additive
    for grain in Grain
}


def _apart(change: Measures) -> tuple[Measures, dict[Grain, Measures]]:
    """What adds up in every window, and what is a distinct count in the windows of one grain."""
    additive: Measures = {}
    distinct: dict[Grain, Measures] = {}
    for name, amount in change.items():
        counted = _DISTINCT.get(name)
        if counted is None:
            additive[name] = amount
        else:
            distinct.setdefault(counted[1], {})[counted[0]] = amount
    return additive, distinct
