"""`./run bench growth`: what an event costs as the organisation grows, and what a million objects weigh."""

import contextlib
import secrets
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.machine import write_report
from bench.measuring import Group, Measured, measure
from bench.standard_load import Load, loaded
from bench.topics import Topics
from malvakt.outcome import CallError
from malvakt.through_kafka import temporary_kafka
from malvakt.workers import WorkerProcess
from schemas.topics import LEDGER_TOPICS, PARTIALS
from streams.settings import Settings

PARTITIONS = 8
SMOKE_EVENTS = 3_000


class Grown(Struct, frozen=True):
    """One run of one worker over an organisation of some size."""

    sellers: int
    events: int
    cpu_us: float
    """Processor time an event."""
    peak_mb: float


def growth(
    *,
    sellers: str = "10,100,1000,10000",
    events: int = 100_000,
    broker: str | None = None,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Measure what an event costs one worker as sellers grow, and memory as objects do.

    Parameters
    ----------
    sellers
        The sizes of the organisation.
    events
        How many events each gets; the first size gets four times as many once more, and the difference
        in memory is what objects weigh.
    broker
        The Kafka to use; a local one is started where none is given.
    json
        A file for the results.
    smoke
        Few events: sees that it works, and nothing of time.
    """
    if smoke:
        sellers, events = "10,100", SMOKE_EVENTS
    try:
        sizes = [int(size) for size in sellers.split(",")]
    except ValueError as error:
        raise CallError(f"--sellers {sellers}: give numbers, such as 10,1000.") from error
    with contextlib.ExitStack() as stack:
        address = broker or stack.enter_context(temporary_kafka())
        results = [_run(address, size, events) for size in sizes]
        more = _run(address, sizes[0], 4 * events)
    mb_per_million = (more.peak_mb - results[0].peak_mb) / (more.events - results[0].events) * 1e6
    _show([*results, more], mb_per_million)
    if json is not None:
        write_report(json, growth=[*results, more], mb_per_million=mb_per_million)
    return 0


def _run(broker: str, sellers: int, events: int) -> Grown:
    name = f"growth-{secrets.token_hex(4)}"
    topics = Topics(broker)
    load = loaded(broker, f"{name}.", events, PARTITIONS, sellers=sellers)
    settings = Settings(
        broker=broker, app_id=name, topic_prefix=f"{name}.", partitions=PARTITIONS, metrics_port=0
    )
    worker = WorkerProcess(settings)
    try:
        measured = _measured(settings, load, worker)
    finally:
        worker.stop()
        topics.delete_all_of(name)
    assert measured.cpu_s is not None
    assert measured.peak_mb is not None
    counted = max(1, events - measured.first_done)
    return Grown(sellers, events, round(measured.cpu_s / counted * 1e6, 1), round(measured.peak_mb))


def _measured(settings: Settings, load: Load, worker: WorkerProcess) -> Measured:
    flow = [settings.topic(topic) for topic in [*LEDGER_TOPICS, PARTIALS.name]]
    with Group(settings.broker, settings.app_id, flow, [load.topic]) as group:
        return measure(group, [worker], load.deals)


def _show(results: list[Grown], mb_per_million: float) -> None:
    table = Table()
    for heading in ("sellers", "events", "CPU µs/event", "peak MB"):
        table.add_column(heading, justify="right")
    for one in results:
        table.add_row(f"{one.sellers:,}", f"{one.events:,}", f"{one.cpu_us:.0f}", f"{one.peak_mb:.0f}")
    console = Console()
    console.print(table)
    console.print(f"A million objects more take {mb_per_million:,.0f} MB, their scorecards included.")
