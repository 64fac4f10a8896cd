"""What the agents tell each other, over `crm.links` and `kpi.partials`: absolute records, versioned."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from schemas.definitions import KpiDefinition, MeasureDefinition
from schemas.packing import Packing
from schemas.records import Figure
from schemas.rows import Said

Measures = dict[str, int]
"""Amounts by measure, in the unit that each measure names."""


class LeadNamed(Struct, frozen=True, array_like=True, tag="named"):
    """To a lead's home: what this partition knows of the lead."""

    lead: str
    source: int
    version: int
    named: bool
    since: int | None


class LeadOrigin(Struct, frozen=True, array_like=True, tag="origin"):
    """From a lead's home to a partition that names it: when the lead was first heard of."""

    lead: str
    to: int
    version: int
    first: int | None


class TermBegun(Struct, frozen=True, array_like=True, tag="term"):
    """To every reader: a partition has a new owner, and what an earlier one says from now on is void."""

    source: int
    version: int


class LeadOf(Struct, frozen=True, array_like=True, tag="of"):
    """From a lead's home to a customer's: what the customer's figures need of the lead, if it is theirs."""

    lead: str
    customer: str
    source: int
    version: int
    first: Said | None
    organisation: bool


Link = LeadNamed | LeadOrigin | LeadOf | TermBegun


def reader_of(link: Link, partition_of: Callable[[str], int]) -> int:
    """The partition that a link is for, where `partition_of` tells which one a key belongs to."""
    match link:
        case LeadNamed():
            return partition_of(link.lead)
        case LeadOf():
            return partition_of(link.customer)
        case LeadOrigin():
            return link.to
        case TermBegun():
            raise AssertionError("the term of a new owner is announced to every partition")


encode_link = msgspec.msgpack.Encoder().encode
decode_link = msgspec.msgpack.Decoder[Link](Link).decode


class Cell(Struct, frozen=True, array_like=True, gc=False):
    """The absolute tally of one day."""

    day: int
    measures: Measures


class Partial(Struct, frozen=True, array_like=True, tag="p", gc=False):
    """What one source partition counts for a scope: absolute, so that receiving it twice is harmless."""

    scope: str
    source: int
    version: int
    as_of: int
    """The latest event time the source had folded."""
    cells: list[Cell]


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """A source partition has counted all its history under a version of a definition, or that is gone."""

    source: int
    version: int
    """Of what the source says, as in partials."""
    key: str
    number: int
    definition: MeasureDefinition | KpiDefinition | None


Reported = Partial | Ready | TermBegun
"""What a source partition tells scorecards: over one topic, so that what it says of partials follows."""

encode_reported = msgspec.msgpack.Encoder().encode
decode_reported = msgspec.msgpack.Decoder[Reported](Reported).decode


class Contribution(Struct, frozen=True, array_like=True, gc=False):
    """The latest tally one source partition reported for a day."""

    version: int
    as_of: int
    measures: Measures


class DayRow(Struct, array_like=True, tag=1, gc=False):
    """One row of the scorecards table: a scope on a day."""

    scope: str
    day: int
    sources: dict[int, Contribution]


class ClosingRow(Struct, frozen=True, array_like=True, tag=2):
    """The KPIs of a record as they were when its window closed; written when that changes afterwards."""

    kpis: dict[str, Figure]


class ClockRow(Struct, frozen=True, array_like=True, tag=3):
    """What the ticks said: instants in microseconds."""

    began: int
    """The first tick: what was over by then is history, and closed before anybody looked."""
    before: int | None
    """Up to where the ticks had come before the batch that brought the last one; none had."""
    now: int


class SourceReady(Struct, frozen=True, array_like=True):
    """What a source partition last said of a definition."""

    version: int
    number: int
    removed: bool


class InUseRow(Struct, array_like=True, tag=4):
    """The definitions as the source partitions have counted them, by their keys."""

    definitions: dict[str, dict[int, MeasureDefinition | KpiDefinition]]
    """By number."""
    sources: dict[str, dict[int, SourceReady]]


ScorecardRow = DayRow | ClosingRow | ClockRow | InUseRow

SCORECARD_ROWS: Packing[ScorecardRow] = Packing(ScorecardRow)
"""How the rows of the table `scorecards` are written."""


class Tick(Struct, frozen=True, array_like=True):
    """The clock, as a record: what time it is, in microseconds."""

    now: int


class Renewed(Struct, frozen=True, array_like=True):
    """The scorecards took something in, and what followed is published."""

    now: int
    """By which clock, in microseconds,"""
    ticked: bool
    """and whether that is news."""
    days: dict[str, tuple[int, int]]
    """By scope: the first and the last of the days of which figures are others."""


encode_tick = msgspec.msgpack.Encoder().encode
decode_tick = msgspec.msgpack.Decoder(Tick).decode
encode_renewed = msgspec.msgpack.Encoder().encode
decode_renewed = msgspec.msgpack.Decoder(Renewed).decode
