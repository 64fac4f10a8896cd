"""What the ledger's table holds: one row per CRM object, and what the homes told each other.

Rows are absolute. Their version stands outside them, in front of their bytes (`schemas.packing`), so
that whoever reads a row twice, or late, can keep the higher one without reading what is in it.
"""

from msgspec import Struct

from schemas.definitions import KpiDefinition, MeasureDefinition
from schemas.packing import Packing

Value = str | int | float | bool | None
"""What a row keeps of a field: text, an instant in microseconds, or that there is none. Of a field that
only an organisation's own definitions read, also a number, or true or false."""

OWN = "~"
"""Before the name of a field that only an organisation's own definitions read."""


class Telling(Struct, array_like=True, gc=False):
    """One event, and the fields of which it is the latest to state the value."""

    time: int
    event: str
    source: str
    said: dict[str, Value]


class Said(Struct, frozen=True, array_like=True, gc=False):
    """A value, and the event that stated it."""

    value: Value
    time: int
    event: str
    source: str


class Share(Struct, frozen=True, array_like=True, gc=False):
    """What an object contributes at one place, or once did: then its measures are empty."""

    day: int
    seller: str | None
    team: str | None
    customer: str | None
    person: str | None
    """The person contacted, where the object is a contact."""
    measures: dict[str, int]


class ObjectRow(Struct, array_like=True, tag=1, gc=False):
    """What is known of a lead, a deal, an activity, a cost or a customer."""

    kind: str
    home: str
    id: str
    refs: list[str]
    """Keys of the rows this object is joined with, now or ever."""
    shares: list[Share]
    deleted: bool
    first: int
    """The time of its earliest event."""
    firsts: dict[str, Said]
    """By kind of event, where it matters: the earliest one, and the seller it named."""
    told: list[Telling]
    """The events that still hold something, in their order."""


class SellerRow(Struct, array_like=True, tag=2):
    """Where a seller worked and when: each assignment and departure, in order of time."""

    history: list[Said]
    said: dict[str, Said]


class Mention(Struct, frozen=True, array_like=True):
    """What one partition said of a lead that lives elsewhere."""

    version: int
    named: bool
    """Whether a deal there names the lead."""
    since: int | None
    """The earliest activity there that names the lead."""
    asked: bool = True
    """Whether a deal there names the lead or ever did: only then anybody there needs to hear of it. Rows of
    before this was noted may be of such."""


class MentionsRow(Struct, array_like=True, tag=3):
    """At a lead's home: the partitions that name the lead."""

    by_partition: dict[int, Mention]


class OriginRow(Struct, array_like=True, tag=4):
    """Where a lead is named: what its home last said of it."""

    told: int
    """The version under which the lead's home said it."""
    first: int | None
    """The earliest event of the lead and of the activities that name it, anywhere."""


class RateRow(Struct, array_like=True, tag=5):
    """What a currency was worth and when: each rate that was set, in order of time."""

    history: list[Said]


class LeadOfRow(Struct, array_like=True, tag=6):
    """Where a customer lives: what the home of one of their leads last said of it."""

    told: int
    """The version under which the lead's home said it."""
    first: Said | None
    """The lead's earliest event and the seller it named; none where the lead is not theirs any more."""
    organisation: bool
    """Whether it states an organisation number."""


class Version(Struct, frozen=True, array_like=True):
    """One version of a definition."""

    number: int
    definition: MeasureDefinition | KpiDefinition


class DefinedRow(Struct, array_like=True, tag=7):
    """The definitions in force, by their keys: of each the versions that are counted, the latest last."""

    versions: dict[str, list[Version]]
    removed: dict[str, int]
    """Those that were taken away, and under which version."""
    counted: dict[str, int]
    """Up to which version of each all history has been counted here."""


Row = ObjectRow | SellerRow | MentionsRow | OriginRow | RateRow | LeadOfRow | DefinedRow

ROWS: Packing[Row] = Packing(Row)
"""How the rows of the table `objects` are written."""
