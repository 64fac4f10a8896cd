"""Offsets set back to zero on a warm table: everything is read again, and every figure stays."""

import asyncio
from datetime import date

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import LEDGER_TOPICS, PARTIALS
from simulation.floor import Floor, events, shuffled
from streams.settings import Settings
from tests.agents.pipeline import pipeline, replayed

pytestmark = pytest.mark.kafka


async def reset_offsets(settings: Settings) -> int:
    """Set the group back to the beginning of everything it reads; how many records that is."""
    topics = [settings.topic(name) for name in [*LEDGER_TOPICS, PARTIALS.name]]
    tps = [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, group_id=settings.app_id, enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(tps)
        await consumer.commit(dict.fromkeys(tps, 0))
        return sum((await consumer.end_offsets(tps)).values())
    finally:
        await consumer.stop()


def test_offsets_set_back_to_zero_change_no_figure(kafka_address: str) -> None:
    """What is read again is known already; what it touches is said again, and is the same."""
    told = list(shuffled(events(Floor(sellers=8, seed=9), date(2026, 3, 2), date(2026, 3, 16)), 9))

    async def run() -> None:
        async with pipeline(kafka_address, partitions=4) as running:
            await running.publish(told)
            worker = running.start_worker()
            await running.settled()
            worker.stop()
            running.workers.remove(worker)
            assert await reset_offsets(running.settings) > len(told)
            running.start_worker()
            await running.settled()
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())
