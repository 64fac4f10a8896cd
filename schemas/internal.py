"""What the agents tell each other, over `crm.links` and `kpi.partials`: absolute records, versioned."""

import msgspec
from msgspec import Struct

from schemas.packing import Packing

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
    """To every home: a partition has a new owner, and what an earlier one says from now on is void."""

    source: int
    version: int


Link = LeadNamed | LeadOrigin | TermBegun

encode_link = msgspec.msgpack.Encoder().encode
decode_link = msgspec.msgpack.Decoder[Link](Link).decode


class Cell(Struct, frozen=True, array_like=True, gc=False):
    """The absolute tally of one day."""

    day: int
    measures: Measures


class Partial(Struct, frozen=True, array_like=True, gc=False):
    """What one source partition counts for a scope: absolute, so that receiving it twice is harmless."""

    scope: str
    source: int
    version: int
    as_of: int
    """The latest event time the source had folded."""
    cells: list[Cell]

    @property
    def begins_term(self) -> bool:
        """Whether it counts nothing, and says that the source has a new owner."""
        return not self.scope


def term_begun(source: int, version: int) -> Partial:
    """To every partition's scorecards: what an earlier owner of the source says from now on is void."""
    return Partial("", source, version, 0, [])


encode_partial = msgspec.msgpack.Encoder().encode
decode_partial = msgspec.msgpack.Decoder(Partial).decode


class Contribution(Struct, frozen=True, array_like=True, gc=False):
    """The latest tally one source partition reported for a day."""

    version: int
    as_of: int
    measures: Measures


class ScorecardRow(Struct, array_like=True, gc=False):
    """One row of the scorecards table: a scope on a day."""

    scope: str
    day: int
    sources: dict[int, Contribution]


SCORECARD_ROWS: Packing[ScorecardRow] = Packing(ScorecardRow)
"""How the rows of the table `scorecards` are written."""
