"""What is wrong with definitions, collected: each fault says where it is, what it is and what to do.

Here too is what shape the parts have, whatever they mean: texts, tables, choices, names of languages.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import NamedTuple, cast

from kpis.definitions.places import Path

MAX_NAME = 128
MAX_LANGUAGES = 16

Table = dict[str, object]

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_SHOWN = 80


class Fault(NamedTuple):
    """Why definitions cannot be used."""

    path: Path
    sentence: str
    key: bool = False
    """Whether it is the key that is wrong, and not its value."""
    at: int | None = None
    """The character of the value, from 0."""


class Faults:
    """All that was found so far."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, path: Path, sentence: str, *, key: bool = False, at: int | None = None) -> None:
        """Something is wrong."""
        self.found.append(Fault(path, sentence, key, at))

    def keys(
        self, path: Path, table: Table, known: Iterable[str], required: Iterable[str], what: str
    ) -> None:
        """A table has the keys it needs, and no other."""
        known = tuple(known)
        for key in table:
            if key not in known:
                hint = did_you_mean(key, known)
                listed = f" It has {', '.join(known)}." if hint == "." else ""
                self.add((*path, key), f"{what} has no `{short(key)}`{hint}{listed}", key=True)
        for key in required:
            if key not in table:
                self.add(path, f"{what} needs `{key}`, which is missing.", key=True)

    def table(self, path: Path, value: object, example: str) -> Table | None:
        """A table, if it is one."""
        if isinstance(value, dict):
            return cast("Table", value)
        self.add(path, f"this is {kind_of(value)}; write a table, such as {example}.")
        return None

    def text(self, path: Path, value: object) -> str | None:
        """A text, if it is one."""
        if isinstance(value, str):
            return value
        self.add(path, f"this is {kind_of(value)}; write a text, in quotes.")
        return None

    def one_of(self, path: Path, value: object, choices: tuple[str, ...]) -> str | None:
        """One of some texts, if it is."""
        text = self.text(path, value)
        if text is None or text in choices:
            return text
        self.add(path, f"`{short(text)}` is none of {', '.join(choices)}.")
        return None

    def names(self, path: Path, value: object, at_least: int) -> dict[str, str]:
        """What people call something, by language."""
        named = self.table(path, value, '{ en = "Demo rate" }')
        if named is None:
            return {}
        if len(named) < at_least:
            self.add(path, 'a name in at least one language is needed: { en = "Demo rate" }.')
        if len(named) > MAX_LANGUAGES:
            self.add(path, f"there are {len(named)} languages; at most {MAX_LANGUAGES} will do.")
        for language, name in named.items():
            at = (*path, language)
            if not _LANGUAGE.fullmatch(language):
                self.add(
                    at, f"`{short(language)}` is no language; write two letters, as sv or en.", key=True
                )
            text = self.text(at, name)
            if text is not None and not (text.strip() and len(text) <= MAX_NAME):
                self.add(at, f"a name has 1 to {MAX_NAME} characters; this one has {len(text)}.")
        return cast("dict[str, str]", named)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name that is unknown."""
    close = closest(name, known)
    return "." if close is None else f"; did you mean `{close}`?"


def closest(name: str, known: Iterable[str]) -> str | None:
    """What a name that is unknown was perhaps to be."""
    close = get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def short(text: str) -> str:
    """A text that may be long, for a sentence."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def kind_of(value: object) -> str:
    """What somebody wrote instead."""
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    return "nothing"


_KINDS: list[tuple[tuple[type, ...], str]] = [
    # In Python true is an int, and so comes first.
    ((bool,), "true or false"),
    ((str,), "a text"),
    ((int, float), "a number"),
    ((dict,), "a table"),
    ((list, tuple), "a list"),
    ((datetime, date, time), "a date or time without quotes"),
]
