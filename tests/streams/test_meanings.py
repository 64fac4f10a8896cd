"""What all are called, on a real Kafka: as it is now, and not as it was when telling began."""

import asyncio
import secrets
from collections.abc import Iterable

import pytest
from msgspec import structs
from structlog.testing import capture_logs

from schemas.definitions import DefinitionRecord, KpiDefinition
from schemas.events import Event
from streams import meanings
from streams.defining import define
from streams.delivery import Delivery, Outgoing
from streams.meanings import Meanings
from streams.publishing import published
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics
from tests.kpis.test_fold import event

pytestmark = pytest.mark.kafka


def assigned(identifier: str, day: int, name: str | None, seller: str = "u-17") -> Event:
    return event("seller.assigned", day, identifier, seller=seller, team="nord", name=name)


def test_who_tells_of_people_for_months_calls_them_what_they_are_called_now(
    kafka_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sellers by the latest event that names them, whatever else is there; KPIs as they are defined."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(broker=kafka_address, app_id=name, topic_prefix=f"{name}.", partitions=2)

    async def told(events: Iterable[Event]) -> None:
        async for _ in published(settings, events):
            pass

    async def run() -> None:
        await set_up_topics(settings)
        try:
            looked = Meanings(settings, "SEK")
            assert not (await looked.now()).people
            await told([assigned("a", 5, "Åsa Berg"), assigned("b", 3, "Åsa"), assigned("c", 7, None)])
            own = KpiDefinition(
                formula="deals_won / calls", unit="ratio", better="higher", name={"sv": "Snabbhet"}
            )
            async with Delivery(settings) as delivery:
                await delivery.write([Outgoing(settings.topic("crm.org"), 0, "x", b"no event")])
                bad = KpiDefinition(formula="deals_won /", unit="ratio", better="higher", name={"sv": "…"})
                defined = {"kpis/speed": own, "kpis/bad": bad}
                await define(
                    settings, delivery, {key: DefinitionRecord(1, one) for key, one in defined.items()}
                )
            assert not (await looked.now()).people, "it was read a moment ago"
            monkeypatch.setattr(meanings, "AGE_S", 0.0)
            meaning = await looked.now()
            assert meaning.people == {"seller:u-17": "Åsa Berg"}
            assert meaning.kpis["speed"].name == {"sv": "Snabbhet"}
            assert "bad" not in meaning.kpis
            await told([assigned("d", 9, "Åsa Öberg"), assigned("e", 9, "Bo", "u-18")])
            known = await looked.now()
            assert known.people == {"seller:u-17": "Åsa Öberg", "seller:u-18": "Bo"}
            looked._settings = structs.replace(settings, broker="127.0.0.1:1")
            with capture_logs() as logged:
                assert await looked.now() is known, "no message waits for a name"
            assert [line["event"] for line in logged] == ["what all are called now cannot be read"]
        finally:
            await delete_topics(settings)

    asyncio.run(run())
