"""The founding of an installation: how it counts, written once by its first worker and held by all others.

Timezone and currency decide what every figure means, so a worker that was told others must not mix its
figures in; nor may one that reads other topics, of whose events these rows know nothing. And an
installation's versions start above those of every earlier one, so that where both have published, the
newer one's records hold.
"""

import time
from typing import Any

import msgspec
import structlog
from aiokafka import TopicPartition
from msgspec import Struct

from schemas.topics import founding
from streams.connecting import Consumer
from streams.delivery import Delivery, Outgoing
from streams.reading import NoSuchTopicError, has_topic, lost_history
from streams.settings import Settings

log = structlog.get_logger(__name__)

EPOCH_S = 1_577_836_800
"""2020-01-01T00:00Z; terms count seconds from here, which leaves versions exact in JSON until 2048."""


class FoundingError(Exception):
    """A worker was told otherwise than its installation was founded; the message says how."""


class Founding(Struct, frozen=True):
    """How an installation counts."""

    timezone: str
    currency: str
    first_term: int
    topic_prefix: str | None = None
    """Of the topics that its rows and offsets tell of; none where that was not written down yet."""


async def found(settings: Settings) -> Founding:
    """The founding record of an installation, which is written where there is none.

    Raises:
        FoundingError: the installation counts otherwise than these settings say, or other topics.
    """
    first_term = int(time.time()) - EPOCH_S
    mine = Founding(settings.timezone, settings.currency, first_term, settings.topic_prefix)
    held = await _held(settings)
    if held is None:
        lost = await lost_history(settings)
        if lost is not None:
            log.warning("a new installation counts what is left of history", lost=str(lost))
        topic = founding(settings.app_id).name
        async with Delivery(settings) as delivery:
            await delivery.write([Outgoing(topic, 0, settings.app_id, msgspec.json.encode(mine))])
        # Another worker may have been first.
        held = await _held(settings)
        assert held is not None, "the broker acknowledged it"
    if (held.timezone, held.currency) != (mine.timezone, mine.currency):
        raise FoundingError(
            f"{settings.app_id} counts in {held.timezone} and {held.currency}; this worker was told"
            f" {mine.timezone} and {mine.currency}. Set MALVAKT_TIMEZONE and MALVAKT_CURRENCY as they were,"
            " or give a new MALVAKT_APP_ID, which counts everything again (docs/running.md)."
        )
    if held.topic_prefix not in {None, mine.topic_prefix}:
        # Its rows, its offsets and this record are named after the app id alone.
        raise FoundingError(
            f"{settings.app_id} counts the topics that begin with {held.topic_prefix!r}; this worker was"
            f" told {mine.topic_prefix!r}. Give an installation with topics of its own a MALVAKT_APP_ID of"
            " its own, too, or set MALVAKT_TOPIC_PREFIX as it was (docs/running.md)."
        )
    return held


async def settings_as_founded(settings: Settings) -> Settings | None:
    """The settings, with timezone and currency as the installation was founded with; none where it is not.

    Raises:
        NoSuchTopicError: there is not even where that would be written down: no worker of it ever ran.
    """
    if not await has_topic(settings, founding(settings.app_id).name):
        raise NoSuchTopicError(f"No worker of {settings.app_id} ever ran on this broker.")
    held = await _held(settings)
    if held is None:
        return None
    return msgspec.structs.replace(settings, timezone=held.timezone, currency=held.currency)


async def _held(settings: Settings) -> Founding | None:
    """How an installation counts, as its first worker wrote it down; its topic must be there."""
    tp = TopicPartition(founding(settings.app_id).name, 0)
    consumer = Consumer(settings, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning(tp)
        ends: dict[Any, int] = await consumer.end_offsets([tp])
        if not ends[tp]:
            return None
        record: Any = await consumer.getone(tp)
        return msgspec.json.decode(record.value, type=Founding)
    finally:
        await consumer.stop()
