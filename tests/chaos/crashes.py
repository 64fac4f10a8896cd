"""Installations whose workers crash at one point after the other of the order of effects."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from goals.judging import COURSE
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, day_number
from malvakt.workers import WorkerProcess
from schemas.events import EVENT_TYPES, Event
from schemas.goals import Absolute, Acceptance, Goal, Recurring
from simulation.floor import Floor, events, shuffled
from streams.settings import ROCKSDB
from tests.agents.pipeline import NOW, Pipeline, pipeline, replayed
from tests.chaos.crash_points import STATUS, Agent, Point, points_of

ROOT = Path(__file__).parents[2]
EVENTS_A_PIECE = 60
DEALS_A_PIECE = 6
CRASH_S = 120.0
TELL_S = 2.0
HOW_OFTEN = pytest.mark.parametrize(
    "everywhere",
    [pytest.param(False, id="once"), pytest.param(True, id="everywhere", marks=pytest.mark.long)],
)
UNTOLD = Point("ledger", "outputs", "before")
SETTLE_S = 120.0
SESSION_TIMEOUT_S = 2.0
"""So that the next worker need not wait long for the partitions of the one that crashed."""


def pieces() -> Iterator[list[Event]]:
    """A floor's life, as it may arrive, piece by piece; in each, deals of leads that are named but once."""
    told = events(Floor(sellers=8, seed=5), date(2026, 3, 2))
    arriving = shuffled(told, seed=5)
    for number in count():
        named = [event for deal in range(DEALS_A_PIECE) for event in lead_and_deal(f"{number}-{deal}")]
        yield [*islice(arriving, EVENTS_A_PIECE), *named]


def lead_and_deal(name: str) -> list[Event]:
    """A lead, and a deal won ten days later: how long it took is known only if their homes were told.

    Nobody says it a second time, as on the floor they do, and so mend what was lost.
    """
    lead = {"lead": f"once-{name}", "seller": "anna"}
    deal = {"deal": f"once-{name}", "customer": f"once-{name}", "value": "100.00", **lead}
    return [
        msgspec.convert(
            {
                "specversion": "1.0",
                "id": f"{kind}-{name}",
                "source": "crm://test",
                "type": kind,
                "time": f"2026-03-{day}T12:00:00+01:00",
                "data": data,
            },
            EVENT_TYPES[kind],
        )
        for kind, day, data in (("lead.created", "02", lead), ("deal.won", "12", deal))
    ]


GOALS = [
    Goal(
        id=scope,
        version=1,
        scope=scope,
        kpi="new_leads",
        better="at_least",
        target=Absolute(value="1"),
        period=Recurring(grain="day", start=NOW.date()),
        accepted=Acceptance(by="anna", at=NOW - timedelta(days=1)),
    )
    for scope in ("company", "team:north", "seller:anna", "seller:bo", "seller:cia")
]
"""For days on which nothing comes in: the floor's life was the year before."""
WORKING = WorkingTime(Calendar("Europe/Stockholm"), Plan())


class Crashes:
    """One installation, through one crash after the other."""

    def __init__(self, running: Pipeline, armed: Path) -> None:
        self._running = running
        self._noon = NOW.replace(hour=12)
        self._armed = armed
        self._pieces = pieces()
        self._told: list[Event] = []

    async def begin(self) -> None:
        """Have all goals looked at: from then on no day of theirs may be missing, however ticks come."""
        worker = self._running.start_worker()
        await self._running.tick(self._noon)
        await self._running.settled()
        worker.stop()
        self._running.workers.remove(worker)

    async def in_first_batch(self, point: Point) -> None:
        """A worker that crashes in the first batch it works on."""
        self._armed.touch()
        await self._tell()
        await self._crashed(self._start(point, batch=1), point)

    async def in_takeover(self, point: Point) -> None:
        """A worker that crashes as it takes over from one whose batch was not told of."""
        await self.in_first_batch(UNTOLD)
        await self.in_first_batch(point)

    async def in_later_batch(self, point: Point) -> None:
        """A worker that repairs what the last ones left, and crashes in the second batch after that.

        The first is of events. The second is of what follows from them, links or more partials, and comes
        again alone where the first was committed.
        """
        self._armed.unlink(missing_ok=True)
        worker = self._start(point, batch=2)
        await self.all_is_right()
        self._armed.touch()
        await self._tell()
        await self._crashed(worker, point)

    async def all_is_right(self) -> None:
        """Wait until all has settled, and compare every record with the replay's."""
        async with asyncio.timeout(SETTLE_S):
            await self._running.settled()
        right = replayed(self._told, self._running.settings, now=self._noon)
        assert await self._running.figures(self._noon) == right
        await self._all_was_heard()

    async def _all_was_heard(self) -> None:
        """Of each day that is over and on which people work, that nothing came in on it; by one id."""
        over = [NOW.date() + timedelta(days=day) for day in range((self._noon - NOW).days)]
        missed = {
            f"{goal.id}|{day}|missed|0" for goal in GOALS for day in over if WORKING.works(day_number(day))
        }
        heard = [alert.id for alert in await self._running.alerts() if alert.kind not in COURSE]
        assert set(heard) ^ missed == set()
        statuses = await self._running.statuses()
        assert all(statuses[name.removesuffix("|missed|0")].standing == "missed" for name in missed)

    async def _tell(self) -> None:
        piece = next(self._pieces)
        self._told += piece
        await self._running.publish(piece)
        self._noon += timedelta(days=1)
        await self._running.tick(self._noon)

    def _start(self, point: Point, batch: int) -> WorkerProcess:
        command = ("tests.chaos.crashing_worker", str(point), str(batch), str(self._armed))
        return self._running.start_worker(command)

    async def _crashed(self, worker: WorkerProcess, point: Point) -> None:
        began = last_told = monotonic()
        while worker.process.poll() is None:
            assert monotonic() < began + CRASH_S, f"it did not come to {point}:\n{worker.last_lines()}"
            if monotonic() > last_told + TELL_S:
                # Not every batch leads to something at every point.
                await self._tell()
                last_told = monotonic()
            await asyncio.sleep(0.05)
        assert worker.process.returncode == STATUS, worker.last_lines()
        self._running.workers.remove(worker)
        worker.stop()


def crash(
    agent: Agent,
    store: str,
    broker: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    everywhere: bool,
) -> None:
    """At one point after the other; after every two of them all is right.

    Everywhere is at each point once in a worker's first batch and once in a later one. For the sake of time
    it is one of the two otherwise, in turn; and on RocksDB, where each worker finds what the one before
    left on disk, only where that is written.
    """
    if store == ROCKSDB:
        pytest.importorskip("rocksdict")
    monkeypatch.chdir(ROOT)
    own = {"store": store, "data": str(folder / "data"), "session_timeout_s": SESSION_TIMEOUT_S}
    points = points_of(agent)
    if store == ROCKSDB and not everywhere:
        points = [point for point in points if point.step == "rows"]

    async def run() -> None:
        async with pipeline(broker, partitions=4, **own) as running:
            await running.give_everywhere(*GOALS)
            crashes = Crashes(running, folder / "armed")
            await crashes.begin()
            for number, point in enumerate(points):
                if point.in_takeover:
                    await crashes.in_takeover(point)
                    continue
                if everywhere or number % 2 == 0:
                    await crashes.in_first_batch(point)
                if everywhere or number % 2 == 1:
                    await crashes.in_later_batch(point)
            running.start_worker()
            await crashes.all_is_right()

    asyncio.run(run())
