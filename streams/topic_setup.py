"""Topic set-up: creates what is missing as `schemas/topics.py` declares it, and checks what is there."""

import asyncio
import time
from typing import Any, NamedTuple

import structlog
from aiokafka.admin import NewTopic
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
from streams.connecting import Admin
from streams.settings import Settings

CREATE_S = 30.0
POLL_S = 0.1

log = structlog.get_logger(__name__)


class TopicSetupError(Exception):
    """Topics cannot be used as they are; the message says which, and what to do."""


class Config(NamedTuple):
    """A setting of a topic."""

    value: str
    own: bool
    """Whether it was set for this topic; else the broker's default holds."""


def declared_topics(settings: Settings) -> list[Topic]:
    """Every topic of an installation, the tables' changelogs included."""
    own = [structs.replace(topic, name=settings.topic(topic.name)) for topic in TOPICS]
    tables = [TABLE_OBJECTS, TABLE_SCORECARDS, TABLE_STANDINGS]
    return [*own, founding(settings.app_id), *(changelog(settings.app_id, table) for table in tables)]


async def set_up_topics(settings: Settings) -> int:
    """Create missing topics, check the others, and return how many partitions each has.

    How long raw detail is kept is changed where the settings say for how many days.

    Raises:
        TopicSetupError: a topic cannot be created, partition counts differ, or a topic that somebody else
            created would lose what must be kept.
    """
    admin = Admin(settings)
    await admin.start()
    try:
        topics = declared_topics(settings)
        names = [topic.name for topic in topics]
        counts = await _partition_counts(admin, names)
        partitions = next(iter(counts.values()), settings.partitions)
        if settings.declare_topics:
            missing = [topic for topic in topics if topic.name not in counts]
            await _create(admin, missing, partitions, settings)
            await _until_led(admin, names)
            if settings.raw_days:
                await _keep_for(admin, [topic for topic in topics if topic.is_raw], settings.raw_days)
            _check(topics, await _configs(admin, names), settings.raw_days)
        counts = await _partition_counts(admin, names)
    finally:
        await admin.close()
    return _agreed(counts, names)


async def delete_topics(settings: Settings) -> None:
    """Remove every topic of an installation, with all that is in them."""
    admin = Admin(settings)
    await admin.start()
    try:
        await admin.delete_topics([topic.name for topic in declared_topics(settings)])
    finally:
        await admin.close()


async def _partition_counts(admin: Admin, names: list[str]) -> dict[str, int]:
    described = await admin.describe_topics(names)
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in described
        if topic["error_code"] == 0 and topic["partitions"]
    }


async def _until_led(admin: Admin, names: list[str]) -> None:
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


async def _create(admin: Admin, topics: list[Topic], partitions: int, settings: Settings) -> None:
    if not topics:
        return
    response: Any = await admin.create_topics(
        [
            NewTopic(
                name=topic.name,
                num_partitions=partitions,
                replication_factor=settings.replication,
                topic_configs=topic.config(settings.raw_days),
            )
            for topic in topics
        ]
    )
    for name, code, message in response.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            raise TopicSetupError(f"Topic {name} could not be created: {message or for_code(code)}.")


async def _keep_for(admin: Admin, topics: list[Topic], days: int) -> None:
    """Let topics that were there keep raw detail for so many days, no less and no more."""
    names = [topic.name for topic in topics]
    found = await _configs(admin, names)
    wrong = _kept_otherwise(topics, days, found)
    for topic in wrong:
        was = found[topic.name]["retention.ms"].value
        log.warning("raw detail is kept for another time", topic=topic.name, days=days, was_ms=was)
    deadline = time.monotonic() + CREATE_S
    while wrong:
        await _alter(admin, {topic.name: _changed(topic, days, found[topic.name]) for topic in wrong})
        # It takes a moment until all of the broker knows.
        await asyncio.sleep(POLL_S)
        found = await _configs(admin, names)
        wrong = _kept_otherwise(topics, days, found)
        if wrong and time.monotonic() > deadline:
            listed = ", ".join(topic.name for topic in wrong)
            raise TopicSetupError(f"After {CREATE_S:.0f} s, {listed} cannot be set to {days} days.")


def _kept_otherwise(topics: list[Topic], days: int, found: dict[str, dict[str, Config]]) -> list[Topic]:
    return [
        topic
        for topic in topics
        if any(found[topic.name][name].value != topic.config(days)[name] for name in _OF_RETENTION)
    ]


def _changed(topic: Topic, days: int, found: dict[str, Config]) -> dict[str, str]:
    """All that is to be set for a topic: what is not said again falls back to the broker's default."""
    own = {name: config.value for name, config in found.items() if config.own}
    return own | {name: topic.config(days)[name] for name in _OF_RETENTION}


async def _alter(admin: Admin, changed: dict[str, dict[str, str]]) -> None:
    responses: Any = await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, configs) for name, configs in changed.items()]
    )
    for response in responses:
        for code, message, _, name in response.resources:
            if code:
                raise TopicSetupError(f"Topic {name} could not be changed: {message or for_code(code)}.")


_OF_RETENTION = ("retention.ms", "message.timestamp.type")

_OF_TOPIC = 1
"""Where a setting comes from: it was set for the topic."""


async def _configs(admin: Admin, names: list[str]) -> dict[str, dict[str, Config]]:
    responses: Any = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    return {
        name: {config[0]: Config(config[1], config[3] == _OF_TOPIC) for config in configs}
        for response in responses
        for _, _, _, name, configs in response.resources
    }


def _check(topics: list[Topic], found: dict[str, dict[str, Config]], raw_days: int) -> None:
    """Topics that were there keep what must be kept, or it is said which do not and how to mend them."""
    faults: list[str] = []
    on_purpose = ""
    for topic in topics:
        for name, wanted in topic.config(raw_days).items():
            set_to = found[topic.name][name].value
            if not _as_kept(name, set_to, wanted):
                faults.append(f"{topic.name} has {name}={set_to}; set {name}={wanted}")
                if topic.is_raw and name == "retention.ms":
                    on_purpose = " Or say with MALVAKT_RAW_DAYS that it is meant (docs/retention.md)."
    if faults:
        raise TopicSetupError(
            f"Topics would lose what must be kept: {'; '.join(faults)}"
            " (kafka-configs.sh --alter --entity-type topics --entity-name TOPIC --add-config ...)."
            f"{on_purpose}"
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
