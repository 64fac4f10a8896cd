"""`malvakt kpis`: the KPI records that hold now, from the KPI topic."""

import asyncio
import sys
from datetime import date

from kpis.calendar import Grain
from kpis.tally import COMPANY
from malvakt.asking import asked_date
from malvakt.outcome import CallError
from malvakt.reaching import reaching, settings_with
from malvakt.showing import show_records
from schemas.records import KpiRecord, encode_record
from streams.reading import read_scorecards

KINDS = ("team:", "seller:", "customer:")


def kpis_(
    *,
    scope: str | None = None,
    grain: Grain | None = None,
    start: str | None = None,
    broker: str | None = None,
    json: bool = False,
) -> int:
    """Show KPI records.

    Parameters
    ----------
    scope
        `company`, `team:ID`, `seller:ID`, `customer:ID`, or a kind such as `team:` for all of it.
    grain
        Only windows of this length.
    start
        Only windows that start on this date, such as 2026-03-01.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each record as one JSON line, sorted by key.
    """
    if scope is not None and scope != COMPANY and not scope.startswith(KINDS):
        raise CallError(f"--scope {scope}: give {COMPANY}, or one that begins with {', '.join(KINDS)}.")
    day = None if start is None else asked_date("--start", start)
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        records = asyncio.run(read_scorecards(settings))
    chosen = [
        records[key]
        for key in sorted(records)
        if records[key].measures and _asked(records[key], scope, grain, day)
    ]
    if json:
        for record in chosen:
            sys.stdout.buffer.write(encode_record(record) + b"\n")
    else:
        show_records(chosen)
    return 0


def _asked(record: KpiRecord, scope: str | None, grain: Grain | None, start: date | None) -> bool:
    in_scope = (
        scope is None or record.scope == scope or (scope.endswith(":") and record.scope.startswith(scope))
    )
    in_grain = grain is None or record.grain == grain
    return in_scope and in_grain and (start is None or record.start == start)
