"""`malvakt reconcile`: every figure again from the raw events, and what differs from the published."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from audit.books import WIDE, Books, Room, room_of
from audit.comparing import Difference, differences, forget_records, hold_latest, take_records
from malvakt.auditing import (
    PUBLISHED,
    Installation,
    UndecidedError,
    as_founded,
    books_of,
    refuse_lost_history,
    rules_of,
    settings_of,
)
from malvakt.defined import read_file
from malvakt.outcome import CallError
from malvakt.reaching import reaching
from malvakt.recorded import EventFile, Line, read_records, report
from malvakt.showing import plain, window_name
from schemas.definitions import Definitions
from streams.defining import read_in_use
from streams.settings import Settings

SHOWN = 50
LEAST_MB = 200
"""Each of the database's threads needs some, however little is counted."""

Files = Annotated[list[EventFile], Parameter(consume_multiple=True)]


def reconcile_(
    *,
    events: Files | None = None,
    records: Path | None = None,
    definitions: Path | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    broker: str | None = None,
    wait: float = 10.0,
    patience: float = 600.0,
    memory: int = WIDE.memory_mb,
    json: bool = False,
) -> int:
    """Count everything again from the raw events, in another way, and show what was published otherwise.

    Exit status 1 if anything differs, or cannot be judged. Nothing is written, and a running installation
    is not disturbed: what its workers have yet to do is waited for.

    Parameters
    ----------
    events
        Files of events to count, instead of the topics; `-` reads standard input.
    records
        With --events: the records to compare with, as `malvakt replay --json` prints them.
    definitions
        With --events: the own measures and KPIs that records show, in TOML. An installation has its own.
    timezone
        With --events: the business timezone; else MALVAKT_TIMEZONE. An installation has its own.
    currency
        With --events: the reporting currency; else MALVAKT_CURRENCY. An installation has its own.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    wait
        Seconds until differences are looked at again.
    patience
        Seconds to wait for workers that are behind, before each look.
    memory
        Megabytes that the database may take; what is more goes to disk. All takes half as much again.
    json
        Print each difference as one JSON line.
    """
    if (events is None) != (records is None):
        raise CallError("--events and --records go together.")
    if definitions is not None and events is None:
        raise CallError("--definitions goes with --events; an installation has its own.")
    if wait < 0:
        raise CallError("--wait takes seconds, 0 or more.")
    if patience < 0:
        raise CallError("--patience takes seconds, 0 or more.")
    if memory < LEAST_MB:
        raise CallError(f"--memory takes megabytes, {LEAST_MB} or more.")
    room = room_of(memory)
    settings = settings_of(events, broker, timezone, currency)
    if events is not None and records is not None:
        defined = None if definitions is None else read_file(definitions, {})
        if definitions is not None and defined is None:
            return 1
        return _of_files(settings, events, records, defined, room, as_json=json)
    with reaching(settings.broker):
        return asyncio.run(_of_topics(settings, wait, patience, room, as_json=json))


def _of_files(
    settings: Settings,
    events: list[Path],
    records: Path,
    definitions: Definitions | None,
    room: Room,
    *,
    as_json: bool,
) -> int:
    refused: list[Line] = []
    with books_of(settings, events, refused, definitions, room) as books:
        forget_records(books)
        not_recounted = take_records(books, read_records(records))
        compared = hold_latest(books)
        found = differences(books, PUBLISHED)
        _tell(found, compared, books, as_json=as_json)
    _tell_not_recounted(not_recounted, "--definitions takes the file they were counted under")
    report(refused)
    return 1 if found or refused else 0


async def _of_topics(
    settings: Settings, wait_s: float, patience_s: float, room: Room, *, as_json: bool
) -> int:
    founded = await as_founded(settings)
    await refuse_lost_history(settings)
    in_use = await read_in_use(settings)
    with Books(rules_of(founded), in_use, room) as books:
        installation = Installation(settings, books, in_use)
        try:
            found = await installation.standing_differences(wait_s, patience_s)
        except UndecidedError as undecided:
            print(undecided, file=sys.stderr)
            return 1
        _tell(found, hold_latest(books), books, as_json=as_json)
        if installation.undecided:
            print(
                f"{installation.undecided} more figures moved all the while and cannot be judged; try again"
                " when less happens.",
                file=sys.stderr,
            )
    _tell_not_recounted(
        installation.not_recounted, "no definition is in use for them, or not in every partition yet"
    )
    return 1 if found else 0


def _tell_not_recounted(names: set[str], why: str) -> None:
    if names:
        print(f"Not recounted: {', '.join(sorted(names))}; {why}.", file=sys.stderr)


def _tell(found: list[Difference], compared: int, books: Books, *, as_json: bool) -> None:
    if as_json:
        for difference in found:
            sys.stdout.buffer.write(msgspec.json.encode(difference) + b"\n")
    elif found:
        _show(found)
    print(f"{compared} records compared, {len(found)} differences.", file=sys.stderr)
    conflicts = books.conflicts() if found else 0
    if conflicts:
        print(
            f"{conflicts} pairs of source and id say more than one thing; what they touch is uncertain"
            " (docs/events.md).",
            file=sys.stderr,
        )


def _show(found: list[Difference]) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("scope", overflow="fold", min_width=12)
    table.add_column("window", no_wrap=True)
    table.add_column("figure", no_wrap=True)
    table.add_column("published", justify="right")
    table.add_column("recounted", justify="right")
    for difference in found[:SHOWN]:
        table.add_row(
            plain(difference.scope),
            window_name(difference.grain, difference.start),
            difference.figure or "",
            _text(difference.published),
            _text(difference.recounted),
        )
    Console().print(table)
    if len(found) > SHOWN:
        print(f"... and {len(found) - SHOWN} more; --json lists them.", file=sys.stderr)


def _text(figure: object) -> str:
    return "–" if figure is None else str(figure)
