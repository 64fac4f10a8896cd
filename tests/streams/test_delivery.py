"""Delivery on a real Kafka: acknowledged, in order, in as many batches as it takes."""

import asyncio
import os
import secrets

import pytest

from schemas.topics import REJECTED
from streams import delivery as delivery_module
from streams.delivery import MAX_BATCH_BYTES, Delivery, DeliveryError, Outgoing
from streams.local_kafka import LocalKafka
from streams.reading import read_to_end
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics

pytestmark = pytest.mark.kafka


def own_settings(broker: str) -> Settings:
    name = f"test-{secrets.token_hex(4)}"
    return Settings(broker=broker, app_id=name, topic_prefix=f"{name}.", partitions=2)


async def values(settings: Settings) -> list[bytes]:
    return [value async for value in read_to_end(settings, REJECTED.name, lambda record: record.value)]


def test_what_is_written_is_there_in_order(kafka_address: str) -> None:
    """More than one batch's worth, and a record that is larger than a batch by itself."""
    settings = own_settings(kafka_address)
    topic = settings.topic(REJECTED.name)
    told = [str(number).encode() * 40_000 for number in range(60)] + [b"x" * (MAX_BATCH_BYTES + 1)]

    async def run() -> None:
        await set_up_topics(settings)
        async with Delivery(kafka_address) as delivery:
            written = await delivery.write(Outgoing(topic, 1, "k", value) for value in told)
        assert sum(batch.records for batch in written) == len(told)
        assert written[0].first_offset == 0
        assert await values(settings) == told
        await delete_topics(settings)

    asyncio.run(run())


def test_a_record_the_broker_refuses_is_an_error(kafka_address: str) -> None:
    """It is not logged and forgotten, as stock Faust does (`Topic._on_published`)."""
    settings = own_settings(kafka_address)

    async def run() -> None:
        await set_up_topics(settings)
        async with Delivery(kafka_address) as delivery:
            huge = Outgoing(settings.topic("crm.deals"), 0, "k", os.urandom(3_000_000))
            with pytest.raises(DeliveryError, match=r"crm\.deals"):
                await delivery.write([huge])
        await delete_topics(settings)

    asyncio.run(run())


@pytest.mark.parametrize("away_s", [1.0, 5.0])
def test_a_broker_that_is_away_is_waited_for(
    away_s: float, own_kafka: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing stalls until it is back, and loses nothing; also where a request may not take so long."""
    monkeypatch.setattr(delivery_module, "REQUEST_TIMEOUT_S", 2.0)
    settings = own_settings(own_kafka.address)
    topic = settings.topic(REJECTED.name)

    async def run() -> None:
        await set_up_topics(settings)
        async with Delivery(own_kafka.address) as delivery:
            await delivery.write([Outgoing(topic, 0, "k", b"before")])
            own_kafka.kill()
            writing = asyncio.create_task(delivery.write([Outgoing(topic, 0, "k", b"after")]))
            await asyncio.sleep(away_s)
            assert not writing.done()
            await asyncio.to_thread(own_kafka.start)
            await asyncio.wait_for(writing, 60)
        assert set(await values(settings)) == {b"before", b"after"}

    asyncio.run(run())
