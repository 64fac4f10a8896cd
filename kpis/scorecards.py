"""The scorecards of one partition: keep each source's latest partial, sum them, write KPI records.

Rows hold what each source partition last reported for a scope, grain and window. The sums over
sources, and over the days of longer windows, are a view in memory that is rebuilt from the rows.
"""

from collections.abc import Iterable, MutableMapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from kpis.calendar import (
    Grain,
    Window,
    date_of,
    day_number,
    instant_of,
    micros_of,
    window_end,
    windows_of,
)
from kpis.contributions import Business
from kpis.formulas import minor_digits, show_kpis, show_measures
from kpis.ledger import VERSIONS_PER_TERM
from kpis.measures import MEASURES
from kpis.tally import CellKey, add_measures
from schemas.internal import Cell, Contribution, Measures, Partial, ScorecardRow
from schemas.records import KpiRecord

_NOT_ADDITIVE = frozenset(name for name, measure in MEASURES.items() if not measure.additive)


class Taken(NamedTuple):
    """What a batch of partials changed."""

    rows: dict[str, ScorecardRow]
    touched: set[CellKey]
    """The scopes and windows whose records must be written."""


class Scorecards:
    """The rows of one partition, and the sums over them."""

    def __init__(self, business: Business, rows: MutableMapping[str, ScorecardRow], term: int = 1) -> None:
        self._business = business
        self._rows = rows
        self._version = term * VERSIONS_PER_TERM
        self._sums: dict[CellKey, Measures] = {}
        self._as_of: dict[CellKey, int] = {}
        for row in rows.values():
            for reported in row.sources.values():
                self._add(row, reported.measures, 1)
                self._note_as_of(row, reported.as_of)

    def take(self, partials: Iterable[Partial]) -> Taken:
        """Take in a batch of partials, in any order."""
        self._version += 1
        rows: dict[str, ScorecardRow] = {}
        touched: set[CellKey] = set()
        for partial in partials:
            for cell in partial.cells:
                row = self._report(partial, cell)
                if row is not None:
                    rows[scorecard_key(row)] = row
                    touched.update((row.scope, window) for window in _windows(row))
        for row in rows.values():
            row.version = self._version
        return Taken(rows, touched)

    def record(self, cell: CellKey) -> KpiRecord:
        """The record of a scope and window as it stands now."""
        scope, window = cell
        measures = self._sums.get(cell, {})
        as_of = self._as_of[cell]
        return write_record(scope, window, measures, as_of, self._version, self._business)

    def _report(self, partial: Partial, cell: Cell) -> ScorecardRow | None:
        """Replace what the source reported for a cell; `None` where it reported something later."""
        row = ScorecardRow(partial.scope, cell.grain, cell.start, {}, 0)
        row = self._rows.setdefault(scorecard_key(row), row)
        known = row.sources.get(partial.source)
        if known is not None:
            if known.version > partial.version:
                return None
            self._add(row, known.measures, -1)
        row.sources[partial.source] = Contribution(partial.version, partial.as_of, cell.measures)
        self._add(row, cell.measures, 1)
        self._note_as_of(row, partial.as_of)
        return row

    def _add(self, row: ScorecardRow, measures: Measures, sign: int) -> None:
        own, *longer = _windows(row)
        add_measures(self._sums, (row.scope, own), measures, sign)
        if longer:
            additive = {name: n for name, n in measures.items() if name not in _NOT_ADDITIVE}
            for window in longer:
                add_measures(self._sums, (row.scope, window), additive, sign)

    def _note_as_of(self, row: ScorecardRow, as_of: int) -> None:
        for window in _windows(row):
            cell = (row.scope, window)
            self._as_of[cell] = max(self._as_of.get(cell, 0), as_of)


def write_record(
    scope: str, window: Window, measures: Measures, as_of: int, revision: int, business: Business
) -> KpiRecord:
    """The KPI record of a scope and window, as it stands at an instant (microseconds)."""
    digits = minor_digits(business.currency)
    end = window_end(*window)
    return KpiRecord(
        scope=scope,
        grain=window.grain.value,
        start=date_of(window.start),
        end=None if end is None else date_of(end),
        state=_state(end, business.calendar.day(as_of)),
        revision=revision,
        measures=show_measures(measures, digits),
        kpis=show_kpis(measures, digits),
        as_of=instant_of(as_of).astimezone(business.calendar.zone),
    )


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


def scorecard_key(row: ScorecardRow) -> str:
    """The table key of a row: its start, grain and scope."""
    return f"{row.start}|{row.grain}|{row.scope}"


def _windows(row: ScorecardRow) -> tuple[Window, ...]:
    """The windows a row counts in: a day's row in all that hold the day, another in its own."""
    if row.grain == Grain.DAY:
        return windows_of(row.start)
    return (Window(Grain(row.grain), row.start),)
