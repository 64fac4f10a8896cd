"""`./run bench history`: what an event costs as history grows, in one process and without Kafka.

Batches are of one size, which a worker's are not, and nothing else runs in the process: what a stage takes
more than the one before is of what is stored. Decoding knows no history, and says how fast the machine was.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from time import process_time
from typing import IO, Literal, TypeVar

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from agents.ledger import ledger_over
from agents.scorecard import scorecards_over
from bench.floor import SELLERS, Organisation, telling
from bench.machine import write_report
from bench.measuring import resident_mb
from bench.rounds import UNKNOWN
from kpis.ledger import Effects, Input
from malvakt.interpreter import collect_seldom
from malvakt.outcome import CallError, Fault
from schemas.decoding import Reason, decode_event
from schemas.internal import (
    SCORECARD_ROWS,
    Reported,
    decode_link,
    decode_reported,
    encode_link,
    encode_reported,
    reader_of,
)
from schemas.packing import Packing
from schemas.records import encode_record
from schemas.rows import ROWS
from schemas.topics import TABLE_OBJECTS, TABLE_SCORECARDS
from streams.holding import Holding
from streams.partitioning import partition_of
from streams.settings import ROCKSDB, Settings
from streams.tables import Rows
from streams.worker import holds_of

PARTITIONS = 8
SMOKE_EVENTS = 3_000
FIRST_TERM = 1

Row = TypeVar("Row")


class Stage(Struct, frozen=True, kw_only=True):
    """What an event took, of those since the stage before."""

    events: int
    """How many there had been in the end."""
    decode_us: float
    ledger_us: float
    """Processor time to fold events, and to keep rows."""
    scorecards_us: float
    """The same to sum what follows, and to make records of it."""
    rows: float
    """How many rows were written an event, of both tables."""
    records: float
    """How many KPI records."""
    memory_mb: float | None
    """What the process holds in the end."""


def history(
    *,
    events: int = 400_000,
    events_per_day: float = 20_000.0,
    sellers: int = SELLERS,
    batch: int = 16_000,
    stages: int = 4,
    store: Literal["memory", "rocksdb"] = ROCKSDB,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Fold a simulated organisation's events over a store, and say what an event takes at each stage.

    Parameters
    ----------
    events
        How many events the organisation tells.
    events_per_day
        About how many it tells a day.
    sellers
        How many sellers it has.
    batch
        How many events are folded together.
    stages
        Into how many parts the history is divided.
    store
        Where rows are kept.
    json
        A file for the results.
    smoke
        Few events: sees that it works, and nothing of time.
    """
    events = SMOKE_EVENTS if smoke else events
    if min(events, sellers, batch, stages) < 1 or events_per_day <= 0:
        raise CallError("--events, --events-per-day, --sellers, --batch and --stages are above 0.")
    floor = Organisation(events, sellers, events_per_day)
    collect_seldom()
    with (
        tempfile.TemporaryDirectory(prefix="malvakt-history-") as folder,
        closing(Pipeline(Settings(store=store, data=folder))) as pipeline,
        _told(floor) as lines,
    ):
        results = list(_stages(pipeline, lines, batch, -(-events // stages)))
    _show(results, f"{sellers} sellers, {events_per_day:,.0f} events a day, {store}, batches of {batch:,}")
    if json is not None:
        write_report(json, batch=batch, store=store, history=results)
    return 0


class Pipeline:
    """The ledgers and scorecards of all partitions, over what a worker holds of them."""

    def __init__(self, settings: Settings) -> None:
        business = settings.business()
        holds = holds_of(settings, FIRST_TERM)
        objects, scorecards = holds(TABLE_OBJECTS, TABLE_OBJECTS), holds(TABLE_SCORECARDS, TABLE_SCORECARDS)
        self._objects = [objects(partition) for partition in range(PARTITIONS)]
        self._scores = [scorecards(partition) for partition in range(PARTITIONS)]
        self._ledgers = [
            ledger_over(partition, business, Rows(held.packed, ROWS.unpack), held)
            for partition, held in enumerate(self._objects)
        ]
        self._scorecards = [
            scorecards_over(business, PARTITIONS, Rows(held.packed, SCORECARD_ROWS.unpack), held)
            for held in self._scores
        ]
        self._links: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        self.spent: Counter[str] = Counter()
        """Processor time, in microseconds, by what it was spent on; and what was written."""

    def take(self, lines: Iterable[bytes]) -> None:
        """Take a batch of events, and the links that followed from the last one."""
        with self._spending("decode"):
            inboxes = self._decoded(lines)
        said: list[list[bytes]] = [[] for _ in range(PARTITIONS)]
        with self._spending("ledger"):
            for partition, inbox in enumerate(inboxes):
                effects = self._ledgers[partition].apply(inbox)
                self._keep(self._objects[partition], ROWS, effects.rows, effects.version)
                self._route(effects, said)
        with self._spending("scorecards"):
            for partition, values in enumerate(said):
                self._sum(partition, map(decode_reported, values))

    def close(self) -> None:
        """Let go of what is held: RocksDB works on by itself, where all is to be removed."""
        for held in [*self._objects, *self._scores]:
            held.close()

    def _decoded(self, lines: Iterable[bytes]) -> list[list[Input]]:
        inboxes: list[list[Input]] = [list(map(decode_link, links)) for links in self._links]
        self._links = [[] for _ in range(PARTITIONS)]
        for line in lines:
            event = decode_event(line)
            if isinstance(event, Reason):
                raise Fault(f"The floor told what is no event: {event.sentence}")
            home = event.data.home
            for inbox in inboxes if home is None else [inboxes[partition_of(home, PARTITIONS)]]:
                inbox.append(event)
        return inboxes

    def _route(self, effects: Effects, said: list[list[bytes]]) -> None:
        for partial in effects.partials:
            said[partition_of(partial.scope, PARTITIONS)].append(encode_reported(partial))
        for link in effects.links:
            to = reader_of(link, lambda key: partition_of(key, PARTITIONS))
            self._links[to].append(encode_link(link))

    def _sum(self, partition: int, said: Iterable[Reported]) -> None:
        scorecards = self._scorecards[partition]
        taken = scorecards.take(said)
        records = [encode_record(record) for _, record in scorecards.records(taken.touched)]
        self.spent["records"] += len(records)
        self._keep(self._scores[partition], SCORECARD_ROWS, taken.rows, taken.version)

    def _keep(self, held: Holding, packing: Packing[Row], rows: dict[str, Row], version: int) -> None:
        for key, row in rows.items():
            held.packed[key] = packing.pack(row, version)
        held.flush()
        self.spent["rows"] += len(rows)

    @contextlib.contextmanager
    def _spending(self, on: str) -> Iterator[None]:
        began = process_time()
        yield
        self.spent[on] += round((process_time() - began) * 1e6)


def _stages(pipeline: Pipeline, lines: IO[bytes], batch: int, a_stage: int) -> Iterator[Stage]:
    told = stage = 0
    while taken := list(islice(lines, min(batch, a_stage - stage))):
        pipeline.take(taken)
        told, stage = told + len(taken), stage + len(taken)
        if stage == a_stage:
            yield _stage(pipeline, told, stage)
            stage = 0
    if stage:
        yield _stage(pipeline, told, stage)


def _stage(pipeline: Pipeline, told: int, events: int) -> Stage:
    spent, pipeline.spent = pipeline.spent, Counter()
    an_event = {what: round(much / events, 2) for what, much in spent.items()}
    return Stage(
        events=told,
        decode_us=an_event["decode"],
        ledger_us=an_event["ledger"],
        scorecards_us=an_event["scorecards"],
        rows=an_event["rows"],
        records=an_event["records"],
        memory_mb=resident_mb([os.getpid()]),
    )


@contextlib.contextmanager
def _told(floor: Organisation) -> Iterator[IO[bytes]]:
    """The lines of a simulated floor, told by a process of its own as they are read."""
    command = [sys.executable, "-m", "malvakt", *telling(floor)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as teller:
        assert teller.stdout is not None
        yield teller.stdout
    if teller.returncode:
        raise Fault("The floor could not be simulated; the message is above.")


def _show(results: list[Stage], title: str) -> None:
    table = Table(title=title)
    for heading in ("events", "CPU µs/event", "decode", "ledger", "scorecards", "rows", "records", "MB"):
        table.add_column(heading, justify="right")
    for one in results:
        together = one.decode_us + one.ledger_us + one.scorecards_us
        parts = (together, one.decode_us, one.ledger_us, one.scorecards_us)
        table.add_row(
            f"{one.events:,}",
            *(f"{part:,.0f}" for part in parts),
            *(f"{written:.2f}" for written in (one.rows, one.records)),
            UNKNOWN if one.memory_mb is None else f"{one.memory_mb:,.0f}",
        )
    Console().print(table)
