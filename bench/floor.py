"""`./run bench floor`: a simulated organisation through two workers, and every figure counted again."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import date
from math import inf
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.machine import write_report
from bench.measuring import Group, Measured, measure, peak_mb
from malvakt.outcome import CallError, Fault
from malvakt.through_kafka import kafka_in
from malvakt.workers import WorkerProcess, environment_of
from schemas.topics import (
    CRM_TOPICS,
    LEDGER_TOPICS,
    PARTIALS,
    TABLE_OBJECTS,
    TABLE_SCORECARDS,
    changelog,
)
from streams.settings import LEAST_CACHE_MB, MEMORY, Settings

WORKERS = 2
SELLERS = 200
A_TEAM = 10
"""How many sellers a team has."""
START = date(2020, 1, 1)
"""Early enough for some three million events before today: what lies in the future closes no window."""
CACHE_MB = Settings().rocksdb_cache_mb
LONGEST_S = 6 * 3600.0
JOURNAL = "floor.json"
"""The file in a folder that is gone on with: what was told there, and how far it is counted."""
SMOKE_EVENTS = 3_000


class Organisation(Struct, frozen=True):
    """What is simulated."""

    events: int
    sellers: int
    events_per_day: float | None
    """About how many, on calendar days; none where the floor is as busy as it is by itself."""


class Sitting(Struct, frozen=True):
    """What workers did in one go."""

    counted: int
    """How many records were finished while the clock ran."""
    seconds: float
    """From the second sitting on with the time in which workers start, and read what they had."""
    cpu_s: float
    """Processor time of all workers."""
    peak_mb: list[float]
    """The most memory that each worker held."""


class Journal(Struct):
    """What a folder is about, and what was done in it."""

    organisation: Organisation
    store: str
    sittings: list[Sitting]


class FloorRun(Struct, frozen=True, kw_only=True):
    """What a floor's events took, and whether every figure is right."""

    organisation: Organisation
    store: str
    records: int
    """What the events are on the topics: teams and rates are on every partition."""
    counted: int
    """How many of these were finished while the clock ran."""
    sittings: int
    """In how many goes."""
    seconds: float
    cpu_us: float
    """Processor time of all workers, an event."""
    peak_mb: list[float]
    """The most memory that each worker ever held."""
    store_mb: float
    """What the workers' own stores take on disk; nothing where rows are in memory."""
    changelogs_mb: float
    """What the changelogs of all rows take on the broker's disk."""
    reconcile_s: float
    """How long it took to count every figure again."""
    reconciled: str
    """What `malvakt reconcile` said last."""
    right: bool

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.counted / self.seconds


def floor(
    *,
    events: int = 100_000,
    sellers: int = SELLERS,
    events_per_day: float | None = None,
    store: Literal["memory", "rocksdb"] = MEMORY,
    cache_mb: int = CACHE_MB,
    reconcile_mb: int | None = None,
    folder: Path | None = None,
    sitting: float = inf,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Send a simulated organisation through two workers on a Kafka of their own, and reconcile.

    Exit status 1 if a figure differs, reconcile could not judge, or a sitting ended before all was done.

    Parameters
    ----------
    events
        How many events the organisation tells.
    sellers
        How many sellers it has.
    events_per_day
        About how many events it tells a day; some seven a seller if not given.
    store
        Where workers keep their rows.
    cache_mb
        Memory for RocksDB in each worker; another in each sitting, if you like.
    reconcile_mb
        Memory for the database of reconcile, as its own --memory; what it takes by default if not given.
    folder
        Where Kafka and the workers keep their data, for good: the same call goes on with what is there. A
        folder that is removed if not given.
    sitting
        With --folder: stop after so many seconds, to go on another time.
    json
        A file for the results.
    smoke
        Few events: sees that it works, and nothing of time.
    """
    events = SMOKE_EVENTS if smoke else events
    if events < 1:
        raise CallError("--events is above 0.")
    if sellers < 1:
        raise CallError("--sellers is above 0.")
    if events_per_day is not None and events_per_day <= 0:
        raise CallError("--events-per-day is above 0.")
    if cache_mb < LEAST_CACHE_MB:
        raise CallError(f"--cache-mb is {LEAST_CACHE_MB} or more.")
    if sitting <= 0:
        raise CallError("--sitting is above 0.")
    if sitting != inf and folder is None:
        raise CallError("--sitting goes with --folder: there would be nothing to go on with.")
    organisation = Organisation(events, sellers, events_per_day)
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="malvakt-floor-")))
        journal = taken_up(folder, organisation, store)
        address = stack.enter_context(kafka_in(folder / "kafka"))
        settings = Settings(broker=address, store=store, rocksdb_cache_mb=cache_mb, metrics_port=0)
        comparing = ["reconcile", *([] if reconcile_mb is None else ["--memory", str(reconcile_mb)])]
        result = _run(settings, folder, organisation, journal, sitting, comparing)
    _show(result)
    if json is not None:
        write_report(json, floor=result)
    return 0 if result.right else 1


def taken_up(folder: Path, organisation: Organisation, store: str) -> Journal | None:
    """What was done in a folder so far; `None` where it is new.

    Raises:
        CallError: it is of another run, or of one that was broken off while it was told.
    """
    path = folder / JOURNAL
    if not path.exists():
        if (folder / "kafka").exists():
            raise CallError(
                f"{folder} has some of a floor's events, but not all: remove it, and begin anew."
            )
        return None
    journal = msgspec.json.decode(path.read_bytes(), type=Journal)
    if (journal.organisation, journal.store) != (organisation, store):
        raise CallError(f"{folder} is of another run ({path}): say --store and all that is told as then.")
    return journal


def _run(
    settings: Settings,
    folder: Path,
    organisation: Organisation,
    journal: Journal | None,
    sitting_s: float,
    comparing: list[str],
) -> FloorRun:
    if journal is None:
        _simulate(settings, organisation)
        journal = Journal(organisation, settings.store, [])
        keep(folder, journal)
    stores = [folder / f"worker-{number}" for number in range(WORKERS)]
    workers = [WorkerProcess(msgspec.structs.replace(settings, data=str(store))) for store in stores]
    try:
        records, measured = _measured(settings, workers, sitting_s)
        journal.sittings.append(_sitting(measured, workers))
        keep(folder, journal)
        if not measured.settled:
            done = measured.samples[-1].done
            raise Fault(f"{done:,} of {records:,} events are read. The same call goes on with them.")
        began = time.monotonic()
        reconciled = _malvakt(settings, *comparing)
        reconcile_s = time.monotonic() - began
    finally:
        for worker in workers:
            worker.stop()
    logs = [changelog(settings.app_id, table).name for table in (TABLE_OBJECTS, TABLE_SCORECARDS)]
    partitions = [path for log in logs for path in (folder / "kafka" / "data").glob(f"{log}-*")]
    total = totals(journal.sittings)
    return FloorRun(
        organisation=organisation,
        store=settings.store,
        records=records,
        counted=total.counted,
        sittings=len(journal.sittings),
        seconds=round(total.seconds, 3),
        cpu_us=round(total.cpu_s * 1e6 / max(1, total.counted), 1),
        peak_mb=[round(peak) for peak in total.peak_mb],
        store_mb=_megabytes(stores),
        changelogs_mb=_megabytes(partitions),
        reconcile_s=round(reconcile_s, 1),
        reconciled=reconciled.stderr.strip(),
        right=reconciled.returncode == 0,
    )


def _sitting(measured: Measured, workers: Iterable[WorkerProcess]) -> Sitting:
    assert measured.cpu_s is not None
    counted = measured.samples[-1].done - measured.first_done
    peaks = [peak for worker in workers if (peak := peak_mb([worker])) is not None]
    return Sitting(counted, measured.seconds, measured.cpu_s, peaks)


def totals(sittings: Sequence[Sitting]) -> Sitting:
    """What all sittings make together; of memory, the most that each worker held in any."""
    return Sitting(
        sum(sitting.counted for sitting in sittings),
        sum(sitting.seconds for sitting in sittings),
        sum(sitting.cpu_s for sitting in sittings),
        [max(peaks) for peaks in zip(*(sitting.peak_mb for sitting in sittings), strict=True)],
    )


def keep(folder: Path, journal: Journal) -> None:
    """Write down what was done in a folder."""
    (folder / JOURNAL).write_bytes(msgspec.json.format(msgspec.json.encode(journal), indent=1))


def telling(organisation: Organisation) -> list[str]:
    """The command of malvakt that tells an organisation's events."""
    options = {
        "--sellers": organisation.sellers,
        "--teams": -(-organisation.sellers // A_TEAM),
        "--start": START,
        "--events": organisation.events,
        "--events-per-day": organisation.events_per_day,
    }
    given = ((option, str(value)) for option, value in options.items() if value is not None)
    return ["simulate", *(text for pair in given for text in pair)]


def _simulate(settings: Settings, organisation: Organisation) -> None:
    """Tell all events before a worker runs: making them up takes as much of the machine as a worker."""
    began = time.monotonic()
    done = _malvakt(settings, *telling(organisation), "--broker", settings.broker)
    if done.returncode:
        raise Fault(f"The floor could not be simulated:\n{done.stderr}")
    print(f"{done.stderr.strip()} In {time.monotonic() - began:.0f} s.", file=sys.stderr)


def _measured(settings: Settings, workers: list[WorkerProcess], sitting_s: float) -> tuple[int, Measured]:
    flow = [settings.topic(topic) for topic in [*LEDGER_TOPICS, PARTIALS.name]]
    sources = [settings.topic(topic.name) for topic in CRM_TOPICS]
    with Group(settings.broker, settings.app_id, flow, sources) as group:
        records = group.told()
        return records, measure(group, workers, records, max(LONGEST_S, sitting_s), sitting_s)


def _malvakt(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of malvakt as its user would, and keep what it says."""
    return subprocess.run(
        [sys.executable, "-m", "malvakt", *arguments],
        env={**os.environ, **environment_of(settings)},
        capture_output=True,
        text=True,
        check=False,
    )


def _megabytes(folders: Iterable[Path]) -> float:
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    # Blocks, not lengths: Kafka's indexes and RocksDB's logs are made longer than what is in them.
    return round(sum(path.stat().st_blocks for path in files) * 512 / 1e6, 1)


def _show(result: FloorRun) -> None:
    told = result.organisation
    table = Table(
        title=f"{told.events:,} events of {told.sellers} sellers, {WORKERS} workers, {result.store}"
    )
    for heading in ("s", "events/s", "CPU µs/event", "peak MB a worker", "store MB", "changelogs MB"):
        table.add_column(heading, justify="right")
    table.add_row(
        f"{result.seconds:,.1f}",
        f"{result.rate:,.0f}",
        f"{result.cpu_us:,.0f}",
        " ".join(f"{peak:,.0f}" for peak in result.peak_mb),
        f"{result.store_mb:,.1f}",
        f"{result.changelogs_mb:,.1f}",
    )
    console = Console()
    console.print(table)
    console.print(f"reconcile, in {result.reconcile_s:,.0f} s: {result.reconciled}")
