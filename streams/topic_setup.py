"""Topic set-up: creates what is missing as `schemas/topics.py` declares it, and checks what is there."""

import asyncio
import time
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code
from msgspec import structs

from schemas.topics import (
    TABLE_OBJECTS,
    TABLE_SCORECARDS,
    TABLE_STANDINGS,
    TOPICS,
    Topic,
    changelog,
    founding,
)
from streams.settings import Settings

CREATE_S = 30.0
POLL_S = 0.1


class TopicSetupError(Exception):
    """Topics cannot be used as they are; the message says which, and what to do."""


def declared_topics(settings: Settings) -> list[Topic]:
    """Every topic of an installation, the tables' changelogs included."""
    own = [structs.replace(topic, name=settings.topic(topic.name)) for topic in TOPICS]
    tables = [TABLE_OBJECTS, TABLE_SCORECARDS, TABLE_STANDINGS]
    return [*own, founding(settings.app_id), *(changelog(settings.app_id, table) for table in tables)]


async def set_up_topics(settings: Settings) -> int:
    """Create missing topics, check the others, and return how many partitions each has.

    Raises:
        TopicSetupError: a topic cannot be created, partition counts differ, or a topic that somebody else
            created would lose what must be kept.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker.split(","))
    await admin.start()
    try:
        topics = declared_topics(settings)
        names = [topic.name for topic in topics]
        counts = await _partition_counts(admin, names)
        partitions = next(iter(counts.values()), settings.partitions)
        if settings.declare_topics:
            missing = [topic for topic in topics if topic.name not in counts]
            await _create(admin, missing, partitions, settings.replication)
            await _until_led(admin, names)
            _check(topics, await _configs(admin, names))
        counts = await _partition_counts(admin, names)
    finally:
        await admin.close()
    return _agreed(counts, names)


async def delete_topics(settings: Settings) -> None:
    """Remove every topic of an installation, with all that is in them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker.split(","))
    await admin.start()
    try:
        await admin.delete_topics([topic.name for topic in declared_topics(settings)])
    finally:
        await admin.close()


async def _partition_counts(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    described = await admin.describe_topics(names)
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in described
        if topic["error_code"] == 0 and topic["partitions"]
    }


async def _until_led(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """A topic that was just created takes a moment to be known, and to have leaders."""
    deadline = time.monotonic() + CREATE_S
    while time.monotonic() < deadline:
        described = await admin.describe_topics(names)
        if all(
            topic["error_code"] == 0 and all(p["leader"] >= 0 for p in topic["partitions"])
            for topic in described
        ):
            return
        await asyncio.sleep(POLL_S)
    raise TopicSetupError(f"Topics were created but have no leaders after {CREATE_S:.0f} s.")


async def _create(
    admin: AIOKafkaAdminClient, topics: list[Topic], partitions: int, replication: int
) -> None:
    if not topics:
        return
    response: Any = await admin.create_topics(
        [
            NewTopic(
                name=topic.name,
                num_partitions=partitions,
                replication_factor=replication,
                topic_configs=topic.config(),
            )
            for topic in topics
        ]
    )
    for name, code, message in response.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            raise TopicSetupError(f"Topic {name} could not be created: {message or for_code(code)}.")


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    responses: Any = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    return {
        name: {config[0]: config[1] for config in configs}
        for response in responses
        for _, _, _, name, configs in response.resources
    }


def _check(topics: list[Topic], found: dict[str, dict[str, str]]) -> None:
    """Topics that were there keep what must be kept, or it is said which do not and how to mend them."""
    faults: list[str] = []
    for topic in topics:
        for name, wanted in topic.config().items():
            set_to = found[topic.name][name]
            if not _as_kept(name, set_to, wanted):
                faults.append(f"{topic.name} has {name}={set_to}; set {name}={wanted}")
    if faults:
        raise TopicSetupError(
            f"Topics would lose what must be kept: {'; '.join(faults)}"
            " (kafka-configs.sh --alter --entity-type topics --entity-name TOPIC --add-config ...)."
        )


def _as_kept(name: str, found: str, wanted: str) -> bool:
    if name in {"min.compaction.lag.ms", "max.message.bytes"}:
        return int(found) >= int(wanted)
    return found == wanted


def _agreed(counts: dict[str, int], needed: list[str]) -> int:
    missing = sorted(set(needed) - set(counts))
    if missing:
        raise TopicSetupError(
            f"Topics are missing: {', '.join(missing)}. Create them with equal partition counts."
        )
    if len({counts[name] for name in needed}) > 1:
        listed = ", ".join(f"{name} {counts[name]}" for name in needed)
        raise TopicSetupError(
            f"Partition counts differ ({listed}). An object lives whole in one partition of all"
            " of them: recreate the topics with the same count."
        )
    return counts[needed[0]]
