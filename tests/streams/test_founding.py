"""The founding record: the first worker decides how an installation counts."""

import asyncio
import secrets
from typing import Any

import pytest
from msgspec import structs

from streams.founding import FoundingError, found
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
