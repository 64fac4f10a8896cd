"""The scorecards of one partition: keep each source's latest partial, sum them, write KPI records.

Rows hold what each source partition last reported for a scope and day, what time it is, and how the KPIs
stood when a window closed that changed afterwards. The sums over sources, and over the days of longer
windows, are a view that is rebuilt from the rows.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import date, datetime
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from kpis.calendar import (
    MICROS_PER_DAY,
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
from kpis.formulas import Moment, Reader, minor_digits
from kpis.growth import REVENUES, Growth, window_after
from kpis.measures import LIFETIMES, MEASURES, counted_in
from kpis.tally import add_measures
from kpis.versions import AS_OF, first_version
from schemas.internal import (
    Cell,
    ClockRow,
    ClosingRow,
    Contribution,
    DayRow,
    Measures,
    Partial,
    ScorecardRow,
    Tick,
)
from schemas.records import Figure, KpiRecord

TERMS = "0|"
"""The key of the row that holds, by source, from which version on its partials hold."""
CLOCK = "clock|"
"""The key of the row that holds what time it is."""

CLOSING_MICROS = 15 * 60 * 1_000_000
"""How long after its end a window may still change without being called corrected: what happened last takes
a while to come in."""

LAST_DAY = "last_day"
"""Of the clock: the last day that anything is counted for."""
DAYS_TURNED = 400
"""After more days without a tick all records are written anew, rather than those of each day."""

YearKey = tuple[int, str]
"""The first day of a year, and a scope for which something is counted in it."""

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

    The views are `sums`, `years` and `clock`, which holds the latest event time and the last day that
    anything is counted for. Whoever keeps them elsewhere than in this process's memory gives them; they are
    empty, or as the rows make them.
    """

    def __init__(
        self,
        business: Business,
        rows: Mapping[str, ScorecardRow],
        term: int = 1,
        *,
        sums: MutableMapping[str, Measures] | None = None,
        years: MutableMapping[YearKey, int] | None = None,
        clock: MutableMapping[str, int] | None = None,
    ) -> None:
        self._business = business
        self._rows = rows
        self._version = first_version(term)
        self._sums: MutableMapping[str, Measures] = {} if sums is None else sums
        self._years: MutableMapping[YearKey, int] = {} if years is None else years
        self._clock: MutableMapping[str, int] = {} if clock is None else clock
        self._as_of = self._clock.get(AS_OF, 0)
        self._last_day = self._clock.get(LAST_DAY, 0)
        self._growth = Growth(self._sums)
        self._reader = Reader()
        self._fresh: dict[str, ScorecardRow] = {}
        """Rows of the batch that was taken last, which may not be held yet."""

    def begin_term(self, term: int) -> None:
        """Write under a new term from now on, if it is above the one in use."""
        self._version = max(self._version, first_version(term))

    def learn(self, key: str, row: ScorecardRow) -> None:
        """Take a row that was recovered into the sums."""
        self.relearn(key, None, row)

    def relearn(self, key: str, old: ScorecardRow | None, new: ScorecardRow) -> None:  # noqa: ARG002
        """Take a row that was recovered into the sums, in the place of the one they hold."""
        if not isinstance(new, DayRow):
            return
        before: dict[int, Measures] = {}
        if isinstance(old, DayRow):
            before = {source: said.measures for source, said in old.sources.items()}
        for source, reported in new.sources.items():
            self._see(reported.as_of)
            change = reported.measures
            if source in before:
                change = _difference(change, before.pop(source))
            self._add(new.scope, new.day, change)
        # A writer that had not heard of a source knows nothing of it.
        for measures in before.values():
            self._add(new.scope, new.day, _difference({}, measures))
        self._growth.forget()

    def take(self, items: Iterable[Partial | Tick]) -> Taken:
        """Take in a batch of partials and ticks, in any order."""
        self._version += 1
        rows = self._fresh = {}
        touched: Touched = {}
        terms = self._rows.get(TERMS)
        assert terms is None or isinstance(terms, DayRow)
        terms = terms or DayRow("", 0, {})
        clock = before = self._time()
        closed = self._closed(clock)
        for item in items:
            if isinstance(item, Tick):
                clock = self._turn(before, item, touched)
                rows[CLOCK] = clock
                closed = self._closed(clock)
                continue
            begun = terms.sources.get(item.source)
            if begun is not None and item.version < begun.version:
                self._refuse(item, touched)
                continue
            if item.begins_term:
                terms.sources[item.source] = Contribution(item.version, 0, {})
                rows[TERMS] = terms
                continue
            self._see(item.as_of)
            for cell in item.cells:
                key = scorecard_key(item.scope, cell.day)
                row = rows.get(key) or self._rows.get(key)
                if row is None:
                    row = DayRow(item.scope, cell.day, {})
                assert isinstance(row, DayRow)
                if self._report(row, item, cell, closed, touched):
                    rows[key] = row
        if TERMS in rows:
            # Last, so that nothing can be known to be void before what came before it is safe.
            rows[TERMS] = rows.pop(TERMS)
        return Taken(self._version, rows, touched)

    def records(self, touched: Touched) -> Iterator[tuple[str, KpiRecord]]:
        """The records of scopes and windows as they stand now, by their keys."""
        clock = self._time()
        closed = self._closed(clock)
        at = At(self._as_of if clock is None else clock.now, self._business)
        for key, (scope, window) in touched.items():
            measures = self._sums.get(key, {})
            shown, kpis = self._reader.figures(
                measures, window.grain, self._moment(key, scope, window, measures, at)
            )
            start, end, last = _dates_of(window)
            previous = self._previous(key, kpis) if closed.since_it_is_kept(end) else None
            yield (
                key,
                KpiRecord(
                    scope=scope,
                    grain=window.grain.value,
                    start=start,
                    end=last,
                    state=_state(end, at.day) if previous is None else "corrected",
                    revision=self._version,
                    measures=shown,
                    kpis=kpis,
                    as_of=at.local,
                    previous=previous,
                ),
            )

    def _time(self) -> ClockRow | None:
        row = self._fresh.get(CLOCK) or self._rows.get(CLOCK)
        assert row is None or isinstance(row, ClockRow)
        return row

    def _closed(self, clock: ClockRow | None) -> "Closed":
        if clock is None:
            return Closed(0, 0)
        day = self._business.calendar.day
        return Closed(day(clock.began), day(clock.now - CLOSING_MICROS))

    def _turn(self, before: ClockRow | None, tick: Tick, touched: Touched) -> ClockRow:
        """What time it is after a tick, where it was `before` the batch; a new day changes what is read.

        A tick that is known already may come again after a crash, in which what it changed was not written.
        """
        known = self._time()
        if known is None:
            known = ClockRow(tick.now, None, tick.now)
        elif tick.now > known.now:
            known = ClockRow(known.began, None if before is None else before.now, tick.now)
        elif tick.now < known.now:
            return known
        self._turn_days(known, touched)
        return known

    def _turn_days(self, clock: ClockRow, touched: Touched) -> None:
        """Windows end and begin with a day, and growth is that of a day more: note the records."""
        day = self._business.calendar.day
        first, last = None if clock.before is None else day(clock.before), day(clock.now)
        if first == last:
            return
        if first is None or last - first > DAYS_TURNED:
            touched.update((key, _place_of(key)) for key in self._sums)
            return
        windows = {window: suffix for each in range(first, last + 1) for window, suffix in _places_of(each)}
        years = {window.start for window in windows if window.grain is Grain.YEAR}
        for year, scope in list(self._years):
            if year in years:
                for window, suffix in windows.items():
                    if scope + suffix in self._sums:
                        touched[scope + suffix] = (scope, window)

    def _moment(self, key: str, scope: str, window: Window, measures: Measures, at: "At") -> Moment:
        if window.grain is Grain.EVER:
            return at.moment
        growth = self._growth.of(key, scope, window, measures, at.day, self._last_day)
        if growth is None:
            return at.moment
        return at.moment._replace(growth=growth.growth, accumulated=growth.accumulated)

    def _previous(self, key: str, kpis: dict[str, Figure]) -> dict[str, Figure] | None:
        """The KPIs of a closed window as they were at its closing, if they are others now."""
        row = self._fresh.get(closing_key(key)) or self._rows.get(closing_key(key))
        if row is None:
            return None
        assert isinstance(row, ClosingRow)
        return None if row.kpis == kpis else row.kpis

    def _keep_closing(self, scope: str, day: int, closed: "Closed", *, revenue: bool) -> None:
        """Before something changes on a day: note how the closed windows stand whose KPIs depend on it."""
        clock = self._time()
        assert clock is not None
        at = At(clock.now, self._business)
        for window, suffix in _places_of(day):
            windows = [(window, scope + suffix)]
            if revenue and window.grain is not Grain.EVER:
                after = window_after(window)
                windows.append((after, scope + _suffix_of(after)))
            for each, key in windows:
                kept = closing_key(key)
                if not closed.since_it_is_kept(window_end(*each)):
                    continue
                if kept in self._fresh or self._rows.get(kept) is not None:
                    continue
                measures = self._sums.get(key, {})
                moment = self._moment(key, scope, each, measures, at)
                self._fresh[kept] = ClosingRow(self._reader.figures(measures, each.grain, moment)[1])

    def _refuse(self, partial: Partial, touched: Touched) -> None:
        """Take nothing from an owner whose time is over; but write what it touches as it stands.

        A worker that did not know may have published it, or this one before it crashed.
        """
        for cell in partial.cells:
            self._touch(partial.scope, cell.day, {}, touched)

    def _see(self, time: int) -> None:
        """An event of this time is known."""
        if time > self._as_of:
            self._as_of = self._clock[AS_OF] = time

    def _report(
        self, row: DayRow, partial: Partial, cell: Cell, closed: "Closed", touched: Touched
    ) -> bool:
        """Replace what the source reported for a day, unless it has reported something later."""
        known = row.sources.get(partial.source)
        change = cell.measures
        if known is not None:
            if known.version > partial.version:
                return False
            change = _difference(cell.measures, known.measures)
        row.sources[partial.source] = Contribution(partial.version, partial.as_of, cell.measures)
        if change:
            if row.day < closed.before:
                # The row goes after it, so that a crash in between leaves nothing that cannot be made up.
                self._fresh.pop(scorecard_key(row.scope, row.day), None)
                self._keep_closing(row.scope, row.day, closed, revenue=not REVENUES.isdisjoint(change))
            self._touch(row.scope, row.day, change, touched)
        elif known is None or known.version == partial.version:
            # A replay, which cannot know what was written.
            self._touch(row.scope, row.day, {}, touched)
        return True

    def _touch(self, scope: str, day: int, change: Measures, touched: Touched) -> None:
        """Add a change, and note the records it concerns."""
        self._add(scope, day, change)
        for window, suffix in _places_of(day):
            touched[scope + suffix] = (scope, window)
        if not change or not REVENUES.isdisjoint(change):
            self._growth.changed(scope, day, self._last_day, touched)

    def _add(self, scope: str, day: int, change: Measures) -> None:
        """Add a change to the sums of every window that holds a day."""
        sums = self._sums
        if day > self._last_day:
            self._last_day = self._clock[LAST_DAY] = day
        distinct: dict[Grain, Measures] | None = None
        if not _DISTINCT.keys().isdisjoint(change):
            change, distinct = _apart(change)
        for window, suffix in _places_of(day):
            key = scope + suffix
            counted = change
            if distinct is not None and window.grain in distinct:
                counted = change | distinct[window.grain]
            if counted:
                if window.grain is Grain.YEAR and key not in sums:
                    self._years[window.start, scope] = 1
                add_measures(sums, key, counted)


class Closed(NamedTuple):
    """Which windows were closed while the clock was ticking."""

    after: int
    """The day on which it began to: what had ended by then is history."""
    before: int
    """A window that ended by then has closed."""

    def since_it_is_kept(self, end: int | None) -> bool:
        """Whether a window that ends so closed, and is no history."""
        return end is not None and self.after < end <= self.before


@cache
def _places_of(day: int) -> tuple[tuple[Window, str], ...]:
    """The windows that hold a day, and what follows the scope in the keys of their records."""
    return tuple(zip(windows_of(day), ("|" + label for label in labels_of(day)), strict=True))


@cache
def _suffix_of(window: Window) -> str:
    return f"|{window.grain}|{date_of(window.start)}"


def _place_of(key: str) -> tuple[str, Window]:
    """The scope and window in the key of a record."""
    scope, grain, start = key.rsplit("|", 2)
    return scope, Window(Grain(grain), day_number(date.fromisoformat(start)))


class At:
    """What all records written at an instant (microseconds) have in common."""

    def __init__(self, as_of: int, business: Business) -> None:
        self.day, micros = divmod(business.calendar.wall_clock(as_of), MICROS_PER_DAY)
        self.local = business.calendar.local(as_of)
        self.moment = Moment(minor_digits(business.currency), self.day, micros)


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
        previous=None,
        as_of=as_of.astimezone(business.calendar.zone),
    )


def _state(end: int | None, today: int) -> Literal["open", "closed"]:
    return "closed" if end is not None and end <= today else "open"


def scorecard_key(scope: str, day: int) -> str:
    """The table key of a row."""
    return f"{day}|{scope}"


def closing_key(record: str) -> str:
    """The table key of how a record stood at its window's closing."""
    return f"closing|{record}"


def _difference(new: Measures, old: Measures) -> Measures:
    change = {name: amount - old.get(name, 0) for name, amount in new.items()}
    for name, amount in old.items():
        if name not in new:
            change[name] = -amount
    return {name: amount for name, amount in change.items() if amount}


_DISTINCT: dict[str, tuple[str, Grain]] = {
    counted_in(name, grain): (name, grain)
    for name, measure in MEASURES.items()
    if not measure.additive
    for grain in Grain
} | {counted_in(name, Grain.EVER): (name, Grain.EVER) for name in LIFETIMES}


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
