"""What the ledger's table holds: one row per CRM object, and what the homes told each other.

Rows are absolute and carry a version; whoever reads a row twice, or late, keeps the highest.
"""

import msgspec
from msgspec import Struct


class Said(Struct, frozen=True, array_like=True, gc=False):
    """A value, and the event that stated it."""

    value: str | int | None
    time: int
    event: str
    source: str


class Share(Struct, array_like=True):
    """What an object contributes at one place, or once did: then its measures are empty."""

    day: int
    seller: str | None
    team: str | None
    customer: str | None
    person: str | None
    """The person contacted, where the object is a contact."""
    measures: dict[str, int]


class ObjectRow(Struct, array_like=True, tag=1):
    """What is known of a lead, a deal, an activity or a customer."""

    kind: str
    home: str
    id: str
    said: dict[str, Said]
    """By field: the value that the latest event stated."""
    first: dict[str, Said]
    """By kind of event: the earliest one; `any` is the earliest of all."""
    deleted: bool
    refs: list[str]
    """Keys of the rows this object is joined with, now or ever."""
    shares: list[Share]
    version: int


class SellerRow(Struct, array_like=True, tag=2):
    """Where a seller worked and when: each assignment and departure, in order of time."""

    history: list[Said]
    said: dict[str, Said]
    version: int


class Mention(Struct, array_like=True):
    """What one partition said of a lead that lives elsewhere."""

    version: int
    named: bool
    """Whether a deal there names the lead."""
    since: int | None
    """The earliest activity there that names the lead."""


class MentionsRow(Struct, array_like=True, tag=3):
    """At a lead's home: the partitions that name the lead."""

    by_partition: dict[int, Mention]
    version: int


class OriginRow(Struct, array_like=True, tag=4):
    """Where a lead is named: what its home last said of it."""

    told: int
    """The version under which the lead's home said it."""
    first: int | None
    """The earliest event of the lead and of the activities that name it, anywhere."""
    version: int


Row = ObjectRow | SellerRow | MentionsRow | OriginRow

encode_row = msgspec.msgpack.Encoder().encode
decode_row = msgspec.msgpack.Decoder[Row](Row).decode
