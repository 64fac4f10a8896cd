"""Publishing events: keyed by their home, the organisation's to every partition."""

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice

from schemas.events import Event, RateSet, SellerAssigned, SellerLeft, encode_event
from streams.delivery import Delivery, Outgoing
from streams.partitioning import ON_EVERY_PARTITION, partition_of
from streams.settings import Settings
from streams.topic_setup import set_up_topics

EVENTS_A_WRITE = 5_000


class Publisher:
    """Writes events to where they belong."""

    def __init__(self, delivery: Delivery, settings: Settings) -> None:
        self._delivery = delivery
        self._settings = settings
        self._partitions: dict[str, int] = {}

    async def publish(self, events: Iterable[Event]) -> None:
        """Write events; returns when the broker has them all."""
        outgoing: list[Outgoing] = []
        for event in events:
            topic = self._settings.topic(event.topic)
            outgoing.extend(_routed(event, topic, await self._count(topic)))
        await self._delivery.write(outgoing)

    async def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            self._partitions[topic] = await self._delivery.partitions(topic)
        return self._partitions[topic]


def _routed(event: Event, topic: str, partitions: int) -> Iterator[Outgoing]:
    value = encode_event(event)
    if isinstance(event, SellerAssigned | SellerLeft | RateSet):
        about = event.data.currency if isinstance(event, RateSet) else event.data.seller
        for partition in range(partitions):
            yield Outgoing(topic, partition, about, value, [ON_EVERY_PARTITION])
    else:
        home = event.data.home
        yield Outgoing(topic, partition_of(home, partitions), home, value)


async def published(settings: Settings, events: Iterable[Event]) -> AsyncIterator[int]:
    """Publish events in writes of some thousands; yields how many each write held."""
    iterator = iter(events)
    async with Delivery(settings.broker) as delivery:
        publisher = Publisher(delivery, settings)
        while batch := list(islice(iterator, EVENTS_A_WRITE)):
            await publisher.publish(batch)
            yield len(batch)


async def publish(broker: str, events: Iterable[Event]) -> int:
    """Set up missing topics and publish events; how many they were."""
    settings = Settings(broker=broker)
    await set_up_topics(settings)
    return sum([count async for count in published(settings, events)])
