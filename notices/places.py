"""YAML with its places: plain mappings, lists and texts that remember the line and column they stand at.

Scalars stay the texts they were written as, so that `18:00` is no number and `no` no falsehood.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import yaml
from msgspec import Struct

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20


class Fault(Struct, frozen=True):
    """What is wrong with a file, and what to do; lines and columns are counted from 1."""

    line: int
    column: int
    what: str
    """The key that it is about, such as `routes.managers.quiet`; empty for the file."""
    sentence: str

    def __str__(self) -> str:
        what = f"{self.what}: " if self.what else ""
        return f"{self.line}:{self.column}: {what}{self.sentence}"


class Spot(NamedTuple):
    """Where a node stands: its line and column, and the keys that lead to it."""

    line: int
    column: int
    path: tuple[str, ...]

    def fault(self, sentence: str) -> Fault:
        """What is wrong here."""
        return Fault(self.line, self.column, ".".join(self.path), sentence)


class Value(Struct, frozen=True):
    """A text or number as it was written."""

    spot: Spot
    text: str


class Items(Struct, frozen=True):
    """A list."""

    spot: Spot
    items: tuple["Node", ...]


class Table(Struct, frozen=True):
    """A mapping; its keys have places of their own."""

    spot: Spot
    entries: dict[str, "Node"]
    keys: dict[str, Spot]


Node = Value | Items | Table


class UnreadableError(Exception):
    """A text is no YAML that can be read here; it has the faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def read_yaml(raw: bytes) -> Node:
    """The one document of a YAML file.

    Raises:
        UnreadableError: it is none, or none that says one thing only.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableError(
            [Fault(1, 1, "", f"the file has {len(raw)} bytes; rules have at most {MAX_BYTES}.")]
        )
    try:
        text = raw.decode("utf-8-sig")
        node = _composed(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError([Fault(line, 1, "", "this is not UTF-8.")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise UnreadableError(
            [Fault(line, column, "", f"this is no valid YAML: {error.problem}.")]
        ) from error
    except yaml.YAMLError as error:
        raise UnreadableError([Fault(1, 1, "", f"this is no valid YAML: {error}.")]) from error
    except RecursionError as error:
        raise UnreadableError([Fault(1, 1, "", "lists and mappings nest too deep.")]) from error
    faults: list[Fault] = []
    found = _read(node, (), faults) if node is not None else Table(Spot(1, 1, ()), {}, {})
    if faults:
        raise UnreadableError(faults)
    return found


def _read(node: Any, path: tuple[str, ...], faults: list[Fault]) -> Node:
    spot = Spot(node.start_mark.line + 1, node.start_mark.column + 1, path)
    if len(path) > MAX_DEPTH:
        # An anchor may refer to what it is in.
        faults.append(spot.fault("lists and mappings nest too deep."))
        return Value(spot, "")
    match node:
        case yaml.MappingNode():
            return Table(spot, *_entries(node, path, faults))
        case yaml.SequenceNode():
            items = enumerate(node.value, 1)
            return Items(spot, tuple(_read(item, (*path, str(number)), faults) for number, item in items))
        case _:
            return Value(spot, str(node.value))


def _entries(
    node: Any, path: tuple[str, ...], faults: list[Fault]
) -> tuple[dict[str, Node], dict[str, Spot]]:
    entries: dict[str, Node] = {}
    keys: dict[str, Spot] = {}
    for key, value in _pairs(node):
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        spot = Spot(key.start_mark.line + 1, key.start_mark.column + 1, (*path, name))
        if not isinstance(key, yaml.ScalarNode):
            faults.append(spot.fault("a key is a text."))
        elif name in entries:
            faults.append(spot.fault(f"this key stands in line {keys[name].line} already; keep one."))
        else:
            keys[name] = spot
            entries[name] = _read(value, (*path, name), faults)
    return entries, keys


def _composed(text: str) -> Any:
    # The stubs say nothing of nodes: they are told apart in `_read`.
    return cast("Any", yaml.compose(text, yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    yield from node.value
