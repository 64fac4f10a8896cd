"""Trimming: records that agents tell each other are deleted once they were read, however late that is.

By age they must not be: a worker that was away for a month still has to find them.
"""

import asyncio

import structlog
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.errors import KafkaError

from streams.connecting import Admin
from streams.settings import Settings

EVERY_S = 300.0

log = structlog.get_logger(__name__)


async def trim_for_ever(settings: Settings, topics: list[str], partitions: int) -> None:
    """Trim topics now and then, as far as the group has read them. Several workers may do so."""
    tps = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await trim(settings, tps)
        except KafkaError as error:
            log.warning("could not trim what was read; trying again later", error=repr(error))


async def trim(settings: Settings, tps: list[TopicPartition]) -> None:
    """Delete the records of partitions up to where the group has read them."""
    admin = Admin(settings)
    await admin.start()
    try:
        committed = await admin.list_consumer_group_offsets(settings.app_id, partitions=tps)
        await admin.delete_records(
            {tp: RecordsToDelete(before_offset=at.offset) for tp, at in committed.items() if at.offset > 0}
        )
    finally:
        await admin.close()
