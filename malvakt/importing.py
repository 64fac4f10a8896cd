"""CRM exports to events: a mapping says which rows of which CSV files become which events.

What comes out has passed the same strict decoding as anything that arrives over Kafka. A row goes
through whole or not at all; one that does not is kept with its line number and the reason.
"""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import orjson
from msgspec import Struct

from kpis.calendar import Calendar
from schemas.decoding import Reason, ReasonCode, decode_event
from schemas.events import EVENT_TYPES, Event, OrgEvent

_COLUMN = re.compile(r"\{([^{}]*)\}")

Row = Mapping[str, str]


class MappingError(ValueError):
    """The mapping, or the files given with it, cannot be used; the message says what to mend."""


class EventMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """One event that a row becomes. Texts are templates: `{column}` stands for the row's cell."""

    type: str
    id: str
    time: str
    """A date and time in the business timezone, or with an offset of its own."""
    data: dict[str, str]
    when: dict[str, list[str]] = {}
    """The cells a row must have, by column, to become this event; every row does without."""


class FileMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """What the rows of one file become."""

    name: str
    events: list[EventMapping] = []
    key: str | None = None
    """The column others look this file's rows up by."""
    lookups: dict[str, str] = {}
    """For a column of this file, the file that must hold its cells as keys."""
    aliases: dict[str, dict[str, str]] = {}
    """For a column, what to read instead of a cell."""
    delimiter: str = ","


class ImportMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping."""

    source: str
    """The `source` attribute of every event."""
    files: list[FileMapping]


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


def read_mapping(path: Path) -> ImportMapping:
    """The mapping in a TOML file.

    Raises:
        MappingError: it cannot be read, or says something that has no meaning here.
    """
    try:
        mapping = msgspec.convert(tomllib.loads(path.read_text("utf-8")), ImportMapping)
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} is no valid TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise MappingError(f"{path}: {error}.") from error
    for file in mapping.files:
        for event in file.events:
            if event.type not in EVENT_TYPES:
                known = ", ".join(sorted(EVENT_TYPES))
                raise MappingError(
                    f"{path}: {file.name} has an event of type {event.type!r}. Known: {known}."
                )
    return mapping


def import_files(mapping: ImportMapping, paths: list[Path], calendar: Calendar) -> Imported:
    """The events that the rows of files become: the organisation first, then by time and id.

    Raises:
        MappingError: a file has no place in the mapping, is missing, or lacks a column.
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
    """Each row with its line number; a sentence instead, where it does not fit the header."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=file.delimiter)
            header = next(reader, list[str]())
            _check_columns(file, header)
            for cells in reader:
                if not cells:
                    continue
                if len(cells) == len(header):
                    yield reader.line_num, _aliased(file, dict(zip(header, cells, strict=True)))
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
            named |= set(_COLUMN.findall(template))
    missing = sorted(named - set(header))
    if missing:
        raise MappingError(f"{file.name} has no column {', '.join(missing)}; it has {', '.join(header)}.")


def _aliased(file: FileMapping, row: dict[str, str]) -> Row:
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
    time = _time(mapping, row, calendar)
    if isinstance(time, str):
        return time
    data = {name: _filled(template, row) for name, template in mapping.data.items()}
    envelope = {
        "specversion": "1.0",
        "id": _filled(mapping.id, row),
        "source": source,
        "type": mapping.type,
        "time": time.isoformat(),
        "data": {name: value for name, value in data.items() if value is not None},
    }
    event = decode_event(orjson.dumps(envelope))
    return _explained(event, mapping, data) if isinstance(event, Reason) else event


def _explained(reason: Reason, mapping: EventMapping, data: Mapping[str, str | None]) -> str:
    field = reason.path.removeprefix("$.data.")
    if reason.code is ReasonCode.MISSING_FIELD and field in data:
        columns = " and ".join(f"`{column}`" for column in _COLUMN.findall(mapping.data[field]))
        return f"{columns} is empty, and {mapping.type} needs a {field}."
    return reason.sentence


def _time(mapping: EventMapping, row: Row, calendar: Calendar) -> datetime | str:
    text = _filled(mapping.time, row)
    if text is None:
        columns = " and ".join(f"`{column}`" for column in _COLUMN.findall(mapping.time))
        return f"{columns} is empty, and {mapping.type} needs its time."
    try:
        time = datetime.fromisoformat(text)
        return calendar.at(time) if time.tzinfo is None else time
    except (ValueError, OverflowError):
        return f"{text!r} is no date and time such as 2026-03-31 12:00."


def _filled(template: str, row: Row) -> str | None:
    """A template with its columns filled in; `None` where any of them is empty."""
    if any(not row[column].strip() for column in _COLUMN.findall(template)):
        return None
    return _COLUMN.sub(lambda match: row[match[1]].strip(), template)
