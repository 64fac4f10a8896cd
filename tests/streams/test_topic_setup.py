"""Topic set-up on a real Kafka: what is missing is made, what is there is checked."""

import asyncio
import secrets
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.settings import Settings
from streams.topic_setup import TopicSetupError, delete_topics, set_up_topics

pytestmark = pytest.mark.kafka


def set_up_beside(broker: str, *others: NewTopic) -> int:
    """Set up an installation's topics where somebody created these before."""
    settings = own_settings(broker)

    async def run() -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker)
        await admin.start()
        for topic in others:
            topic.name = settings.topic(topic.name)
        await admin.create_topics(list(others))
        await admin.close()
        try:
            return await set_up_topics(settings)
        finally:
            await delete_topics(settings)

    return asyncio.run(run())


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
