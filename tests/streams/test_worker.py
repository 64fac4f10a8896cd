"""How a worker is put together, and what it does when it is told to stop."""

import asyncio
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from streams.holding import InMemory
from streams.recovery import Restorer
from streams.settings import ROCKSDB, Settings
from streams.transport import Fetched
from streams.views import Views
from streams.worker import Agent, MissingStoreError, Parts, build_app, holds_of


def test_rows_are_in_memory_unless_it_was_told_otherwise() -> None:
    """And no directory is made."""
    assert holds_of(Settings(), 1)("objects", "malvakt-objects-changelog") is InMemory


def test_partitions_are_in_the_directory_it_was_told_of(tmp_path: Path) -> None:
    """By table and number."""
    pytest.importorskip("rocksdict")
    hold = holds_of(Settings(store=ROCKSDB, data=str(tmp_path)), 1)("objects", "malvakt-objects-changelog")
    hold(3).close()
    assert (tmp_path / "objects-3" / "CURRENT").exists()


def test_a_store_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    monkeypatch.delitem(sys.modules, "streams.rocks", raising=False)
    with pytest.raises(MissingStoreError, match=r"pip install 'malvakt\[rocksdb\]'"):
        holds_of(Settings(store=ROCKSDB, data=str(tmp_path)), 1)


async def nothing(_: Fetched) -> None:
    """Where no work is."""


def idle_agents(parts: Parts) -> dict[str, Agent]:
    """Agents that have no work, and no views."""
    views = Views[Any](parts.objects, lambda *_: None)
    return dict.fromkeys(("ledger", "scorecard", "goals"), Agent(nothing, views))


class Announced:
    """An app whose readers never hear that it has partitions: recovery goes no further."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.given_up = False

    def least_term(self) -> int:
        return 1

    def begin_no_lower(self, term: int) -> None:
        raise AssertionError(term)

    async def announce(self, partitions: Collection[int]) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.given_up = True
            raise

    def on_ready(self) -> None:
        raise AssertionError("nothing is ready")

    async def crash(self, reason: BaseException) -> None:
        raise AssertionError(reason)


def test_a_worker_that_is_told_to_stop_recovers_nothing_further() -> None:
    """Its tables are about to close: what goes on with a closed one fails, and the worker with it."""

    async def scene() -> None:
        app = build_app(Settings(), 1, 1, idle_agents)
        recovering = Announced()
        app.restorer = Restorer(Settings(), [], recovering)
        await app.restorer.assign({TP("malvakt-objects-changelog", 0)})
        await recovering.begun.wait()
        await app.on_stop()
        assert recovering.given_up

    asyncio.run(scene())
