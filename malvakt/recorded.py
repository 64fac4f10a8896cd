"""Recorded events: JSON lines in files, read strictly, every line accounted for."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from cyclopts import Parameter
from msgspec import Struct

from malvakt.outcome import CallError
from schemas.decoding import Reason, decode_event
from schemas.events import Event, Recorded
from schemas.records import KpiRecord, decode_record

SHOWN = 10

EventFile = Annotated[Path, Parameter(allow_leading_hyphen=True)]
"""A file named on the command line; `-` is standard input."""


class Line(Struct, frozen=True):
    """A line that is no event, and why."""

    file: str
    number: int
    reason: Reason

    def __str__(self) -> str:
        return f"{self.file}, line {self.number}: {self.reason.sentence}"


def read_events(files: list[Path], refused: list[Line]) -> Iterator[Event]:
    """The events of files, as `read_recorded` finds them."""
    return (recorded.event for recorded in read_recorded(files, refused))


def read_recorded(files: list[Path], refused: list[Line]) -> Iterator[Recorded]:
    """The events of files, one JSON object a line (`-` is standard input).

    Lines that are no events are added to `refused`. Empty lines are passed over. A file that cannot be
    read is found out at once, before the first event is.

    Raises:
        CallError: a file cannot be read.
    """
    for file in files:
        # What can be read only once, a pipe, is not opened to see whether it can.
        if not _is_standard_input(file) and not file.is_fifo():
            _opened(file).close()
    return _recorded(files, refused)


def _recorded(files: list[Path], refused: list[Line]) -> Iterator[Recorded]:
    for file in files:
        for number, raw in lines_of(file):
            event = decode_event(raw)
            if isinstance(event, Reason):
                refused.append(Line(str(file), number, event))
            else:
                yield Recorded(event, raw)


def lines_of(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that have anything in them, by their numbers.

    Raises:
        CallError: the file cannot be read.
    """
    for number, line in enumerate(_lines(file), 1):
        raw = line.strip()
        if raw:
            yield number, raw


def read_records(file: Path) -> Iterator[KpiRecord]:
    """The KPI records of a file, one JSON object a line.

    Raises:
        CallError: the file cannot be read, or a line is no record.
    """
    for number, line in enumerate(_lines(file), 1):
        try:
            yield decode_record(line)
        except msgspec.MsgspecError as error:
            raise CallError(f"{file}, line {number}: this is no KPI record: {error}.") from error


def report(refused: list[Line]) -> None:
    """Tell people which lines were refused, on standard error."""
    for line in refused[:SHOWN]:
        print(line, file=sys.stderr)
    if len(refused) > SHOWN:
        print(f"... and {len(refused) - SHOWN} lines more", file=sys.stderr)


def _lines(file: Path) -> Iterator[bytes]:
    if _is_standard_input(file):
        yield from sys.stdin.buffer
        return
    with _opened(file) as lines:
        try:
            yield from lines
        except OSError as error:
            raise _unreadable(file, error) from error


def _is_standard_input(file: Path) -> bool:
    return str(file) == "-"


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> CallError:
    return CallError(f"{file} cannot be read: {error.strerror}.")
