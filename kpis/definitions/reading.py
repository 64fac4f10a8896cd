"""Definitions in a TOML text, with faults that point at line and column."""

import re
import tomllib
from typing import NamedTuple, cast

from msgspec import Struct

from kpis.definitions.checking import Tables, Vocabulary, checked
from kpis.definitions.faults import Fault
from kpis.definitions.places import Path, Place, TooDeepError, offset_within, places_of, spot_of
from schemas.definitions import Definitions

MAX_BYTES = 256 * 1024
MAX_LINE = 4096
"""Characters. A key is on one line, and `tomllib` takes time that grows with the square of its parts."""


class Pointed(Struct, frozen=True):
    """A fault and where it stands, lines and columns counted from 1."""

    line: int
    column: int
    what: str
    """The definition and key that it is about, such as `kpis.demo_rate.formula`; empty for the file."""
    sentence: str
    shown: str = ""
    """What to show beneath: the line or formula, and a caret in a second line."""

    def __str__(self) -> str:
        what = f"{self.what}: " if self.what else ""
        return f"{self.line}:{self.column}: {what}{self.sentence}"


class Read(NamedTuple):
    """What a text defines. There are no definitions where there are faults."""

    definitions: Definitions
    faults: list[Pointed]


def read(raw: bytes, vocabulary: Vocabulary) -> Read:
    """The definitions in a TOML file, or all that is wrong with them, in the order of the file."""
    text = _text(raw)
    if isinstance(text, Pointed):
        return Read(Definitions(), [text])
    try:
        tables = tomllib.loads(text)
        places = places_of(text)
    except (RecursionError, TooDeepError):
        return Read(Definitions(), [Pointed(1, 1, "", "keys, lists or tables nest too deep.")])
    except ValueError as error:
        return Read(Definitions(), [_no_toml(text, str(error))])
    definitions, faults = checked(tables, vocabulary)
    if not faults:
        return Read(definitions, [])
    pointed = [_pointed(fault, text, tables, places) for fault in faults]
    return Read(Definitions(), sorted(pointed, key=lambda fault: (fault.line, fault.column)))


_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def _text(raw: bytes) -> str | Pointed:
    """The text of a file, or why it is not read."""
    if len(raw) > MAX_BYTES:
        return Pointed(1, 1, "", f"the file has {len(raw)} bytes; definitions have at most {MAX_BYTES}.")
    try:
        # As editors on Windows write it: with a mark in front, and two characters at the end of lines.
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        # Of what is decoded, the mark in front is no part.
        at = len(raw) - len(error.object) + error.start
        return Pointed(raw.count(b"\n", 0, at) + 1, at - raw.rfind(b"\n", 0, at), "", "this is not UTF-8.")
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            sentence = f"a line has at most {MAX_LINE} characters; break it into several."
            return Pointed(number, MAX_LINE, "", sentence)
    return text


def _no_toml(text: str, message: str) -> Pointed:
    found = _AT.search(message)
    what = message[: found.start()] if found else message
    end = spot_of(text, len(text.rstrip()))
    line, column = (int(found[1]), int(found[2])) if found and found[1] else end
    return Pointed(
        line, column, "", f"this is no valid TOML: {what}.", _caret(text.split("\n")[line - 1], column)
    )


def _pointed(fault: Fault, text: str, tables: Tables, places: dict[Path, Place]) -> Pointed:
    place = places[fault.path]
    at = place.key if fault.key else place.value
    if fault.at is None:
        return _at(fault, text, at)
    value = _value(tables, fault.path)
    within = offset_within(text, place, value, fault.at)
    if within is not None:
        return _at(fault, text, within)
    # Written with escapes: the formula is shown as it reads.
    spot = spot_of(text, at)
    lines = value[: fault.at].count("\n")
    shown = _caret(value.split("\n")[lines], spot_of(value, fault.at).column)
    return Pointed(spot.line, spot.column, _named(fault.path), fault.sentence, shown)


def _at(fault: Fault, text: str, at: int) -> Pointed:
    spot = spot_of(text, at)
    shown = _caret(text.split("\n")[spot.line - 1], spot.column)
    return Pointed(spot.line, spot.column, _named(fault.path), fault.sentence, shown)


def _value(tables: Tables, path: Path) -> str:
    value: object = tables
    for part in path:
        value = cast("dict[str | int, object]", value)[part]
    assert isinstance(value, str)
    return value


def _named(path: Path) -> str:
    return ".".join(str(part) for part in path if isinstance(part, str))


_WIDTH = 100


def _caret(line: str, column: int) -> str:
    """A line and a caret beneath a column; of a long line what stands around it."""
    start = 0 if column <= _WIDTH else column - _WIDTH // 2
    part = line.replace("\t", " ")[start : start + _WIDTH]
    return f"{part}\n{' ' * (column - 1 - start)}^"
