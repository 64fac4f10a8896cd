"""What is read from outside the group, on a real Kafka: whether history is whole, how far the group is."""

import asyncio
import secrets
from datetime import UTC, datetime

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from structlog.testing import capture_logs

from streams.delivery import Delivery, Outgoing
from streams.founding import found
from streams.history import history_on
from streams.reading import LostHistory, Progress, lost_history
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics

pytestmark = pytest.mark.kafka

MARCH_MS = int(datetime(2026, 3, 2, 10, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000


async def delete(broker: str, topic: str, partition: int, before: int) -> None:
    """As retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=before)})
    await admin.close()


def test_history_that_was_cut_off_is_told_from_whole_history(kafka_address: str) -> None:
    """With the topics, and from when on all is there; or that nothing is left."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(broker=kafka_address, app_id=name, topic_prefix=f"{name}.", partitions=2)
    deals, leads = settings.topic("crm.deals"), settings.topic("crm.leads")

    async def run() -> None:
        assert await lost_history(settings) is None
        await set_up_topics(settings)
        try:
            async with Delivery(settings) as delivery:
                await delivery.write(
                    Outgoing(topic, partition, "k", b"{}", timestamp_ms=MARCH_MS + hour * HOUR_MS)
                    for topic in (deals, leads)
                    for partition in (0, 1)
                    for hour in range(4)
                )
            assert await lost_history(settings) is None
            await delete(kafka_address, deals, 0, 2)
            await delete(kafka_address, deals, 1, 1)
            lost = await lost_history(settings)
            assert lost == LostHistory([deals], datetime(2026, 3, 2, 12, tzinfo=UTC))
            assert str(lost) == f"What came in before 2026-03-02 12:00 UTC is no longer in {deals}."
            with capture_logs() as logged:
                await found(settings)
                await found(settings)
            assert [line["lost"] for line in logged] == [str(lost)]
            with capture_logs() as logged:
                assert [part async for part in history_on(settings)(1)]
            assert [(line["partition"], line["topics"]) for line in logged] == [(1, [deals])]
            await delete(kafka_address, leads, 0, 4)
            assert await lost_history(settings) == LostHistory([deals, leads], None)
        finally:
            await delete_topics(settings)

    asyncio.run(run())


def test_what_went_before_the_group_came_is_not_waited_for(kafka_address: str) -> None:
    """Of a partition that was emptied it will never finish anything, nor of another what is gone."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(broker=kafka_address, app_id=name, topic_prefix=f"{name}.", partitions=2)
    deals = settings.topic("crm.deals")

    async def run() -> None:
        await set_up_topics(settings)
        try:
            async with Delivery(settings) as delivery:
                await delivery.write(
                    Outgoing(deals, partition, "k", b"{}") for partition in (0, 1) for _ in range(4)
                )
            await delete(kafka_address, deals, 0, 4)
            await delete(kafka_address, deals, 1, 3)
            async with Progress(settings) as progress:
                done, ends = await progress.places(["crm.deals"])
                assert done == {("crm.deals", 0): 4, ("crm.deals", 1): 3}
                assert ends == {("crm.deals", 0): 4, ("crm.deals", 1): 4}
                assert await progress.left() == 1
                assert not await progress.passed(0.0)
                await delete(kafka_address, deals, 1, 4)
                assert await progress.left() == 0
                assert await progress.passed(0.0)
        finally:
            await delete_topics(settings)

    asyncio.run(run())
