"""Publishing: where an event goes, and that its bytes are those that were written."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.decoding import Reason, decode_event
from schemas.events import Event, Recorded, encode_event
from schemas.export import FOLDER
from streams.delivery import Outgoing
from streams.partitioning import ON_EVERY_PARTITION, partition_of
from streams.publishing import Publisher
from streams.settings import Settings

EXAMPLES = sorted((FOLDER.parent / "examples").glob("*.json"))
PARTITIONS = 5


class FakeDelivery:
    def __init__(self) -> None:
        self.written: list[Outgoing] = []

    async def partitions(self, topic: str) -> int:
        return PARTITIONS

    async def write(self, records: Any) -> list[Any]:
        self.written.extend(records)
        return []


def written(*events: Event | Recorded) -> list[Outgoing]:
    """What publishing events writes."""
    delivery: Any = FakeDelivery()
    asyncio.run(Publisher(delivery, Settings(topic_prefix="acme.")).publish(events))
    return delivery.written


def decoded(raw: bytes) -> Event:
    event = decode_event(raw)
    assert not isinstance(event, Reason)
    return event


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_event_goes_to_its_home_and_the_organisations_to_every_partition(path: Path) -> None:
    """On the topic of its type, under the installation's prefix."""
    event = decoded(path.read_bytes())
    found = written(event)
    assert {record.topic for record in found} == {f"acme.{event.topic}"}
    assert {record.value for record in found} == {encode_event(event)}
    home = event.data.home
    places = range(PARTITIONS) if home is None else [partition_of(home, PARTITIONS)]
    assert [record.partition for record in found] == list(places)
    about = home or getattr(event.data, "seller", None) or getattr(event.data, "currency", None)
    assert {record.key for record in found} == {about}
    assert all((ON_EVERY_PARTITION in record.headers) == (home is None) for record in found)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_was_recorded_is_written_as_it_was(path: Path) -> None:
    """Unknown fields, their order and the spaces between them are kept."""
    said = orjson.loads(path.read_bytes())
    said["data"]["our_own"] = {"b": 1, "a": [None]}
    raw = orjson.dumps({"traceparent": "00-1", **said}, option=orjson.OPT_INDENT_2)
    found = written(Recorded(decoded(raw), raw))
    assert {record.value for record in found} == {raw}
