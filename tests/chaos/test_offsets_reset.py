"""Offsets set back on a warm table: what was read is read again, and every figure stays."""

import asyncio
from collections.abc import Callable
from datetime import date
from random import Random
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.topics import LEDGER_TOPICS, PARTIALS
from simulation.floor import Floor, events, shuffled
from streams.connecting import Consumer
from streams.settings import Settings
from tests.agents.pipeline import pipeline, replayed

pytestmark = pytest.mark.kafka


async def set_back(settings: Settings, share: Callable[[], float]) -> int:
    """Set the group back to a share of everything it reads, by partition; how many records that leaves."""
    topics = [settings.topic(name) for name in [*LEDGER_TOPICS, PARTIALS.name]]
    tps = [TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)]
    consumer = Consumer(settings, group_id=settings.app_id, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(tps)
        ends: dict[Any, int] = await consumer.end_offsets(tps)
        offsets = {tp: int(end * share()) for tp, end in ends.items()}
        await consumer.commit(offsets)
        return sum(ends.values()) - sum(offsets.values())
    finally:
        await consumer.stop()


def test_offsets_set_back_change_no_figure(kafka_address: str) -> None:
    """What is read again is known already; what it touches is said again, and is the same.

    Once from the beginning, and then twice from anywhere, in each partition elsewhere: so links and
    partials of one past meet events of another.
    """
    told = list(shuffled(events(Floor(sellers=8, seed=9), date(2026, 3, 2), date(2026, 3, 16)), 9))
    anywhere = Random(9).random

    async def run() -> None:
        async with pipeline(kafka_address, partitions=4) as running:
            await running.publish(told)
            right = replayed(told, running.settings)
            for share in (lambda: 0.0, anywhere, anywhere, None):
                worker = running.start_worker()
                await running.settled()
                assert await running.figures() == right
                worker.stop()
                running.workers.remove(worker)
                if share is not None:
                    assert await set_back(running.settings, share) > len(told) / 4

    asyncio.run(run())
