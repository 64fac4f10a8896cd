"""Alerts, acknowledgements and what was delivered: the topics that notifiers read and write.

Every notifier reads all alerts. What is shared among them are the addresses: each belongs to a partition of
`alert.deliveries`, which the consumer group gives to one of them, and whoever has it reads there what
earlier owners noted before it sends anything.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from msgspec import Struct

from schemas.goals import Alert, decode_alert
from schemas.notices import Ack, Delivered, Opened, Stage, decode_ack, decode_note, encode_ack, encode_note
from schemas.topics import ACKS, ALERTS, DELIVERIES
from streams.connecting import Consumer
from streams.delivery import Delivery, Outgoing, passes
from streams.partitioning import partition_of
from streams.settings import Settings

log = structlog.get_logger(__name__)

READ_RECORDS = 5_000
POLL_MS = 200
HAND_OVER_S = 60.0
"""How long a rebalance waits for messages that are being sent, so that the next owner knows of them."""
RETRY_S = 1.0


class Placed(Struct, frozen=True):
    """An alert, and where it stands."""

    alert: Alert
    partition: int
    offset: int


class Book:
    """What the topics say, as far as it was read."""

    def __init__(self) -> None:
        self.alerts: dict[str, Placed] = {}
        """By id; of those that come again, the first."""
        self.acks: dict[str, Ack] = {}
        self.done: defaultdict[str, set[tuple[Stage, str]]] = defaultdict(set)
        """By address, what it has been told or need not be."""
        self.opened: dict[str, Opened] = {}
        self.read = 0
        """How many records were taken in: where it is as it was, nothing is new."""

    def take_alert(self, record: Any) -> None:
        """Take in a record of `kpi.alerts`."""
        alert = decode_alert(record.value)
        self.alerts.setdefault(alert.id, Placed(alert, record.partition, record.offset))

    def take_ack(self, record: Any) -> None:
        """Take in a record of `alert.acks`."""
        ack = decode_ack(record.value)
        self.acks.setdefault(ack.alert, ack)

    def take_note(self, record: Any) -> None:
        """Take in a record of `alert.deliveries`."""
        self.keep(decode_note(record.value))

    def keep(self, note: Delivered | Opened) -> None:
        """Take in a note."""
        if isinstance(note, Delivered):
            self.done[note.address].add((note.stage, note.alert))
            return
        known = self.opened.get(note.address)
        if known is not None:
            # Two owners may both have opened it, where the first was slow.
            note = Opened(address=note.address, since=min(note.since, known.since), settled=note.settled)
        self.opened[note.address] = note


class Reader:
    """Follows the three topics, whole."""

    def __init__(self, settings: Settings) -> None:
        self.book = Book()
        self._takes: dict[str, Callable[[Any], None]] = {
            settings.topic(ALERTS.name): self.book.take_alert,
            settings.topic(ACKS.name): self.book.take_ack,
            settings.topic(DELIVERIES.name): self.book.take_note,
        }
        self._alerts = settings.topic(ALERTS.name)
        self._consumer = Consumer(
            settings,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=POLL_MS,
        )
        self._partitions: list[TopicPartition] = []

    async def start(self, partitions: int) -> None:
        """Connect."""
        await self._consumer.start()
        self._partitions = [
            TopicPartition(topic, partition) for topic in self._takes for partition in range(partitions)
        ]
        self._consumer.assign(self._partitions)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def read_up(self) -> None:
        """Take in everything that is there now."""
        ends: dict[Any, int] = await self._consumer.end_offsets(self._partitions)
        while not await self._has_read(ends):
            fetched = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=READ_RECORDS)
            for tp, records in fetched.items():
                for record in records:
                    self._take(tp.topic, record)

    async def positions(self) -> dict[int, int]:
        """The next offset of each partition of the alerts."""
        return {
            tp.partition: await self._consumer.position(tp)
            for tp in self._partitions
            if tp.topic == self._alerts
        }

    async def read_alerts_from(self, addresses: Iterable[str]) -> None:
        """Read alerts again, from where there may be something to tell these addresses."""
        self.book.alerts.clear()
        settled = [opened.settled for name in addresses if (opened := self.book.opened.get(name))]
        for tp in self._partitions:
            if tp.topic == self._alerts and settled:
                self._consumer.seek(tp, min(each.get(tp.partition, 0) for each in settled))

    async def _has_read(self, ends: dict[Any, int]) -> bool:
        for tp, end in ends.items():
            if await self._consumer.position(tp) < end:
                return False
        return True

    def _take(self, topic: str, record: Any) -> None:
        self.book.read += 1
        if record.value is None:
            return
        try:
            self._takes[topic](record)
        except msgspec.DecodeError as error:
            # Somebody else wrote it: nobody can be told what it says, but of all others.
            where = {"topic": topic, "partition": record.partition, "offset": record.offset}
            log.error("a record is passed over", **where, error=str(error))  # noqa: TRY400


class Shares(ConsumerRebalanceListener):
    """Which addresses are this notifier's: those whose partition the group gave it."""

    def __init__(self, settings: Settings, finish: Callable[[], Awaitable[None]]) -> None:
        self._topic = settings.topic(DELIVERIES.name)
        self._finish = finish
        self._consumer = Consumer(
            settings,
            # Named after the topic and not after the app id: under a new one the notes are the same.
            group_id=f"{self._topic}.notifiers",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(settings.session_timeout_s * 1000 / 10),
            rebalance_timeout_ms=int(max(settings.session_timeout_s, HAND_OVER_S) * 1000),
        )
        self.epoch = 0
        """Another one after each rebalance: what was decided in an earlier one is not carried out."""
        self.partitions: frozenset[int] = frozenset()

    async def start(self) -> None:
        """Join the group."""
        await self._consumer.start()
        self._consumer.subscribe([self._topic], listener=self)

    async def stop(self) -> None:
        """Leave the group."""
        await self._consumer.stop()

    # aiokafka awaits what its listener's methods return, and its type says nothing of that.
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        revoked: Any,  # noqa: ARG002
    ) -> None:
        """Begin nothing more, and see what is under way to its end."""
        self.epoch += 1
        self.partitions = frozenset()
        await self._finish()

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Any
    ) -> None:
        """These are ours; what is in them is read by the reader."""
        self.epoch += 1
        self._consumer.pause(*assigned)
        self.partitions = frozenset(tp.partition for tp in assigned)

    async def claim(self, partition: int, epoch: int) -> bool:
        """Whether a partition is still ours, by the broker's word.

        A notifier that was paused for long does not know yet that others have its partitions: the broker
        refuses its commit.
        """
        if epoch != self.epoch or partition not in self.partitions:
            return False
        tp = TopicPartition(self._topic, partition)
        try:
            await self._consumer.commit({tp: OffsetAndMetadata(0, "")})
        except (CommitFailedError, IllegalStateError):
            return False
        return epoch == self.epoch

    async def alive(self) -> None:
        """Show that we work: a consumer that does not poll is taken out of the group."""
        await self._consumer.getmany(timeout_ms=0)


async def acknowledge(settings: Settings, delivery: Delivery, ack: Ack) -> None:
    """Note that somebody sees to an alert."""
    topic = settings.topic(ACKS.name)
    partition = partition_of(ack.alert, await delivery.partitions(topic))
    await delivery.write([Outgoing(topic, partition, ack.alert, encode_ack(ack))])


def noted(settings: Settings, partition: int, notes: Iterable[Delivered | Opened]) -> list[Outgoing]:
    """Notes as records, all of them on the partition of their address."""
    topic = settings.topic(DELIVERIES.name)
    return [
        Outgoing(
            topic, partition, note.key if isinstance(note, Delivered) else note.address, encode_note(note)
        )
        for note in notes
    ]


async def patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do some work on the broker, and wait for it where it is away.

    Raises:
        KafkaError: it refuses, and would again.
    """
    while True:
        try:
            await work()
        except KafkaError as error:
            if not passes(error):
                raise
            log.warning("waiting for the broker", error=repr(error))
            await asyncio.sleep(RETRY_S)
        else:
            return
