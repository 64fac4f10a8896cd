"""The clock: tells all partitions what time it is, in records, so that what it causes is ordered and kept.

A timer in each agent would go off before recovery ends, and again in a replay at another time. Whoever has
the first partition ticks for all. Two who do for a while, in a rebalance, tell the same.
"""

import asyncio
import time
from collections.abc import Callable

from schemas.internal import Tick, encode_tick
from schemas.topics import TICKS
from streams.delivery import Delivery, Outgoing
from streams.settings import Settings

FIRST = 0
"""Who has this partition ticks."""
LOOK_S = 0.5
"""How often a worker looks whether that is its task."""


async def tick(settings: Settings, delivery: Delivery, now_micros: int) -> None:
    """Tell every partition what time it is."""
    topic = settings.topic(TICKS.name)
    value = encode_tick(Tick(now_micros))
    partitions = range(await delivery.partitions(topic))
    await delivery.write(Outgoing(topic, partition, None, value) for partition in partitions)


async def tick_for_ever(settings: Settings, delivery: Delivery, is_mine: Callable[[], bool]) -> None:
    """Tell every partition the time, at whole multiples of the setting, as long as that is one's task."""
    told = 0
    while settings.ticks_s:
        now = int(time.time() // settings.ticks_s * settings.ticks_s * 1_000_000)
        if is_mine() and now > told:
            await tick(settings, delivery, now)
            told = now
        await asyncio.sleep(min(LOOK_S, settings.ticks_s))
