"""History: what the `crm.*` topics of a partition hold, read beside the stream, from the beginning."""

from collections.abc import AsyncGenerator
from typing import Any, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from schemas.topics import CRM_TOPICS
from streams.connecting import Consumer
from streams.settings import Settings
from streams.stray import unless_cancelled
from streams.transport import Slice

log = structlog.get_logger(__name__)

RECORDS_A_PART = 2_000
POLL_MS = 500


class AwayError(Exception):
    """The broker did not answer; the message says why."""


class History(Protocol):
    """Reads what the `crm.*` topics of a partition hold up to now."""

    def __call__(self, partition: int) -> AsyncGenerator[list[Slice], None]:
        """Part by part.

        Raises:
            AwayError: the broker does not answer.
        """
        ...


def history_on(settings: Settings) -> History:
    """History as the broker has it."""

    async def read(partition: int) -> AsyncGenerator[list[Slice], None]:
        consumer = Consumer(settings, enable_auto_commit=False, auto_offset_reset="earliest")
        try:
            with unless_cancelled():
                try:
                    await consumer.start()
                    async for slices in _read(consumer, settings, partition):
                        yield slices
                finally:
                    await consumer.stop()
        except KafkaError as error:
            raise AwayError(str(error)) from error

    return read


async def _read(
    consumer: Consumer, settings: Settings, partition: int
) -> AsyncGenerator[list[Slice], None]:
    tps = [TopicPartition(settings.topic(topic.name), partition) for topic in CRM_TOPICS]
    consumer.assign(tps)
    ends: dict[Any, int] = await consumer.end_offsets(tps)
    begins: dict[Any, int] = await consumer.beginning_offsets(tps)
    cut = [tp.topic for tp in tps if begins[tp]]
    if cut:
        log.warning(
            "history is no longer whole: only what is left is read", partition=partition, topics=cut
        )
    left = set(tps)
    while left:
        fetched: dict[Any, Any] = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_A_PART)
        slices = [Slice(TP(*tp), records) for tp, records in fetched.items() if records]
        if slices:
            yield slices
        for tp in list(left):
            if await consumer.position(tp) >= ends[tp]:
                left.discard(tp)
