"""`malvakt import`: CRM exports to events."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

from malvakt.importing import Imported, RejectedRow, import_files
from malvakt.mapping import MappingError, read_mapping
from malvakt.outcome import CallError
from schemas.events import Event, encode_event, type_of
from streams.settings import Settings

SHOWN = 10


def import_(
    mapping: Path,
    *files: Path,
    to: Path | None = None,
    broker: str | None = None,
    rejected: Path | None = None,
    timezone: str = "Europe/Stockholm",
) -> int:
    """Turn CSV files into events under a mapping.

    Rows that cannot become events are reported with line and reason; the rest goes through.

    Parameters
    ----------
    mapping
        What the rows become, in TOML: see docs/importing.md and examples/.
    files
        CSV files, in any order; their names decide what they are.
    to
        Write events to this file, one JSON object a line; standard output where nothing is given.
    broker
        Publish events to this Kafka instead, under the settings in MALVAKT_*.
    rejected
        Write the rejected rows to this file, one JSON object a line.
    timezone
        The business timezone, for times that state no offset.
    """
    if not files:
        raise CallError("Name the CSV files to import, after the mapping.")
    if to is not None and broker is not None:
        raise CallError("Give --to or --broker, not both.")
    calendar = Settings(timezone=timezone).business().calendar
    try:
        imported = import_files(read_mapping(mapping), list(files), calendar)
    except MappingError as error:
        raise CallError(str(error)) from error
    if broker is None:
        _write(imported.events, to)
    else:
        _publish(imported.events, broker)
    if rejected is not None:
        _write_rejected(imported.rejected, rejected)
    _summarise(imported)
    return 0


def _write(events: list[Event], to: Path | None) -> None:
    if to is None or str(to) == "-":
        for event in events:
            sys.stdout.buffer.write(encode_event(event) + b"\n")
        return
    try:
        with to.open("wb") as lines:
            lines.writelines(encode_event(event) + b"\n" for event in events)
    except OSError as error:
        raise CallError(f"{to} cannot be written: {error.strerror}.") from error


def _publish(events: list[Event], broker: str) -> None:
    from malvakt.reaching import reaching, send, settings_with  # noqa: PLC0415

    settings = settings_with(broker=broker)
    with reaching(broker):
        asyncio.run(send(settings, events))


def _write_rejected(rows: list[RejectedRow], to: Path) -> None:
    import msgspec  # noqa: PLC0415

    try:
        with to.open("wb") as lines:
            lines.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
    except OSError as error:
        raise CallError(f"{to} cannot be written: {error.strerror}.") from error


def _summarise(imported: Imported) -> None:
    types = Counter(type_of(event) for event in imported.events)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(types.items()))
    _say(f"{imported.rows} rows read: {len(imported.events)} events ({listed}).")
    if not imported.rejected:
        return
    _say(f"{len(imported.rejected)} rows could not become events:")
    for reason, count in Counter(row.reason for row in imported.rejected).most_common(SHOWN):
        _say(f"  {count} x {reason}")
    _say("the first of them:")
    for row in imported.rejected[:SHOWN]:
        _say(f"  {row}")


def _say(line: str) -> None:
    """Tell a person; events go to standard output."""
    print(line, file=sys.stderr)
