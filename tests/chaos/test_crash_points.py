"""A crash before, within and after every step of the order of effects, of both agents, leaves no trace."""

import asyncio
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from malvakt.workers import WorkerProcess
from schemas.events import Event
from simulation.floor import Floor, events, shuffled
from streams.settings import MEMORY, ROCKSDB
from tests.agents.pipeline import Pipeline, pipeline, replayed
from tests.chaos.crash_points import STATUS, Agent, Point, points_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
EVENTS_A_PIECE = 60
CRASH_S = 45.0
SETTLE_S = 60.0
SESSION_TIMEOUT_S = 2.0
"""So that the next worker need not wait long for the partitions of the one that crashed."""


def pieces() -> Iterator[list[Event]]:
    """A floor's life, as it may arrive, piece by piece."""
    told = events(Floor(sellers=8, seed=5), date(2026, 3, 2))
    arriving = shuffled(told, seed=5)
    while True:
        yield list(islice(arriving, EVENTS_A_PIECE))


class Crashes:
    """One installation, through one crash after the other."""

    def __init__(self, running: Pipeline, armed: Path) -> None:
        self._running = running
        self._armed = armed
        self._pieces = pieces()
        self._told: list[Event] = []

    async def in_first_batch(self, point: Point) -> None:
        """A worker that crashes in the first batch it works on."""
        self._armed.touch()
        await self._tell()
        await self._crashed(self._start(point), point)

    async def in_later_batch(self, point: Point) -> None:
        """A worker that repairs what the last ones left, and crashes in a batch after that."""
        self._armed.unlink(missing_ok=True)
        worker = self._start(point)
        await self.all_is_right()
        self._armed.touch()
        await self._tell()
        await self._crashed(worker, point)

    async def all_is_right(self) -> None:
        """Wait until all has settled, and compare every record with the replay's."""
        async with asyncio.timeout(SETTLE_S):
            await self._running.settled()
        assert await self._running.figures() == replayed(self._told, self._running.settings)

    async def _tell(self) -> None:
        piece = next(self._pieces)
        self._told += piece
        await self._running.publish(piece)

    def _start(self, point: Point) -> WorkerProcess:
        command = ("tests.chaos.crashing_worker", str(point), str(self._armed))
        return self._running.start_worker(command)

    async def _crashed(self, worker: WorkerProcess, point: Point) -> None:
        deadline = monotonic() + CRASH_S
        while worker.process.poll() is None:
            assert monotonic() < deadline, f"it did not come to {point}:\n{worker.last_lines()}"
            await asyncio.sleep(0.05)
        assert worker.process.returncode == STATUS, worker.last_lines()
        self._running.workers.remove(worker)
        worker.stop()


@pytest.mark.parametrize(
    ("agent", "store"), [("ledger", MEMORY), ("scorecard", MEMORY), ("ledger", ROCKSDB)]
)
def test_crash(
    agent: Agent, store: str, kafka_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each point once in a worker's first batch and once later; after every two of them all is right."""
    monkeypatch.chdir(ROOT)
    settings: dict[str, Any] = {"partitions": 4, "session_timeout_s": SESSION_TIMEOUT_S}
    if store == ROCKSDB:
        pytest.importorskip("rocksdict")
        settings |= {"store": store, "data": str(tmp_path / "data")}

    async def run() -> None:
        async with pipeline(kafka_address, **settings) as running:
            crashes = Crashes(running, tmp_path / "armed")
            for point in points_of(agent):
                await crashes.in_first_batch(point)
                await crashes.in_later_batch(point)
            running.start_worker()
            await crashes.all_is_right()

    asyncio.run(run())
