"""A campaign: load and faults at the same time, then quiet, and every record compared."""

import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from time import monotonic

from msgspec import Struct

from kpis.calendar import micros_of
from malvakt.outcome import Fault
from malvakt.progress import progress
from malvakt.workers import environment_of
from schemas.events import Event
from schemas.records import KpiRecord
from streams.delivery import Delivery
from streams.local_kafka import LocalKafka
from streams.publishing import Publisher
from streams.reading import Progress, read_scorecards
from streams.settings import Settings
from streams.ticking import tick
from streams.topic_setup import set_up_topics
from tests.agents.pipeline import NOW
from tests.chaos.comparing import compare, counted
from tests.chaos.crew import Crew
from tests.chaos.load import load
from tests.chaos.report import Reconciled, Report
from tests.chaos.schedule import BROKER, Kind, Step, schedule

EVENTS_A_WRITE = 500
"""Small, so that the load is a stream and not a few floods."""
EVENTS_A_TICK = 20_000
PACE_S = 0.02
POLL_S = 0.5
STUCK_S = 180.0
"""For how long the group may finish nothing, with workers there and nobody disturbing them."""


class Plan(Struct, frozen=True, kw_only=True):
    """What a run does."""

    events: int
    faults: int
    seed: int
    partitions: int
    workers: int
    session_timeout_s: float
    longest_wait_s: float
    longest_outage_s: float
    store: str

    def steps(self) -> list[Step]:
        """The faults, in order."""
        return list(
            schedule(
                self.seed,
                self.faults,
                workers=self.workers,
                partitions=self.partitions,
                longest_wait_s=self.longest_wait_s,
                longest_outage_s=self.longest_outage_s,
            )
        )


class Course:
    """How much of the schedule is behind, as a share of the time it was planned to take.

    The load is paced by it, so that it lasts as long as the faults do, however long those take.
    """

    def __init__(self, steps: list[Step], session_timeout_s: float) -> None:
        self._left = [step.planned_s(session_timeout_s) for step in steps]
        self._planned_s = sum(self._left)
        self._behind_s = 0.0
        self._began = monotonic()

    def step_done(self) -> None:
        """A fault is over, and the next one's time begins."""
        self._behind_s += self._left.pop(0)
        self._began = monotonic()

    async def reach(self, share: float) -> None:
        """Wait until so much is behind."""
        while self._share() < share:  # noqa: ASYNC110  time passes by itself, and sets no event
            await asyncio.sleep(PACE_S)

    def _share(self) -> float:
        """From 0 to 1; 1 once every fault is over."""
        if not self._left:
            return 1.0
        in_step = min(monotonic() - self._began, self._left[0])
        return (self._behind_s + in_step) / self._planned_s


class Campaign:
    """One run of a plan."""

    def __init__(self, plan: Plan, broker: LocalKafka) -> None:
        self._plan = plan
        self._broker = broker
        self._settings = Settings(
            broker=broker.address,
            app_id="chaos",
            partitions=plan.partitions,
            metrics_port=0,
            session_timeout_s=plan.session_timeout_s,
            ticks_s=0.0,
            store=plan.store,
        )
        self._crew = Crew(self._settings)
        self._done: Counter[Kind] = Counter()
        self._seconds: dict[str, float] = {}

    async def run(self) -> Report:
        """Carry the plan out.

        Raises:
            Fault: the workers did not settle.
        """
        plan = self._plan
        await set_up_topics(self._settings)
        for _ in range(plan.workers):
            self._crew.add()
        supervising = asyncio.create_task(self._crew.supervise())
        try:
            with self._stage("load and faults"):
                await self._disturbed_load()
            with self._stage("until all had settled"):
                await self._settled()
        finally:
            supervising.cancel()
            with suppress(asyncio.CancelledError):
                await supervising
            await self._crew.stop_all()
        with self._stage("reading the records"):
            found = await read_scorecards(self._settings)
        with self._stage("reconcile"):
            reconciled = await self._reconciled()
        with self._stage("replay in one process"):
            right = self._replayed()
        return Report(
            seed=plan.seed,
            events=plan.events,
            faults=self._done,
            ended=self._crew.ended,
            left_badly=self._crew.left_badly,
            comparison=compare(found, right, self._settings.business()),
            reconciled=reconciled,
            seconds=self._seconds,
        )

    async def _reconciled(self) -> Reconciled:
        """What `malvakt reconcile` says, which counts the raw topics again in SQL."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "malvakt", "reconcile", "--wait", "0"),
            env={**os.environ, **environment_of(self._settings)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return Reconciled(process.returncode or 0, said.decode(errors="replace").strip())

    async def _disturbed_load(self) -> None:
        steps = self._plan.steps()
        course = Course(steps, self._plan.session_timeout_s)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._publish(course))
            both.create_task(self._disturb(steps, course))

    async def _publish(self, course: Course) -> None:
        """Publish the load, each event when its share of the schedule has come."""
        events = self._events()
        sent = 0
        with progress("events published", total=self._plan.events) as advance:
            async with Delivery(self._settings) as delivery:
                publisher = Publisher(delivery, self._settings)
                while batch := list(islice(events, EVENTS_A_WRITE)):
                    await course.reach(sent / self._plan.events)
                    await publisher.publish(batch)
                    sent += len(batch)
                    advance(len(batch))
                    if sent // EVENTS_A_TICK > (sent - len(batch)) // EVENTS_A_TICK:
                        await self._tick(delivery, max(event.time for event in batch))
                await self._tick(delivery, NOW)

    async def _tick(self, delivery: Delivery, now: datetime) -> None:
        """The clock goes with what is told: days turn, windows close and growth changes amid the faults."""
        await tick(self._settings, delivery, micros_of(now))

    def _events(self) -> Iterator[Event]:
        return load(self._plan.events, self._plan.seed)

    async def _disturb(self, steps: list[Step], course: Course) -> None:
        for number, step in enumerate(steps, 1):
            await asyncio.sleep(step.wait_s)
            say(f"{number}/{len(steps)} {step.kind} ({len(self._crew)} workers)")
            await self._do(step)
            self._done[step.kind] += 1
            course.step_done()

    async def _do(self, step: Step) -> None:
        crew = self._crew
        if step.kind in BROKER:
            with crew.broker_away():
                await self._restart_broker(step)
            return
        match step.kind:
            case Kind.KILL:
                crew.kill(step.victim)
                crew.add()
            case Kind.TERM:
                await crew.stop(step.victim)
                crew.add()
            case Kind.PAUSE:
                await crew.pause(step.victim, self._plan.session_timeout_s + step.hold_s)
            case Kind.ADD:
                crew.add()
            case _:
                await crew.stop(step.victim)

    async def _restart_broker(self, step: Step) -> None:
        end = self._broker.kill if step.kind is Kind.BROKER_KILL else self._broker.stop
        await asyncio.to_thread(end)
        await asyncio.sleep(step.hold_s)
        await asyncio.to_thread(self._broker.start)

    async def _settled(self) -> None:
        async with Progress(self._settings) as group:
            least = await group.left()
            last_progress = monotonic()
            while (left := await group.left()) > 0:
                if left < least:
                    least, last_progress = left, monotonic()
                elif monotonic() - last_progress > STUCK_S:
                    raise Fault(
                        f"The workers are stuck: {left:,} records are left, as {STUCK_S:.0f} s ago."
                        f" Their last words:\n{self._crew.last_lines()}"
                    )
                await asyncio.sleep(POLL_S)

    def _replayed(self) -> dict[str, KpiRecord]:
        with progress("events replayed", total=self._plan.events) as advance:
            return counted(self._events(), self._settings.business(), advance)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        say(name)
        began = monotonic()
        try:
            yield
        finally:
            self._seconds[name] = monotonic() - began


def run(plan: Plan) -> Report:
    """Run a plan on a Kafka of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="malvakt-chaos-") as directory,
        LocalKafka(Path(directory) / "kafka") as broker,
    ):
        # Where workers that are told of no directory of their own find the first that is free: with the
        # rows of whoever had it last, killed or not.
        os.environ["XDG_DATA_HOME"] = directory
        return asyncio.run(Campaign(plan, broker).run())


def say(what: str) -> None:
    """Tell whoever watches what is going on."""
    print(f"{datetime.now():%H:%M:%S} {what}", file=sys.stderr, flush=True)  # noqa: DTZ005
