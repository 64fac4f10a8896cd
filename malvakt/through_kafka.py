"""A replay through real workers on a real Kafka: topics of its own, and nothing left behind."""

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from kpis.calendar import micros_of
from malvakt.outcome import Fault
from malvakt.progress import progress
from malvakt.reaching import reached_as, reaching, settings_with
from malvakt.workers import WorkerProcess
from schemas.events import Recorded
from schemas.records import KpiRecord
from streams.delivery import Delivery
from streams.local_kafka import LocalKafka, LocalKafkaError
from streams.publishing import published
from streams.reading import Progress, read_scorecards
from streams.settings import Settings
from streams.ticking import tick
from streams.topic_setup import delete_topics, set_up_topics

POLL_S = 0.2


async def replayed_through_kafka(
    events: Iterable[Recorded],
    timezone: str,
    currency: str,
    as_of: Callable[[], datetime | None],
    *,
    workers: int,
    broker: str | None,
) -> Mapping[str, KpiRecord]:
    """Publish events, wait until the workers have settled, and read the KPI records back.

    The workers' clock stands at what `as_of` says once all events are read.

    Raises:
        Fault: no Kafka can be had, or a worker ended.
        SettingError: the environment says of that broker what cannot be used.
    """
    with contextlib.ExitStack() as stack:
        address = broker or stack.enter_context(temporary_kafka())
        name = f"replay-{secrets.token_hex(4)}"
        settings = Settings(
            broker=address,
            app_id=name,
            topic_prefix=f"{name}.",
            timezone=timezone,
            currency=currency,
            metrics_port=0,
            ticks_s=0.0,
        )
        if broker is not None:
            # It may be secured. All else is the replay's own, whatever the environment says.
            settings = reached_as(settings, settings_with(broker=broker))
        with reaching(address):
            async with _topics(settings):
                return await _run(settings, events, as_of, workers)


@contextlib.contextmanager
def temporary_kafka() -> Iterator[str]:
    """The address of a Kafka of our own, which leaves nothing behind.

    Raises:
        Fault: none can run here.
    """
    with tempfile.TemporaryDirectory(prefix="malvakt-kafka-") as name, kafka_in(Path(name)) as address:
        yield address


@contextlib.contextmanager
def kafka_in(directory: Path) -> Iterator[str]:
    """The address of a Kafka of our own, with its data in a directory.

    Raises:
        Fault: none can run here.
    """
    try:
        with LocalKafka(directory) as kafka:
            yield kafka.address
    except LocalKafkaError as error:
        raise Fault(str(error)) from error


@contextlib.asynccontextmanager
async def _topics(settings: Settings) -> AsyncIterator[None]:
    await set_up_topics(settings)
    try:
        yield
    finally:
        await delete_topics(settings)


async def _run(
    settings: Settings, events: Iterable[Recorded], as_of: Callable[[], datetime | None], count: int
) -> Mapping[str, KpiRecord]:
    workers = [WorkerProcess(settings) for _ in range(count)]
    try:
        with progress("events published") as advance:
            async for written in published(settings, events):
                advance(written)
        now = as_of()
        if now is not None:
            async with Delivery(settings) as delivery:
                await tick(settings, delivery, micros_of(now))
        await settled(settings, workers)
        return await read_scorecards(settings)
    finally:
        for worker in workers:
            worker.stop()


async def settled(settings: Settings, workers: Iterable[WorkerProcess]) -> None:
    """Wait until the group has finished all there is to read and all that follows from it."""
    async with Progress(settings) as group:
        first = left = await group.left()
        with progress("records settled", total=first) as advance:
            while left:
                await asyncio.sleep(POLL_S)
                for worker in workers:
                    worker.check()
                now = await group.left()
                advance(left - now)
                left = now
