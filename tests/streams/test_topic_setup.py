"""Topic set-up on a real Kafka: what is missing is made, what is there is checked."""

import asyncio
import secrets
from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec.structs import replace

from streams.connecting import Admin
from streams.settings import Settings
from streams.topic_setup import TopicSetupError, delete_topics, set_up_topics

pytestmark = pytest.mark.kafka


def set_up_beside(broker: str, *others: NewTopic) -> int:
    """Set up an installation's topics where somebody created these before."""
    settings = own_settings(broker)

    async def run() -> int:
        for topic in others:
            topic.name = settings.topic(topic.name)
        await create(broker, *others)
        try:
            return await set_up_topics(settings)
        finally:
            await delete_topics(settings)

    return asyncio.run(run())


async def create(broker: str, *topics: NewTopic) -> None:
    """Create topics, and wait until the broker knows them: it takes a moment."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    await admin.create_topics(list(topics))
    names = [topic.name for topic in topics]
    for _ in range(200):
        if not any(topic["error_code"] for topic in await admin.describe_topics(names)):
            break
        await asyncio.sleep(0.05)
    await admin.close()


def own_settings(broker: str) -> Settings:
    name = f"test-{secrets.token_hex(4)}"
    return Settings(broker=broker, app_id=name, topic_prefix=f"{name}.", partitions=2)


def crm(name: str, partitions: int, **configs: Any) -> NewTopic:
    kept = {"retention.ms": "-1", **{key.replace("_", "."): value for key, value in configs.items()}}
    return NewTopic(name, partitions, 1, topic_configs=kept)


def test_missing_topics_get_as_many_partitions_as_those_there_are(kafka_address: str) -> None:
    """An object lives whole in one partition of all of them."""
    assert set_up_beside(kafka_address, crm("crm.leads", 3)) == 3


def test_topics_with_different_partition_counts_are_refused(kafka_address: str) -> None:
    """The message says which differ."""
    with pytest.raises(TopicSetupError, match=r"crm\.deals 5"):
        set_up_beside(kafka_address, crm("crm.leads", 3), crm("crm.deals", 5))


def test_topics_that_would_lose_their_history_are_refused(kafka_address: str) -> None:
    """As a broker creates them by itself: for a week. The message says what to set."""
    with pytest.raises(
        TopicSetupError, match=r"crm\.deals has retention\.ms=604800000; set retention\.ms=-1"
    ):
        set_up_beside(kafka_address, crm("crm.deals", 2, retention_ms="604800000"))


def test_an_output_topic_that_is_not_compacted_is_refused(kafka_address: str) -> None:
    """Its latest records would go with the oldest."""
    with pytest.raises(TopicSetupError, match=r"kpi\.scorecards has cleanup\.policy=delete"):
        set_up_beside(kafka_address, crm("kpi.scorecards", 2))


DAY_MS = 24 * 3_600_000
RAW = ["crm.leads", "crm.activities", "crm.deals", "crm.costs", "crm.rejected"]
NAMES = ["retention.ms", "message.timestamp.type", "segment.bytes", "max.message.bytes"]


async def kept(settings: Settings, names: Iterable[str]) -> dict[str, list[str]]:
    """How topics are set up."""
    admin = Admin(settings)
    await admin.start()
    topics = [ConfigResource(ConfigResourceType.TOPIC, settings.topic(name)) for name in names]
    responses: Any = await admin.describe_configs(topics)
    await admin.close()
    found: dict[str, list[str]] = {}
    for response in responses:
        for _, _, _, topic, configs in response.resources:
            values = {config[0]: config[1] for config in configs}
            found[topic.removeprefix(settings.topic_prefix)] = [values[name] for name in NAMES]
    return found


def test_raw_detail_is_kept_for_as_many_days_as_is_said(kafka_address: str) -> None:
    """From when it came in. Where topics are there already they are changed, and nothing else of them is.

    The organisation stays, for without it nothing that is left could be placed, and so do alerts.
    """

    async def run() -> None:
        settings = own_settings(kafka_address)
        await create(kafka_address, crm(settings.topic("crm.deals"), 2, segment_bytes="1048576"))
        try:
            await set_up_topics(replace(settings, raw_days=30))
            others = ["crm.org", "kpi.alerts"]
            found = await kept(settings, [*RAW, *others])
            for topic in RAW:
                assert found[topic][:2] == [str(30 * DAY_MS), "LogAppendTime"], topic
            for topic in others:
                assert found[topic][:2] == ["-1", "CreateTime"], topic
            assert found["crm.deals"][2] == "1048576"
            await set_up_topics(replace(settings, raw_days=400))
            longer = await kept(settings, RAW)
            assert {of_topic[0] for of_topic in longer.values()} == {str(400 * DAY_MS)}
            assert longer["crm.deals"][2] == "1048576"
            assert longer["crm.rejected"][3] == str(8 * 1024 * 1024)
            # Unset, nothing is changed: whoever meant it says so.
            with pytest.raises(TopicSetupError, match=r"crm\.leads has retention\.ms=.*MALVAKT_RAW_DAYS"):
                await set_up_topics(settings)
        finally:
            await delete_topics(settings)

    asyncio.run(run())


def test_topics_that_are_kept_for_good_are_not_shortened_unless_that_is_said(kafka_address: str) -> None:
    """Setting up again changes nothing."""

    async def run() -> None:
        settings = own_settings(kafka_address)
        try:
            for _ in range(2):
                await set_up_topics(settings)
                assert {each[0] for each in (await kept(settings, RAW)).values()} == {"-1"}
        finally:
            await delete_topics(settings)

    asyncio.run(run())
