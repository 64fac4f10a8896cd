"""Definitions on their topic: written to every partition, so that each has them among what it reads."""

from collections.abc import Mapping

from schemas.definitions import DefinitionRecord, decode_definition, encode_definition
from schemas.topics import DEFINITIONS
from streams.delivery import Delivery, Outgoing
from streams.reading import read_keyed
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
