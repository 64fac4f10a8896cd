"""A worker that ends at one point of the order of effects, at once, as kill -9 would.

    python -m tests.chaos.crashing_worker ledger-rows-after 2 ARMED

It is `malvakt worker` with the steps wrapped, and works like one until the file ARMED exists; when it comes
to the point in the agent's second batch from then on, it is gone; a batch of nothing but announcements and
ticks does not count. Production code knows nothing of this.
"""

import asyncio
import os
import sys
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from agents.ledger import LedgerAgent
from malvakt.cli import main
from streams.delivery import Delivery, Outgoing, Written
from streams.transport import Fetched
from streams.worker import COMMIT_INTERVAL_S
from tests.chaos.crash_points import (
    STATUS,
    Agent,
    Place,
    Point,
    Step,
    leads_to_nothing,
    point_called,
    read_by,
    written_as,
)

HELD_S = 1.5 * COMMIT_INTERVAL_S
"""How long a worker stands before or after a write until it crashes: a step that was finished too early has
its offsets committed meanwhile, and the crash shows it."""

announcing: ContextVar[bool] = ContextVar("announcing", default=False)
"""Whether what is being written is an announcement."""


class Reached:
    """What each step calls with the place it is at."""

    def __init__(self, point: Point, batch: int, armed: Path) -> None:
        self._point = point
        self._batch = batch
        self._armed = armed
        self._batches_begun = 0

    def __call__(self, agent: Agent, step: Step, place: Place) -> None:
        """Crash, if this is the point."""
        if self._is_here(agent, step, place):
            self._crash()

    def batch_begins(self, agent: Agent) -> None:
        """An agent is about to write the rows of a batch."""
        if agent == self._point.agent and self._armed.exists():
            self._batches_begun += 1

    async def slowly(self, agent: Agent, step: Step, place: Place) -> None:
        """Crash, if this is the point, but not before all else that goes on has had its time."""
        if self._is_here(agent, step, place):
            await asyncio.sleep(HELD_S)
            self._crash()

    def _is_here(self, agent: Agent, step: Step, place: Place) -> bool:
        if agent != self._point.agent or not self._armed.exists():
            return False
        due = self._point.in_takeover or self._batches_begun >= self._batch
        return due and Point(agent, step, place) == self._point

    def _crash(self) -> None:
        print(f"crashing at {self._point}", file=sys.stderr, flush=True)
        os._exit(STATUS)


def wrap_writes(reached: Reached) -> None:
    """Rows and outputs: before any is written, when the first of some batches is there, when all are."""
    write, send_batch = Delivery.write, AIOKafkaProducer.send_batch

    async def wrapped_write(self: Delivery, records: Iterable[Outgoing]) -> list[Written]:
        listed = list(records)
        if not listed:
            return await write(self, listed)
        agent, step = written_by(listed[0].topic)
        if step == "rows" and not leads_to_nothing(listed):
            reached.batch_begins(agent)
        await reached.slowly(agent, step, "before")
        written = await write(self, listed)
        await reached.slowly(agent, step, "after")
        return written

    async def wrapped_send_batch(self: AIOKafkaProducer, batch: Any, topic: str, *, partition: int) -> Any:
        agent, step = written_by(topic)
        sent = await send_batch(self, batch, topic, partition=partition)
        # The broker has it, and none of our code has heard so.
        sent.add_done_callback(lambda _: reached(agent, step, "within"))
        return sent

    Delivery.write = wrapped_write
    AIOKafkaProducer.send_batch = wrapped_send_batch


def written_by(topic: str) -> tuple[Agent, Step]:
    """Whose effect, and which, what is being written to a topic is."""
    return ("ledger", "announcement") if announcing.get() else written_as(topic)


def wrap_announce() -> None:
    """What a new owner writes before it does anything else."""
    announce = LedgerAgent.announce

    async def wrapped(self: LedgerAgent, partitions: Iterable[int], term: int) -> None:
        before = announcing.set(True)
        try:
            await announce(self, partitions, term)
        finally:
            announcing.reset(before)

    LedgerAgent.announce = wrapped


def wrap_finish(reached: Reached) -> None:
    """The input counts as finished."""
    finish = Fetched.finish

    def wrapped(self: Fetched) -> None:
        agent = read_by(self.slices[0].tp.topic)
        reached(agent, "finish", "before")
        finish(self)
        reached(agent, "finish", "after")

    Fetched.finish = wrapped


def wrap_commit(reached: Reached) -> None:
    """Its offsets are committed, in the consumer's own thread; both agents' may be at once."""
    commit = AIOKafkaConsumerThread._commit

    async def wrapped(self: AIOKafkaConsumerThread, offsets: Mapping[TP, int]) -> bool:
        agents = {read_by(tp.topic) for tp in offsets}
        for agent in agents:
            reached(agent, "commit", "before")
        done = await commit(self, offsets)
        for agent in agents:
            reached(agent, "commit", "after")
        return done

    AIOKafkaConsumerThread._commit = wrapped


if __name__ == "__main__":
    _, name, number, file = sys.argv
    at = Reached(point_called(name), int(number), Path(file))
    wrap_announce()
    for wrap in (wrap_writes, wrap_finish, wrap_commit):
        wrap(at)
    main(["worker"])
