"""Whatever decodes also folds: what is let in can never stop the stream behind it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import Calendar
from kpis.contributions import Business
from kpis.replay import Replay
from schemas.decoding import Reason, decode_event
from schemas.events import EVENT_TYPES, Event, encode_event
from schemas.export import FOLDER
from tests.kpis.histories import events

EXAMPLES = {path.stem: orjson.loads(path.read_bytes()) for path in FOLDER.parent.glob("examples/*.json")}
BUSINESS = Business(Calendar("Europe/Stockholm"), "SEK")

AWKWARD = [
    *("\n", "\r", "\r\n", "\t", " ", "\0", "\x85", "\u2028", "\u200b", "\ufeff"),
    *("1", "-", "+", ".", ",", "_", "e5", "Infinity", "NaN"),
    *("٣", "३", "½", "²", "Ⅷ", "𝟗", "−", "Å", "ß", "🙂"),
    *("|", ":", "/", '"', "\\", "[b]", "9" * 20, "x" * 200),
]
"""What is wrong with texts that people and machines write: most of all what looks like a number."""

AMOUNTS = ["", "0", "-0", "-0.50", "00.1", ".5", "5.", "1" * 13, "0.1234567", None, True, 7, 7.5, []]


def folds(event: Event) -> None:
    """Fold an event, with another that decides its deal so that its money is counted."""
    about = {"deal": getattr(event.data, "deal", "d"), "customer": getattr(event.data, "customer", "c")}
    about = {name: value or name for name, value in about.items()}
    won = decode_event(orjson.dumps(EXAMPLES["deal.won"] | {"id": "other", "data": about}))
    assert not isinstance(won, Reason)
    replay = Replay(BUSINESS)
    replay.feed([event, won])
    for _ in replay.records(datetime(2027, 1, 1, tzinfo=UTC)):
        pass


def texts(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all texts in an object."""
    for name, value in node.items():
        if isinstance(value, dict):
            yield from texts(value, (*path, name))
        elif isinstance(value, str):
            yield (*path, name)


def replaced(node: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of an object with another value at a path."""
    name, *rest = path
    return node | {name: replaced(node[name], tuple(rest), value) if rest else value}


def at(node: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        node = node[name]
    return node


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_each_awkward_text_in_each_field_is_refused_or_folds(kind: str) -> None:
    """In front of what the example says, behind it and in its place."""
    example = EXAMPLES[kind]
    decoded = 0
    for path in texts(example):
        said = at(example, path)
        for value in [*(v for a in AWKWARD for v in (a + said, said + a, a)), *AMOUNTS]:
            event = decode_event(orjson.dumps(replaced(example, path, value)))
            if not isinstance(event, Reason):
                decoded += 1
                folds(event)
    assert decoded


@given(st.data())
def test_an_event_mutated_anywhere_is_refused_or_folds(data: st.DataObject) -> None:
    """Some bytes of its text are replaced by others, often by what JSON is made of."""
    text = encode_event(data.draw(events()))
    start = data.draw(st.integers(0, len(text)))
    end = start + data.draw(st.integers(0, 3))
    pieces = st.sampled_from([b'"', b"\\ud800", b"\xed\xa0\x80", b"\xff", b"0", b"-", b"\\n", b"null"])
    mutated = text[:start] + data.draw(st.one_of(pieces, st.binary(max_size=3))) + text[end:]
    event = decode_event(mutated)
    if not isinstance(event, Reason):
        folds(event)


@pytest.mark.parametrize("value", ["100.5\n", "٣", "1٣.5", "SEK\n", "ＳＥＫ"])
@pytest.mark.parametrize("field", ["value", "currency"])
def test_digits_and_letters_are_plain_and_nothing_follows_them(field: str, value: str) -> None:
    """A newline at the end, or another script's digits: refused, and the sentence names the field."""
    won = EXAMPLES["deal.won"]
    reason = decode_event(orjson.dumps(won | {"data": won["data"] | {field: value}}))
    assert isinstance(reason, Reason)
    assert reason.path == f"$.data.{field}"


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_patterns_say_the_same_in_every_language(kind: str) -> None:
    """No escape that Python and ECMAScript read differently, and an end that is the end in both."""
    schema = (FOLDER / f"{kind}.schema.json").read_text("utf-8")
    for pattern in patterns(orjson.loads(schema)):
        assert not {r"\d", r"\w", r"\s", r"\b", r"\A", r"\Z", r"\z"} & {
            pattern[i : i + 2] for i in range(len(pattern))
        }
        assert pattern.startswith("^")
        assert pattern.endswith(r"$(?!\n)")


def patterns(node: Any) -> Iterator[str]:
    """Every pattern in a JSON Schema."""
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        if name == "pattern":
            yield value
        elif isinstance(value, dict | list):
            yield from patterns(value)
