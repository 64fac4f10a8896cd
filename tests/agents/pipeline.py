"""Running the real pipeline in a test: topics of its own, workers as processes, until all is quiet."""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import structs

from kpis.calendar import micros_of
from kpis.contributions import Business
from kpis.replay import Replay, final_records
from malvakt.through_kafka import settled
from malvakt.workers import COMMAND, WorkerProcess
from schemas.events import Event
from schemas.records import KpiRecord
from streams.delivery import Delivery
from streams.publishing import published
from streams.reading import read_scorecards
from streams.settings import Settings
from streams.ticking import tick
from streams.topic_setup import delete_topics, set_up_topics

NOW = datetime(2027, 1, 1, tzinfo=UTC)


class Pipeline:
    """Workers over topics of their own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workers: list[WorkerProcess] = []

    def start_worker(self, command: Sequence[str] = COMMAND, **own: Any) -> WorkerProcess:
        """Start a worker, with settings of its own where they are given."""
        worker = WorkerProcess(structs.replace(self.settings, **own), command)
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: WorkerProcess) -> None:
        worker.kill()
        self.workers.remove(worker)

    async def publish(self, events: Iterable[Event]) -> None:
        async for _ in published(self.settings, events):
            pass

    async def until_it_grows(self, topic: str) -> None:
        """Wait until something more is written to a topic: the middle of some batch's effects."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.broker)
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

    async def settled(self) -> None:
        await settled(self.settings, self.workers)

    async def figures(self) -> list[tuple[Any, ...]]:
        return figures(await read_scorecards(self.settings), self.settings.business())


@asynccontextmanager
async def pipeline(broker: str, **settings: Any) -> AsyncIterator[Pipeline]:
    name = f"test-{secrets.token_hex(4)}"
    settings.setdefault("session_timeout_s", 6.0)
    settings.setdefault("ticks_s", 0.0)
    own = Settings(broker=broker, app_id=name, topic_prefix=f"{name}.", metrics_port=0, **settings)
    await set_up_topics(own)
    async with Delivery(broker) as delivery:
        await tick(own, delivery, micros_of(NOW))
    running = Pipeline(own)
    try:
        yield running
    finally:
        for worker in running.workers:
            worker.stop()
        await delete_topics(own)


def figures(records: Mapping[str, KpiRecord], business: Business) -> list[tuple[Any, ...]]:
    """All of the records that does not depend on how they were made."""
    return [(r.key, r.end, r.measures, r.kpis) for r in final_records(records, NOW, business)]


def replayed(events: Iterable[Event], settings: Settings) -> list[tuple[Any, ...]]:
    business = settings.business()
    replay = Replay(business)
    replay.feed(events)
    return figures({record.key: record for record in replay.records(NOW)}, business)
