"""`malvakt emit`: publish recorded events, keyed and validated."""

import asyncio
import sys
from collections.abc import Iterable

import msgspec
from aiokafka.errors import KafkaConnectionError

from malvakt.outcome import CallError, Fault
from malvakt.progress import progress
from malvakt.recorded import EventFile, Line, read_events, report
from schemas.events import Event
from streams.publishing import published
from streams.settings import Settings, from_environment
from streams.topic_setup import TopicSetupError, set_up_topics


def emit_(*files: EventFile, broker: str | None = None) -> int:
    """Publish recorded events to Kafka, each to its home.

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
    settings = from_environment()
    if broker is not None:
        settings = msgspec.structs.replace(settings, broker=broker)
    refused: list[Line] = []
    try:
        sent = asyncio.run(_emit(settings, read_events(list(files), refused)))
    except KafkaConnectionError as error:
        raise Fault(f"No Kafka answers at {settings.broker}.") from error
    except TopicSetupError as error:
        raise Fault(str(error)) from error
    print(f"{sent} events published, {len(refused)} lines refused.", file=sys.stderr)
    report(refused)
    return 1 if refused else 0


async def _emit(settings: Settings, events: Iterable[Event]) -> int:
    await set_up_topics(settings)
    sent = 0
    with progress("events published") as advance:
        async for count in published(settings, events):
            sent += count
            advance(count)
    return sent
