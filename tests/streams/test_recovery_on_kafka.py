"""Recovery on a real Kafka that is not always there."""

import asyncio
import secrets
from types import SimpleNamespace
from typing import Any

from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from schemas.internal import SCORECARD_ROWS, DayRow
from streams.delivery import Delivery
from streams.holding import InMemory
from streams.local_kafka import LocalKafka
from streams.recovery import Restorer, Table
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics
from streams.views import Views
from tests.streams.stores import made_store
from tests.streams.test_views import Learnt

NAME = f"test-{secrets.token_hex(4)}"
TOPIC = f"{NAME}-scorecards-changelog"
PARTITIONS = {0, 1}
ROW = DayRow("company", 20_000, {})


class Installation:
    """A table and its recovery, in an app that only remembers whether it crashed."""

    def __init__(self, broker: str) -> None:
        self.crashes: list[BaseException] = []
        self.store = made_store(SCORECARD_ROWS, TOPIC, InMemory)
        self.announced: list[set[int]] = []
        app: Any = SimpleNamespace(
            least_term=lambda: 1, on_ready=lambda: None, crash=self._crash, announce=self._announce
        )
        self.restorer = Restorer(settings_for(broker), [Table(self.store, Views(self.store, Learnt))], app)

    async def _announce(self, partitions: set[int]) -> None:
        assert not self.restorer.ready & partitions, "readers hear of it before any work is done"
        self.announced.append(partitions)

    async def _crash(self, reason: BaseException) -> None:
        self.crashes.append(reason)

    async def until_settled(self) -> None:
        while not self.restorer.settled:
            assert not self.crashes
            await asyncio.sleep(0.1)


def settings_for(broker: str) -> Settings:
    return Settings(broker=broker, app_id=NAME, topic_prefix=f"{NAME}.", partitions=len(PARTITIONS))


async def write_rows(broker: str) -> None:
    """A row in each partition."""
    await set_up_topics(settings_for(broker))
    writer = made_store(SCORECARD_ROWS, TOPIC, InMemory)
    async with Delivery(settings_for(broker)) as delivery:
        for partition in PARTITIONS:
            await delivery.write(writer.changes(partition, {"key": ROW}, 1))


def test_a_broker_that_is_away_when_partitions_are_taken_over_is_waited_for(
    own_kafka: LocalKafka,
) -> None:
    """The worker does not stop: it would have to read everything again."""

    async def run() -> None:
        await write_rows(own_kafka.address)
        installation = Installation(own_kafka.address)
        own_kafka.kill()
        await installation.restorer.assign({TP(TOPIC, number) for number in PARTITIONS})
        await asyncio.sleep(1.0)
        assert not installation.restorer.ready
        await asyncio.to_thread(own_kafka.start)
        await asyncio.wait_for(installation.until_settled(), 60)
        assert installation.restorer.ready == PARTITIONS
        assert [installation.store.rows(partition)["key"] for partition in PARTITIONS] == [ROW, ROW]
        await installation.restorer.pause()

    asyncio.run(run())


def test_what_is_ready_is_left_alone_when_recovery_goes_on(kafka_address: str) -> None:
    """It is being worked on; what else there is in its changelog is its own."""

    async def run() -> None:
        await write_rows(kafka_address)
        installation = Installation(kafka_address)
        read: Any = installation.restorer._read
        asked: list[set[int]] = []

        async def interrupted(consumer: Any, behind: set[Any], ends: Any) -> int:
            asked.append({tp.partition for tp in behind})
            if len(asked) == 1:
                await installation.restorer._open(0)
                raise KafkaConnectionError("The broker went away.")
            return await read(consumer, behind, ends)

        installation.restorer._read = interrupted
        await installation.restorer.assign({TP(TOPIC, number) for number in PARTITIONS})
        await asyncio.wait_for(installation.until_settled(), 60)
        assert asked == [{0, 1}, {1}]
        assert installation.restorer.ready == PARTITIONS
        await installation.restorer.pause()
        await delete_topics(settings_for(kafka_address))

    asyncio.run(run())
