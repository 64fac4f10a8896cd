"""Recovery by partition: what is read, and when a partition is let go."""

import asyncio
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from streams.recovery import Restorer

CHANGELOG = "malvakt-objects-changelog"
QUICK, SLOW = TopicPartition(CHANGELOG, 0), TopicPartition(CHANGELOG, 1)


class Consumer:
    """Brings these fetches, one after the other; a partition that is paused brings nothing."""

    def __init__(self, fetches: list[dict[TopicPartition, list[int]]]) -> None:
        self._fetches = fetches
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()

    def assign(self, tps: list[TopicPartition]) -> None:
        self._positions = dict.fromkeys(tps, 0)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._positions[tp] = offset

    def pause(self, *tps: TopicPartition) -> None:
        self._paused.update(tps)

    async def position(self, tp: TopicPartition) -> int:
        return self._positions[tp]

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        fetched = {tp: offsets for tp, offsets in self._fetches.pop(0).items() if tp not in self._paused}
        for tp, offsets in fetched.items():
            self._positions[tp] = offsets[-1] + 1
        return {tp: [SimpleNamespace(offset=n) for n in offsets] for tp, offsets in fetched.items()}


class Views:
    """Notes what it was given."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []
        self.opened: list[int] = []

    def take(self, partition: int, records: list[Any]) -> None:
        self.taken.extend((partition, record.offset) for record in records)

    async def open(self, partition: int, _: int) -> None:
        self.opened.append(partition)


def test_a_partition_that_is_ready_is_not_read_on() -> None:
    """Its changelog grows by what is written to it now, while another is still being recovered."""
    views = Views()
    restorer: Any = Restorer.__new__(Restorer)
    store = SimpleNamespace(next_offset=lambda _: 0, term_after=lambda _, least: least)
    restorer._tables = {CHANGELOG: SimpleNamespace(store=store, views=views)}
    restorer._app = SimpleNamespace(least_term=lambda: 1, on_ready=lambda: None)
    restorer.ready, restorer._views_s = set(), 0.0
    consumer = Consumer([{QUICK: [0, 1], SLOW: [0]}, {QUICK: [2, 3], SLOW: [1]}, {SLOW: [2]}])
    rows = asyncio.run(restorer._read(consumer, {QUICK, SLOW}, {QUICK: 2, SLOW: 3}))
    assert views.taken == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert views.opened == [0, 1]
    assert rows == len(views.taken)
