"""Publishing events: keyed by their home, the organisation's to every partition.

What was recorded is published as it was written, so that fields we do not know are kept.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice

from aiokafka.structs import ConsumerRecord

from schemas.events import Event, OrgEvent, RateSet, Recorded, encode_event
from streams.delivery import Delivery, Outgoing
from streams.partitioning import ON_EVERY_PARTITION, partition_of
from streams.settings import Settings

EVENTS_A_WRITE = 5_000


class Publisher:
    """Writes events to where they belong."""

    def __init__(self, delivery: Delivery, settings: Settings) -> None:
        self._delivery = delivery
        self._settings = settings
        self._partitions: dict[str, int] = {}

    async def publish(self, events: Iterable[Event | Recorded]) -> None:
        """Write events; returns when the broker has them all."""
        outgoing: list[Outgoing] = []
        for each in events:
            event, value = each if isinstance(each, Recorded) else (each, encode_event(each))
            topic = self._settings.topic(event.topic)
            outgoing.extend(_routed(event, value, topic, await self._count(topic)))
        await self._delivery.write(outgoing)

    async def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            self._partitions[topic] = await self._delivery.partitions(topic)
        return self._partitions[topic]


def _routed(event: Event, value: bytes, topic: str, partitions: int) -> Iterator[Outgoing]:
    if isinstance(event, OrgEvent):
        about = event.data.currency if isinstance(event, RateSet) else event.data.seller
        for partition in range(partitions):
            yield Outgoing(topic, partition, about, value, [ON_EVERY_PARTITION])
    else:
        home = event.data.home
        yield Outgoing(topic, partition_of(home, partitions), home, value)


def copies(record: ConsumerRecord[bytes, bytes], partitions: int) -> Iterator[Outgoing]:
    """What belongs on every partition, for all others, where its producer sent it to just one."""
    if ON_EVERY_PARTITION in record.headers:
        return
    key = None if record.key is None else record.key.decode(errors="replace")
    for other in range(partitions):
        if other != record.partition:
            yield Outgoing(record.topic, other, key, record.value, [ON_EVERY_PARTITION])


async def published(settings: Settings, events: Iterable[Event | Recorded]) -> AsyncIterator[int]:
    """Publish events in writes of some thousands; yields how many each write held."""
    iterator = iter(events)
    async with Delivery(settings) as delivery:
        publisher = Publisher(delivery, settings)
        while batch := list(islice(iterator, EVENTS_A_WRITE)):
            await publisher.publish(batch)
            yield len(batch)
