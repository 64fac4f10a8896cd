"""Strict decoding of incoming bytes: an event, or a reason a person understands.

Nothing here raises for bad input. A record that is no event becomes a `Reason`, which names the
field, and travels on to `crm.rejected` with the original bytes.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from schemas.definitions import DefinitionRecord, Plain, decode_definition, key_of
from schemas.events import EVENT_TYPES, Data, Event, type_of
from schemas.goals import Goal, decode_goal

Record = TypeVar("Record")

MAX_EVENT_BYTES = 256 * 1024
"""A larger record is no CRM event; it is refused before any time is spent on reading it."""

MAX_OWN_TEXT = 1_024
"""A longer text in a field of one's own is not kept; no condition can ask for it."""

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""One day after the start of the `ever` window, so that it holds the day in every timezone."""

LATEST = datetime(2200, 1, 1, tzinfo=UTC)

INSTANTS = ("first_contact", "won_at", "lost_at")
"""The fields of an event's data that state an instant."""

DATES = ("from_", "to")
"""The fields of an event's data that state a date on which something counts. Who must fill one in writes
0001-01-01 or 9999-12-31. Nothing counts on `expected_close`: no deal is refused for it."""


class ReasonCode(StrEnum):
    """Why a record was refused, for machines."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    INVALID_FIELD = "invalid_field"
    ABSURD_TIME = "absurd_time"
    WRONG_TOPIC = "wrong_topic"


class Reason(Struct, frozen=True):
    """Why a record was refused: a code, the field it concerns, and a sentence."""

    code: ReasonCode
    path: str
    sentence: str


_AT = " - at `"

_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


def decode_event(raw: bytes | None, topic: str | None = None) -> Event | Reason:
    """Read one record. With `topic`, an event that belongs on another topic is refused."""
    if not raw:
        return Reason(ReasonCode.NOT_JSON, "$", "The record is empty; send one JSON object.")
    if len(raw) > MAX_EVENT_BYTES:
        return Reason(
            ReasonCode.TOO_LARGE,
            "$",
            f"The record has {len(raw)} bytes; an event has at most {MAX_EVENT_BYTES}.",
        )
    event = _decoded(_decoder.decode, raw)
    if isinstance(event, Reason):
        return event
    if topic is not None and event.topic != topic:
        return Reason(
            ReasonCode.WRONG_TOPIC,
            "$.type",
            f"A {type_of(event)} event belongs on {event.topic}, not {topic}.",
        )
    return _absurd_time(event) or event


def decode_defined(key: str, raw: bytes) -> DefinitionRecord | Reason:
    """Read one record of the topic of definitions."""
    record = _decoded(decode_definition, raw)
    if isinstance(record, Reason):
        return record
    name = key.partition("/")[2]
    if key != key_of(name, record.definition):
        expected = key_of(name or "NAME", record.definition)
        return Reason(ReasonCode.INVALID_FIELD, "$", f"Its key is `{key}`, and must be `{expected}`.")
    return record


def decode_given_goal(key: str, raw: bytes) -> Goal | Reason:
    """Read one record of the topic of goals."""
    goal = _decoded(decode_goal, raw)
    if isinstance(goal, Goal) and goal.id != key:
        return Reason(
            ReasonCode.INVALID_FIELD, "$.id", f"Its key is `{key}`, and must be its id, `{goal.id}`."
        )
    return goal


def own_fields(raw: bytes, names: Iterable[str]) -> dict[str, Plain]:
    """What a valid event states of fields that the contract does not know: texts, numbers, truths."""
    wanted = tuple(names)
    stated = _own_decoder(wanted).decode(raw).data
    found: dict[str, Plain] = {}
    for position, name in enumerate(wanted):
        value = _plain(getattr(stated, f"f{position}"))
        if value is not None:
            found[name] = value
    return found


def _plain(stated: msgspec.Raw) -> Plain | None:
    """The value of a field that nobody looked at yet; `None` for what is none, or cannot be kept."""
    try:
        value = _decode_plain(stated)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if isinstance(value, str):
        return value if len(value) <= MAX_OWN_TEXT else None
    return value if isinstance(value, float) or abs(value) < 2**63 else None


@cache
def _own_decoder(names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    """Reads these fields of an event's data and skips the others, as the contract does."""
    fields = [(f"f{position}", msgspec.Raw, msgspec.Raw()) for position in range(len(names))]
    called = {f"f{position}": name for position, name in enumerate(names)}
    data = msgspec.defstruct("Data", fields, rename=called)
    return msgspec.json.Decoder(msgspec.defstruct("Stated", [("data", data)]))


def _decoded(decode: Callable[[bytes], Record], raw: bytes) -> Record | Reason:
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        return _reason(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Reason(ReasonCode.NOT_JSON, "$", f"The record is not valid JSON: {error}.")


_decode_plain: Callable[[msgspec.Raw], Plain] = msgspec.json.Decoder(Plain).decode


def _absurd_time(event: Event) -> Reason | None:
    if not _is_likely(event.time):
        return _absurd("$.time", event.time)
    data = event.data
    for name in _times_in(type(data)):
        said = getattr(data, name)
        if said is not None and not _is_likely(said):
            return _absurd(f"$.data.{name.removesuffix('_')}", said)
    return None


@cache
def _times_in(kind: type[Data]) -> tuple[str, ...]:
    """The fields of a kind of data that state an instant or a date."""
    return tuple(name for name in (*INSTANTS, *DATES) if name in kind.__struct_fields__)


def _is_likely(said: date) -> bool:
    at = said if isinstance(said, datetime) else datetime.combine(said, time(), UTC)
    return EARLIEST <= at < LATEST


def _absurd(path: str, said: date) -> Reason:
    return Reason(
        ReasonCode.ABSURD_TIME,
        path,
        f"`{path}` says {said.isoformat()}, which is outside {EARLIEST:%Y} to {LATEST:%Y};"
        " is the year right?",
    )


def _reason(message: str) -> Reason:
    """Turn msgspec's message, which ends with the path, into a reason."""
    # From the right: in front may stand what the event said, which can look like a path too.
    what, _, where = message.rpartition(_AT)
    path = where.removesuffix("`")
    if not what:
        what, path = message, "$"
    if path == "$.type" or what.startswith("Object missing required field `type`"):
        known = ", ".join(sorted(EVENT_TYPES))
        return Reason(ReasonCode.UNKNOWN_TYPE, "$.type", f"{what}. Known types: {known}.")
    if what.startswith("Object missing required field"):
        name = what.split("`")[1]
        return Reason(
            ReasonCode.MISSING_FIELD,
            f"{path}.{name}",
            f"`{path}.{name}` is required and missing.",
        )
    return Reason(ReasonCode.INVALID_FIELD, path, f"`{path}`: {what}.")
