"""Definitions on their topic: written to every partition, so that each has them among what it reads.

And which of them records show by now: the workers say so in their rows.
"""

from collections.abc import Callable, Mapping

from msgspec import structs

from kpis.definitions.changing import definitions_in
from kpis.definitions.holding import NOTHING, Held
from kpis.definitions.recorded import read_record
from kpis.in_use import IN_USE
from schemas.decoding import Reason
from schemas.definitions import (
    DefinitionRecord,
    Definitions,
    encode_definition,
)
from schemas.internal import SCORECARD_ROWS, InUseRow
from schemas.packing import version_of
from schemas.topics import DEFINITIONS, TABLE_SCORECARDS, changelog
from streams.delivery import Delivery, Outgoing
from streams.reading import count_partitions, read_keyed, read_on
from streams.settings import Settings


async def define(
    settings: Settings, delivery: Delivery, definitions: Mapping[str, DefinitionRecord | None]
) -> None:
    """Put definitions in force, by their keys; `None` takes one away."""
    topic = settings.topic(DEFINITIONS.name)
    partitions = await delivery.partitions(topic)
    await delivery.write(
        Outgoing(topic, partition, key, None if record is None else encode_definition(record))
        for partition in range(partitions)
        for key, record in definitions.items()
    )


async def read_definitions(settings: Settings) -> dict[str, DefinitionRecord]:
    """The definitions in force, by their keys.

    Raises:
        NoSuchTopicError: there is no such topic.
    """
    told = await _last_told(settings)
    return {key: record for key, record in told.items() if record is not None}


async def _last_told(settings: Settings) -> dict[str, DefinitionRecord | None]:
    """What was said last of each key; `None` where that is that it is taken away."""
    found: dict[str, DefinitionRecord | None] = {}
    async for key, value in read_keyed(settings, DEFINITIONS.name):
        record = None if value is None else read_record(key, value)
        if isinstance(record, Reason):
            # The ledger refuses it, and says so.
            continue
        known = found.get(key)
        if record is None or known is None or known.version <= record.version:
            found[key] = record
    return found


async def read_in_use(settings: Settings) -> Definitions:
    """The definitions that all records show.

    Raises:
        NoSuchTopicError: there is no topic of definitions.
    """
    return (await InUse(settings).read()).shown


def _unnoticed() -> None:
    """Nobody wants to know that reading goes on."""


class InUse:
    """The definitions of an installation, looked at again and again: each time what came since is read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._positions: dict[int, int] = {}
        self._newest: dict[int, bytes] = {}
        """By partition, how its row of them is."""

    async def read(self, goes_on: Callable[[], None] = _unnoticed) -> Held:
        """What holds now; `goes_on` is called again and again meanwhile.

        Shown is what every partition was told of by every other: that all of its history is counted, under
        the same version.

        Raises:
            NoSuchTopicError: there is no topic of definitions.
        """
        told = await _last_told(self._settings)
        if not told:
            return NOTHING
        said = definitions_in({key: record for key, record in told.items() if record is not None})
        removed = {key for key, record in told.items() if record is None}
        topic = changelog(self._settings.app_id, TABLE_SCORECARDS).name
        partitions = await count_partitions(self._settings, topic)
        unprefixed = structs.replace(self._settings, topic_prefix="")
        async for batch in read_on(unprefixed, topic, self._positions):
            # First what was read, which is not read again if whoever asked does not go on.
            for record in batch:
                if record.key == IN_USE.encode() and record.value is not None:
                    self._take(record.partition, record.value)
            goes_on()
        rows = [
            row for row in map(SCORECARD_ROWS.unpack, self._newest.values()) if isinstance(row, InUseRow)
        ]
        shown: dict[str, DefinitionRecord] = {}
        for key in set[str]().union(*(row.sources for row in rows)):
            sources = [source for row in rows for source in row.sources.get(key, {}).values()]
            numbers = {source.number for source in sources}
            if any(source.removed for source in sources):
                removed.add(key)
            elif len(sources) == partitions**2 and len(numbers) == 1:
                [number] = numbers
                shown[key] = DefinitionRecord(number, rows[0].definitions[key][number])
        names = frozenset(key.partition("/")[2] for key in removed)
        return Held(definitions_in(shown), said, names)

    def _take(self, partition: int, packed: bytes) -> None:
        known = self._newest.get(partition)
        if known is None or version_of(known) <= version_of(packed):
            self._newest[partition] = packed
