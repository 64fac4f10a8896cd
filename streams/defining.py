"""Definitions on their topic: written to every partition, so that each has them among what it reads.

And which of them records show by now: the workers say so in their rows.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from kpis.scorecards import IN_USE
from schemas.definitions import (
    DefinitionRecord,
    Definitions,
    KpiDefinition,
    MeasureDefinition,
    decode_definition,
    encode_definition,
)
from schemas.internal import SCORECARD_ROWS, InUseRow
from schemas.packing import version_of
from schemas.topics import DEFINITIONS, TABLE_SCORECARDS, changelog
from streams.delivery import Delivery, Outgoing
from streams.reading import count_partitions, read_keyed, read_to_end
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
    found: dict[str, DefinitionRecord] = {}
    async for key, value in read_keyed(settings, DEFINITIONS.name):
        if value is None:
            found.pop(key, None)
            continue
        record = decode_definition(value)
        known = found.get(key)
        if known is None or known.version <= record.version:
            found[key] = record
    return found


async def read_in_use(settings: Settings) -> Definitions:
    """The definitions that all records show.

    Every partition was told by every other that all of its history is counted, under the same version.
    """
    if not await read_definitions(settings):
        return Definitions()
    topic = changelog(settings.app_id, TABLE_SCORECARDS).name
    partitions = await count_partitions(settings, topic)
    newest: dict[int, bytes] = {}
    unprefixed = structs.replace(settings, topic_prefix="")
    async for record in read_to_end(unprefixed, topic, _as_it_is):
        if record.key == IN_USE.encode() and record.value is not None:
            known = newest.get(record.partition)
            if known is None or version_of(known) <= version_of(record.value):
                newest[record.partition] = record.value
    rows = [row for packed in newest.values() if isinstance(row := SCORECARD_ROWS.unpack(packed), InUseRow)]
    measures: dict[str, MeasureDefinition] = {}
    kpis: dict[str, KpiDefinition] = {}
    for key in set[str]().union(*(row.sources for row in rows)):
        said = [source for row in rows for source in row.sources.get(key, {}).values()]
        numbers = {source.number for source in said}
        if len(said) < partitions**2 or len(numbers) > 1 or any(source.removed for source in said):
            continue
        definition = rows[0].definitions[key][numbers.pop()]
        name = key.partition("/")[2]
        if isinstance(definition, KpiDefinition):
            kpis[name] = definition
        else:
            measures[name] = definition
    return Definitions(measures, kpis)


def _as_it_is(record: Any) -> Any:
    return record
