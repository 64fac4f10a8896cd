"""Forecasts in a worker, on a real Kafka: what the pure code says of the same history, whatever fails."""

import asyncio
import multiprocessing
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from functools import cache

import msgspec
import pytest
from prometheus_client import REGISTRY

from goals.forecast import Forecast
from goals.foreseeing import Foreseeing, dawn, figures_for
from goals.judging import LEARNING, Learning
from goals.knowing import is_key_read
from goals.periods import Span
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, day_number
from kpis.contributions import Business
from kpis.replay import Replay
from schemas.events import Event
from schemas.goals import Absolute, Goal, Once
from schemas.records import KpiRecord, encode_record
from schemas.topics import SCORECARDS
from simulation.floor import Floor, events
from streams import forecasting
from streams.delivery import Delivery, Outgoing
from streams.forecasting import Forecaster
from streams.local_kafka import LocalKafka
from streams.partitioning import partition_of
from streams.publishing import Publisher
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics

START, TODAY = date(2025, 1, 1), date(2026, 3, 18)
FLOOR = Floor(sellers=4, teams=2, seed=5)
CALENDAR = Calendar("Europe/Stockholm")
WORKING = WorkingTime(CALENDAR, Plan())
MONTH = Span(day_number(date(2026, 3, 1)), day_number(date(2026, 3, 31)))
DAY = day_number(TODAY)
NOON = CALENDAR.start_of(DAY) + 12 * 3_600_000_000
NEXT_NOON = CALENDAR.start_of(DAY + 1) + 12 * 3_600_000_000
PARTITIONS = 3
WAIT_S = 60.0
GOAL = Goal(
    id="g",
    version=1,
    scope="team:norr",
    kpi="revenue",
    better="at_least",
    target=Absolute(value=Decimal(400_000)),
    period=Once(start=date(2026, 3, 1), end=date(2026, 3, 31)),
)
HIT_RATE = msgspec.structs.replace(GOAL, kpi="hit_rate")
"""Of which there is no forecast."""


@cache
def happened() -> list[Event]:
    return list(events(FLOOR, START, TODAY))


@cache
def records() -> list[KpiRecord]:
    """All that a scorecard agent would have published: of every scope, in every window."""
    replay = Replay(Business(CALENDAR, "SEK"))
    replay.feed(happened())
    return list(replay.records(CALENDAR.local(NOON)))


def sold_today(amount: int) -> KpiRecord:
    """A record of today that comes while a worker runs."""
    first = next(record for record in records() if record.scope == GOAL.scope and record.grain == "day")
    return msgspec.structs.replace(
        first,
        start=TODAY,
        end=date.fromordinal(TODAY.toordinal() + 1),
        revision=first.revision + amount,
        measures={"revenue": f"{amount}.00", "deals_won": 2},
    )


def foreseeing(day: int, *more: KpiRecord) -> Foreseeing:
    """What the pure code learns."""
    figures = figures_for(day)
    figures.read(record for record in records() if is_key_read(record.key))
    figures.read(more)
    begun = dawn(figures, happened(), day, CALENDAR, WORKING)
    assert begun is not None
    return Foreseeing(begun, WORKING)


def expected(now: int, *more: KpiRecord) -> Forecast | None:
    """What the pure code says."""
    return foreseeing(CALENDAR.day(now), *more).outlook(GOAL, MONTH, now)


class Installation:
    def __init__(self, settings: Settings, delivery: Delivery) -> None:
        self.settings = settings
        self._delivery = delivery
        self.forecaster = Forecaster(settings, WORKING)

    async def publish(self, *published: KpiRecord) -> None:
        topic = self.settings.topic(SCORECARDS.name)
        await self._delivery.write(
            Outgoing(topic, partition_of(each.scope, PARTITIONS), each.key, encode_record(each))
            for each in published
        )

    async def publish_nonsense(self) -> None:
        """What somebody else may write, under a key that is read."""
        topic = self.settings.topic(SCORECARDS.name)
        await self._delivery.write([Outgoing(topic, 0, "company|day|2026-03-02", b'{"scope": 1}')])

    async def publish_history(self) -> None:
        await Publisher(self._delivery, self.settings).publish(happened())
        await self.publish_nonsense()
        await self.publish(*records())

    def outlook(self, now: int = NOON) -> Forecast | Learning | None:
        return self.forecaster.outlook(GOAL, MONTH, now)

    async def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


@asynccontextmanager
async def installation(
    broker: str, *, topics: bool = True, forecast: bool = True
) -> AsyncIterator[Installation]:
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(
        broker=broker, app_id=name, topic_prefix=f"{name}.", partitions=PARTITIONS, forecast=forecast
    )
    if topics:
        await set_up_topics(settings)
    async with Delivery(settings) as delivery:
        running = Installation(settings, delivery)
        task = asyncio.create_task(running.forecaster.run())
        try:
            yield running
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert multiprocessing.active_children() == []
    if topics:
        await delete_topics(settings)


def failed() -> float:
    return REGISTRY.get_sample_value("malvakt_forecast_failed_total") or 0.0


def test_a_worker_says_what_the_pure_code_says_of_the_same_history(own_kafka: LocalKafka) -> None:
    """From the start, as figures come, through a restart of the broker, and on the next day."""

    async def run() -> None:
        async with installation(own_kafka.address) as running:
            await running.publish_history()
            assert running.outlook() is LEARNING
            assert running.forecaster.outlook(HIT_RATE, MONTH, NOON) is None
            assert running.forecaster.profiles == {}
            await running.until(lambda: running.outlook() is not LEARNING)
            assert running.outlook() == expected(NOON)
            assert running.forecaster.profiles == foreseeing(DAY).profiles

            await running.publish_nonsense()
            await running.publish(sold_today(70_000))
            await running.until(lambda: running.outlook() == expected_with(70_000))

            await asyncio.to_thread(own_kafka.stop)
            assert running.outlook() == expected_with(70_000)
            await asyncio.to_thread(own_kafka.start)
            await running.publish(sold_today(90_000))
            await running.until(lambda: running.outlook() == expected_with(90_000))

            before = running.outlook(NEXT_NOON)
            assert before is not None
            tomorrow = expected(NEXT_NOON, sold_today(90_000))
            assert before != tomorrow
            await running.until(lambda: running.outlook(NEXT_NOON) == tomorrow)

    asyncio.run(run())


@cache
def expected_with(amount: int) -> Forecast | None:
    return expected(NOON, sold_today(amount))


def test_where_forecasts_are_turned_off_there_are_none(kafka_address: str) -> None:
    """And nothing is learned."""

    async def run() -> None:
        async with installation(kafka_address, topics=False, forecast=False) as running:
            await asyncio.wait_for(running.forecaster.run(), WAIT_S)
            assert running.outlook() is None
            assert multiprocessing.active_children() == []

    asyncio.run(run())


def test_where_learning_fails_that_is_counted_and_tried_again(
    kafka_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its topics are not there yet, and its process is killed; then there is history and all is well."""

    async def run() -> None:
        monkeypatch.setattr(forecasting, "AGAIN_S", 0.5)
        before = failed()
        async with installation(kafka_address, topics=False) as running:
            assert running.outlook() is LEARNING
            await running.until(lambda: failed() > before)
            assert running.outlook() is None

            await set_up_topics(running.settings)
            await running.publish_history()
            before = failed()
            await running.until(lambda: kill(multiprocessing.active_children()))
            await running.until(lambda: failed() > before)
            assert running.outlook() is None
            await running.until(lambda: running.outlook() is not None)
            assert running.outlook() == expected(NOON)
            await delete_topics(running.settings)

    asyncio.run(run())


def kill(processes: Iterable[multiprocessing.process.BaseProcess]) -> bool:
    found = list(processes)
    for process in found:
        process.kill()
    return bool(found)
