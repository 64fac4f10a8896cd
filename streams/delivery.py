"""Delivery: writes that are awaited until the broker has them, in batches, or fail loudly.

Faust's own producer gives up waiting after 100 ms and only logs delivery errors
(`ProducerBuffer.flush_atmost`, `Topic._on_published`); effects must not be acknowledged on that.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Any, NamedTuple, Self

import structlog
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from streams import metrics
from streams.access import Access
from streams.connecting import Producer, see_that_we_are_let_in

log = structlog.get_logger(__name__)

MAX_BATCH_BYTES = 512 * 1024
MAX_REQUEST_BYTES = 16 * 1024 * 1024
REQUEST_TIMEOUT_S = 30.0
RETRY_S = 1.0
STALLED_S = 2.0
"""A batch that the broker has not taken by then waits for one that is slow or away."""

Headers = list[tuple[str, bytes]]


NO_HEADERS: Headers = []


class Outgoing(NamedTuple):
    """One record to write."""

    topic: str
    partition: int
    key: str | None
    value: bytes | None
    headers: Headers = NO_HEADERS
    timestamp_ms: int | None = None
    """When what it tells was received; now, where that is not said."""


class Written(NamedTuple):
    """Records that the broker has: where they start, and how many follow each other from there."""

    topic: str
    partition: int
    first_offset: int
    records: int


class DeliveryError(Exception):
    """The broker refused records for good; the message says which topic and why."""


class Delivery:
    """A producer of acknowledged batches."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._running: Producer | None = None

    async def start(self) -> None:
        """Connect."""
        producer = Producer(
            self._access,
            acks="all",
            compression_type="snappy",
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=MAX_REQUEST_BYTES,
            request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._running = producer

    async def stop(self) -> None:
        """Disconnect, once what is under way has been written."""
        if self._running is not None:
            await self._running.stop()
            self._running = None

    @property
    def _producer(self) -> Producer:
        assert self._running is not None, "start() comes first"
        return self._running

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return len(await self._producer.partitions_for(topic))

    async def write(self, records: Iterable[Outgoing]) -> list[Written]:
        """Write records and return when the broker has acknowledged every one.

        A broker that is slow or away is waited for: what is written is absolute, so writing a batch
        again that may have arrived does no harm.

        Raises:
            DeliveryError: the broker refuses a batch, and would again.
            RefusedError: it does not let us in any more.
        """
        by_partition: defaultdict[tuple[str, int], list[Outgoing]] = defaultdict(list)
        for record in records:
            by_partition[record[:2]].append(record)
        written = await asyncio.gather(
            *(
                self._write_partition(topic, partition, queue)
                for (topic, partition), queue in by_partition.items()
            )
        )
        return [batch for batches in written for batch in batches]

    async def _write_partition(self, topic: str, partition: int, records: list[Outgoing]) -> list[Written]:
        written: list[Written] = []
        position = 0
        while position < len(records):
            with _stalling():
                count, first_offset = await self._write_batch(topic, partition, records, position)
            written.append(Written(topic, partition, first_offset, count))
            position += count
        return written

    async def _write_batch(
        self, topic: str, partition: int, records: list[Outgoing], position: int
    ) -> tuple[int, int]:
        """Write as many records as one batch takes; how many they were, and the first one's offset."""
        while True:
            batch = self._producer.create_batch()
            count = _fill(batch, records, position)
            if count == 0:
                size = len(records[position].value or b"")
                raise DeliveryError(f"{topic}: a record of {size} bytes fits in no batch.")
            try:
                sent = await self._producer.send_batch(batch, topic, partition=partition)
                metadata = await sent
            except KafkaError as error:
                if not passes(error):
                    raise DeliveryError(f"{topic}, partition {partition}: {error}") from error
                log.warning("waiting for the broker", topic=topic, error=repr(error))
                await see_that_we_are_let_in(self._access)
                await asyncio.sleep(RETRY_S)
            else:
                return count, metadata.offset


@contextlib.contextmanager
def _stalling() -> Iterator[None]:
    """Count a batch as stalled from a while into its wait on, for as long as that goes on.

    From the first attempt: an attempt on a broker that is away is silent for as long as a request may take.
    """
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stalled:
        begins = loop.call_later(
            STALLED_S, lambda: stalled.enter_context(metrics.STALLED.track_inprogress())
        )
        stalled.callback(begins.cancel)
        yield


def passes(error: KafkaError) -> bool:
    """Whether what failed may succeed later, as it is.

    aiokafka tries again by itself for as long as a request may take, and then gives the last error: of
    a broker that is away, that it is not ready, leads nothing or did not answer; of one that has just
    started, that it knows no such topic.
    """
    return error.retriable or isinstance(error, KafkaTimeoutError)


def _fill(batch: BatchBuilder, records: list[Outgoing], position: int) -> int:
    """Fill a batch with records from a position on; how many it took.

    They go to the compiled builder behind aiokafka's own, whose checks and serializers for each record take
    longer than writing it. No broker knows better than now when a record was written.
    """
    append: Any = batch._builder.append  # noqa: SLF001
    now_ms = int(time.time() * 1000)
    count = 0
    for _, _, key, value, headers, timestamp_ms in islice(records, position, None):
        key_bytes = None if key is None else key.encode()
        if append(count, timestamp_ms or now_ms, key_bytes, value, headers) is None:
            break
        count += 1
    batch._relative_offset = count  # noqa: SLF001
    batch.close()
    return count
