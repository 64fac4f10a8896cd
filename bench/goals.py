"""`./run bench goals`: what it costs a worker to judge many goals, on each tick and for each event."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import monotonic
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from bench.machine import free_port, write_report
from bench.measuring import peak_mb
from goals.history import changes
from kpis.calendar import micros_of
from malvakt.outcome import CallError, Fault
from malvakt.through_kafka import settled, temporary_kafka
from malvakt.workers import WorkerProcess
from schemas.events import EVENT_TYPES, Event
from schemas.goals import Absolute, Acceptance, Goal, Grain, Recurring
from schemas.topics import GOAL_STATUS
from streams.delivery import Delivery
from streams.goal_setting import GoalSetting
from streams.publishing import published
from streams.settings import Settings
from streams.ticking import tick
from streams.topic_setup import delete_topics, set_up_topics

PARTITIONS = 8
STOCKHOLM = ZoneInfo("Europe/Stockholm")
TODAY = date(2026, 3, 11)
"""A Wednesday."""
WEEKS = 26
"""Of history: enough for forecasts."""
GOALS_A_SCOPE: list[tuple[str, Grain, int]] = [
    ("new_leads", "day", 2),
    ("new_leads", "week", 5),
    ("new_leads", "month", 20),
    ("meetings_booked", "day", 1),
    ("meetings_booked", "week", 3),
    ("meetings_booked", "month", 12),
    ("deals_closed", "month", 4),
    ("revenue", "month", 60_000),
    ("revenue", "quarter", 200_000),
    ("revenue", "year", 800_000),
]
EVENTS_A_BURST = 5_000
TICK_S = 10
LEARN_S = 600.0


class GoalsCost(Struct, frozen=True, kw_only=True):
    """What goals cost one worker."""

    scopes: int
    goals: int
    forecasts: bool
    ticks: int
    first_look_s: float
    """The first tick, on which no figure is known and every status is written."""
    tick_s: float
    """The median tick's judging: with every record at hand, and what it writes packed."""
    worst_tick_s: float
    tick_whole_s: float
    """The median from the tick until all that follows from it is written and acknowledged."""
    event_us: float
    """Judging for each event of a burst; nothing for those that come while a batch is in work."""
    statuses_an_event: float
    peak_mb: float


class _Spent(NamedTuple):
    """What a worker's goals agent has done so far."""

    fold_s: float
    all_s: float
    statuses: float


def goals(
    *,
    scopes: int = 1_000,
    ticks: int = 30,
    forecasts: bool = False,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Give each of so many sellers ten goals, and measure what ticks and events cost one worker.

    Parameters
    ----------
    scopes
        How many sellers there are.
    ticks
        How many ticks are measured, ten seconds of the clock apart.
    forecasts
        Measure with forecasts, once they have been learned.
    json
        A file for the results.
    smoke
        Few goals: sees that it works, and nothing of time.
    """
    if smoke:
        scopes, ticks = 20, 3
    if scopes < 1 or ticks < 1:
        raise CallError("--scopes and --ticks are above 0.")
    with temporary_kafka() as address:
        result = asyncio.run(_measured(address, scopes, ticks, forecasts=forecasts))
    _show(result)
    if json is not None:
        write_report(json, goals=result)
    return 0


async def _measured(broker: str, scopes: int, ticks: int, *, forecasts: bool) -> GoalsCost:
    began = datetime.combine(TODAY, time(9), STOCKHOLM)
    wanted = [goal for number in range(scopes) for goal in goals_of(f"s{number}")]
    async with _installation(broker, forecasts=forecasts) as run:
        await run.tick(began)
        await run.publish(history(scopes))
        await run.set(wanted, began)
        first = await run.tick(began + timedelta(seconds=TICK_S))
        if forecasts:
            await run.learned()
            # Each is worked out once, and then kept for minutes.
            await run.tick(began + timedelta(seconds=2 * TICK_S))
        looks = [
            await run.tick(began + timedelta(seconds=TICK_S * number)) for number in range(3, ticks + 3)
        ]
        events = await run.publish(burst(scopes))
        return GoalsCost(
            scopes=scopes,
            goals=len(wanted),
            forecasts=forecasts,
            ticks=ticks,
            first_look_s=round(first.fold_s, 3),
            tick_s=round(median(look.fold_s for look in looks), 3),
            worst_tick_s=round(max(look.fold_s for look in looks), 3),
            tick_whole_s=round(median(look.all_s for look in looks), 3),
            event_us=round(events.fold_s * 1e6 / EVENTS_A_BURST, 1),
            statuses_an_event=round(events.statuses / EVENTS_A_BURST, 3),
            peak_mb=run.peak_mb,
        )


class _Run:
    """A worker, and what is done to it."""

    def __init__(self, settings: Settings, worker: WorkerProcess, delivery: Delivery) -> None:
        self._settings = settings
        self._worker = worker
        self._delivery = delivery

    async def tick(self, now: datetime) -> _Spent:
        """What the goals agent spends on a tick."""
        before = self._spent()
        await tick(self._settings, self._delivery, micros_of(now))
        return await self._spent_since(before)

    async def publish(self, events: Iterator[Event]) -> _Spent:
        """What it spends on events."""
        before = self._spent()
        async for _ in published(self._settings, events):
            self._worker.check()
        return await self._spent_since(before)

    async def set(self, wanted: list[Goal], now: datetime) -> None:
        setting = GoalSetting(self._settings, self._delivery)
        await setting.change(changes(wanted, await setting.read(), "bench", now))
        await settled(self._settings, [self._worker])

    @property
    def peak_mb(self) -> float:
        """The most memory that the worker ever held."""
        return round(peak_mb([self._worker]) or 0.0)

    async def learned(self) -> None:
        """Wait until there are forecasts."""
        until = monotonic() + LEARN_S
        while not self._metric("malvakt_forecast_learned_timestamp_seconds"):
            self._worker.check()
            if monotonic() > until:
                raise Fault(f"There are no forecasts:\n{self._worker.last_lines()}")
            await asyncio.sleep(1.0)

    async def _spent_since(self, before: _Spent) -> _Spent:
        await settled(self._settings, [self._worker])
        return _Spent(*(now - then for now, then in zip(self._spent(), before, strict=True)))

    def _spent(self) -> _Spent:
        fold, rows, outputs = (
            self._metric("malvakt_step_seconds_sum", agent="goals", step=step)
            for step in ("fold", "rows", "outputs")
        )
        topic = self._settings.topic(GOAL_STATUS.name)
        return _Spent(
            fold, fold + rows + outputs, self._metric("malvakt_records_written_total", topic=topic)
        )

    def _metric(self, name: str, **labels: str) -> float:
        """A metric of the worker; 0 where it has none yet."""
        try:
            with urlopen(f"http://127.0.0.1:{self._settings.metrics_port}/metrics") as answer:
                text: str = answer.read().decode()
        except URLError:
            return 0.0
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return 0.0


@contextlib.asynccontextmanager
async def _installation(broker: str, *, forecasts: bool) -> AsyncIterator[_Run]:
    """One worker with topics of its own, whose clock stands still between ticks."""
    name = f"goals-{secrets.token_hex(4)}"
    settings = Settings(
        broker=broker,
        app_id=name,
        topic_prefix=f"{name}.",
        partitions=PARTITIONS,
        metrics_port=free_port(),
        ticks_s=0.0,
        forecast=forecasts,
    )
    await set_up_topics(settings)
    worker = WorkerProcess(settings)
    try:
        async with Delivery(settings) as delivery:
            yield _Run(settings, worker, delivery)
    finally:
        worker.stop()
        await delete_topics(settings)


def goals_of(seller: str) -> list[Goal]:
    """A seller's ten goals."""
    return [
        Goal(
            id=f"{seller}-{kpi}-{grain}",
            version=1,
            scope=f"seller:{seller}",
            kpi=kpi,
            better="at_least",
            target=Absolute(value=str(target)),
            period=Recurring(grain=grain, start=date(TODAY.year, 1, 1)),
            accepted=Acceptance(by=seller, at=datetime(TODAY.year - 1, 12, 1, tzinfo=STOCKHOLM)),
        )
        for kpi, grain, target in GOALS_A_SCOPE
    ]


def history(scopes: int) -> Iterator[Event]:
    """What the sellers did in each week before: two leads, a meeting and a deal."""
    for week in range(WEEKS):
        for number in range(scopes):
            day = TODAY - timedelta(days=7 * (WEEKS - week) - number % 5)
            at = datetime.combine(day, time(9 + number % 8), STOCKHOLM)
            yield from _work(f"{week}-{number}", f"s{number}", at)


def burst(scopes: int) -> Iterator[Event]:
    """Leads of today, a seller at a time."""
    at = datetime.combine(TODAY, time(9), STOCKHOLM)
    for number in range(EVENTS_A_BURST):
        seller = f"s{number % scopes}"
        yield _event("lead.created", f"b{number}", at, {"lead": f"b{number}", "seller": seller})


def _work(name: str, seller: str, at: datetime) -> Iterator[Event]:
    for lead in ("a", "b"):
        yield _event("lead.created", name + lead, at, {"lead": name + lead, "seller": seller})
    meeting = {"activity": name, "kind": "meeting_booked", "seller": seller, "lead": name + "a"}
    yield _event("activity.logged", name, at, meeting)
    deal = {"deal": name, "customer": f"c{name}", "seller": seller, "lead": name + "a", "value": "9000.00"}
    yield _event("deal.won", name, at + timedelta(hours=1), deal)


def _event(kind: str, name: str, at: datetime, data: dict[str, str]) -> Event:
    return msgspec.convert(
        {
            "specversion": "1.0",
            "id": f"{kind}-{name}",
            "source": "bench://goals",
            "type": kind,
            "time": at.isoformat(),
            "data": data,
        },
        EVENT_TYPES[kind],
    )


def _show(result: GoalsCost) -> None:
    what = "with forecasts" if result.forecasts else "by pace"
    table = Table(title=f"{result.goals:,} goals over {result.scopes:,} scopes, one worker, {what}")
    for heading in ("first look s", "tick s", "worst tick s", "with writing s", "µs/event", "peak MB"):
        table.add_column(heading, justify="right")
    table.add_row(
        f"{result.first_look_s:.2f}",
        f"{result.tick_s:.2f}",
        f"{result.worst_tick_s:.2f}",
        f"{result.tick_whole_s:.2f}",
        f"{result.event_us:,.0f}",
        f"{result.peak_mb:,.0f}",
    )
    Console().print(table)
