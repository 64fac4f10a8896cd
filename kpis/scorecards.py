"""The scorecards of one partition: keep each source's latest partial, sum them, write KPI records.

Rows hold what each source partition last reported for a scope and day, what time it is, and how the KPIs
stood when a window closed that changed afterwards. The sums over sources, and over the days of longer
windows, are a view that is rebuilt from the rows.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from kpis.calendar import MICROS_PER_DAY, day_number, micros_of
from kpis.contributions import Business
from kpis.formulas import (
    Compare,
    Moment,
    Reader,
    minor_digits,
    shared_reader,
)
from kpis.growth import REVENUES
from kpis.in_use import IN_USE, InUse
from kpis.spans import Span, place_of, span_after, spans_of
from kpis.versions import AS_OF, first_version
from kpis.window_sums import Touched, WindowSums, YearKey
from schemas.definitions import Definitions
from schemas.internal import (
    Cell,
    ClockRow,
    ClosingRow,
    Contribution,
    DayRow,
    InUseRow,
    Measures,
    Partial,
    Ready,
    Reported,
    ScorecardRow,
    TermBegun,
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
        sources: int = 1,
    ) -> None:
        self._business = business
        self._rows = rows
        self._sources = sources
        self._version = first_version(term)
        self._sums: MutableMapping[str, Measures] = {} if sums is None else sums
        years = {} if years is None else years
        self._clock: MutableMapping[str, int] = {} if clock is None else clock
        self._as_of = self._clock.get(AS_OF, 0)
        self._windows = WindowSums(self._sums, years, self._clock)
        self._read_by: Reader | None = None
        """Made from the row of definitions, when it is first needed."""
        self._definitions: Definitions | None = None
        """Of the same row."""
        self._shown: dict[str, KpiRecord] = {}
        """Records that were asked for, as they stand, by their keys."""
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
        if isinstance(new, InUseRow):
            self._redefined()
        self._shown.clear()
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
            self._windows.add(new.scope, new.day, change, {})
        # A writer that had not heard of a source knows nothing of it.
        for measures in before.values():
            self._windows.add(new.scope, new.day, _difference({}, measures), {})
        self._windows.growth.forget()

    def take(self, items: Iterable[Reported | Tick]) -> Taken:
        """Take in a batch of what sources reported and of ticks; those of one source in its order."""
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
                # What closes now has counted what came before.
                self._windows.add_noted(touched)
                clock = self._turn(before, item, touched)
                rows[CLOCK] = clock
                closed = self._closed(clock)
                continue
            begun = terms.sources.get(item.source)
            if begun is not None and item.version < begun.version:
                self._refuse(item, touched)
                continue
            if isinstance(item, Ready):
                self._hear_ready(item, touched)
                continue
            if isinstance(item, TermBegun):
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
                if self._report(key, row, item, cell, closed):
                    rows[key] = row
        self._windows.add_noted(touched)
        if TERMS in rows:
            # Last, so that nothing can be known to be void before what came before it is safe.
            rows[TERMS] = rows.pop(TERMS)
        return Taken(self._version, rows, touched)

    @property
    def now(self) -> int | None:
        """What time it is, in microseconds, once the clock has ticked."""
        clock = self._time()
        return None if clock is None else clock.now

    def definitions(self) -> Definitions:
        """An organisation's own measures and KPIs, as far as they are in use; the same until others are."""
        if self._definitions is None:
            self._definitions = self._in_use().definitions()
        return self._definitions

    def record(self, key: str) -> KpiRecord | None:
        """A record with the figures that hold, by its key; none where nothing is counted in its window.

        It is kept for who asks again, so by its `as_of` it may be of an earlier time of the day.
        """
        shown = self._shown.get(key)
        if shown is None and key in self._sums:
            for _, shown in self.records({key: place_of(key)}):
                self._shown[key] = shown
        return shown

    def records(self, touched: Touched) -> Iterator[tuple[str, KpiRecord]]:
        """The records of scopes and windows as they stand now, by their keys."""
        clock = self._time()
        closed = self._closed(clock)
        at = At(self._as_of if clock is None else clock.now, self._business)
        reader = self._reader()
        for key, (scope, span) in touched.items():
            measures = self._sums.get(key, {})
            compare = self._compare(key, scope, span, measures, at.day)
            shown, kpis = reader.figures(measures, span.grain, at.moment, compare)
            end = span.end
            previous = self._previous(key, kpis) if closed.since_it_is_kept(end) else None
            record = KpiRecord(
                scope=scope,
                grain=span.grain,
                start=span.first,
                end=span.last,
                state=_state(end, at.day) if previous is None else "corrected",
                revision=self._version,
                measures=shown,
                kpis=kpis,
                as_of=at.local,
                previous=previous,
            )
            if key in self._shown:
                self._shown[key] = record
            yield key, record

    def _hear_ready(self, said: Ready, touched: Touched) -> None:
        """A source has counted all of its history under a version; once all have, that is in use."""
        in_use = self._in_use()
        anew = in_use.hear(said)
        if anew is None:
            return
        self._fresh[IN_USE] = in_use.row
        self._redefined()
        if anew:
            self._windows.touch_all(touched)

    def _redefined(self) -> None:
        self._read_by = None
        self._definitions = None

    def _in_use(self) -> InUse:
        row = self._fresh.get(IN_USE) or self._rows.get(IN_USE)
        assert row is None or isinstance(row, InUseRow)
        return InUse(row or InUseRow({}, {}), self._sources)

    def _reader(self) -> Reader:
        if self._read_by is None:
            self._read_by = shared_reader(self._in_use().own(), minor_digits(self._business.currency))
        return self._read_by

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
        day = self._business.calendar.day
        first, last = None if clock.before is None else day(clock.before), day(clock.now)
        if first != last:
            self._shown.clear()
            self._windows.turn(first, last, touched)

    def _compare(self, key: str, scope: str, span: Span, measures: Measures, today: int) -> Compare | None:
        if span.end is None:
            return None
        return self._windows.growth.of(key, scope, span, measures, today, self._windows.last_day)

    def _previous(self, key: str, kpis: dict[str, Figure]) -> dict[str, Figure] | None:
        """The KPIs of a closed window as they were at its closing, if they are others now."""
        row = self._fresh.get(closing_key(key)) or self._rows.get(closing_key(key))
        if row is None:
            return None
        assert isinstance(row, ClosingRow)
        # What was defined since then was no part of it.
        same = all(kpis.get(name, before) == before for name, before in row.kpis.items())
        return None if same else row.kpis

    def _keep_closing(self, scope: str, day: int, closed: "Closed", *, revenue: bool) -> None:
        """Before something changes on a day: note how the closed windows stand whose KPIs depend on it."""
        clock = self._time()
        assert clock is not None
        at = At(clock.now, self._business)
        for span in spans_of(day):
            changing = [span, span_after(span)] if revenue and span.end is not None else [span]
            for each in changing:
                key = scope + each.suffix
                kept = closing_key(key)
                if not closed.since_it_is_kept(each.end):
                    continue
                if kept in self._fresh or self._rows.get(kept) is not None:
                    continue
                measures = self._sums.get(key, {})
                compare = self._compare(key, scope, each, measures, at.day)
                self._fresh[kept] = ClosingRow(
                    self._reader().figures(measures, each.grain, at.moment, compare)[1]
                )

    def _refuse(self, said: Reported, touched: Touched) -> None:
        """Take nothing from an owner whose time is over; but write what it touches as it stands.

        A worker that did not know may have published it, or this one before it crashed.
        """
        match said:
            case Partial():
                for cell in said.cells:
                    self._windows.note(said.scope, cell.day, {})
            case Ready():
                self._windows.touch_all(touched)
            case TermBegun():
                pass

    def _see(self, time: int) -> None:
        """An event of this time is known."""
        if time > self._as_of:
            self._as_of = self._clock[AS_OF] = time

    def _report(self, key: str, row: DayRow, partial: Partial, cell: Cell, closed: "Closed") -> bool:
        """Replace what the source reported for a day, unless it has reported something later."""
        known = row.sources.get(partial.source)
        change = cell.measures
        if known is not None:
            if known.version > partial.version:
                return False
            change = _difference(cell.measures, known.measures)
        row.sources[partial.source] = Contribution(partial.version, partial.as_of, cell.measures)
        if change:
            if row.day < closed.before and closed.after < closed.before:
                # The row goes after it, so that a crash in between leaves nothing that cannot be made up.
                self._fresh.pop(key, None)
                self._keep_closing(row.scope, row.day, closed, revenue=not REVENUES.isdisjoint(change))
            self._windows.note(row.scope, row.day, change)
        elif known is None or known.version == partial.version:
            # A replay, which cannot know what was written.
            self._windows.note(row.scope, row.day, {})
        return True


class Closed(NamedTuple):
    """Which windows were closed while the clock was ticking."""

    after: int
    """The day on which it began to: what had ended by then is history."""
    before: int
    """A window that ended by then has closed."""

    def since_it_is_kept(self, end: int | None) -> bool:
        """Whether a window that ends so closed, and is no history."""
        return end is not None and self.after < end <= self.before


class At:
    """What all records written at an instant (microseconds) have in common."""

    def __init__(self, as_of: int, business: Business) -> None:
        self.day, micros = divmod(business.calendar.wall_clock(as_of), MICROS_PER_DAY)
        self.local = business.calendar.local(as_of)
        self.moment = Moment(minor_digits(business.currency), self.day, micros)


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
