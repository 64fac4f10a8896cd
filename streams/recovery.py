"""Recovery: a partition's rows are read from the changelogs, while all other partitions go on.

Stock Faust stops every partition of a worker until the last changelog has been read, one message at a
time (`tables/recovery.py`, `_restart_recovery`, `_slurp_changelogs`). Here Faust resumes its streams at
once, and the consumer hands over nothing of a partition until it has been opened (`Restorer.ready`): one
that stays is open again as soon as its changelogs' ends are known to be held, one that was taken over
once its rows have been read.
"""

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple, Protocol, cast

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.tables import TableManager
from faust.tables import recovery as stock
from faust.types import TP
from mode import Service

from streams import metrics
from streams.access import Access
from streams.connecting import Consumer
from streams.delivery import passes
from streams.stray import unless_cancelled
from streams.tables import RowStore
from streams.views import ROWS_A_TURN

SLICE_RECORDS = 10_000
FETCH_BYTES = 4 * 1024 * 1024
POLL_MS = 200
RETRY_S = 1.0

log = structlog.get_logger(__name__)


class Opening(Protocol):
    """What follows a partition's rows as they are read, and opens once they are current: their views."""

    def settle(self, partition: int) -> None:
        """Stand where the rows do, before they are read on."""
        ...

    def take(self, partition: int, records: list[Any]) -> None:
        """Take in a slice of the changelog."""
        ...

    async def open(self, partition: int, least_term: int) -> None:
        """Open a partition, under a term of at least this."""
        ...

    def close(self, partition: int) -> None:
        """Close it."""
        ...


class Table(NamedTuple):
    """A table as recovery sees it: its store, and the views over it."""

    store: RowStore[Any]
    views: Opening


class Restored(Protocol):
    """The app whose partitions are restored."""

    def least_term(self) -> int:
        """The lowest term that may be begun now."""
        ...

    def begin_no_lower(self, term: int) -> None:
        """Terms below this one have been in use: none may be begun again."""
        ...

    async def announce(self, partitions: set[int]) -> None:
        """Tell all readers that partitions have a new owner."""
        ...

    def on_ready(self) -> None:
        """A partition became ready."""
        ...

    async def crash(self, reason: BaseException) -> None:
        """Stop the worker."""
        ...


class Restorer:
    """Makes the partitions ready that a worker was given."""

    def __init__(self, access: Access, tables: list[Table], app: "Restored") -> None:
        self._access = access
        self._tables = {table.store.changelog: table for table in tables}
        self._app = app
        self._task: asyncio.Task[None] | None = None
        self.ready: set[int] = set()
        """The partitions whose rows and views are current: the only ones to be worked on."""
        self._views_s = 0.0
        self.settled = False
        """Whether every partition this worker has is ready."""

    async def pause(self) -> None:
        """Partitions are about to move: none is ready until it was assigned again."""
        self.ready.clear()
        metrics.READY.set(0)
        self.settled = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def assign(self, tps: set[TP]) -> None:
        """These changelog partitions are ours now: recover what is not held, let go of all others."""
        await self.pause()
        for changelog, table in self._tables.items():
            mine = {tp.partition for tp in tps if tp.topic == changelog}
            for partition in table.store.partitions() - mine:
                table.views.close(partition)
                table.store.release(partition)
        self._task = asyncio.create_task(self._restore({TopicPartition(*tp) for tp in tps}))

    async def _restore(self, tps: set[TopicPartition]) -> None:
        try:
            started, self._views_s = perf_counter(), 0.0
            rows = await self._recover_patiently(tps)
            self.settled = True
            rows_s = perf_counter() - started - self._views_s
            metrics.RECOVERY_SECONDS.labels("rows").set(rows_s)
            metrics.RECOVERY_SECONDS.labels("views").set(self._views_s)
            log.info("recovered", rows=rows, rows_s=round(rows_s, 2), views_s=round(self._views_s, 2))
        except Exception as error:
            log.exception("recovery failed; the worker stops")
            await self._app.crash(error)

    async def _recover_patiently(self, tps: set[TopicPartition]) -> int:
        """Recover; while the broker is away, wait for it and go on from where the rows are current."""
        rows = 0
        while True:
            try:
                # What is ready already is being worked on.
                while left := {tp for tp in tps if tp.partition not in self.ready}:
                    with unless_cancelled():
                        rows += await self._recover(left)
            except KafkaError as error:
                if not passes(error):
                    raise
                log.warning("recovery waits for the broker", error=repr(error))
                await asyncio.sleep(RETRY_S)
            else:
                return rows

    async def _recover(self, tps: set[TopicPartition]) -> int:
        # First, so that what an earlier owner still writes is either seen below or void.
        await self._app.announce({tp.partition for tp in tps})
        consumer = Consumer(
            self._access,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        try:
            ends: Mapping[TopicPartition, int] = await consumer.end_offsets(list(tps))
            for tp in tps:
                self._take_up(tp, ends[tp])
                await asyncio.sleep(0)
            behind = {tp for tp, end in ends.items() if self._next(tp) < end}
            for partition in {tp.partition for tp in tps} - {tp.partition for tp in behind}:
                await self._open(partition)
            return await self._read(consumer, behind, ends)
        finally:
            await consumer.stop()

    async def _read(
        self, consumer: Consumer, behind: set[TopicPartition], ends: Mapping[TopicPartition, int]
    ) -> int:
        rows = 0
        consumer.assign(list(behind))
        for tp in behind:
            consumer.seek(tp, self._next(tp))
        while behind:
            fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=SLICE_RECORDS)
            for tp, records in fetched.items():
                if tp not in behind:
                    continue
                await self._take(tp, records)
                rows += len(records)
                metrics.RECOVERED.labels(tp.topic).inc(len(records))
            done = [tp for tp in behind if await consumer.position(tp) >= ends[tp]]
            behind.difference_update(done)
            # What is written to it from now on is our own, and held already.
            consumer.pause(*done)
            for partition in {tp.partition for tp in done} - {tp.partition for tp in behind}:
                await self._open(partition)
        return rows

    def _take_up(self, tp: TopicPartition, end: int) -> None:
        """Have what is held of a partition, unless its changelog does not reach so far."""
        table = self._tables[tp.topic]
        if self._next(tp) > end:
            log.warning("a changelog is shorter than it was; it is read again", topic=tp.topic, end=end)
            table.views.close(tp.partition)
            table.store.discard(tp.partition)
        table.views.settle(tp.partition)

    async def _take(self, tp: TopicPartition, records: list[Any]) -> None:
        views = self._tables[tp.topic].views
        for start in range(0, len(records), ROWS_A_TURN):
            views.take(tp.partition, records[start : start + ROWS_A_TURN])
            await asyncio.sleep(0)

    async def _open(self, partition: int) -> None:
        """Begin with a partition; not if its term was announced too low to void what earlier owners say.

        That is where the group's generations began anew, as they do when it was deleted. The partition then
        comes again, under a higher term.
        """
        least = self._app.least_term()
        term = max(table.store.term_after(partition, least) for table in self._tables.values())
        if term > least:
            self._app.begin_no_lower(term)
            return
        began = perf_counter()
        for table in self._tables.values():
            await table.views.open(partition, self._app.least_term())
        self._views_s += perf_counter() - began
        self.ready.add(partition)
        metrics.READY.set(len(self.ready))
        self._app.on_ready()

    def _next(self, tp: TopicPartition) -> int:
        return self._tables[tp.topic].store.next_offset(tp.partition)


class _Recovery(stock.Recovery):
    """Faust's own recovery, which leaves the rows to the restorer and resumes the streams at once."""

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],
        newly_assigned: set[TP],
        generation_id: int = 0,
    ) -> None:
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)
        if generation_id == self.app.consumer_generation_id:
            restorer: Restorer = cast(Any, self.app).restorer
            await restorer.assign(self.active_tps)

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(cast(Any, self.signal_recovery_start)):
                return
            self.signal_recovery_start.clear()
            try:
                await self._resume_streams(generation_id=self._generation_id)
            except (stock.RebalanceAgain, stock.IllegalStateError):
                log.info("another rebalance began while streams were being resumed")


class Tables(TableManager):
    """Faust's table manager, with this recovery."""

    @property
    def recovery(self) -> stock.Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = _Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
