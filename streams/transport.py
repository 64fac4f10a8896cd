"""The batch transport: what one fetch brings for a group of topics arrives as one Faust event.

Faust starts two tasks for every message and accounts for each offset by itself, some 75 µs a message
(`Consumer._drain_messages`). For the topics an app lists in `batched_topics`, this subclass of its
aiokafka driver hands over whole slices instead, and keeps an account of its own:

- only the contiguous prefix of finished slices is committed. Stock Faust can commit past work in
  flight (`Consumer._new_offset`, faust-streaming issue 606), and counts messages that were skipped
  during a rebalance as done (`Stream._py_aiter`);
- what was finished before a rebalance is committed in it. Stock Faust forgets acknowledged offsets
  first and commits then (`Consumer.on_partitions_revoked`, issue 502);
- nothing of a partition is handed over until it is ready: until its rows have been recovered, which
  `streams.recovery` does by partition. Stock Faust resumes the partitions, and only then
  `FlowControlEvent.resume` clears the agents' queues: what was delivered in between is gone until the next
  rebalance, and its offsets are committed past;
- a group has at most two fetches in hand, one in work and, when behind, one waiting, so memory stays
  bounded and batches grow with the load by themselves;
- a group waits while the one that reads what it writes has two fetches in hand, so that when behind figures
  follow the events that are read, and do not come after all of them;
- a group may rest after a batch that took long, as long as others have work and less is there than a
  batch may have: what arrives meanwhile is taken together, which saves writing a figure many times.

Pinned to faust-streaming 0.15.3, whose private methods it overrides.
"""

import asyncio
import gc
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any, NamedTuple, cast

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

from streams import metrics
from streams.sharing import Sharing

FETCHES_IN_HAND = 2
BEHIND_RECORDS = 1_000
"""How large a batch in work is when another is fetched meanwhile. A smaller one is soon done, and what
would wait behind it had better join the next."""
FETCH_WAIT_MS = 10
"""How long the broker holds a fetch that has nothing to bring.

aiokafka sends one fetch at a time to a broker, and it covers only partitions whose last records were
taken: a partition that was busy waits until the idle ones' fetch returns, 1.5 s in stock Faust."""
ROOM_WAIT_S = 0.01
UNRESTED_S = 0.1
"""How long a batch may take without a rest after it."""
MAX_REST_S = 36.0
"""The longest that a group rests after a batch."""


Record = ConsumerRecord[bytes, bytes]


class Slice(NamedTuple):
    """The records that one fetch brought of one partition, in order of offset."""

    tp: TP
    records: list[Record]


class Fetched:
    """What one fetch brought for a group of topics; finished when its effects are acknowledged."""

    def __init__(self, slices: list[Slice]) -> None:
        self.slices = slices
        self.finished = False
        self.handed_over_s = monotonic()
        self.fold_s = 0.0
        """How long its fold took, so far."""

    @property
    def oldest_ms(self) -> int:
        """When the broker received the first of its records, or what they tell of."""
        return min(part.records[0].timestamp for part in self.slices)

    async def in_turns(self) -> AsyncIterator[tuple[int, list[Slice]]]:
        """Its slices by partition, those of all topics together, to fold one partition after the other.

        Between two of them others have their turn, for which the time is not counted.
        """
        by_partition: dict[int, list[Slice]] = {}
        for part in self.slices:
            by_partition.setdefault(part.tp.partition, []).append(part)
        for partition, slices in by_partition.items():
            started = monotonic()
            yield partition, slices
            self.fold_s += monotonic() - started
            await asyncio.sleep(0)

    def finish(self) -> None:
        """Every effect of these records is safe: their offsets may be committed."""
        self.finished = True

    def __len__(self) -> int:
        return sum(len(part.records) for part in self.slices)


class OffsetAccount:
    """Which slices of a partition are in hand, and up to where all are finished."""

    def __init__(self) -> None:
        self._in_hand: dict[TP, deque[tuple[int, Fetched]]] = {}

    def note(self, fetched: Fetched) -> None:
        """Slices were handed over, after all earlier ones of their partitions."""
        for part in fetched.slices:
            entry = (part.records[-1].offset + 1, fetched)
            self._in_hand.setdefault(part.tp, deque()).append(entry)

    def committable(self, tp: TP) -> int | None:
        """The offset up to which every slice is finished; `None` where no further one is."""
        in_hand = self._in_hand.get(tp, deque())
        offset: int | None = None
        while in_hand and in_hand[0][1].finished:
            offset, _ = in_hand.popleft()
        return offset

    def partitions(self) -> list[TP]:
        """The partitions with slices in hand."""
        return [tp for tp, in_hand in self._in_hand.items() if in_hand]

    def forget(self, tps: Iterable[TP]) -> None:
        """The partitions moved; whoever has them starts from what was committed."""
        for tp in tps:
            self._in_hand.pop(tp, None)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches in a thread of its own, as in stock Faust, with two differences.

    It never waits long for idle partitions. And when behind, it takes some of every partition, where stock
    Faust takes one after the other: so they advance together in event time, and what several of them say
    of a scope's day is summed in one batch, and published once.
    """

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # noqa: SLF001
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109
        max_records: int | None = None,
    ) -> Any:
        fetcher: Any = consumer._fetcher  # noqa: SLF001
        waiting = [tp for tp in active_partitions if tp in fetcher._records]  # noqa: SLF001
        found: dict[Any, list[Record]] = {}
        if waiting:
            shares = cast(Any, self.consumer).sharing.shares(waiting, active_partitions)
            for tp in waiting:
                found.update(await super()._fetch_records(consumer, {tp}, 0, shares[tp]))
        else:
            found.update(await super()._fetch_records(consumer, active_partitions, timeout, max_records))
        return self._given_back(fetcher, found)

    def _given_back(self, fetcher: Any, found: dict[Any, list[Record]]) -> dict[Any, list[Record]]:
        """What may be handed over; the rest is given back at once, to be fetched again.

        aiokafka lets a fetch that was under way when a rebalance began wait for the new assignment, and
        answers it from that: records of partitions that are not ready. Dropped, they would be lost where
        nothing is committed yet, since seeking to what is committed passes over such partitions.
        """
        takes: Callable[[TP], bool] = cast(Any, self.consumer).takes
        kept: dict[Any, list[Record]] = {}
        for tp, records in found.items():
            if takes(TP(*tp)):
                kept[tp] = records
            elif records:
                fetcher.seek_to(tp, records[0].offset)
        return kept


class Consumer(driver.Consumer):
    """Hands over slices for the topics that opted in, and messages for all others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = OffsetAccount()
        self._groups: Mapping[str, str] = getattr(self.app, "batched_topics", {})
        self._rests: Mapping[str, float] = getattr(self.app, "rests", {})
        self.sharing = Sharing(self._groups, getattr(self.app, "in_step", ()))
        self._followers: Mapping[str, str] = getattr(self.app, "followers", {})
        self._in_hand: dict[str, set[Fetched]] = {}
        self._rested: dict[str, float] = {}
        self._room = asyncio.Event()

    @property
    def _restorer(self) -> Any:
        app: Any = self.app
        return app.restorer

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> Any:
        if active_partitions is None:
            return await super()._getmany(active_partitions, timeout)
        fetchable = {tp for tp in active_partitions if self._fetchable(tp)}
        if not fetchable:
            # To aiokafka an empty set would mean all partitions.
            self._room.clear()
            await self._wait_for_room()
            return {}
        some_wait = len(fetchable) < len(active_partitions)
        return await super()._getmany(fetchable, ROOM_WAIT_S if some_wait else timeout)

    def _fetchable(self, tp: TP) -> bool:
        group = self._groups.get(tp.topic)
        if group is None:
            return True
        return (
            tp.partition in self._restorer.ready
            and self._has_room(group)
            and not self._is_ahead(group)
            and not self._rests_now(group)
        )

    def _has_room(self, group: str) -> bool:
        in_hand = self._in_hand.get(group, ())
        return not in_hand or (
            len(in_hand) < FETCHES_IN_HAND and all(len(fetched) >= BEHIND_RECORDS for fetched in in_hand)
        )

    def _is_ahead(self, group: str) -> bool:
        """Whether whoever reads what this group writes has a batch in work, and another waits."""
        follower = self._followers.get(group)
        return follower is not None and len(self._in_hand.get(follower, ())) >= FETCHES_IN_HAND

    def _rests_now(self, group: str) -> bool:
        """Whether waiting gains something: others use the time, and no full batch is there yet."""
        return (
            monotonic() < self._rested.get(group, 0.0)
            and self._others_work(group)
            and self.sharing.left(group) < self.sharing.most(group)
        )

    def _others_work(self, group: str) -> bool:
        """Whether anybody makes use of the time in which a group rests."""
        return any(in_hand for other, in_hand in self._in_hand.items() if other != group)

    def wake(self) -> None:
        """There is something to fetch that could not be fetched before."""
        self._room.set()

    def takes(self, tp: TP) -> bool:
        """Whether records of a partition may be handed over now. Asked by the fetching thread."""
        if not self.flow_active or tp not in self._active_partitions:
            return False
        return tp.topic not in self._groups or tp.partition in self._restorer.ready

    async def _wait_for_room(self) -> None:
        try:
            await asyncio.wait_for(self._room.wait(), ROOM_WAIT_S * 10)
        except TimeoutError:
            return

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109
        """Fetch, and yield one message a group."""
        records, _ = await self._wait_next_records(timeout)
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            # A rebalance has begun: the assignment it ends with starts from what is committed.
            return
        generation = self.app.consumer_generation_id
        mine = [Slice(TP(*tp), found) for tp, found in records.items() if found and self.takes(TP(*tp))]
        self._note_lag(mine)
        for tp, message in [*self._batched(mine), *self._singly(mine)]:
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if isinstance(message.value, Fetched):
                self._hand_over(self._groups[tp.topic], message.value)
            yield tp, message

    def _note_lag(self, slices: list[Slice]) -> None:
        """What the broker has of these partitions beyond what it just brought."""
        lags: dict[TP, int] = {}
        for tp, records in slices:
            # Typed as a number; not known before the first fetch.
            end: Any = self.highwater(tp)
            if end is not None:
                lags[tp] = end - records[-1].offset - 1
        self.sharing.note_lags(lags)
        for topic in {tp.topic for tp, _ in slices}:
            metrics.LAG.labels(topic).set(self.sharing.left_of(topic))

    def _batched(self, slices: list[Slice]) -> Iterator[tuple[TP, Message]]:
        by_group: dict[str, list[Slice]] = {}
        for part in slices:
            group = self._groups.get(part.tp.topic)
            if group is not None:
                by_group.setdefault(group, []).append(part)
        for group_slices in by_group.values():
            tp = group_slices[0].tp
            yield tp, self._batch_message(tp, group_slices)

    def _singly(self, slices: list[Slice]) -> Iterator[tuple[TP, Message]]:
        for tp, records in slices:
            if tp.topic not in self._groups:
                for record in records:
                    yield tp, self._to_message(tp, record)

    def _batch_message(self, tp: TP, slices: list[Slice]) -> ConsumerMessage:
        last = slices[0].records[-1]
        message = self._to_message(tp, last)
        message.key = None
        message.value = Fetched(slices)  # pyright: ignore[reportAttributeAccessIssue]
        return message

    def _hand_over(self, group: str, fetched: Fetched) -> None:
        self.account.note(fetched)
        self._in_hand.setdefault(group, set()).add(fetched)

    def ack(self, message: Message) -> bool:
        """A stream is done with a message. A batch counts as done only if it was finished."""
        fetched = message.value
        if not isinstance(fetched, Fetched):
            return super().ack(message)
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        group = self._groups[message.topic]
        self._in_hand.get(group, set()).discard(fetched)
        took_s = monotonic() - fetched.handed_over_s
        if took_s > UNRESTED_S:
            self._rested[group] = monotonic() + min(MAX_REST_S, took_s * self._rests.get(group, 0.0))
        self.sharing.note_fold(group, len(fetched), fetched.fold_s)
        self._room.set()
        _wake(self._waiting_for_ack)
        return True

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic in self._groups:
            return self.account.committable(tp)
        return super()._new_offset(tp)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        yield from super()._filter_tps_with_pending_acks(topics)
        for tp in self.account.partitions():
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self._groups:
            await super()._add_gap(tp, offset_from, offset_to)

    async def wait_empty(self) -> None:
        """Wait until the agents are done with what they have in work, and commit it.

        Stock Faust collects garbage each time round, which over rows in memory takes seconds.
        Once is needed: what was in the agents' queues is forgotten when nothing refers to it any more.
        """
        if self._unacked_messages:
            gc.collect()
        while not self.should_stop and self._unacked_messages:
            await self.commit()
            if self._unacked_messages:
                await self._wait_for_ack(timeout=1)
            self._clean_unacked_messages()
        await self.commit_and_end_transactions()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Partitions move: finish and commit what is in hand, then forget the rest."""
        await self._restorer.pause()
        await super().on_partitions_revoked(revoked)
        self.account.forget(revoked)
        self.sharing.forget_lags()
        # Of topics whose partitions all went elsewhere no later fetch would say so.
        metrics.LAG.clear()
        self._in_hand.clear()
        self._room.set()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Stock Faust looks for stalled partitions by message; our metrics show lag by partition."""
        if tp.topic not in self._groups:
            super().verify_event_path(now, tp)


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    """Wake whoever waits for an acknowledgement."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


class Transport(driver.Transport):
    """Registered as `malvakt://` in the entry point group `faust.transports`."""

    Consumer = Consumer
    driver_version = f"{driver.Transport.driver_version}, batched for faust {faust.__version__}"
