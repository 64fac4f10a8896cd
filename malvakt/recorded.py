"""Recorded events: JSON lines in files, read strictly, every line accounted for."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from msgspec import Struct

from malvakt.outcome import CallError
from schemas.decoding import Reason, decode_event
from schemas.events import Event

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
    """The events of files, one JSON object a line (`-` is standard input).

    Lines that are no events are added to `refused`. Empty lines are passed over.

    Raises:
        CallError: a file cannot be read.
    """
    for file in files:
        for number, line in enumerate(_lines(file), 1):
            if not line.strip():
                continue
            event = decode_event(line)
            if isinstance(event, Reason):
                refused.append(Line(str(file), number, event))
            else:
                yield event


def report(refused: list[Line]) -> None:
    """Tell people which lines were refused, on standard error."""
    for line in refused[:SHOWN]:
        print(line, file=sys.stderr)
    if len(refused) > SHOWN:
        print(f"... and {len(refused) - SHOWN} lines more", file=sys.stderr)


def _lines(file: Path) -> Iterator[bytes]:
    if str(file) == "-":
        yield from sys.stdin.buffer
        return
    try:
        with file.open("rb") as lines:
            yield from lines
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error
