"""`./run bench handover`: workers come and go over much state; how long does each partition stand still?"""

import asyncio
import contextlib
import secrets
import urllib.request
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from aiokafka import TopicPartition
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.deals import customer_of, deal_won
from bench.listening import listening
from bench.machine import free_port, write_report
from bench.standard_load import loaded
from malvakt.outcome import Fault
from malvakt.through_kafka import settled, temporary_kafka
from malvakt.workers import WorkerProcess
from schemas.topics import TABLE_OBJECTS, TABLE_SCORECARDS, changelog
from streams.connecting import Consumer
from streams.delivery import Delivery
from streams.partitioning import partition_of
from streams.settings import Settings

PARTITIONS = 8
PROBE_S = 0.05
SESSION_TIMEOUT_S = 10.0
WATCHED_S = 40.0
READY_S = 120.0
PARTS = ("rows", "views")


class Change(Struct, frozen=True):
    """One change of workers, and how long partitions stood still beyond the time between two probes."""

    what: str
    stayed_s: list[float]
    """Of the partitions that stayed with their worker."""
    moved_s: list[float]
    """Of those that another took over."""


class Handover(Struct, frozen=True):
    """State that was handed over, and how fast."""

    rows: int
    changes: list[Change]
    recovered_rows: int
    rows_s: float
    """One worker taking over everything: the time to read its rows."""
    views_s: float
    """And the time to build the views over them."""


def handover(
    *, events: int = 400_000, broker: str | None = None, json: Path | None = None, smoke: bool = False
) -> int:
    """Measure how long partitions stand still when one of two workers comes, goes or is killed.

    A probe of each partition is a customer whose deals and whose records live in that same partition.

    Parameters
    ----------
    events
        How many deals make the state; each leaves some two and a half rows.
    broker
        The Kafka to use; a local one is started where none is given.
    json
        A file for the results.
    smoke
        Little state: sees that it works, and nothing of time.
    """
    if smoke:
        events = 3_000
    with contextlib.ExitStack() as stack:
        address = broker or stack.enter_context(temporary_kafka())
        name = f"handover-{secrets.token_hex(4)}"
        loaded(address, f"{name}.", events, PARTITIONS)
        settings = Settings(
            broker=address,
            app_id=name,
            topic_prefix=f"{name}.",
            partitions=PARTITIONS,
            session_timeout_s=SESSION_TIMEOUT_S,
        )
        result = asyncio.run(_Floor(settings).measured())
    _show(result)
    if json is not None:
        write_report(json, handover=result)
    return 0


class _Floor:
    """State, a probe of each of its partitions, and workers that come and go."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._probes = _probes()
        self._heard: dict[str, list[float]] = {customer: [] for customer in self._probes}
        self._port = free_port()

    async def measured(self) -> Handover:
        first = self._worker()
        second: WorkerProcess | None = None
        try:
            await settled(self._settings, [first])
            rows = await self._rows()
            async with self._probed():
                since = perf_counter()
                second = self._worker()
                added = await self._change("one is added", since)
                since = perf_counter()
                second.stop()
                stopped = await self._change("one is stopped", since)
                second = self._worker()
                await asyncio.sleep(WATCHED_S / 2)
                since = perf_counter()
                second.kill()
                killed = await self._change(
                    f"one is killed, noticed after {SESSION_TIMEOUT_S:.0f} s", since
                )
            first.stop()
            alone = await self._alone()
        finally:
            for worker in (first, second):
                if worker is not None:
                    worker.stop()
        return Handover(rows, [added, stopped, killed], *alone)

    def _worker(self, metrics_port: int = 0) -> WorkerProcess:
        return WorkerProcess(msgspec.structs.replace(self._settings, metrics_port=metrics_port))

    @contextlib.asynccontextmanager
    async def _probed(self) -> AsyncIterator[None]:
        async with (
            listening(self._settings, PARTITIONS, self._hear),
            Delivery(self._settings) as delivery,
        ):
            probing = asyncio.create_task(self._probe(delivery))
            try:
                await asyncio.sleep(2.0)
                yield
            finally:
                probing.cancel()
                await asyncio.gather(probing, return_exceptions=True)

    async def _probe(self, delivery: Delivery) -> None:
        number = 0
        while True:
            number += 1
            deals = [deal_won(self._settings, number, name, PARTITIONS) for name in self._probes]
            await delivery.write(deals)
            await asyncio.sleep(PROBE_S)

    def _hear(self, key: bytes, now: float) -> None:
        heard = self._heard.get(customer_of(key) or "")
        if heard is not None:
            heard.append(now)

    async def _change(self, what: str, since: float) -> Change:
        """Watch for a while; the half of the partitions that stood still the longest have moved."""
        await asyncio.sleep(WATCHED_S)
        now = perf_counter()
        still: list[float] = []
        for heard in self._heard.values():
            moments = [moment for moment in heard if moment > since - 1.0] + [now]
            gaps = [after - before for before, after in pairwise(moments)]
            still.append(round(max(gaps) - PROBE_S, 2))
        still.sort()
        return Change(what, still[: PARTITIONS // 2], still[PARTITIONS // 2 :])

    async def _rows(self) -> int:
        """How many rows the changelogs hold."""
        names = [
            changelog(self._settings.app_id, table).name for table in (TABLE_OBJECTS, TABLE_SCORECARDS)
        ]
        consumer: Any = Consumer(self._settings)
        await consumer.start()
        try:
            tps = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]
            ends: dict[TopicPartition, int] = await consumer.end_offsets(tps)
            return sum(ends.values())
        finally:
            await consumer.stop()

    async def _alone(self) -> tuple[int, float, float]:
        """One worker recovers everything: how many rows, and how long each part took, by its metrics."""
        worker = self._worker(self._port)
        try:
            deadline = perf_counter() + READY_S
            while perf_counter() < deadline:
                worker.check()
                found = await asyncio.to_thread(self._scraped)
                seconds = [found.get(f'malvakt_recovery_seconds{{part="{part}"}}', 0.0) for part in PARTS]
                if found.get("malvakt_ready_partitions") == PARTITIONS and all(seconds):
                    rows = sum(n for name, n in found.items() if name.startswith("malvakt_recovered_rows"))
                    return int(rows), round(seconds[0], 3), round(seconds[1], 3)
                await asyncio.sleep(0.5)
            raise Fault(f"The worker did not become ready:\n{worker.last_lines()}")
        finally:
            worker.stop()

    def _scraped(self) -> dict[str, float]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as page:
                lines = page.read().decode().splitlines()
        except OSError:
            return {}
        pairs = (line.rpartition(" ") for line in lines if line.startswith("malvakt_"))
        return {name: float(value) for name, _, value in pairs if "_created" not in name}


def _probes() -> list[str]:
    """A customer for each partition whose deals and whose records live in that same one."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        number += 1
        customer = f"probe{number}"
        home = partition_of(customer, PARTITIONS)
        if partition_of(f"customer:{customer}", PARTITIONS) == home:
            found.setdefault(home, customer)
    return list(found.values())


def _show(result: Handover) -> None:
    table = Table(
        title=f"{result.rows:,} rows of state, {PARTITIONS} partitions, two workers: s stood still"
    )
    for heading in ("", "those that stay", "those that move"):
        table.add_column(heading)
    for change in result.changes:
        stayed, moved = (" ".join(f"{s:.2f}" for s in some) for some in (change.stayed_s, change.moved_s))
        table.add_row(change.what, stayed, moved)
    console = Console()
    console.print(table)
    rows, total_s = result.recovered_rows, result.rows_s + result.views_s
    console.print(
        f"One worker takes over all: {rows:,} rows read in {result.rows_s:.2f} s,"
        f" {rows / result.rows_s:,.0f} rows/s; their views built in {result.views_s:.2f} s more,"
        f" {rows / total_s:,.0f} rows/s in all"
    )
