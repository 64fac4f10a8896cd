"""Recounting: when a definition is new, all history is folded again under it, while everything goes on.

In the background and by halves: after each part as long a rest as it took. What was counted before stays in
use until every partition is through; a worker that has a partition next begins it anew.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from time import perf_counter

import structlog

from agents.ledger import LedgerAgent
from kpis.in_force import Recounted
from streams.history import AwayError, History
from streams.tables import OvertakenError
from streams.views import MovedError

LOOK_S = 0.5

log = structlog.get_logger(__name__)


class Recounting:
    """One worker's share of it: the partitions that are ready here."""

    def __init__(self, ledger: LedgerAgent, history: History, ready: Callable[[], Iterable[int]]) -> None:
        self._ledger = ledger
        self._history = history
        self._ready = ready
        self._said: set[int] = set()
        """Partitions of which it was said what they are counted under."""

    async def for_ever(self) -> None:
        """Look for partitions that have something to count anew."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Bring every partition that is ready here up to its definitions."""
        mine = set(self._ready())
        self._said &= mine
        for partition in mine:
            try:
                if partition not in self._said:
                    await self._ledger.say_ready(partition)
                    self._said.add(partition)
                await self._recount(partition)
            except (OvertakenError, MovedError):
                # The partition has moved; whoever has it counts it.
                log.info("a recount was given up: the partition has moved", partition=partition)
                self._said.discard(partition)
            except AwayError as error:
                log.warning("a recount begins anew: the broker is away", error=str(error))

    async def _recount(self, partition: int) -> None:
        wanted = self._ledger.to_recount(partition)
        if not wanted:
            return
        log.info("counting history anew", partition=partition, definitions=[each.key for each in wanted])
        async with aclosing(self._history(partition)) as history:
            async for slices in history:
                if partition not in self._ready():
                    return
                started = perf_counter()
                await self._ledger.recount(slices)
                await asyncio.sleep(perf_counter() - started)
        await self._finish(partition, wanted)

    async def _finish(self, partition: int, wanted: list[Recounted]) -> None:
        if partition in self._ready():
            await self._ledger.recounted(partition, wanted)
            log.info("history was counted anew", partition=partition)
