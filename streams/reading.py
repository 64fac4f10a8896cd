"""Reading topics from outside the group: KPI records, and how far a group has come."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError

from schemas.records import KpiRecord, decode_record
from schemas.topics import CRM_TOPICS, GOALS_TOPICS, LEDGER_TOPICS, SCORECARD_TOPICS, SCORECARDS
from streams.connecting import Admin, Consumer
from streams.settings import Settings

FLOW = [*LEDGER_TOPICS, *SCORECARD_TOPICS, *GOALS_TOPICS]
"""What the worker group reads, in the order in which records flow."""

READ_RECORDS = 20_000
PASSING_LOOK_S = 0.2
POLL_MS = 500

Item = TypeVar("Item")

Place = tuple[str, int]
"""A topic, by the name it is declared under, and a partition."""


class NoSuchTopicError(Exception):
    """The broker has no such topic; the message says which."""


class LostHistory(NamedTuple):
    """Raw topics that no longer hold all that came in."""

    topics: list[str]
    since: datetime | None
    """From when on all that came in is there; `None` where a partition holds nothing."""

    def __str__(self) -> str:
        listed = ", ".join(self.topics)
        if self.since is None:
            return f"Not all that came in is still in {listed}, and in some partitions nothing is."
        return f"What came in before {self.since:%Y-%m-%d %H:%M} UTC is no longer in {listed}."


async def read_to_end(settings: Settings, name: str, decode: Callable[[Any], Item]) -> AsyncIterator[Item]:
    """Everything a topic holds up to now, decoded, partition by partition."""
    async for batch in _batches(settings, name, follow=False):
        for record in batch:
            yield decode(record)


async def read_keyed(settings: Settings, name: str) -> AsyncIterator[tuple[str, bytes | None]]:
    """The keys and values that a topic's first partition holds up to now, in order: of what is in each."""
    async for batch in _batches(settings, name, follow=False, partitions=1):
        for record in batch:
            yield (record.key or b"").decode(errors="replace"), record.value


async def read_on(
    settings: Settings, name: str, positions: dict[int, int], *, partitions: int | None = None
) -> AsyncIterator[list[Any]]:
    """What a topic or its first partitions hold up to now, in batches, from where an earlier reading came.

    `positions` has the next offset of each partition, and is kept up to date.
    """
    batches = _batches(settings, name, follow=False, positions=positions, partitions=partitions)
    async for batch in batches:
        for record in batch:
            positions[record.partition] = record.offset + 1
        yield batch


async def has_topic(settings: Settings, topic: str) -> bool:
    """Whether the broker has a topic of this full name."""
    consumer = Consumer(settings)
    try:
        await consumer.start()
        return topic in await consumer.topics()
    finally:
        await consumer.stop()


async def count_partitions(settings: Settings, topic: str) -> int:
    """How many partitions the topic of this full name has; 0 where there is none."""
    consumer = Consumer(settings)
    try:
        await consumer.start()
        return len(await _partitions(consumer, topic)) if topic in await consumer.topics() else 0
    finally:
        await consumer.stop()


async def lost_history(settings: Settings) -> LostHistory | None:
    """What the raw topics have lost of what once came in, by age or because somebody deleted it."""
    consumer = Consumer(settings)
    try:
        await consumer.start()
        there = await consumer.topics()
        names = [name for topic in CRM_TOPICS if (name := settings.topic(topic.name)) in there]
        tps = [tp for name in names for tp in await _partitions(consumer, name)]
        begins: dict[Any, int] = await consumer.beginning_offsets(tps)
        cut = [tp for tp in tps if begins[tp]]
        if not cut:
            return None
        firsts: dict[Any, Any] = await consumer.offsets_for_times(dict.fromkeys(cut, 0))
    finally:
        await consumer.stop()
    times = [None if first is None else first.timestamp for first in firsts.values()]
    known = [time for time in times if time is not None]
    since = datetime.fromtimestamp(max(known) / 1000, UTC) if len(known) == len(times) else None
    return LostHistory(sorted({tp.topic for tp in cut}), since)


async def follow(settings: Settings, name: str, decode: Callable[[Any], Item]) -> AsyncIterator[list[Item]]:
    """Everything a topic holds and will hold, in batches; an empty one where nothing came for a while."""
    async for batch in _batches(settings, name, follow=True):
        yield [decode(record) for record in batch]


async def read_scorecards(settings: Settings) -> dict[str, KpiRecord]:
    """The KPI records that hold now: of each key the one with the highest revision."""
    records: dict[str, KpiRecord] = {}
    async for record in read_to_end(settings, SCORECARDS.name, record_of):
        keep_highest(records, record)
    return records


def record_of(record: Any) -> KpiRecord:
    """The KPI record in a Kafka record."""
    return decode_record(record.value)


def keep_highest(records: dict[str, KpiRecord], record: KpiRecord) -> bool:
    """Keep a record unless a higher revision is held; whether it was kept."""
    known = records.get(record.key)
    if known is not None and known.revision >= record.revision:
        return False
    records[record.key] = record
    return True


async def _batches(
    settings: Settings,
    name: str,
    *,
    follow: bool,
    positions: Mapping[int, int] | None = None,
    partitions: int | None = None,
) -> AsyncIterator[list[Any]]:
    consumer = Consumer(
        settings,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
    )
    try:
        await consumer.start()
        tps = (await _partitions(consumer, settings.topic(name)))[:partitions]
        consumer.assign(tps)
        for tp in tps:
            if positions is not None and tp.partition in positions:
                consumer.seek(tp, positions[tp.partition])
        ends: dict[Any, int] = await consumer.end_offsets(tps)
        while follow or await _remaining(consumer, ends):
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=READ_RECORDS)
            yield [record for records in fetched.values() for record in records]
    finally:
        await consumer.stop()


async def _partitions(consumer: Consumer, topic: str) -> list[TopicPartition]:
    if topic not in await consumer.topics():
        raise NoSuchTopicError(
            f"There is no topic {topic} on this broker that we may see; has a worker run yet?"
        )
    await consumer._client._wait_on_metadata(topic)  # noqa: SLF001
    return [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or ())]


async def _remaining(consumer: Consumer, ends: dict[Any, int]) -> bool:
    for tp, end in ends.items():
        if await consumer.position(tp) < end:
            return True
    return False


class Progress:
    """How far the worker group has come with everything it reads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._admin = Admin(settings)
        self._consumer = Consumer(settings)

    async def __aenter__(self) -> "Progress":
        await self._admin.start()
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def left(self) -> int:
        """How many records of its topics the group has still to finish.

        Zero, while nobody writes events, means that all has settled: a record counts as finished only
        once everything that follows from it has been written to the next topic. The topics are looked
        at in the order in which records flow, twice, so that nothing can hide between two looks.
        """
        return await self._look() or await self._look()

    async def passed(self, patience_s: float) -> bool:
        """Wait until the group has finished all that its topics hold now, and all that follows from it.

        What is written meanwhile is not waited for. False if the group has not come that far in time. The
        topics are waited for in the order in which records flow, twice, since links answer links.
        """
        until = time.monotonic() + patience_s
        for name in (*FLOW, *FLOW):
            tps = await self._partitions(self._settings.topic(name))
            ends: dict[Any, int] = await self._consumer.end_offsets(tps)
            while self._short_of(ends, await self._finished(tps)):
                if time.monotonic() > until:
                    return False
                await asyncio.sleep(PASSING_LOOK_S)
        return True

    async def places(self, names: Collection[str]) -> tuple[dict[Place, int], dict[Place, int]]:
        """Of each partition of some topics, up to where the group has finished it, and where it ends.

        What is finished is looked up first, and what is gone counts as that. Topics that are not there have
        no partitions.
        """
        declared = {self._settings.topic(name): name for name in names}
        tps: list[TopicPartition] = []
        for topic in set(declared) & await self._consumer.topics():
            tps += await self._partitions(topic)
        if not tps:
            return {}, {}
        done = await self._finished(tps)
        ends: dict[Any, int] = await self._consumer.end_offsets(tps)
        return (
            {(declared[tp.topic], tp.partition): at for tp, at in done.items()},
            {(declared[tp.topic], tp.partition): at for tp, at in ends.items()},
        )

    async def _look(self) -> int:
        left = 0
        for name in FLOW:
            tps = await self._partitions(self._settings.topic(name))
            done = await self._finished(tps)
            ends: dict[Any, int] = await self._consumer.end_offsets(tps)
            left += self._short_of(ends, done)
        return left

    @staticmethod
    def _short_of(ends: dict[Any, int], done: dict[TopicPartition, int]) -> int:
        """How many records lie before the ends that are not finished."""
        return sum(max(0, end - done[tp]) for tp, end in ends.items())

    async def _partitions(self, topic: str) -> list[TopicPartition]:
        await self._consumer._client._wait_on_metadata(topic)  # noqa: SLF001
        partitions = self._consumer.partitions_for_topic(topic) or set()
        return [TopicPartition(topic, partition) for partition in partitions]

    async def _finished(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Up to where nothing is left for the group to finish: it has, or the records are gone.

        Of a partition that was emptied before the group first read it, nothing is ever committed.
        """
        committed = await self._committed(tps)
        begins: dict[Any, int] = await self._consumer.beginning_offsets(tps)
        return {tp: max(committed.get(tp, 0), begins[tp]) for tp in tps}

    async def _committed(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the group has committed; below zero where it has not."""
        group = self._settings.app_id
        try:
            found = await self._admin.list_consumer_group_offsets(group, partitions=tps)
        except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
            # A broker that just started has no coordinator yet, so nothing can be finished.
            return {}
        return {tp: position.offset for tp, position in found.items()}
