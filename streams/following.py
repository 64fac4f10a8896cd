"""Following several topics at once, each from where an earlier reading came to, and knowing them again."""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from streams.connecting import Consumer, for_librdkafka
from streams.settings import Settings

READ_RECORDS = 5_000
POLL_MS = 250
ANSWER_S = 3.0
NO_IDS = frozenset({"_TIMED_OUT", "_UNSUPPORTED_FEATURE"})
"""How a broker that cannot describe topics answers, or does not."""


class Fetched(NamedTuple):
    """A record as it came, under the name its topic is declared by."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes | None
    timestamp_ms: int

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def fetched(topic: str, record: Any) -> Fetched:
    """A record of a topic, by the name it is declared under."""
    key = (record.key or b"").decode(errors="replace")
    return Fetched(topic, record.partition, record.offset, key, record.value, record.timestamp)


class Follower:
    """One consumer of several topics, in no group: those of them that the broker has."""

    def __init__(self, settings: Settings, names: Collection[str], latest: str | None = None) -> None:
        wanted = names if latest is None else [*names, latest]
        self._declared = {settings.topic(name): name for name in wanted}
        self._latest = latest
        self._consumer = Consumer(
            settings,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        )
        self.ends: dict[tuple[str, int], int] = {}
        """Where each partition ended when this began."""
        self._first: TopicPartition | None = None
        """Where the record is that is wanted before all others; none if there is none."""

    async def __aenter__(self) -> "Follower":
        try:
            await self._consumer.start()
            await self._assign()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def _assign(self) -> None:
        there = await self._consumer.topics()
        tps: list[TopicPartition] = []
        for topic, name in self._declared.items():
            if topic in there:
                await self._consumer._client._wait_on_metadata(topic)  # noqa: SLF001
                partitions = sorted(self._consumer.partitions_for_topic(topic) or ())
                tps.extend(TopicPartition(topic, p) for p in partitions if p == 0 or name != self._latest)
        self._consumer.assign(tps)
        ends: dict[Any, int] = await self._consumer.end_offsets(tps)
        self.ends = {(self._declared[tp.topic], tp.partition): end for tp, end in ends.items()}
        for tp in tps:
            if self._declared[tp.topic] == self._latest:
                begins: dict[Any, int] = await self._consumer.beginning_offsets([tp])
                self._first = tp if begins[tp] < ends[tp] else None

    async def batches(self, offsets: Mapping[tuple[str, int], int]) -> AsyncIterator[list[Fetched]]:
        """What the topics hold from some offsets on, and will hold; an empty batch where nothing came.

        Of the one that only the latest of is wanted: its last record, before anything of the others, and
        what follows.
        """
        for tp in self._consumer.assignment():
            place = (self._declared[tp.topic], tp.partition)
            start = self.ends[place] - 1 if place[0] == self._latest else offsets.get(place, 0)
            self._consumer.seek(tp, max(start, 0))
        only = [] if self._first is None else [self._first]
        while True:
            found = await self._consumer.getmany(*only, timeout_ms=POLL_MS, max_records=READ_RECORDS)
            records = [record for records in found.values() for record in records]
            yield [fetched(self._declared[record.topic], record) for record in records]
            if records:
                only = []


class Identities:
    """What tells a topic from another of the same name, created after the first was deleted: its id."""

    def __init__(self, settings: Settings, names: Collection[str]) -> None:
        self._declared = {settings.topic(name): name for name in names}
        self._admin = AdminClient(for_librdkafka(settings))
        self._known_to_broker = True

    def now(self) -> dict[str, str]:
        """The ids of those topics that there are; empty where the broker knows no ids.

        Raises:
            KafkaException: nobody answers.
        """
        if self._known_to_broker:
            try:
                return self._described()
            except KafkaException as error:
                if error.args[0].name() not in NO_IDS:
                    raise
                # librdkafka's in-process broker, for one; where nobody answers at all, that is found below.
                self._known_to_broker = False
        there = self._admin.list_topics(timeout=ANSWER_S).topics
        return {name: "" for topic, name in self._declared.items() if topic in there}

    def _described(self) -> dict[str, str]:
        topics = TopicCollection(list(self._declared))
        found: dict[str, str] = {}
        for topic, answer in self._admin.describe_topics(topics, request_timeout=ANSWER_S).items():
            try:
                found[self._declared[topic]] = str(answer.result().topic_id)
            except KafkaException as error:
                if error.args[0].name() != "UNKNOWN_TOPIC_OR_PART":
                    raise
        return found
