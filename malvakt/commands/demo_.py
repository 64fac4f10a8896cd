"""`malvakt demo`: everything on one machine: a broker, a worker, a living sales floor, goals, the wall.

The broker is librdkafka's own in-process one, so that nothing need be installed besides; it forgets
everything at exit. For data to keep, run `malvakt kafka` and `malvakt worker`.
"""

import asyncio
import contextlib
import os
import socket
import sys
import time
import webbrowser
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import msgspec
from confluent_kafka import Producer
from cyclopts import Parameter
from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from goals.history import changes
from kpis.calendar import micros_of
from kpis.tally import COMPANY
from malvakt.commands.web_ import PORT
from malvakt.outcome import CallError, Fault
from malvakt.showing import figure, plain
from malvakt.workers import ChildProcess, WorkerProcess, environment_of
from schemas.events import Recorded
from schemas.records import KpiRecord
from schemas.topics import SCORECARDS
from simulation.floor import Floor, told
from simulation.goals import LEAD, goals_after
from simulation.pace import paced
from streams.delivery import Delivery
from streams.goal_setting import GoalSetting
from streams.publishing import Publisher
from streams.reading import follow, keep_highest, record_of
from streams.settings import MAX_PORT, Settings
from streams.ticking import tick
from streams.topic_setup import declared_topics, set_up_topics

REDRAW_S = 0.5
SERVED_S = 0.2
"""How often it is looked whether the wall is there."""
TICK_MICROS = 60_000_000
START = date(2026, 6, 1)
PAST_DAYS = 135
"""How much of the floor's life is told at once: enough for forecasts, which need 120 days."""
TODAY = [
    ("new_leads", "leads\ntoday"),
    ("meetings_booked", "booked\ntoday"),
    ("quotes_sent", "quotes\ntoday"),
    ("deals_closed", "closed\ntoday"),
]
MONTH = [
    ("deals_closed", "closed\nmonth"),
    ("revenue", "revenue\nmonth"),
    ("win_rate", "win\nrate"),
    ("hit_rate", "hit\nrate"),
    ("sales_cycle_days", "cycle\ndays"),
    ("cac", "cac\nmonth"),
]


def demo_(
    *,
    speed: float = 600.0,
    sellers: int = 12,
    seed: int = 1,
    seconds: float | None = None,
    timezone: str = "Europe/Stockholm",
    currency: str = "SEK",
    port: int = PORT,
    open_: Annotated[bool, Parameter(name="open")] = True,
    terminal: bool = False,
) -> None:
    """Watch a simulated sales floor live, with goals, on a wall in the browser. Ctrl-C ends it.

    Parameters
    ----------
    speed
        How many times as fast as real time the floor lives; 1 is real time.
    sellers
        How many sellers it has.
    seed
        Another seed is another floor.
    seconds
        End by itself after so many seconds.
    timezone
        The business timezone.
    currency
        The reporting currency.
    port
        Where the wall is served, on this machine only; where another program has it, the next that is free.
    open_
        Open the wall in a browser, where there is a display.
    terminal
        Show the figures here too.
    """
    if not 1 <= port <= MAX_PORT:
        raise CallError(f"--port {port}: give one from 1 to {MAX_PORT}.")
    if speed <= 0 or sellers < 1:
        raise CallError("--speed and --sellers take numbers above 0.")
    settings = Settings(
        timezone=timezone, currency=currency, metrics_port=0, declare_topics=False, ticks_s=0.0
    )
    floor = Floor(sellers=sellers, timezone=timezone, currency=currency, seed=seed)
    with _broker(topic.name for topic in declared_topics(settings)) as address:
        settings = msgspec.structs.replace(settings, broker=address)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_demo(settings, floor, speed, seconds, _Shown(_free(port), open_, terminal)))


class _Shown(NamedTuple):
    """How the floor is shown."""

    port: int
    opened: bool
    terminal: bool

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


def _free(first: int) -> int:
    """The first port from one on that nobody has."""
    for port in range(first, MAX_PORT + 1):
        with socket.socket() as tried, contextlib.suppress(OSError):
            # As a server binds it: one that was just left can be had.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", port))
            return port
    raise Fault(f"No port from {first} on is free; give another --port.")


@contextlib.contextmanager
def _broker(topics: Iterable[str]) -> Iterator[str]:
    """librdkafka's in-process broker, with topics in place."""
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    metadata = broker.list_topics(timeout=10)
    node = next(iter(metadata.brokers.values()))
    for name in topics:
        # A topic appears there when it is first asked for.
        broker.list_topics(name, timeout=10)
    yield f"{node.host}:{node.port}"


async def _demo(
    settings: Settings, floor: Floor, speed: float, seconds: float | None, shown: _Shown
) -> None:
    await set_up_topics(settings)
    with TemporaryDirectory(prefix="malvakt-demo-") as folder:
        web = ("web", "--open", "--port", str(shown.port), "--view", str(Path(folder) / "wall.sqlite"))
        wall = ChildProcess("The wall", [sys.executable, "-m", "malvakt", *web], environment_of(settings))
        worker = WorkerProcess(settings)
        try:
            await _run(settings, floor, speed, seconds, shown, [worker, wall])
        finally:
            worker.stop()
            wall.stop()


async def _run(
    settings: Settings,
    floor: Floor,
    speed: float,
    seconds: float | None,
    shown: _Shown,
    processes: list[ChildProcess],
) -> None:
    state = _State()
    tasks = [
        asyncio.create_task(_live(settings, floor, speed, state)),
        asyncio.create_task(_listen(settings, state)),
        asyncio.create_task(_open(shown)),
    ]
    try:
        await _show(processes, tasks, state, seconds, shown)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _open(shown: _Shown) -> None:
    """Say where the wall is once it is there, and open it where somebody can see it."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", shown.port)
        except OSError:
            await asyncio.sleep(SERVED_S)
            continue
        writer.close()
        break
    # A browser of the terminal would take its place.
    seen = sys.platform in {"darwin", "win32"} or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if shown.opened and seen:
        await asyncio.to_thread(webbrowser.open, shown.address)


class _State:
    """What the screen shows."""

    def __init__(self) -> None:
        self.records: dict[str, KpiRecord] = {}
        self.told = 0
        self.now: datetime | None = None


async def _live(settings: Settings, floor: Floor, speed: float, state: _State) -> None:
    """Let the floor live: its past at once, then at its pace. The workers' clock is the floor's."""
    async with Delivery(settings) as delivery:
        publisher = Publisher(delivery, settings)
        clock = micros_of(datetime.combine(START, datetime.min.time(), UTC))
        past: list[Recorded] = []
        for wait, recorded in paced(told(floor, START), speed):
            state.told += 1
            # What turns out late is told after its time, and the clock does not go back for it.
            state.now = max(state.now or recorded.event.time, recorded.event.time)
            if state.now.date() < START + timedelta(days=PAST_DAYS):
                past.append(recorded)
                continue
            if past:
                # First the clock: what is past is history, and closed.
                clock = micros_of(state.now)
                await tick(settings, delivery, clock)
                await publisher.publish(past)
                await _set_goals(settings, delivery, past, state.now)
                past.clear()
            if wait:
                await asyncio.sleep(wait)
            await publisher.publish([recorded])
            now = micros_of(state.now)
            if now - clock >= TICK_MICROS:
                await tick(settings, delivery, now)
                clock = now


async def _set_goals(
    settings: Settings, delivery: Delivery, past: Iterable[Recorded], now: datetime
) -> None:
    """Goals that people could have set, by what the floor did until now."""
    events = [recorded.event for recorded in past]
    # Meanwhile the others go on.
    goals = await asyncio.to_thread(goals_after, events, settings.business(), now)
    setting = GoalSetting(settings, delivery)
    await setting.change(changes(goals, await setting.read(), LEAD, now))


async def _listen(settings: Settings, state: _State) -> None:
    async for batch in follow(settings, SCORECARDS.name, record_of):
        for record in batch:
            keep_highest(state.records, record)


async def _show(
    processes: list[ChildProcess],
    tasks: list[asyncio.Task[None]],
    state: _State,
    seconds: float | None,
    shown: _Shown,
) -> None:
    started = time.monotonic()
    console = Console()
    console.print(f"The wall is at {shown.address} (Ctrl-C ends it)")
    screen = _screen if shown.terminal else _line
    with Live(screen(state, started), console=console, refresh_per_second=4) as live:
        while seconds is None or time.monotonic() - started < seconds:
            await asyncio.sleep(REDRAW_S)
            for process in processes:
                process.check()
            for task in tasks:
                if task.done():
                    task.result()
            live.update(screen(state, started))


def _line(state: _State, started: float) -> str:
    """What time it is on the floor, and whether its figures have come."""
    if state.now is None or not state.records:
        return _starting(started)
    return f"{state.now:%A %d %B %Y, %H:%M}, {state.told:,} events"


def _starting(started: float) -> str:
    return f"Målvakt: the worker starts ({time.monotonic() - started:.0f} s; some ten are usual)"


def _screen(state: _State, started: float) -> Table:
    """A row a scope: its own day, and how the month goes."""
    now = state.now
    if now is None or not state.records:
        return Table(title=_starting(started))
    today = now.date().isoformat()
    month = now.date().replace(day=1).isoformat()
    table = Table(
        title=f"Målvakt: {now:%A %d %B %Y, %H:%M}, {state.told:,} events. Ctrl-C ends it.",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("", no_wrap=True)
    for _, name in TODAY:
        table.add_column(name, justify="right", style="cyan", no_wrap=True)
    for _, name in MONTH:
        table.add_column(name, justify="right", no_wrap=True)
    scopes = {r.scope for r in state.records.values() if not r.scope.startswith("customer:")}
    for scope in sorted(scopes, key=lambda scope: (_rank(scope), scope)):
        day = state.records.get(f"{scope}|day|{today}")
        whole = state.records.get(f"{scope}|month|{month}")
        table.add_row(
            plain(scope.partition(":")[2] or scope),
            *(figure(day, kpi) for kpi, _ in TODAY),
            *(figure(whole, kpi) for kpi, _ in MONTH),
            style="bold" if scope == COMPANY else None,
            end_section=scope == COMPANY,
        )
    return table


def _rank(scope: str) -> int:
    return ["company", "team", "seller"].index(scope.partition(":")[0])
