"""The whole machine without a broker: ledgers and scorecards wired together in memory.

The same pure functions as under Faust, driven by a queue instead of topics. `malvakt replay` runs
it, and the tests hold it against the real pipeline.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

from kpis.contributions import Business
from kpis.ledger import Ledger
from kpis.scorecards import Scorecards, Touched, read_at
from schemas.events import Event, OrgEvent
from schemas.internal import LeadNamed, Link, Partial, ScorecardRow, TermBegun
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
    ) -> None:
        self._business = business
        self._rows: list[dict[str, Row]] = [{} for _ in range(partitions)]
        self._ledgers = [Ledger(number, business, rows) for number, rows in enumerate(self._rows)]
        self._scorecard_rows: dict[str, ScorecardRow] = {}
        self._scorecards = Scorecards(business, self._scorecard_rows)
        self._partition_of = partition_of
        self._touched: Touched = {}

    def feed(self, events: Iterable[Event], batch_events: int = BATCH_EVENTS) -> None:
        """Run events through, in batches, until everything they lead to has settled."""
        iterator = iter(events)
        while batch := list(islice(iterator, batch_events)):
            self._settle(self._route_events(batch))

    def records(self, as_of: datetime) -> Iterator[KpiRecord]:
        """Every KPI record that counts anything, sorted by key, as it reads at an instant."""
        written = dict(self._scorecards.records(self._touched))
        return final_records(written, as_of, self._business)

    def _route_events(self, events: Iterable[Event]) -> dict[int, list[Event | Link]]:
        inboxes: dict[int, list[Event | Link]] = {}
        for event in events:
            if isinstance(event, OrgEvent):
                for partition in range(len(self._ledgers)):
                    inboxes.setdefault(partition, []).append(event)
            else:
                home = event.data.home
                assert home is not None
                inboxes.setdefault(self._partition_of(home), []).append(event)
        return inboxes

    def _route_link(self, link: Link) -> int:
        assert not isinstance(link, TermBegun), "nobody takes over here"
        return self._partition_of(link.lead) if isinstance(link, LeadNamed) else link.to

    def _settle(self, inboxes: dict[int, list[Event | Link]]) -> None:
        while inboxes:
            following: dict[int, list[Event | Link]] = {}
            partials: list[Partial] = []
            for partition, inbox in inboxes.items():
                effects = self._ledgers[partition].apply(inbox)
                self._rows[partition].update(effects.rows)
                partials.extend(effects.partials)
                for link in effects.links:
                    following.setdefault(self._route_link(link), []).append(link)
            taken = self._scorecards.take(partials)
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
