"""`malvakt emit`: publish recorded events, keyed and validated."""

import asyncio
import sys

from malvakt.outcome import CallError
from malvakt.reaching import reaching, send, settings_with
from malvakt.recorded import EventFile, Line, read_recorded, report


def emit_(*files: EventFile, broker: str | None = None) -> int:
    """Publish recorded events to Kafka, each to its home and as it was written.

    Lines that are no valid events are listed and not sent; the rest goes through.

    Parameters
    ----------
    files
        Events, one JSON object a line; `-` reads standard input.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    """
    if not files:
        raise CallError("Name the files of events to publish, or - for standard input.")
    settings = settings_with(broker=broker)
    refused: list[Line] = []
    events = read_recorded(list(files), refused)
    with reaching(settings.broker):
        sent = asyncio.run(send(settings, events))
    print(f"{sent} events published, {len(refused)} lines refused.", file=sys.stderr)
    report(refused)
    return 1 if refused else 0
