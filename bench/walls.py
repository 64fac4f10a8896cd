"""`./run bench walls`: many walls on one web process: what it uses, and how late the last of them hears."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.deals import deal_won
from bench.machine import free_port, write_report
from bench.measuring import cpu_seconds, peak_mb
from bench.serving import PATIENCE_S, connected, web_process
from malvakt.outcome import CallError, Fault
from malvakt.through_kafka import temporary_kafka
from malvakt.workers import ChildProcess, WorkerProcess
from streams.delivery import Delivery
from streams.settings import Settings
from streams.topic_setup import set_up_topics

PARTITIONS = 8
WARM_UP_S = 5.0
_DEAL = b'"deal":"'


class Walls(Struct, frozen=True, kw_only=True):
    """What connected walls cost the web process."""

    walls: int
    rate: float
    seconds: float
    cpu_percent: float
    """Of one processor, the web process's,"""
    peak_mb: float
    """and the most memory it held."""
    changes: int
    """How many deals all walls heard of."""
    p95_ms: float
    """From a deal produced until the last of the walls is told of it; nineteen of twenty,"""
    worst_ms: float
    """and the slowest."""
    lost: int
    """How many deals a wall did not hear of."""


def walls(
    *,
    connected: int = 200,
    rate: float = 10.0,
    seconds: float = 30.0,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Connect many walls to one web process and win deals meanwhile.

    Kafka, a worker and all walls run on this machine; what hears for a wall is a few lines, and no browser.
    Exit status 1 if a wall did not hear of a deal.

    Parameters
    ----------
    connected
        How many walls there are.
    rate
        Deals a second.
    seconds
        For how long, after a warm-up.
    json
        A file for the results.
    smoke
        Few walls: sees that it works, and nothing of time.
    """
    if smoke:
        connected, seconds = 5, 2.0
    if connected < 1 or rate <= 0 or seconds <= 0:
        raise CallError("--connected, --rate and --seconds are above 0.")
    with temporary_kafka() as address, tempfile.TemporaryDirectory(prefix="malvakt-walls-") as folder:
        settings = Settings(broker=address, partitions=PARTITIONS, metrics_port=0, ticks_s=1.0)
        result = asyncio.run(_measured(settings, Path(folder), connected, rate, seconds))
    _show(result)
    if json is not None:
        write_report(json, walls=result)
    return 1 if result.lost else 0


class _Heard:
    """When walls heard of each deal."""

    def __init__(self) -> None:
        self.produced: dict[bytes, float] = {}
        """By the deal, as the stream tells of it."""
        self.last: dict[bytes, float] = {}
        self.walls: dict[bytes, int] = {}

    def take(self, line: bytes) -> None:
        """A wall was sent this."""
        start = line.find(_DEAL)
        if start < 0:
            return
        deal = line[start : line.index(b'"', start + len(_DEAL))]
        if deal in self.produced:
            self.last[deal] = time.time()
            self.walls[deal] = self.walls.get(deal, 0) + 1


async def _measured(settings: Settings, folder: Path, connected: int, rate: float, seconds: float) -> Walls:
    await set_up_topics(settings)
    port = free_port()
    web = web_process(settings, port, folder)
    worker = WorkerProcess(settings)
    heard = _Heard()
    try:
        async with Delivery(settings) as delivery, contextlib.AsyncExitStack() as stack:
            for _ in range(connected):
                await stack.enter_async_context(_wall(port, heard, [web, worker]))
            warm = int(rate * WARM_UP_S)
            await _win(settings, delivery, heard, rate, range(warm))
            await _until(lambda: len(heard.last) == warm, [web, worker])
            heard.produced.clear()
            before, began = cpu_seconds([web]) or 0.0, time.monotonic()
            await _win(settings, delivery, heard, rate, range(warm, warm + int(rate * seconds)))
            took = time.monotonic() - began
            cpu = (cpu_seconds([web]) or 0.0) - before
            await asyncio.sleep(2.0)
            peak = round(peak_mb([web]) or 0.0)
    finally:
        web.stop()
        worker.stop()
    late = sorted(heard.last[deal] - at for deal, at in heard.produced.items() if deal in heard.last)
    if not late:
        raise Fault("No wall heard of anything.")
    return Walls(
        walls=connected,
        rate=rate,
        seconds=round(took, 1),
        cpu_percent=round(100 * cpu / took, 1),
        peak_mb=peak,
        changes=len(late),
        p95_ms=round(1_000 * late[min(len(late) - 1, int(len(late) * 0.95))], 1),
        worst_ms=round(1_000 * late[-1], 1),
        lost=sum(heard.walls.get(deal, 0) < connected for deal in heard.produced),
    )


async def _win(settings: Settings, delivery: Delivery, heard: _Heard, rate: float, numbers: range) -> None:
    """Win deals at a rate, one after the other."""
    began = time.monotonic()
    for count, number in enumerate(numbers):
        await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
        heard.produced[_DEAL + b"d%d" % number] = time.time()
        await delivery.write([deal_won(settings, number, f"c{number}", PARTITIONS)])


@contextlib.asynccontextmanager
async def _wall(port: int, heard: _Heard, processes: list[ChildProcess]) -> AsyncIterator[None]:
    """A wall that listens."""
    reader, writer = await connected(port, processes)
    writer.write(b"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
    listening = asyncio.create_task(_listen(reader, heard))
    try:
        yield
        if listening.done():
            listening.result()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        writer.close()


async def _listen(reader: asyncio.StreamReader, heard: _Heard) -> None:
    while line := await reader.readline():
        heard.take(line)
    raise Fault("The web process hung up on a wall.")


async def _until(holds: Callable[[], bool], processes: list[ChildProcess]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        for process in processes:
            process.check()
        if time.monotonic() > until:
            raise Fault(f"Walls did not hear of everything within {PATIENCE_S:.0f} s.")
        await asyncio.sleep(0.1)


def _show(result: Walls) -> None:
    table = Table(title=f"{result.walls} walls, {result.rate:g} deals a second, one web process")
    for heading in ("CPU %", "peak MB", "p95 ms", "worst ms", "lost"):
        table.add_column(heading, justify="right")
    table.add_row(
        f"{result.cpu_percent:.0f}",
        f"{result.peak_mb:,.0f}",
        f"{result.p95_ms:,.0f}",
        f"{result.worst_ms:,.0f}",
        f"{result.lost}",
    )
    Console().print(table)
