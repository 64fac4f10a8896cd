"""The founding record: the first worker decides how an installation counts."""

import asyncio
import secrets
from typing import Any

import pytest
from msgspec import structs

from schemas.topics import founding
from streams.delivery import Delivery, Outgoing
from streams.founding import FoundingError, found, settings_as_founded
from streams.reading import NoSuchTopicError
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics


def test_the_first_worker_decides_how_an_installation_counts(kafka_address: str) -> None:
    """A second one gets the first one's term; one that was told otherwise is refused."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(broker=kafka_address, app_id=name, topic_prefix=f"{name}.", partitions=2)

    async def run() -> None:
        await set_up_topics(settings)
        first = await found(settings)
        assert (first.timezone, first.currency) == ("Europe/Stockholm", "SEK")
        assert first.first_term > 200_000_000
        assert await found(settings) == first
        other: Any = structs.replace(settings, currency="EUR")
        with pytest.raises(FoundingError, match=r"counts in Europe/Stockholm and SEK.*MALVAKT_APP_ID"):
            await found(other)
        await delete_topics(settings)

    asyncio.run(run())


def test_who_was_told_otherwise_learns_how_an_installation_counts(kafka_address: str) -> None:
    """Timezone and currency, and nothing else; before a worker ran there is nothing to learn."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(
        broker=kafka_address,
        app_id=name,
        topic_prefix=f"{name}.",
        partitions=2,
        timezone="Europe/Helsinki",
        currency="EUR",
    )
    other = structs.replace(settings, timezone="Europe/Oslo", currency="NOK", ticks_s=7.0)

    async def run() -> None:
        with pytest.raises(NoSuchTopicError, match=f"No worker of {name} ever ran"):
            await settings_as_founded(other)
        await set_up_topics(settings)
        assert await settings_as_founded(other) is None
        await found(settings)
        counted = structs.replace(other, timezone="Europe/Helsinki", currency="EUR")
        assert await settings_as_founded(other) == counted
        await delete_topics(settings)

    asyncio.run(run())


def test_one_that_reads_other_topics_is_another_installation(kafka_address: str) -> None:
    """It needs an app id of its own: by that alone rows, offsets and the founding are told apart."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(broker=kafka_address, app_id=name, topic_prefix=f"{name}.a.", partitions=2)
    other = structs.replace(settings, topic_prefix=f"{name}.b.")
    own = structs.replace(other, app_id=f"{name}-b")

    async def run() -> None:
        for one in (settings, other, own):
            await set_up_topics(one)
        await found(settings)
        with pytest.raises(FoundingError, match=rf"begin with '{name}\.a\.'.*MALVAKT_APP_ID of its own"):
            await found(other)
        assert (await found(own)).topic_prefix == other.topic_prefix
        await delete_topics(settings)
        await delete_topics(own)

    asyncio.run(run())


def test_an_installation_that_was_founded_before_prefixes_were_written_down_goes_on(
    kafka_address: str,
) -> None:
    """Whatever its prefix is: nobody knows a better one."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(broker=kafka_address, app_id=name, topic_prefix=f"{name}.", partitions=2)
    early = b'{"timezone":"Europe/Stockholm","currency":"SEK","first_term":1}'

    async def run() -> None:
        await set_up_topics(settings)
        async with Delivery(settings) as delivery:
            await delivery.write([Outgoing(founding(name).name, 0, name, early)])
        assert (await found(settings)).first_term == 1
        await delete_topics(settings)

    asyncio.run(run())
