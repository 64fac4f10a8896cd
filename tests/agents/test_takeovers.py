"""Whoever has the partitions, whatever ended in between: the same records, and views true to the rows."""

import asyncio
import contextlib
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import own_fields
from schemas.definitions import DefinitionRecord, Definitions, MeasureDefinition
from schemas.events import Event, Recorded, Told, encode_event, type_of
from schemas.goals import Absolute, Acceptance, AlertKind, Goal, Recurring
from streams.holding import Holds
from streams.settings import MEMORY, ROCKSDB
from streams.transport import Fetched
from tests.agents.broker import Broker, EndedError, Worker
from tests.agents.pipeline import NOW, figures, replayed
from tests.examples import examples
from tests.kpis.histories import histories, times
from tests.kpis.test_fold import event
from tests.streams.stores import in_memory, on_disk


class Work(NamedTuple):
    """The owner works on a batch of so many records of each partition."""

    group: str
    most: int


class End(NamedTuple):
    """A batch of the owner's ends after so many records of it were written.

    It was killed, and starts again; or the batch failed, and before it stops it is given partitions anew.
    """

    group: str
    most: int
    records: int
    killed: bool


class HandOver(NamedTuple):
    """The other worker has the partitions now. The one before may miss that, or let go of what it held."""

    lets_go: bool
    slice_records: int


class LateWrite(NamedTuple):
    """Whoever missed that it has the partitions no more works on what it had in hand: so many records."""

    group: str
    records: int


class TimePasses(NamedTuple):
    """The clock ticks."""

    now: datetime


class Define(NamedTuple):
    """Somebody defines a measure, or defines it anew, or takes it away."""

    definition: MeasureDefinition | None


class Give(NamedTuple):
    """Somebody sets a goal, or another version of it, or retires it."""

    target: int | None


class Recount(NamedTuple):
    """The owner finds the time to count history anew."""


Step = Work | End | HandOver | LateWrite | TimePasses | Define | Give | Recount

LEADS = "leads"
DEMOS = "measures/demos"
_definitions = st.sampled_from(
    [
        MeasureDefinition(event="activity.logged", where={"campaign": ("demo",)}),
        MeasureDefinition(event="activity.logged", where={"campaign": ("fair",)}, count="distinct person"),
        MeasureDefinition(event="deal.won", count="sum value"),
    ]
)

_groups = st.sampled_from(["ledger", "scorecard", "goals"])
_most = st.integers(1, 8)
steps = st.lists(
    st.one_of(
        st.builds(Work, _groups, _most),
        st.builds(Work, _groups, _most),
        st.builds(End, _groups, _most, st.integers(0, 12), st.booleans()),
        st.builds(HandOver, st.booleans(), st.integers(1, 5)),
        st.builds(LateWrite, _groups, st.integers(0, 40)),
        st.builds(TimePasses, times),
        st.builds(Define, st.none() | _definitions),
        st.builds(Give, st.none() | st.integers(1, 3)),
        st.builds(Recount),
    ),
    max_size=14,
)


class Pair:
    """Two workers, of which one has the partitions."""

    def __init__(self, broker: Broker, holds: list[Holds]) -> None:
        self._broker = broker
        self._holds = holds
        self._workers = [Worker(broker, each) for each in holds]
        self._at = 0
        self.defined: DefinitionRecord | None = None
        self._number = 0
        self.given: Goal | None = None
        self._version = 0
        self._in_hand: dict[str, Fetched | None] = {}
        """What the other worker had in hand when it missed that the partitions moved."""

    @property
    def owner(self) -> Worker:
        return self._workers[self._at]

    def kill(self) -> None:
        for worker in self._workers:
            worker.kill()

    async def take(self, step: Step) -> None:
        match step:
            case Work(group, most):
                await self.owner.work(group, most)
            case End(group, most, records, killed):
                await self._end(group, most, records, killed)
            case HandOver(lets_go, slice_records):
                if lets_go:
                    self.owner.let_go()
                    self._in_hand.clear()
                else:
                    self._in_hand = {group: self._broker.fetch(group, 3) for group in self._broker.groups}
                self._at = 1 - self._at
                await self.owner.take_over(slice_records)
            case LateWrite(group, records):
                await self._write_late(group, records)
            case TimePasses(now):
                await self._broker.tick(now)
            case Define(definition):
                await self.define(definition)
            case Give(target):
                await self.give(target)
            case Recount():
                await self.owner.recount()

    async def define(self, definition: MeasureDefinition | None) -> None:
        self._number += 1
        self.defined = None if definition is None else DefinitionRecord(self._number, definition)
        await self._broker.define(DEMOS, self.defined)

    async def give(self, target: int | None) -> None:
        self._version += 1
        self.given = None if target is None else leads_a_month(target, self._version)
        await self._broker.give(LEADS, self.given)

    async def _end(self, group: str, most: int, records: int, killed: bool) -> None:
        self.owner.delivery.lives_for = records
        with contextlib.suppress(EndedError):
            await self.owner.work(group, most)
        self.owner.delivery.lives_for = None
        if killed:
            self.owner.kill()
            self._workers[self._at] = Worker(self._broker, self._holds[self._at])
        await self.owner.take_over()

    async def _write_late(self, group: str, records: int) -> None:
        fetched = self._in_hand.pop(group, None)
        if fetched is not None:
            late = self._workers[1 - self._at]
            late.delivery.lives_for = records
            with contextlib.suppress(EndedError):
                await late.work_on(group, fetched)
            late.delivery.lives_for = None


def with_campaigns(told: list[Event]) -> list[Recorded]:
    """The same events; every other says something of a campaign, which the contract does not know."""
    recorded: list[Recorded] = []
    for number, each in enumerate(told):
        raw = msgspec.json.decode(encode_event(each))
        if number % 2:
            raw["data"]["campaign"] = ["demo", "fair"][number // 2 % 2]
        recorded.append(Recorded(each, msgspec.json.encode(raw)))
    return recorded


def with_own(recorded: Recorded) -> Event | Told:
    """An event as a replay is told of it, with what it says of its campaign."""
    if type_of(recorded.event) != "activity.logged":
        return recorded.event
    return Told(recorded.event, own_fields(recorded.raw, ["campaign"]))


async def lived_through(told: list[Event], taken: list[Step], kinds: list[str], partitions: int) -> None:
    broker = Broker(partitions)
    await broker.publish(with_campaigns(told))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        holds = [
            on_disk(Path(folder) / str(number)) if kind == ROCKSDB else in_memory
            for number, kind in enumerate(kinds)
        ]
        pair = Pair(broker, holds)
        # What is open would be written to while the folder is deleted.
        stack.callback(pair.kill)
        await pair.owner.take_over()
        for step in taken:
            await pair.take(step)
        await broker.tick(NOW)
        await pair.owner.settle()
        definitions = Definitions({} if pair.defined is None else {"demos": pair.defined.definition})
        right = replayed([*map(with_own, with_campaigns(told))], broker.settings, definitions)
        assert figures(broker.records(), broker.settings.business()) == right
        all_is_said(broker, pair.given)
        fresh = Worker(broker, in_memory)
        await fresh.take_over()
        assert pair.owner.views() == fresh.views()


def leads_a_month(target: int, version: int) -> Goal:
    return Goal(
        id=LEADS,
        version=version,
        scope="company",
        kpi="new_leads",
        better="at_least",
        target=Absolute(value=str(target)),
        period=Recurring(grain="month", start=date(2024, 1, 1)),
        accepted=Acceptance(by="anna", at=datetime(2023, 12, 1, tzinfo=UTC)),
    )


def all_is_said(broker: Broker, given: Goal | None) -> None:
    """Whoever reads what was said of a goal has its verdicts, by figures that hold, and heard of each."""
    statuses, records = broker.statuses(), broker.records()
    alerts = broker.alerts()
    kinds: dict[str, AlertKind] = {}
    assert all(kinds.setdefault(alert.id, alert.kind) == alert.kind for alert in alerts)
    for key, status in statuses.items():
        if status.end >= NOW.date():
            assert given is not None
            assert status.goal_version == given.version
            continue
        record = records.get(f"company|month|{status.start}")
        value = 0 if record is None else record.kpis["new_leads"]
        assert isinstance(value, int)
        assert isinstance(status.target, int)
        if given is not None:
            # Of what is retired, late figures are no news.
            assert (status.value, status.standing) == (
                value,
                "achieved" if value >= status.target else "missed",
            )
        heard = [alert for alert in alerts if alert.status.key == key]
        last = max(heard, key=lambda alert: (alert.at, alert.status.revision))
        assert last.status.standing == status.standing


async def slept_through(broker: Broker, told: list[Event]) -> None:
    """A worker with one more event in hand sleeps while its successor works, and wakes up."""
    sleeper, successor = Worker(broker, in_memory), Worker(broker, in_memory)
    await sleeper.take_over()
    await sleeper.work("ledger", 1)
    in_hand = broker.fetch("ledger", 1)
    assert in_hand is not None
    await successor.take_over()
    await successor.work("ledger", 10)
    await sleeper.work_on("ledger", in_hand)
    await broker.tick(NOW)
    await successor.settle()
    assert figures(broker.records(), broker.settings.business()) == replayed(told, broker.settings)


def test_what_a_woken_worker_tells_of_a_state_its_successor_skipped_is_void() -> None:
    """A deal goes from Anna to Bo to Cia; who slept has the first change in hand, the successor both."""
    deal = {"deal": "d1", "customer": "c1"}
    told = [
        event("deal.won", 1, "a", **deal, seller="anna", value="1"),
        event("deal.amended", 2, "b", **deal, seller="bo"),
        event("deal.amended", 3, "c", **deal, seller="cia"),
    ]

    async def run() -> None:
        broker = Broker(1)
        await broker.publish(told)
        await slept_through(broker, told)

    asyncio.run(run())


def test_terms_go_on_where_the_generations_of_the_group_begin_anew() -> None:
    """As they do when it was deleted: what a woken worker says is void all the same."""
    deal = {"deal": "d1", "customer": "c1"}
    told = [
        event("deal.won", 1, "z", deal="d0", customer="c1", seller="dan", value="1"),
        event("deal.won", 1, "a", **deal, seller="anna", value="1"),
        event("deal.amended", 2, "b", **deal, seller="bo"),
        event("deal.amended", 3, "c", **deal, seller="cia"),
    ]

    async def run() -> None:
        broker = Broker(1)
        await broker.publish(told)
        broker.generation = 10
        early = Worker(broker, in_memory)
        await early.take_over()
        await early.work("ledger", 1)
        broker.generation = 0
        await slept_through(broker, told)

    asyncio.run(run())


@examples(150)
@given(
    histories,
    steps,
    st.lists(st.sampled_from([MEMORY, ROCKSDB]), min_size=2, max_size=2),
    st.integers(1, 2),
)
def test_any_takeovers_leave_the_same_records_and_views(
    told: list[Event], taken: list[Step], kinds: list[str], partitions: int
) -> None:
    """Killed between any two records, handed over, written late: with either store on either side."""
    asyncio.run(lived_through(told, taken, kinds, partitions))
