"""YAML with its places: plain tables, lists and texts that remember the line and column they stand at.

Scalars stay the texts they were written as: YAML's own guesses, by which `no` is false and 18:00 a number,
would turn what people mean into something else. What a file means is for its reader to say.
"""

from typing import Any, NamedTuple, cast

import yaml
from msgspec import Struct

MAX_DEPTH = 20


class Finding(Struct, frozen=True):
    """What is wrong with a file, or worth a second look, and what to do; lines and columns begin at 1."""

    line: int
    column: int
    what: str
    """The key that it is about, such as `routes.managers.quiet`; empty for the file."""
    sentence: str
    warning: bool = False
    """Whether what it is about can be used all the same."""

    def __str__(self) -> str:
        what = f"{self.what}: " if self.what else ""
        warning = "warning: " if self.warning else ""
        return f"{self.line}:{self.column}: {warning}{what}{self.sentence}"


class Spot(NamedTuple):
    """Where a node stands: its line and column, and the keys that lead to it."""

    line: int
    column: int
    path: tuple[str, ...]

    def finding(self, sentence: str) -> Finding:
        """What is wrong here."""
        return Finding(self.line, self.column, ".".join(self.path), sentence)


class Value(Struct, frozen=True):
    """A text or number as it was written."""

    spot: Spot
    text: str


class Items(Struct, frozen=True):
    """A list."""

    spot: Spot
    items: tuple["Node", ...]


class Table(Struct, frozen=True):
    """A table; its keys have places of their own."""

    spot: Spot
    entries: dict[str, "Node"]
    keys: dict[str, Spot]


Node = Value | Items | Table


class UnreadableError(Exception):
    """A text is no YAML that can be read here; the finding says why."""

    def __init__(self, line: int, column: int, sentence: str) -> None:
        super().__init__(sentence)
        self.finding = Finding(line, column, "", sentence)


def read_yaml(raw: bytes, what: str, max_bytes: int, findings: list[Finding]) -> Node | None:
    """The one document of a YAML file of so many bytes at most, of rules, say; `None` where it is empty.

    Keys that cannot be used are added to the findings: of two that are the same the first one counts.

    Raises:
        UnreadableError: it is no YAML.
    """
    if len(raw) > max_bytes:
        raise UnreadableError(1, 1, f"the file has {len(raw)} bytes; {what} have at most {max_bytes}.")
    try:
        # The stubs say nothing of nodes: they are told apart as they are read.
        node = cast("Any", yaml.compose(raw.decode("utf-8-sig"), yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError(line, 1, "this is not UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        sentence = f"this is no valid YAML: {error.problem or error.context}."
        raise UnreadableError(line, column, sentence) from error
    except yaml.YAMLError as error:
        raise UnreadableError(1, 1, f"this is no valid YAML: {error}.") from error
    except RecursionError as error:
        raise UnreadableError(1, 1, "lists or tables nest too deep.") from error
    return None if node is None else _Reader(findings, len(raw) + MAX_DEPTH).read(node, ())


class _Reader:
    """Makes plain nodes of YAML's own."""

    def __init__(self, findings: list[Finding], most: int) -> None:
        self._findings = findings
        self._left = most
        """How many nodes a file can have: one takes a character, unless it repeats what an anchor names."""

    def read(self, node: Any, path: tuple[str, ...]) -> Node:
        """A node, and all that is in it."""
        spot = _spot(node, path)
        self._left -= 1
        if self._left < 0:
            raise UnreadableError(*spot[:2], "anchors repeat more than a file can hold; write it out.")
        if len(path) > MAX_DEPTH:
            # An anchor may refer to what it is in.
            raise UnreadableError(*spot[:2], "lists or tables nest too deep.")
        match node:
            case yaml.MappingNode():
                return self._table(node, spot)
            case yaml.SequenceNode():
                items = enumerate(node.value, 1)
                return Items(spot, tuple(self.read(item, (*path, str(number))) for number, item in items))
            case _:
                return Value(spot, str(node.value))

    def _table(self, node: Any, spot: Spot) -> Table:
        entries: dict[str, Node] = {}
        keys: dict[str, Spot] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._findings.append(_spot(key, spot.path).finding("a key must be a word."))
                continue
            name = str(key.value)
            at = _spot(key, (*spot.path, name))
            if name in entries:
                sentence = f"this key stands on line {keys[name].line} already; keep one."
                self._findings.append(at.finding(sentence))
            else:
                keys[name] = at
                entries[name] = self.read(value, (*spot.path, name))
        return Table(spot, entries, keys)


def _spot(node: Any, path: tuple[str, ...]) -> Spot:
    return Spot(node.start_mark.line + 1, node.start_mark.column + 1, path)
