"""`./run bench latency`: from an event produced to its KPI record readable, at several rates."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.deals import customer_of, deal_won
from bench.listening import listening
from bench.machine import write_report
from malvakt.outcome import CallError, Fault
from malvakt.through_kafka import temporary_kafka
from malvakt.workers import WorkerProcess
from streams.delivery import Delivery
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics

PARTITIONS = 8
WARM_UP_S = 15.0
"""A broker that just started needs as long to become quick, and so does a worker."""
TICK_S = 0.002
READY_S = 60.0
PATIENCE_S = 10.0


class Latency(Struct, frozen=True):
    """How long events took at a rate, in milliseconds."""

    rate: int
    events: int
    lost: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    worst_ms: float


def latency(
    *,
    rates: str = "100,1000,5000",
    seconds: float = 20.0,
    broker: str | None = None,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Measure how long it takes from an event produced until its customer's KPI record can be read.

    Every event is a deal of a customer of its own, so each is timed.

    Parameters
    ----------
    rates
        Events a second, one measurement each.
    seconds
        How long each lasts, after a warm-up.
    broker
        The Kafka to use; a local one is started where none is given.
    json
        A file for the results.
    smoke
        Few events: sees that it works, and nothing of time.
    """
    if smoke:
        rates, seconds = "50", 2.0
    try:
        wanted = [int(rate) for rate in rates.split(",")]
    except ValueError as error:
        raise CallError(f"--rates {rates}: give numbers, such as 100,1000.") from error
    with contextlib.ExitStack() as stack:
        address = broker or stack.enter_context(temporary_kafka())
        results = [asyncio.run(_measured(address, rate, seconds)) for rate in wanted]
    _show(results)
    if json is not None:
        write_report(json, latency=results)
    return 1 if any(result.lost for result in results) else 0


async def _measured(broker: str, rate: int, seconds: float) -> Latency:
    name = f"latency-{secrets.token_hex(4)}"
    settings = Settings(
        broker=broker, app_id=name, topic_prefix=f"{name}.", partitions=PARTITIONS, metrics_port=0
    )
    await set_up_topics(settings)
    worker = WorkerProcess(settings)
    produced: dict[str, float] = {}
    took: list[tuple[float, float]] = []

    def hear(key: bytes, now: float) -> None:
        customer = customer_of(key)
        at = produced.pop(customer, None) if customer is not None else None
        if at is not None:
            took.append((at, now - at))

    try:
        async with listening(settings, PARTITIONS, hear), Delivery(settings) as delivery:
            await _until_ready(settings, delivery, produced, worker)
            started = perf_counter()
            await _publish(settings, delivery, produced, rate, WARM_UP_S + seconds)
            await _until(lambda: not produced, PATIENCE_S)
            worker.check()
    finally:
        worker.stop()
        await delete_topics(settings)
    counted = sorted(took_s for at, took_s in took if at >= started + WARM_UP_S)
    if not counted:
        raise Fault(f"Nothing came back:\n{worker.last_lines()}")
    at = [1000 * counted[min(len(counted) - 1, int(len(counted) * q))] for q in (0.5, 0.9, 0.99, 1.0)]
    return Latency(rate, len(counted), len(produced), *(round(ms, 1) for ms in at))


async def _until_ready(
    settings: Settings, delivery: Delivery, produced: dict[str, float], worker: WorkerProcess
) -> None:
    """The worker has started when a first deal has come back."""
    produced["first"] = perf_counter()
    await delivery.write([deal_won(settings, 0, "first", PARTITIONS)])
    if not await _until(lambda: not produced, READY_S):
        worker.check()
        raise Fault("The worker published nothing.")


async def _publish(
    settings: Settings, delivery: Delivery, produced: dict[str, float], rate: int, seconds: float
) -> None:
    number = 0
    started = perf_counter()
    while (elapsed := perf_counter() - started) < seconds:
        batch: list[str] = []
        while number < int(elapsed * rate):
            number += 1
            batch.append(f"c{number}")
        now = perf_counter()
        produced.update(dict.fromkeys(batch, now))
        await delivery.write(deal_won(settings, number, customer, PARTITIONS) for customer in batch)
        await asyncio.sleep(TICK_S)


async def _until(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = perf_counter() + seconds
    while not holds():
        if perf_counter() > deadline:
            return False
        await asyncio.sleep(TICK_S)
    return True


def _show(results: list[Latency]) -> None:
    table = Table(title="event produced to KPI record readable, ms")
    for heading in ("events/s", "events", "lost", "p50", "p90", "p99", "worst"):
        table.add_column(heading, justify="right")
    for one in results:
        figures = (one.p50_ms, one.p90_ms, one.p99_ms, one.worst_ms)
        table.add_row(f"{one.rate:,}", f"{one.events:,}", str(one.lost), *(f"{ms:.1f}" for ms in figures))
    Console().print(table)
