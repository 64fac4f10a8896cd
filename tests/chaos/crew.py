"""The crew: the workers of a run, kept at their number as a supervisor would, every end accounted for.

One that ends by itself is started again, as Compose does, and remembered with its last words: that is a
fault, unless it was just starting and there was no Kafka to start with.
"""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from msgspec import Struct

from malvakt.workers import WorkerProcess
from streams.settings import Settings

LOOK_S = 0.2
STOP_S = 30.0
"""How long a worker may take to finish its batch and leave: what Compose gives it."""
AFTERMATH_S = 5.0
"""How long a worker may take to end that has found no Kafka."""
NO_KAFKA = "No Kafka answers at"


class End(Struct, frozen=True):
    """How a worker ended by itself, or failed to when asked."""

    status: int
    last_lines: str
    excused: bool
    """Whether it found no Kafka when it started, while there was none."""


class Crew:
    """Workers over one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._workers: list[WorkerProcess] = []
        self._broker_away_until = 0.0
        self.ended: list[End] = []
        """Those that ended by themselves, and were started again."""
        self.left_badly: list[End] = []
        """Those that were asked to end, and did not in time or not in peace."""

    def __len__(self) -> int:
        return len(self._workers)

    def add(self) -> None:
        """Start a worker."""
        self._workers.append(WorkerProcess(self._settings))

    def kill(self, victim: float) -> None:
        """End one at once, as a crash would."""
        worker = self._taken(victim)
        worker.kill()
        worker.stop()

    async def stop(self, victim: float = 0.0) -> None:
        """Ask one to finish what it has in hand and leave."""
        await self._stop(self._taken(victim))

    async def stop_all(self) -> None:
        """Ask all of them."""
        workers, self._workers = self._workers, []
        await asyncio.gather(*(self._stop(worker) for worker in workers))

    async def pause(self, victim: float, seconds: float) -> None:
        """Stop one in the middle of whatever it does, and let it go on."""
        worker = self._taken(victim)
        worker.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            worker.process.send_signal(signal.SIGCONT)
            self._workers.append(worker)

    @contextmanager
    def broker_away(self) -> Iterator[None]:
        """While the broker is away, workers that start may find none."""
        self._broker_away_until = float("inf")
        try:
            yield
        finally:
            self._broker_away_until = monotonic() + AFTERMATH_S

    async def supervise(self) -> None:
        """Start those again that ended by themselves, until cancelled."""
        while True:
            self._look()
            await asyncio.sleep(LOOK_S)

    def last_lines(self) -> str:
        """What each has logged last."""
        return "\n".join(worker.last_lines() for worker in self._workers)

    def _look(self) -> None:
        for place, worker in enumerate(self._workers):
            if worker.process.poll() is not None:
                self.ended.append(self._end(worker))
                worker.stop()
                self._workers[place] = WorkerProcess(self._settings)

    def _taken(self, victim: float) -> WorkerProcess:
        """One of the workers, which nobody else will start again."""
        self._look()
        return self._workers.pop(int(victim * len(self._workers)))

    async def _stop(self, worker: WorkerProcess) -> None:
        worker.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(worker.process.wait, STOP_S)
        except subprocess.TimeoutExpired:
            worker.kill()
        # The signal itself ends one that is not yet far enough to hear it.
        if worker.process.returncode not in {0, -signal.SIGTERM}:
            self.left_badly.append(self._end(worker))
        worker.stop()

    def _end(self, worker: WorkerProcess) -> End:
        last_lines = worker.last_lines()
        excused = NO_KAFKA in last_lines and monotonic() < self._broker_away_until
        return End(worker.process.returncode, last_lines, excused)
