"""Recounting: history is folded again, in silence."""

import asyncio
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import pytest
from prometheus_client import REGISTRY

from schemas.definitions import DefinitionRecord, MeasureDefinition
from schemas.topics import REJECTED
from streams import leaving
from streams.leaving import Leaving
from streams.tables import OvertakenError
from streams.views import MovedError
from tests.agents.broker import Broker, Worker
from tests.kpis.test_fold import event
from tests.streams.stores import in_memory, on_disk


def counted(outcome: str) -> float:
    labels = {"type": "deal.won", "outcome": outcome}
    return REGISTRY.get_sample_value("malvakt_events_total", labels) or 0.0


def test_an_event_that_is_counted_again_is_not_told_as_another() -> None:
    """Whoever reads events by the minute sees those that came, and beside them what a recount reads."""

    async def run() -> None:
        broker = Broker(1)
        worker = Worker(broker, in_memory)
        await worker.take_over()
        deals = ("d1", "d2", "d3")
        await broker.publish(event("deal.won", 1, deal, deal=deal, customer="c1") for deal in deals)
        await worker.settle()
        await broker.define("measures/again", DefinitionRecord(1, MeasureDefinition(event="deal.won")))
        await worker.settle()

    before = {outcome: counted(outcome) for outcome in ("folded", "recounted")}
    asyncio.run(run())
    grown = {outcome: counted(outcome) - number for outcome, number in before.items()}
    assert grown == {"folded": 3.0, "recounted": 3.0}


def test_a_definition_that_no_file_may_have_is_refused_and_the_others_count() -> None:
    """Whoever wrote it to the topic: it is kept with what is wrong with it, and workers go on."""

    async def run() -> None:
        broker = Broker(1)
        worker = Worker(broker, in_memory)
        await worker.take_over()
        await broker.define("measures/bad", DefinitionRecord(1, MeasureDefinition(event="deal.amended")))
        await broker.define("measures/again", DefinitionRecord(1, MeasureDefinition(event="deal.won")))
        await broker.publish([event("deal.won", 1, deal="d1", customer="c1")])
        await worker.settle()
        assert broker.records()["company|ever|1970-01-01"].measures["again"] == 1
        [refused] = broker.topics[broker.settings.topic(REJECTED.name), 0]
        assert b"deal.amended" in (refused.value or b"")

    asyncio.run(run())


@pytest.mark.parametrize(("error", "comes_through"), [(MovedError("gone"), False), (KeyError("x"), True)])
def test_only_a_partition_that_has_moved_ends_a_recount_in_silence(
    error: Exception, comes_through: bool
) -> None:
    """Any other error stops the worker: what it folded half must not be written."""

    async def run() -> None:
        broker = Broker(1)
        worker = Worker(broker, in_memory)
        await worker.take_over()
        await broker.publish([event("deal.won", 1, deal="d1", customer="c1")])
        await broker.define("measures/again", DefinitionRecord(1, MeasureDefinition(event="deal.won")))
        while await worker.work("ledger", 1_000):
            pass
        assert worker.ledger.to_recount(0)
        with patch.object(worker.ledger, "recount", side_effect=error):
            await worker.recount()

    with pytest.raises(KeyError) if comes_through else nullcontext():
        asyncio.run(run())


def test_what_is_given_up_is_kept_by_no_recount(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that waited for it to end: on disk it kept what that had counted, and the batch came again."""
    monkeypatch.setattr(leaving, "LEAVE_S", 0.0)

    async def run() -> None:
        broker = Broker(2)
        worker = Worker(broker, on_disk(tmp_path))
        await worker.take_over()
        await broker.publish(
            event("deal.won", 1, f"a{n}", deal=f"d{n}", customer=f"c{n}") for n in range(9)
        )
        await worker.settle()
        await broker.publish(
            event("deal.won", 2, f"b{n}", deal=f"e{n}", customer=f"k{n}") for n in range(9)
        )
        fetched = broker.fetch("ledger", 1_000)
        assert fetched is not None

        writing, leaves = asyncio.Event(), Leaving()

        async def never(_: object) -> None:
            writing.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr(worker.delivery, "write", never)
            batch = asyncio.create_task(leaves.unless_given_up(worker.work_on("ledger", fetched)))
            await writing.wait()
        [history, *_] = [slices async for slices in worker._history(1)]
        recount = asyncio.create_task(worker.ledger.recount(history))
        await asyncio.sleep(0)
        await leaves.leave()
        await batch
        with pytest.raises(OvertakenError, match="is not kept"):
            await recount
        worker.kill()

        again = Worker(broker, on_disk(tmp_path))
        await again.take_over()
        await again.settle()
        assert broker.records()["company|ever|1970-01-01"].measures["deals_won"] == 18
        again.kill()

    asyncio.run(run())
