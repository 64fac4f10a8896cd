"""Running the real pipeline in a test: topics of its own, workers as processes, until all is quiet."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from aiokafka import TopicPartition
from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from msgspec import structs

from kpis.calendar import micros_of
from kpis.contributions import Business
from kpis.replay import Replay, final_records
from malvakt.through_kafka import settled
from malvakt.workers import COMMAND, WorkerProcess
from schemas.definitions import Definitions
from schemas.events import Event, Recorded, Told
from schemas.goals import Alert, Goal, GoalStatus, decode_alert, decode_status, encode_goal
from schemas.records import KpiRecord
from schemas.topics import ALERTS, GOAL_STATUS, GOALS
from streams.connecting import Consumer
from streams.delivery import Delivery, Outgoing
from streams.partitioning import ON_EVERY_PARTITION, partition_of
from streams.publishing import published
from streams.reading import read_scorecards, read_to_end
from streams.settings import Settings
from streams.ticking import tick
from streams.topic_setup import delete_topics, set_up_topics
from tests.agents.forked import ForkedWorker

NOW = datetime(2027, 1, 1, tzinfo=UTC)


class Pipeline:
    """Workers over topics of their own."""

    def __init__(self, settings: Settings, delivery: Delivery) -> None:
        self.settings = settings
        self._delivery = delivery
        self.workers: list[WorkerProcess] = []

    def start_worker(self, command: Sequence[str] = COMMAND, **own: Any) -> WorkerProcess:
        """Start a worker, with settings of its own where they are given."""
        worker = ForkedWorker(structs.replace(self.settings, **own), command)
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: WorkerProcess) -> None:
        worker.kill()
        self.workers.remove(worker)

    async def publish(self, events: Iterable[Event | Recorded]) -> None:
        async for _ in published(self.settings, events):
            pass

    async def tick(self, now: datetime) -> None:
        await tick(self.settings, self._delivery, micros_of(now))

    async def give(self, *goals: Goal) -> None:
        """Set goals, as a stranger's producer does: each in one partition."""
        topic, count = self.settings.topic(GOALS.name), self.settings.partitions
        await self._delivery.write(
            Outgoing(topic, partition_of(goal.id, count), goal.id, encode_goal(goal)) for goal in goals
        )

    async def give_everywhere(self, *goals: Goal) -> None:
        """Set goals, as our own commands do: in every partition, so that none is heard of later."""
        topic = self.settings.topic(GOALS.name)
        await self._delivery.write(
            Outgoing(topic, partition, goal.id, encode_goal(goal), [ON_EVERY_PARTITION])
            for partition in range(self.settings.partitions)
            for goal in goals
        )

    async def alerts(self) -> list[Alert]:
        """All that there was to hear, in order."""
        found = read_to_end(self.settings, ALERTS.name, lambda record: decode_alert(record.value))
        return sorted([alert async for alert in found], key=lambda alert: alert.at)

    async def statuses(self) -> dict[str, GoalStatus]:
        """Where goals stand."""
        found: dict[str, GoalStatus] = {}
        written = read_to_end(self.settings, GOAL_STATUS.name, lambda record: record.value)
        async for value in written:
            status = decode_status(value)
            if status.key not in found or found[status.key].revision < status.revision:
                found[status.key] = status
        return found

    async def until_it_grows(self, topic: str) -> None:
        """Wait until something more is written to a topic: the middle of some batch's effects."""
        consumer = Consumer(self.settings)
        await consumer.start()
        try:
            partitions = range(self.settings.partitions)
            tps = [TopicPartition(topic, partition) for partition in partitions]
            before = await consumer.end_offsets(tps)
            while await consumer.end_offsets(tps) == before:
                for worker in self.workers:
                    worker.check()
        finally:
            await consumer.stop()

    async def shared_by(self, workers: int) -> None:
        """Wait until the group is of so many workers, each with its partitions."""
        admin = AdminClient({"bootstrap.servers": self.settings.broker})
        while True:
            [described] = admin.describe_consumer_groups([self.settings.app_id]).values()
            # A broker that has just started does not know its groups yet.
            with suppress(KafkaException):
                group = await asyncio.to_thread(described.result)
                if group.state == ConsumerGroupState.STABLE and len(group.members) == workers:
                    return
            await asyncio.sleep(0.2)

    async def delete_group(self) -> None:
        """Have Kafka forget the workers' group, once nobody is in it any more."""
        admin = AdminClient({"bootstrap.servers": self.settings.broker})
        while True:
            [deleted] = admin.delete_consumer_groups([self.settings.app_id]).values()
            try:
                await asyncio.to_thread(deleted.result)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.NON_EMPTY_GROUP:
                    raise
                await asyncio.sleep(0.2)
            else:
                return

    async def settled(self) -> None:
        await settled(self.settings, self.workers)

    async def figures(self, now: datetime = NOW) -> list[tuple[Any, ...]]:
        return figures(await read_scorecards(self.settings), self.settings.business(), now)


@asynccontextmanager
async def pipeline(broker: str, now: datetime = NOW, **settings: Any) -> AsyncIterator[Pipeline]:
    """Topics, and a clock that stands still until somebody ticks."""
    name = f"test-{secrets.token_hex(4)}"
    settings.setdefault("session_timeout_s", 6.0)
    settings.setdefault("ticks_s", 0.0)
    # Its own tests are elsewhere, and it would want a processor.
    settings.setdefault("forecast", False)
    own = Settings(broker=broker, app_id=name, topic_prefix=f"{name}.", metrics_port=0, **settings)
    await set_up_topics(own)
    async with Delivery(own) as delivery:
        running = Pipeline(own, delivery)
        await running.tick(now)
        try:
            yield running
        finally:
            for worker in running.workers:
                worker.stop()
            await delete_topics(own)


def figures(
    records: Mapping[str, KpiRecord], business: Business, now: datetime = NOW
) -> list[tuple[Any, ...]]:
    """All of the records that does not depend on how they were made."""
    return [(r.key, r.end, r.measures, r.kpis) for r in final_records(records, now, business)]


def replayed(
    events: Iterable[Event | Told],
    settings: Settings,
    definitions: Definitions | None = None,
    now: datetime = NOW,
) -> list[tuple[Any, ...]]:
    business = settings.business()
    replay = Replay(business, definitions=definitions)
    replay.feed(events)
    return figures({record.key: record for record in replay.records(now)}, business, now)
