"""Delivery: acknowledged, in order, in as many batches as it takes; on a real Kafka, where one is asked."""

import asyncio
import os
import secrets
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError, NotLeaderForPartitionError
from aiokafka.producer.message_accumulator import BatchBuilder

from schemas.topics import REJECTED
from streams import delivery as delivery_module
from streams import metrics
from streams.delivery import MAX_BATCH_BYTES, Delivery, DeliveryError, Outgoing
from streams.local_kafka import LocalKafka
from streams.reading import read_to_end
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics


class SlowBroker:
    """A producer whose batches are acknowledged when the test says so."""

    def __init__(self) -> None:
        self.sent: list[asyncio.Future[Any]] = []

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(MAX_BATCH_BYTES, 0)

    async def send_batch(self, _batch: object, _topic: str, *, partition: int) -> Any:
        self.sent.append(asyncio.get_running_loop().create_future())
        return self.sent[-1]

    async def wrote(self, batches: int) -> "asyncio.Future[Any]":
        """The last of so many batches, once it has been sent."""
        async with asyncio.timeout(5):
            while len(self.sent) < batches:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return self.sent[-1]


def stalled() -> float:
    [metric] = metrics.STALLED.collect()
    return metric.samples[0].value


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> tuple[SlowBroker, Delivery]:
    monkeypatch.setattr(delivery_module, "STALLED_S", 0.2)
    monkeypatch.setattr(delivery_module, "RETRY_S", 0.05)
    delivery, broker = Delivery(Settings()), SlowBroker()
    monkeypatch.setattr(delivery, "_running", broker)
    return broker, delivery


def test_a_batch_stalls_from_a_while_into_the_wait_until_the_broker_has_it(
    slow: tuple[SlowBroker, Delivery],
) -> None:
    """All the time, also while aiokafka tries by itself, and from one attempt to the next."""
    broker, delivery = slow

    async def run() -> None:
        writing = asyncio.create_task(
            delivery.write([Outgoing("t", 0, "k", b"v"), Outgoing("t", 1, "k", b"v")])
        )
        await broker.wrote(2)
        assert stalled() == 0
        await asyncio.sleep(0.4)
        assert stalled() == 2
        quick, slow = broker.sent
        quick.set_result(SimpleNamespace(offset=0))
        slow.set_exception(NotLeaderForPartitionError())
        again = await broker.wrote(3)
        assert stalled() == 1
        again.set_result(SimpleNamespace(offset=0))
        await writing
        assert stalled() == 0

    asyncio.run(run())


def test_a_batch_that_the_broker_takes_at_once_or_never_does_not_stall(
    slow: tuple[SlowBroker, Delivery],
) -> None:
    """Nor does one that whoever waited for it gives up."""
    broker, delivery = slow

    async def run() -> None:
        one = [Outgoing("t", 0, "k", b"v")]
        writing = asyncio.create_task(delivery.write(one))
        (await broker.wrote(1)).set_result(SimpleNamespace(offset=0))
        await writing
        writing = asyncio.create_task(delivery.write(one))
        (await broker.wrote(2)).set_exception(MessageSizeTooLargeError())
        with pytest.raises(DeliveryError):
            await writing
        await asyncio.sleep(0.4)
        assert stalled() == 0
        writing = asyncio.create_task(delivery.write(one))
        await asyncio.sleep(0.4)
        assert stalled() == 1
        writing.cancel()
        await asyncio.wait([writing])
        assert stalled() == 0

    asyncio.run(run())


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
        async with Delivery(settings) as delivery:
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
        async with Delivery(settings) as delivery:
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
        async with Delivery(settings) as delivery:
            await delivery.write([Outgoing(topic, 0, "k", b"before")])
            own_kafka.kill()
            writing = asyncio.create_task(delivery.write([Outgoing(topic, 0, "k", b"after")]))
            await asyncio.sleep(away_s)
            assert not writing.done()
            await asyncio.to_thread(own_kafka.start)
            await asyncio.wait_for(writing, 60)
        assert set(await values(settings)) == {b"before", b"after"}

    asyncio.run(run())
