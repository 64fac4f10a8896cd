"""Where each key and value of a TOML file stands, so that a fault can point at it.

`tomllib` says what a file holds and not where. This walks over a text that `tomllib` has accepted, and only
such a one: it looks for where things begin and end, and leaves what they are to `tomllib`.
"""

import re
import tomllib
from typing import NamedTuple, cast

MAX_PARTS = 20

Path = tuple[str | int, ...]
"""Keys, and positions in lists, from the top of the file."""


class TooDeepError(ValueError):
    """A key has more parts than any definition needs."""


class Place(NamedTuple):
    """Offsets into the text."""

    key: int
    value: int
    end: int
    """Behind the value. Of a table under a header, the value is the header's key."""


class Spot(NamedTuple):
    """A position as editors count: both from 1."""

    line: int
    column: int


def places_of(text: str) -> dict[Path, Place]:
    """The place of everything in a valid TOML text, whose lines end in a newline alone.

    Raises:
        TooDeepError: a key has more than `MAX_PARTS` parts.
    """
    walk = _Walk(text)
    walk.document()
    return walk.places


def spot_of(text: str, at: int) -> Spot:
    """The line and column of an offset."""
    return Spot(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def offset_within(text: str, place: Place, value: str, at: int) -> int | None:
    """The offset of a string's character; `None` where the string is not written as it reads."""
    raw = text[place.value : place.end]
    mark = raw[:3] if raw[:3] in {'"""', "'''"} else raw[:1]
    start = len(mark)
    if len(mark) == 3 and raw.startswith("\n", start):
        start += 1
    return place.value + start + at if raw[start : -len(mark)] == value else None


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_STRING = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*"""(?:"{0,2})|\'\'\'(?:[^']|'(?!''))*\'\'\'(?:'{0,2})'''
    r"""|"(?:[^"\\]|\\.)*"|'[^']*'""",
    re.DOTALL,
)
_OTHER = re.compile(r"[^,\]}\n#]*[^,\]}\n# \t]")


class _Walk:
    """One walk over a text."""

    def __init__(self, text: str) -> None:
        self.places: dict[Path, Place] = {}
        self._text = text
        self._at = 0
        self._lists: dict[Path, int] = {}
        """Of each list of tables, the position of the table that was begun last."""

    def document(self) -> None:
        """From the beginning to the end."""
        table: Path = ()
        self._pass(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._pass(_BLANK)

    def _pass(self, pattern: re.Pattern[str]) -> str:
        match = cast("re.Match[str]", pattern.match(self._text, self._at))
        self._at = match.end()
        return match[0]

    def _header(self) -> Path:
        of_list = self._text.startswith("[[", self._at)
        self._at += 2 if of_list else 1
        path: Path = ()
        keys = self._keys()
        for position, (key, at) in enumerate(keys):
            path += (key,)
            self.places.setdefault(path, Place(at, at, at + len(key)))
            if of_list and position == len(keys) - 1:
                self._lists[path] = self._lists.get(path, -1) + 1
            if path in self._lists:
                path += (self._lists[path],)
                self.places.setdefault(path, Place(at, at, at + len(key)))
        self._at += 2 if of_list else 1
        return path

    def _pair(self, table: Path) -> None:
        path = table
        keys = self._keys()
        for key, at in keys:
            path = (*path, key)
            self.places.setdefault(path, Place(at, at, at + len(key)))
        self._at += 1
        self._pass(_SPACE)
        self._value(path, keys[-1][1])

    def _keys(self) -> list[tuple[str, int]]:
        """The parts of a dotted key, up to what follows it."""
        keys: list[tuple[str, int]] = []
        while True:
            self._pass(_SPACE)
            at = self._at
            raw = self._pass(_KEY)
            quoted = raw[0] in "\"'"
            keys.append((cast("str", tomllib.loads(f"key = {raw}")["key"]) if quoted else raw, at))
            self._pass(_SPACE)
            if self._text[self._at] != ".":
                return keys
            if len(keys) == MAX_PARTS:
                raise TooDeepError
            self._at += 1

    def _value(self, path: Path, key: int) -> None:
        start = self._at
        match self._text[start]:
            case "[":
                self._list(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._pass(_STRING)
            case _:
                self._pass(_OTHER)
        self.places[path] = Place(key, start, self._at)

    def _list(self, path: Path) -> None:
        self._at += 1
        self._pass(_BLANK)
        position = 0
        while self._text[self._at] != "]":
            self._value((*path, position), self._at)
            position += 1
            self._separator()
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._pass(_BLANK)
        while self._text[self._at] != "}":
            self._pair(path)
            self._separator()
        self._at += 1

    def _separator(self) -> None:
        self._pass(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._pass(_BLANK)
