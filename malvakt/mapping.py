"""The import language: which rows of which CSV files become which events, in TOML.

Whatever in a mapping can be seen to be wrong without looking at a row is refused here.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from schemas.events import EVENT_TYPES, fields_of

Row = dict[str, str]
"""The cells of a row by column."""

_COLUMN = re.compile(r"\{([^{}]*)\}")
_NO_DELIMITER = '"\r\n\0'


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
    for fault in _faults(mapping):
        raise MappingError(f"{path}: {fault}")
    return mapping


def columns_of(template: str) -> list[str]:
    """The columns that a template names."""
    return _COLUMN.findall(template)


def filled(template: str, row: Row) -> str | None:
    """A template with its columns filled in; `None` where any of them is empty."""
    if not all(row[column] for column in columns_of(template)):
        return None
    return _COLUMN.sub(lambda match: row[match[1]], template)


def _faults(mapping: ImportMapping) -> Iterator[str]:
    files = {file.name: file for file in mapping.files}
    if len(files) < len(mapping.files):
        yield "two of its files have the same name."
    for file in mapping.files:
        if len(file.delimiter) != 1 or file.delimiter in _NO_DELIMITER:
            yield f"{file.name} has the delimiter {file.delimiter!r}; give one character, such as ';'."
        for column, where in file.lookups.items():
            if where not in files or files[where].key is None:
                yield f"{file.name} looks `{column}` up in {where}, which is no file here with a key."
        for event in file.events:
            for fault in _event_faults(event):
                yield f"{file.name}: {fault}"


def _event_faults(event: EventMapping) -> Iterator[str]:
    if event.type not in EVENT_TYPES:
        yield f"there is no event type {event.type!r}. Known: {', '.join(sorted(EVENT_TYPES))}."
        return
    fields = {field.encode_name: field for field in fields_of(event.type)}
    for name in event.data:
        if name not in fields:
            yield f"{event.type} has no field `{name}`; it has {', '.join(fields)}."
    for name, field in fields.items():
        if field.required and name not in event.data:
            yield f"{event.type} needs the field `{name}`."
