"""CRM exports to events: a mapping says which rows of which CSV files become which events.

What comes out has passed the same strict decoding as anything that arrives over Kafka. A row goes
through whole or not at all; one that does not is kept with its line number and the reason.
"""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from msgspec import Struct

from kpis.calendar import Calendar
from malvakt.mapping import EventMapping, FileMapping, ImportMapping, MappingError, Row, columns_of, filled
from schemas.decoding import INSTANTS, Reason, ReasonCode, decode_event
from schemas.events import Event, OrgEvent

DIGEST_DIGITS = 8
"""Enough to tell the few things apart that the exports of years say of one row."""


class RejectedRow(Struct, frozen=True):
    """A row that cannot become events, and why."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.reason}"


class Imported(Struct):
    """What an import brought."""

    events: list[Event]
    rejected: list[RejectedRow]
    rows: int


def import_files(mapping: ImportMapping, paths: list[Path], calendar: Calendar) -> Imported:
    """The events that the rows of files become: the organisation first, then by time and id.

    Raises:
        MappingError: a file has no place in the mapping, is missing or given twice, or lacks a column.
    """
    given = _matched(mapping, paths)
    keys = {name: _keys(file, path) for name, (file, path) in given.items()}
    imported = Imported([], [], 0)
    for file, path in given.values():
        if file.events:
            _import_file(file, path, keys, mapping.source, calendar, imported)
    imported.events.sort(key=lambda e: (not isinstance(e, OrgEvent), e.time, e.id))
    return imported


def _matched(mapping: ImportMapping, paths: list[Path]) -> dict[str, tuple[FileMapping, Path]]:
    files = {file.name: file for file in mapping.files}
    given: dict[str, tuple[FileMapping, Path]] = {}
    for path in paths:
        if path.name not in files:
            raise MappingError(f"The mapping has no file {path.name}; it knows {', '.join(files)}.")
        if path.name in given:
            raise MappingError(
                f"{given[path.name][1]} and {path} are both {path.name}, and the mapping has one such file."
                " Import them one after the other, or put their rows into one."
            )
        given[path.name] = (files[path.name], path)
    for file, _ in given.values():
        missing = sorted(set(file.lookups.values()) - set(given))
        if missing:
            raise MappingError(f"{file.name} looks things up in {', '.join(missing)}: give it too.")
    return given


def _keys(file: FileMapping, path: Path) -> set[str]:
    if file.key is None:
        return set()
    return {row[file.key] for _, row in _rows(file, path) if isinstance(row, dict)}


def _import_file(
    file: FileMapping,
    path: Path,
    keys: Mapping[str, set[str]],
    source: str,
    calendar: Calendar,
    imported: Imported,
) -> None:
    for line, row in _rows(file, path):
        imported.rows += 1
        found = row if isinstance(row, str) else _row_events(file, row, keys, source, calendar)
        if isinstance(found, str):
            imported.rejected.append(RejectedRow(path.name, line, found))
        else:
            imported.events.extend(found)


def _rows(file: FileMapping, path: Path) -> Iterator[tuple[int, Row | str]]:
    """Each row with its line number; a sentence instead, where it does not fit the header.

    Spaces around what a cell says do not count.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=file.delimiter)
            header = next(reader, list[str]())
            _check_columns(file, header)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) == len(header):
                    stripped = (cell.strip() for cell in cells)
                    yield reader.line_num, _aliased(file, dict(zip(header, stripped, strict=True)))
                else:
                    yield (
                        reader.line_num,
                        (f"it has {len(cells)} cells, the header has {len(header)}."),
                    )
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise MappingError(f"{path} is no CSV in UTF-8: {error}.") from error


def _check_columns(file: FileMapping, header: list[str]) -> None:
    named = {file.key} if file.key else set[str]()
    named |= set(file.lookups) | set(file.aliases)
    for event in file.events:
        named |= set(event.when)
        for template in [event.id, event.time, *event.data.values()]:
            named |= set(columns_of(template))
    missing = sorted(named - set(header))
    if missing:
        raise MappingError(f"{file.name} has no column {', '.join(missing)}; it has {', '.join(header)}.")
    twice = sorted(column for column in named if header.count(column) > 1)
    if twice:
        raise MappingError(f"{file.name} has more than one column {', '.join(twice)}; which is meant?")


def _aliased(file: FileMapping, row: Row) -> Row:
    for column, aliases in file.aliases.items():
        row[column] = aliases.get(row[column], row[column])
    return row


def _row_events(
    file: FileMapping, row: Row, keys: Mapping[str, set[str]], source: str, calendar: Calendar
) -> list[Event] | str:
    """The events of a row, or the sentence that says why it has none."""
    for column, where in file.lookups.items():
        if row[column] and row[column] not in keys[where]:
            return f"`{column}` says {row[column]!r}, which {where} does not list."
    mappings = [
        event for event in file.events if all(row[column] in cells for column, cells in event.when.items())
    ]
    if not mappings:
        return "no event of the mapping fits it."
    events: list[Event] = []
    for mapping in mappings:
        event = _event(mapping, row, source, calendar)
        if isinstance(event, str):
            return event
        events.append(event)
    return events


def _event(mapping: EventMapping, row: Row, source: str, calendar: Calendar) -> Event | str:
    identifier = filled(mapping.id, row)
    time = filled(mapping.time, row)
    if time is None:
        return _empty(mapping.time, row, mapping, "its time")
    if identifier is None:
        return _empty(mapping.id, row, mapping, "its id")
    data = {name: text for name, template in mapping.data.items() if (text := filled(template, row))}
    try:
        said = {
            "type": mapping.type,
            "time": _instant(time, calendar),
            "data": data | {name: _instant(data[name], calendar) for name in INSTANTS if name in data},
        }
    except ValueError as error:
        return str(error)
    envelope = {"specversion": "1.0", "id": f"{identifier}#{_digest(said)}", "source": source, **said}
    event = decode_event(orjson.dumps(envelope))
    return _explained(event, mapping, row) if isinstance(event, Reason) else event


def _digest(said: dict[str, Any]) -> str:
    """Part of the id, because the same id is the same event: a row that says something new is another."""
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:DIGEST_DIGITS]


def _explained(reason: Reason, mapping: EventMapping, row: Row) -> str:
    field = reason.path.removeprefix("$.data.")
    if reason.code is ReasonCode.MISSING_FIELD and field in mapping.data:
        return _empty(mapping.data[field], row, mapping, f"a {field}")
    return reason.sentence


def _empty(template: str, row: Row, mapping: EventMapping, needed: str) -> str:
    columns = " and ".join(f"`{column}`" for column in columns_of(template) if not row[column])
    return f"{columns} is empty, and {mapping.type} needs {needed}."


def _instant(text: str, calendar: Calendar) -> str:
    """A date and time in a row, as events state it."""
    try:
        time = datetime.fromisoformat(text)
        return (calendar.at(time) if time.tzinfo is None else time).isoformat()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no date and time such as 2026-03-31 12:00.") from None
