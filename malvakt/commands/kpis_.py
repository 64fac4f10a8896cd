"""`malvakt kpis`: the KPI records that hold now, from the KPI topic."""

import asyncio
import sys

import msgspec
from aiokafka.errors import KafkaConnectionError

from kpis.calendar import Grain
from malvakt.outcome import Fault
from malvakt.showing import show_records
from schemas.records import KpiRecord, encode_record
from streams.reading import NoSuchTopicError, read_scorecards
from streams.settings import from_environment


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
        Only windows that start on this date.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each record as one JSON line, sorted by key.
    """
    settings = from_environment()
    if broker is not None:
        settings = msgspec.structs.replace(settings, broker=broker)
    try:
        records = asyncio.run(read_scorecards(settings))
    except KafkaConnectionError as error:
        raise Fault(f"No Kafka answers at {settings.broker}.") from error
    except NoSuchTopicError as error:
        raise Fault(str(error)) from error
    chosen = [
        records[key]
        for key in sorted(records)
        if records[key].measures and _asked(records[key], scope, grain, start)
    ]
    if json:
        for record in chosen:
            sys.stdout.buffer.write(encode_record(record) + b"\n")
    else:
        show_records(chosen)
    return 0


def _asked(record: KpiRecord, scope: str | None, grain: Grain | None, start: str | None) -> bool:
    in_scope = (
        scope is None or record.scope == scope or (scope.endswith(":") and record.scope.startswith(scope))
    )
    in_grain = grain is None or record.grain == grain
    return in_scope and in_grain and (start is None or record.start.isoformat() == start)
