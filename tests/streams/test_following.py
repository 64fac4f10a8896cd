"""Following topics: the latest of one of them is known before anything of the others."""

import asyncio

from schemas.internal import decode_tick
from schemas.topics import TICKS
from streams.delivery import Delivery, Outgoing
from streams.following import Follower
from streams.ticking import tick
from tests.wall.test_keeping import topics

ROUNDS = 5
DEALS = "crm.deals"


def test_what_time_it_is_is_known_before_anything_else(kafka_address: str) -> None:
    """However much there is to read: what came while nobody read would be taken for late otherwise."""

    async def run() -> None:
        async with topics(kafka_address) as settings:
            deals = settings.topic(DEALS)
            async with Delivery(settings) as delivery:
                await tick(settings, delivery, 1)
                await delivery.write(Outgoing(deals, n % 2, None, b"deal" * 250) for n in range(5_000))
                await tick(settings, delivery, 2)
            for _ in range(ROUNDS):
                async with Follower(settings, [DEALS], TICKS.name) as follower:
                    found = []
                    async for batch in follower.batches({}):
                        found += batch
                        if any(one.topic == DEALS for one in found):
                            break
                    first = found[0]
                    assert first.topic == TICKS.name
                    assert decode_tick(first.value or b"").now == 2

    asyncio.run(run())


def test_where_the_clock_never_ticked_the_others_do_not_wait(kafka_address: str) -> None:
    async def run() -> None:
        async with topics(kafka_address) as settings:
            async with Delivery(settings) as delivery:
                await delivery.write([Outgoing(settings.topic(DEALS), 1, None, b"deal")])
            async with Follower(settings, [DEALS], TICKS.name) as follower:
                async for batch in follower.batches({}):
                    if batch:
                        assert [one.topic for one in batch] == [DEALS]
                        break

    asyncio.run(run())
