"""The standard job on a broker: loaded once for all contenders, and what must come out of it.

The expected totals are counted here the plain way, from the same bytes, and share no code with what
is measured.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from simulation.standard import standard_job
from streams.delivery import Delivery, Outgoing
from streams.partitioning import ON_EVERY_PARTITION, partition_of
from streams.settings import Settings
from streams.topic_setup import set_up_topics

EVENTS_A_WRITE = 10_000
DEALS = "crm.deals"
ORG = "crm.org"
_ZONE = ZoneInfo(Settings().timezone)


class Total(NamedTuple):
    """What a scope's window amounts to."""

    deals_won: int
    revenue_minor: int


class Load(NamedTuple):
    """Events on a broker, and what must come of them."""

    prefix: str
    """What the names of its topics begin with."""
    deals: int
    expected: dict[str, Total]
    """By `scope|grain|start`."""

    @property
    def topic(self) -> str:
        """Where the deals are."""
        return self.prefix + DEALS


class _Data(Struct):
    seller: str
    customer: str = ""
    team: str = ""
    value: str = "0"


class _Event(Struct):
    type: str
    time: datetime
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


def loaded(broker: str, prefix: str, deals: int, partitions: int, sellers: int = 200) -> Load:
    """Write so many deals to topics of their own, the org chart before them."""
    expected = _Expected()
    asyncio.run(
        _write(
            Settings(broker=broker, topic_prefix=prefix, partitions=partitions), deals, sellers, expected
        )
    )
    return Load(prefix, deals, expected.totals())


async def _write(settings: Settings, deals: int, sellers: int, expected: "_Expected") -> None:
    # The changelogs that are set up with the others belong to no worker, but to this load's topics.
    settings = msgspec.structs.replace(settings, app_id=f"{settings.topic_prefix}load")
    partitions = await set_up_topics(settings)
    job = standard_job(deals, sellers=sellers)
    async with Delivery(settings) as delivery:
        while batch := list(islice(job, EVENTS_A_WRITE)):
            await delivery.write(_routed(batch, settings, partitions, expected))


def _routed(
    batch: Iterable[bytes], settings: Settings, partitions: int, expected: "_Expected"
) -> Iterator[Outgoing]:
    for raw in batch:
        event = _decode(raw)
        if event.type == "seller.assigned":
            expected.assign(event.data)
            key = event.data.seller
            for partition in range(partitions):
                yield Outgoing(settings.topic(ORG), partition, key, raw, [ON_EVERY_PARTITION])
        else:
            expected.count(event)
            home = event.data.customer
            yield Outgoing(settings.topic(DEALS), partition_of(home, partitions), home, raw)


class _Expected:
    """Counts and sums every scope and window, one event at a time."""

    def __init__(self) -> None:
        self._teams: dict[str, str] = {}
        self._deals: defaultdict[str, int] = defaultdict(int)
        self._minor: defaultdict[str, int] = defaultdict(int)

    def assign(self, data: _Data) -> None:
        self._teams[data.seller] = data.team

    def count(self, event: _Event) -> None:
        data = event.data
        minor = int(data.value.replace(".", ""))
        team = self._teams[data.seller]
        windows = _windows(event.time.astimezone(_ZONE).date())
        for scope in ("company", f"team:{team}", f"seller:{data.seller}", f"customer:{data.customer}"):
            for window in windows:
                key = scope + window
                self._deals[key] += 1
                self._minor[key] += minor

    def totals(self) -> dict[str, Total]:
        return {key: Total(deals, self._minor[key]) for key, deals in self._deals.items()}


@cache
def _windows(day: date) -> tuple[str, ...]:
    starts = {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
        "year": day.replace(month=1, day=1),
    }
    return tuple(f"|{grain}|{start}" for grain, start in starts.items())
