"""`malvakt replay`: recorded events to KPI records, in this process or through a real Kafka."""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from kpis.contributions import Business
from kpis.own import told
from kpis.replay import BATCH_EVENTS, Replay, final_records
from malvakt.asking import asked_instant
from malvakt.defined import read_file
from malvakt.interpreter import collect_seldom
from malvakt.outcome import CallError
from malvakt.progress import progress
from malvakt.recorded import EventFile, Line, read_recorded, report
from malvakt.showing import show_records
from schemas.definitions import Definitions
from schemas.events import Event, Recorded, Told
from schemas.records import KpiRecord, encode_record
from streams.settings import Settings


def replay_(
    *files: EventFile,
    timezone: str = "Europe/Stockholm",
    currency: str = "SEK",
    as_of: str | None = None,
    definitions: Path | None = None,
    json: bool = False,
    through: Literal["kafka"] | None = None,
    workers: int = 1,
    broker: str | None = None,
) -> int:
    """Fold recorded events and print every KPI record.

    Parameters
    ----------
    files
        Events, one JSON object a line; `-` reads standard input.
    timezone
        The business timezone.
    currency
        The reporting currency.
    as_of
        Which instant counts as now, for what is open and closed; the latest event time by default.
    definitions
        Own measures and KPIs to count as well, in TOML; see docs/definitions.md.
    json
        Print each record as one JSON line, sorted by key.
    through
        `kafka` runs the events through real workers on a real Kafka instead of in this process.
    workers
        How many workers share the work, with `--through kafka`.
    broker
        The Kafka to use, with `--through kafka`; a local one is started where none is given.
    """
    if not files:
        raise CallError("Name the files of events to replay, or - for standard input.")
    if through is None and (broker is not None or workers != 1):
        raise CallError("--workers and --broker go with --through kafka.")
    if workers < 1:
        raise CallError("--workers takes a number from 1.")
    if through is not None and definitions is not None:
        raise CallError("--definitions is for a replay in this process, not for --through kafka.")
    own = Definitions() if definitions is None else read_file(definitions, {})
    if own is None:
        return 1
    business = Settings(timezone=timezone, currency=currency).business()
    now = None if as_of is None else asked_instant("--as-of", as_of, business.calendar)
    collect_seldom()
    refused: list[Line] = []
    events = _Timed(read_recorded(list(files), refused))
    if through == "kafka":
        from malvakt.through_kafka import replayed_through_kafka  # noqa: PLC0415

        found = asyncio.run(
            replayed_through_kafka(
                events,
                timezone,
                currency,
                lambda: now or events.latest,
                workers=workers,
                broker=broker,
            )
        )
        records = final_records(found, now or events.latest, business) if events.latest else iter(())
    else:
        replay = _replayed(told(events, own), business, own)
        records = replay.records(now or events.latest) if events.latest else iter(())
    _print(records, as_json=json)
    report(refused)
    return 1 if refused else 0


class _Timed:
    """Passes events on and remembers the latest event time."""

    def __init__(self, events: Iterable[Recorded]) -> None:
        self._events = events
        self.latest: datetime | None = None

    def __iter__(self) -> Iterator[Recorded]:
        for recorded in self._events:
            time = recorded.event.time
            if self.latest is None or time > self.latest:
                self.latest = time
            yield recorded


def _replayed(events: Iterable[Event | Told], business: Business, definitions: Definitions) -> Replay:
    replay = Replay(business, definitions=definitions)
    iterator = iter(events)
    with progress("events replayed") as advance:
        while batch := list(islice(iterator, BATCH_EVENTS)):
            replay.feed(batch)
            advance(len(batch))
    return replay


def _print(records: Iterable[KpiRecord], *, as_json: bool) -> None:
    if not as_json:
        show_records(list(records))
        return
    for record in records:
        sys.stdout.buffer.write(encode_record(record) + b"\n")
    sys.stdout.buffer.flush()
