"""A broker in a test's memory, and workers on it that can be ended between any two of its records.

The agents, the order of effects, the tables and the views are the real ones; only Kafka and Faust are not
there. So a test decides at which record a worker ends, and who has the partitions then.
"""

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from faust.types import TP
from msgspec import structs

from agents.goals import GoalsAgent
from agents.ledger import LedgerAgent
from agents.recounting import Recounting
from agents.scorecard import ScorecardAgent
from goals.watching import WATCH_ROWS
from goals.working_plan import WorkingPlan
from kpis.calendar import micros_of
from kpis.tally import COMPANY
from schemas.definitions import DefinitionRecord
from schemas.events import Event, Recorded
from schemas.goals import Alert, Goal, GoalStatus, decode_alert, decode_status, encode_goal
from schemas.internal import SCORECARD_ROWS
from schemas.records import KpiRecord
from schemas.rows import ROWS
from schemas.topics import (
    ALERTS,
    CRM_TOPICS,
    GOAL_STATUS,
    GOALS,
    GOALS_TOPICS,
    LEDGER_TOPICS,
    SCORECARD_TOPICS,
    SCORECARDS,
    TABLE_OBJECTS,
    TABLE_SCORECARDS,
    TABLE_STANDINGS,
    changelog,
)
from streams.defining import define
from streams.delivery import Outgoing, Written
from streams.forecasting import Forecaster
from streams.holding import Holds
from streams.partitioning import partition_of
from streams.publishing import Publisher
from streams.reading import keep_highest, record_of
from streams.settings import Settings
from streams.tables import RowStore
from streams.ticking import tick
from streams.transport import Fetched, Slice
from streams.views import Views
from streams.worker import Parts
from tests.streams.stores import made_store

TABLES = {TABLE_OBJECTS: ROWS, TABLE_SCORECARDS: SCORECARD_ROWS, TABLE_STANDINGS: WATCH_ROWS}


class EndedError(Exception):
    """A worker, or its batch, ended here."""


class Broker:
    """Topics, and how far their one group has come."""

    def __init__(self, partitions: int) -> None:
        self.settings = Settings(partitions=partitions)
        self.topics: dict[tuple[str, int], list[Any]] = defaultdict(list)
        self.committed: dict[TP, int] = defaultdict(int)
        self.generation = 0
        self.groups = {
            "ledger": [self.settings.topic(name) for name in LEDGER_TOPICS],
            "scorecard": [self.settings.topic(name) for name in SCORECARD_TOPICS],
            "goals": [self.settings.topic(name) for name in GOALS_TOPICS],
        }

    async def publish(self, events: Iterable[Event | Recorded]) -> None:
        delivery: Any = Delivery(self)
        await Publisher(delivery, self.settings).publish(events)

    async def define(self, key: str, record: DefinitionRecord | None) -> None:
        delivery: Any = Delivery(self)
        await define(self.settings, delivery, {key: record})

    async def tick(self, now: datetime) -> None:
        delivery: Any = Delivery(self)
        await tick(self.settings, delivery, micros_of(now))

    def fetch(self, group: str, most: int) -> Fetched | None:
        """What the group has not finished, so much of each partition."""
        slices: list[Slice] = []
        for topic in self.groups[group]:
            for partition in range(self.settings.partitions):
                tp = TP(topic, partition)
                records = self.topics[tp][self.committed[tp] :][:most]
                if records:
                    slices.append(Slice(tp, records))
        return Fetched(slices) if slices else None

    def commit(self, fetched: Fetched) -> None:
        assert fetched.finished
        for part in fetched.slices:
            self.committed[part.tp] = part.records[-1].offset + 1

    def records(self) -> dict[str, KpiRecord]:
        """The KPI records as a reader has them."""
        records: dict[str, KpiRecord] = {}
        for partition in range(self.settings.partitions):
            for record in self.topics[self.settings.topic(SCORECARDS.name), partition]:
                keep_highest(records, record_of(record))
        return records

    async def give(self, name: str, goal: Goal | None) -> None:
        """Set a goal, as a stranger's producer does: in one partition."""
        delivery: Any = Delivery(self)
        partition = partition_of(name, self.settings.partitions)
        value = None if goal is None else encode_goal(goal)
        await delivery.write([Outgoing(self.settings.topic(GOALS.name), partition, name, value)])

    def statuses(self) -> dict[str, GoalStatus]:
        """Where goals stand, as a reader has it."""
        found: dict[str, GoalStatus] = {}
        for partition in range(self.settings.partitions):
            for record in self.topics[self.settings.topic(GOAL_STATUS.name), partition]:
                key = record.key.decode()
                if record.value is None:
                    found.pop(key, None)
                    continue
                status = decode_status(record.value)
                if key not in found or found[key].revision <= status.revision:
                    found[key] = status
        return found

    def alerts(self) -> list[Alert]:
        """All that there was to hear, in the order in which it was written."""
        topic = self.settings.topic(ALERTS.name)
        return [
            decode_alert(record.value)
            for partition in range(self.settings.partitions)
            for record in self.topics[topic, partition]
        ]


class Delivery:
    """Writes to the broker, until its worker ends."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.lives_for: int | None = None
        """How many more records its worker lives to write, before it hears of the last."""

    async def partitions(self, _topic: str) -> int:
        return self._broker.settings.partitions

    async def write(self, records: Iterable[Outgoing]) -> list[Written]:
        written: list[Written] = []
        for record in records:
            if self.lives_for is not None:
                if self.lives_for == 0:
                    raise EndedError
                self.lives_for -= 1
            log = self._broker.topics[record.topic, record.partition]
            kept = {
                "topic": record.topic,
                "partition": record.partition,
                "offset": len(log),
                "key": None if record.key is None else record.key.encode(),
                "value": record.value,
                "headers": record.headers,
                "timestamp": record.timestamp_ms or 0,
            }
            log.append(SimpleNamespace(**kept))
            written.append(Written(record.topic, record.partition, len(log) - 1, 1))
        if self.lives_for == 0:
            raise EndedError
        return written


class Worker:
    """The agents of one worker and their tables."""

    def __init__(self, broker: Broker, holds: Holds) -> None:
        self._broker = broker
        self.delivery: Any = Delivery(broker)
        app_id = broker.settings.app_id
        logs = {name: changelog(app_id, name).name for name in TABLES}
        stores = {
            name: made_store(packing, logs[name], holds(name, logs[name]))
            for name, packing in TABLES.items()
        }
        partitions = broker.settings.partitions
        parts = Parts(
            broker.settings,
            partitions,
            self.delivery,
            stores[TABLE_OBJECTS],
            stores[TABLE_SCORECARDS],
            stores[TABLE_STANDINGS],
        )
        self.ledger, self.scorecard = LedgerAgent(parts), ScorecardAgent(parts)
        plan = WorkingPlan()
        forecaster = Forecaster(
            structs.replace(broker.settings, forecast=False),
            plan.of(COMPANY, broker.settings.business().calendar),
        )
        self.goals = GoalsAgent(parts, self.scorecard.views, plan, forecaster)
        self._agents = {"ledger": self.ledger, "scorecard": self.scorecard, "goals": self.goals}
        self._tables: list[tuple[RowStore[Any], Views[Any]]] = [
            (parts.objects, self.ledger.views),
            (parts.scorecards, self.scorecard.views),
            (parts.standings, self.goals.views),
        ]

    async def take_over(self, slice_records: int = 1_000) -> int:
        """Take every partition over, as `streams.recovery` does; how many rows that took."""
        self._broker.generation += 1
        partitions = range(self._broker.settings.partitions)
        term = read = 0
        while term < (least := self._needed(max(term, self._broker.generation))):
            term = least
            await self.ledger.announce(partitions, term)
            for store, views in self._tables:
                for partition in partitions:
                    views.settle(partition)
                    while tail := self._broker.topics[store.changelog, partition][
                        store.next_offset(partition) :
                    ]:
                        views.take(partition, tail[:slice_records])
                        read += len(tail[:slice_records])
        for _, views in self._tables:
            for partition in partitions:
                await views.open(partition, term)
        return read

    def _needed(self, least: int) -> int:
        """The term that every partition can be begun under."""
        partitions = range(self._broker.settings.partitions)
        return max(
            store.term_after(partition, least) for store, _ in self._tables for partition in partitions
        )

    def let_go(self) -> None:
        """Others have the partitions now; or the worker is gone."""
        for store, views in self._tables:
            for partition in store.partitions():
                views.close(partition)
                store.release(partition)

    async def work(self, group: str, most: int) -> bool:
        """Work on a batch; whether there was one."""
        fetched = self._broker.fetch(group, most)
        if fetched is None:
            return False
        await self.work_on(group, fetched)
        self._broker.commit(fetched)
        return True

    async def work_on(self, group: str, fetched: Fetched) -> None:
        """Carry out a batch's effects."""
        await self._agents[group].work(fetched)

    async def settle(self, most: int = 1_000) -> None:
        """Work until there is nothing left to do."""
        while (
            await self.work("ledger", most)
            or await self.work("scorecard", most)
            or await self.work("goals", most)
            or await self._recount_where_wanted()
        ):
            pass

    async def recount(self) -> None:
        """Count history anew where definitions want it."""
        partitions = range(self._broker.settings.partitions)
        await Recounting(self.ledger, self._history, lambda: partitions).look()

    async def _recount_where_wanted(self) -> bool:
        partitions = range(self._broker.settings.partitions)
        if not any(self.ledger.to_recount(partition) for partition in partitions):
            return False
        await self.recount()
        return True

    async def _history(self, partition: int) -> AsyncGenerator[list[Slice], None]:
        for topic in CRM_TOPICS:
            tp = TP(self._broker.settings.topic(topic.name), partition)
            records = self._broker.topics[tp]
            for start in range(0, len(records), 3):
                yield [Slice(tp, records[start : start + 3])]

    def kill(self) -> None:
        """End without a last word: what was not flushed is gone."""
        for store, _ in self._tables:
            for partition in store.partitions():
                store.release(partition)

    def views(self) -> list[dict[Any, Any]]:
        """What the views of all partitions hold."""
        held: list[dict[Any, Any]] = []
        for partition in range(self._broker.settings.partitions):
            ledger: Any = self.ledger.views.of(partition)
            scorecards: Any = self.scorecard.views.of(partition)
            refs = {ref for _, row in ledger._rows.each() for ref in getattr(row, "refs", ())}
            names = {ref: sorted(set(ledger._naming.of(ref))) for ref in refs}
            of_customers = ledger._customers
            mappings = [
                *(ledger._tally._cells, ledger._tally._contacts, scorecards._sums),
                *(of_customers._won, of_customers._firsts),
                *(of_customers._organisations, of_customers._leavers),
            ]
            held.extend([*(dict(mapping.items()) for mapping in mappings), names])
        return held
