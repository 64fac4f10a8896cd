"""Recounting: history is folded again, in silence."""

import asyncio
from contextlib import nullcontext
from unittest.mock import patch

import pytest
from prometheus_client import REGISTRY

from schemas.definitions import DefinitionRecord, MeasureDefinition
from schemas.topics import REJECTED
from streams.views import MovedError
from tests.agents.broker import Broker, Worker
from tests.kpis.test_fold import event
from tests.streams.stores import in_memory


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
