"""What the view holds of each topic, as entries: of two with one kind and key the higher one holds.

Higher is by revision, then by what they say, so that the order in which they come never matters.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Literal

import msgspec
from msgspec import Struct

from kpis.calendar import micros_of
from kpis.definitions.recorded import read_record
from schemas.decoding import Reason, decode_event
from schemas.definitions import DefinitionRecord
from schemas.events import SellerAssigned, SellerLeft
from schemas.goals import (
    decode_alert,
    decode_goal,
    decode_status,
    decode_version,
    encode_alert,
    encode_goal,
    encode_status,
    encode_version,
)
from schemas.notices import decode_ack, encode_ack
from schemas.records import decode_record, encode_record
from schemas.topics import ACKS, ALERTS, DEFINITIONS, GOAL_STATUS, GOALS, GOALS_HISTORY, SCORECARDS

DEALS = "crm.deals"
ORG = "crm.org"

Kind = Literal[
    "record", "goal", "version", "status", "alert", "ack", "definition", "name", "member", "moment"
]

KINDS: dict[str, tuple[Kind, ...]] = {
    SCORECARDS.name: ("record",),
    GOALS.name: ("goal",),
    GOALS_HISTORY.name: ("version",),
    GOAL_STATUS.name: ("status",),
    ALERTS.name: ("alert",),
    ACKS.name: ("ack",),
    DEFINITIONS.name: ("definition",),
    ORG: ("name", "member"),
    DEALS: ("moment",),
}
"""What comes from which topic."""


class Entry(Struct, frozen=True, kw_only=True):
    """Something the view holds."""

    kind: Kind
    key: str
    revision: int
    body: bytes
    """As the API gives it out."""
    scope: str | None = None
    grain: str | None = None
    start: str | None = None
    at: int | None = None

    @property
    def shown(self) -> bool:
        """Whether walls hear of it: a customer's records are many, and asked for where they are wanted."""
        if self.kind == "version":
            return False
        return self.scope is None or not self.scope.startswith("customer:")

    @property
    def order(self) -> tuple[int, bytes]:
        """Of two the greater holds."""
        return self.revision, self.body


class Named(Struct, frozen=True):
    """What a seller is called."""

    scope: str
    name: str


class Member(Struct, frozen=True):
    """Which team a seller is in, if any."""

    scope: str
    team: str | None


class Defined(Struct, frozen=True):
    """A definition, under its key."""

    key: str
    record: DefinitionRecord


class Period(Struct, frozen=True):
    """The days of a status, and nothing else of it; both belong to it."""

    start: date
    end: date


class Gone(Struct, frozen=True):
    """That an entry is no more."""

    key: str
    gone: bool = True


encode = msgspec.json.Encoder().encode
decode_named = msgspec.json.Decoder(Named).decode
decode_member = msgspec.json.Decoder(Member).decode
decode_period = msgspec.json.Decoder(Period).decode
decode_defined = msgspec.json.Decoder(Defined).decode

_LATEST = 2**62
"""Later than any instant, in microseconds."""


def holding(day: date, statuses: Iterable[bytes]) -> Iterator[bytes]:
    """The statuses of periods that hold a day."""
    for body in statuses:
        period = decode_period(body)
        if period.start <= day <= period.end:
            yield body


def of_record(value: bytes) -> list[Entry]:
    """A KPI record."""
    record = decode_record(value)
    return [
        Entry(
            kind="record",
            key=record.key,
            revision=record.revision,
            scope=record.scope,
            grain=record.grain,
            start=record.start.isoformat(),
            body=encode_record(record),
        )
    ]


def of_goal(value: bytes) -> list[Entry]:
    """A goal: what people call it, and whether anybody accepted it."""
    goal = decode_goal(value)
    return [
        Entry(kind="goal", key=goal.id, revision=goal.version, scope=goal.scope, body=encode_goal(goal))
    ]


def of_status(value: bytes) -> list[Entry]:
    """Where a goal stands in one of its periods."""
    status = decode_status(value)
    return [
        Entry(
            kind="status",
            key=status.key,
            revision=status.revision,
            scope=status.scope,
            start=status.start.isoformat(),
            body=encode_status(status),
        )
    ]


def of_alert(value: bytes) -> list[Entry]:
    """Something that a person should hear of; a replay repeats it."""
    alert = decode_alert(value)
    return [
        Entry(
            kind="alert",
            key=alert.id,
            revision=alert.status.revision,
            scope=alert.status.scope,
            at=micros_of(alert.at),
            body=encode_alert(alert),
        )
    ]


def of_ack(value: bytes) -> list[Entry]:
    """Who acknowledged an alert."""
    ack = decode_ack(value)
    return [
        # Of several the first holds, and so is the higher one.
        Entry(
            kind="ack",
            key=ack.alert,
            revision=_LATEST - micros_of(ack.at),
            scope="company",
            at=micros_of(ack.at),
            body=encode_ack(ack),
        )
    ]


def of_definition(key: str, value: bytes) -> list[Entry]:
    """What an organisation defines itself, which only the record's key names."""
    record = read_record(key, value)
    if isinstance(record, Reason):
        # It is refused, and kept, by the ledger.
        return []
    body = encode(Defined(key, record))
    return [Entry(kind="definition", key=key, revision=record.version, scope="company", body=body)]


def of_version(offset: int, value: bytes) -> Entry:
    """A version of a goal; of several with one number the first in its partition holds, and is higher."""
    version = decode_version(value)
    return Entry(
        kind="version",
        key=f"{version.id}|{version.version}",
        revision=_LATEST - offset,
        # Whose it is: the goal's.
        scope=version.id,
        body=encode_version(version),
    )


def of_org(value: bytes) -> list[Entry]:
    """What a seller is called and which team they are in, as the latest event that says so."""
    event = decode_event(value, ORG)
    # What is no event of the organisation's is refused, and kept, by the ledger.
    if isinstance(event, Reason) or not isinstance(event, SellerAssigned | SellerLeft):
        return []
    scope, time = f"seller:{event.data.seller}", micros_of(event.time)
    team = event.data.team if isinstance(event, SellerAssigned) else None
    body = encode(Member(scope, team))
    found = [Entry(kind="member", key=scope, revision=time, scope=scope, body=body)]
    if isinstance(event, SellerAssigned) and event.data.name:
        body = encode(Named(scope, event.data.name))
        found.append(Entry(kind="name", key=scope, revision=time, scope=scope, body=body))
    return found


READ: dict[str, Callable[[bytes], list[Entry]]] = {
    SCORECARDS.name: of_record,
    GOALS.name: of_goal,
    GOAL_STATUS.name: of_status,
    ALERTS.name: of_alert,
    ACKS.name: of_ack,
    ORG: of_org,
}
"""How a topic's records are read; deals are folded (`wall.deals`), and two need more than what it says."""
