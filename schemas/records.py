"""The KPI record: what subscribers of `kpi.scorecards` read."""

from datetime import date, datetime
from typing import Literal

import msgspec
from msgspec import Struct

Figure = int | float | str | None
"""A count, a ratio or days; money as a decimal string; null where the denominator is zero."""


class KpiRecord(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One scope in one calendar window."""

    scope: str
    grain: Literal["day", "week", "month", "quarter", "year", "ever"]
    start: date
    end: date | None
    """The first day after the window; null for `ever`."""
    state: Literal["open", "closed", "corrected"]
    revision: int
    """Only grows; of two records with the same key the higher one holds."""
    measures: dict[str, Figure]
    kpis: dict[str, Figure]
    as_of: datetime
    """What time it was when the record was written, as the installation's clock ticks."""
    previous: dict[str, Figure] | None = None
    """Of a corrected record: the KPIs as they were when its window closed."""

    @property
    def key(self) -> str:
        """The record's key on the topic: `scope|grain|start`."""
        return f"{self.scope}|{self.grain}|{self.start}"


encode_record = msgspec.json.Encoder().encode
decode_record = msgspec.json.Decoder(KpiRecord).decode
