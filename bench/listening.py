"""Listening to KPI records as a wall would: when could each be read?"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from aiokafka import TopicPartition

from schemas.topics import SCORECARDS
from streams.connecting import Consumer
from streams.settings import Settings

POLL_MS = 20
FETCH_WAIT_MS = 5


@asynccontextmanager
async def listening(
    settings: Settings, partitions: int, hear: Callable[[bytes, float], None]
) -> AsyncIterator[None]:
    """Call `hear` with the key of each record from now on, and the moment it was there (`perf_counter`)."""
    topic = settings.topic(SCORECARDS.name)
    consumer: Any = Consumer(settings, enable_auto_commit=False, fetch_max_wait_ms=FETCH_WAIT_MS)
    await consumer.start()
    consumer.assign([TopicPartition(topic, number) for number in range(partitions)])
    await consumer.seek_to_end()

    async def listen() -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=POLL_MS)
            now = perf_counter()
            for records in fetched.values():
                for record in records:
                    hear(record.key or b"", now)

    task = asyncio.create_task(listen())
    try:
        yield
        assert not task.done(), task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()
