"""The whole machine without a broker: ledgers and scorecards wired together in memory.

The same pure functions as under Faust, driven by a queue instead of topics. `malvakt replay` runs
it, and the tests hold it against the real pipeline.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from kpis.calendar import Grain, Window, micros_of
from kpis.contributions import Business
from kpis.in_force import Defined, Recounted
from kpis.ledger import Input, Ledger
from kpis.scorecards import Scorecards, read_at
from kpis.window_sums import Touched
from schemas.definitions import DefinitionRecord, Definitions, key_of
from schemas.events import Event, OrgEvent, Told
from schemas.internal import Reported, ScorecardRow, Tick, reader_of
from schemas.records import KpiRecord
from schemas.rows import Row

BATCH_EVENTS = 5_000


class Replay:
    """Any number of ledger partitions and one scorecards partition, fed by hand."""

    def __init__(
        self,
        business: Business,
        partitions: int = 1,
        partition_of: Callable[[str], int] = lambda _: 0,
        definitions: Definitions | None = None,
    ) -> None:
        self._business = business
        self._rows: list[dict[str, Row]] = [{} for _ in range(partitions)]
        self._ledgers = [Ledger(number, business, rows) for number, rows in enumerate(self._rows)]
        self._scorecard_rows: dict[str, ScorecardRow] = {}
        self._scorecards = Scorecards(business, self._scorecard_rows, sources=partitions)
        self._partition_of = partition_of
        self._touched: Touched = {}
        if definitions is not None:
            self._define(definitions)

    def _define(self, definitions: Definitions) -> None:
        """Nothing is counted yet, and so all of it under these definitions."""
        keyed = {
            key_of(name, one): one
            for name, one in [*definitions.measures.items(), *definitions.kpis.items()]
        }
        said: list[Input] = [Defined(key, DefinitionRecord(1, one)) for key, one in keyed.items()]
        recounted: list[Input] = [Recounted(key, 1) for key in keyed]
        self._settle({number: [*said, *recounted] for number in range(len(self._ledgers))})

    def feed(self, events: Iterable[Event | Told], batch_events: int = BATCH_EVENTS) -> None:
        """Run events through, in batches, until everything they lead to has settled."""
        iterator = iter(events)
        while batch := list(islice(iterator, batch_events)):
            self._settle(self._route_events(batch))

    def changed(self, as_of: datetime, wanted: Callable[[str, Window], bool]) -> Iterator[KpiRecord]:
        """What changed since this was asked last: the wanted ones of these records, as they read then."""
        touched, self._touched = self._touched, {}
        asked = {
            key: (scope, span)
            for key, (scope, span) in touched.items()
            if wanted(scope, Window(Grain(span.grain), span.start))
        }
        for _, record in self._scorecards.records(asked):
            yield read_at(record, as_of, self._business)

    def records(self, as_of: datetime) -> Iterator[KpiRecord]:
        """Every KPI record that counts anything, sorted by key, as it reads at an instant."""
        taken = self._scorecards.take([Tick(micros_of(as_of))])
        self._scorecard_rows.update(taken.rows)
        written = dict(self._scorecards.records(taken.touched))
        return final_records(written, as_of, self._business)

    def _route_events(self, events: Iterable[Event | Told]) -> dict[int, list[Input]]:
        inboxes: dict[int, list[Input]] = {}
        for told in events:
            event = told.event if isinstance(told, Told) else told
            if isinstance(event, OrgEvent):
                for partition in range(len(self._ledgers)):
                    inboxes.setdefault(partition, []).append(event)
            else:
                home = event.data.home
                assert home is not None
                inboxes.setdefault(self._partition_of(home), []).append(told)
        return inboxes

    def _settle(self, inboxes: dict[int, list[Input]]) -> None:
        while inboxes:
            following: dict[int, list[Input]] = {}
            said: list[Reported] = []
            for partition, inbox in inboxes.items():
                effects = self._ledgers[partition].apply(inbox)
                self._rows[partition].update(effects.rows)
                said.extend([*effects.partials, *effects.ready])
                for link in effects.links:
                    following.setdefault(reader_of(link, self._partition_of), []).append(link)
            taken = self._scorecards.take(said)
            self._scorecard_rows.update(taken.rows)
            self._touched |= taken.touched
            inboxes = following


def final_records(
    records: Mapping[str, KpiRecord], as_of: datetime, business: Business
) -> Iterator[KpiRecord]:
    """The records that count anything, sorted by key, as they read at an instant.

    Records without a measure are left out: whether a window was ever counted in, and emptied again,
    depends on the order in which events came.
    """
    for key in sorted(records):
        if records[key].measures:
            yield read_at(records[key], as_of, business)
