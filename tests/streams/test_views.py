"""Views: built where there is none, taken up where one was kept, current with the rows that are read."""

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from schemas.internal import SCORECARD_ROWS, DayRow, ScorecardRow
from streams import views as module
from streams.holding import Hold, Place
from streams.recovery import Restorer, Table
from streams.settings import MEMORY, ROCKSDB, Settings
from streams.tables import Rows, RowStore
from streams.view_entries import SUMS
from streams.views import MovedError, Views
from tests.streams.stores import STORES, holds_in, made_store

TOPIC = "malvakt-scorecards-changelog"


class Learnt:
    """A view that counts the rows of each scope."""

    def __init__(self, _partition: int, _rows: Rows[Any], place: Place) -> None:
        self.counts = place.mapping(SUMS)
        self.lessons = 0

    def learn(self, key: str, row: ScorecardRow) -> None:
        self.relearn(key, None, row)

    def relearn(self, _key: str, old: ScorecardRow | None, new: ScorecardRow) -> None:
        self.lessons += 1
        for scope, number in [(new.scope, 1)] + ([] if old is None else [(old.scope, -1)]):
            count = self.counts.get(scope, {}).get("rows", 0)
            self.counts[scope] = {"rows": count + number}

    def begin_term(self, term: int) -> None:
        self.term = term


class Worker:
    """A table and the views over it, over what is left of the one before."""

    def __init__(self, hold: Hold) -> None:
        self.store: RowStore[Any] = made_store(SCORECARD_ROWS, TOPIC, hold)
        self.views: Views[Any] = Views(self.store, Learnt)

    def recover(self, records: list[Any]) -> Learnt:
        self.views.settle(0)
        if records:
            self.views.take(0, records)
        return self.open()

    def open(self) -> Learnt:
        asyncio.run(self.views.open(0, 1))
        return self.views._views[0]

    def let_go(self) -> None:
        self.views.close(0)
        self.store.release(0)


def record(offset: int, key: str, scope: str) -> Any:
    value = SCORECARD_ROWS.pack(DayRow(scope, 1, {}), offset + 1)
    return SimpleNamespace(offset=offset, key=key.encode(), value=value)


CHANGELOG = [record(0, "a", "x"), record(1, "b", "x"), record(2, "a", "y")]


@pytest.fixture(params=STORES)
def hold(request: pytest.FixtureRequest) -> Iterator[Hold]:
    """How the workers of a test, which have the same directory, hold partitions."""
    with holds_in(request.param) as how:
        yield how("scorecards", TOPIC)


@pytest.fixture
def disk() -> Iterator[Hold]:
    with holds_in(ROCKSDB) as how:
        yield how("scorecards", TOPIC)


def counts(view: Learnt) -> dict[str, int]:
    return {scope: found["rows"] for scope, found in view.counts.items() if found["rows"]}


def test_a_view_is_built_from_the_rows(hold: Hold) -> None:
    """From each as it is now."""
    worker = Worker(hold)
    view = worker.recover(CHANGELOG)
    assert counts(view) == {"x": 1, "y": 1}
    assert view.lessons == 2
    worker.let_go()


def test_a_view_follows_what_is_read_on(hold: Hold) -> None:
    """A row that replaces another takes its place; the view is not built again."""
    worker = Worker(hold)
    view = worker.recover(CHANGELOG[:2])
    assert worker.recover(CHANGELOG[2:]) is view
    assert counts(view) == {"x": 1, "y": 1}
    assert view.lessons == 3
    worker.let_go()


def test_a_view_on_disk_is_taken_up_as_it_was_left(disk: Hold) -> None:
    """A partition that comes back costs what was written to its changelog meanwhile."""
    worker = Worker(disk)
    worker.recover(CHANGELOG[:2])
    worker.let_go()
    for _ in range(2):
        successor = Worker(disk)
        view = successor.recover(CHANGELOG[2:])
        assert counts(view) == {"x": 1, "y": 1}
        assert view.lessons <= 1
        successor.let_go()


def test_what_a_failed_batch_did_to_a_view_is_forgotten(hold: Hold) -> None:
    """Before anything else is read or written."""
    worker = Worker(hold)
    worker.recover(CHANGELOG[:2])
    worker.views.of(0).learn("z", DayRow("z", 1, {}))
    assert counts(worker.recover(CHANGELOG[2:])) == {"x": 1, "y": 1}
    worker.let_go()


def test_a_view_that_was_half_built_is_built_anew(disk: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though half of it was flushed."""
    monkeypatch.setattr(module, "ROWS_A_TURN", 1)
    monkeypatch.setattr(module, "ROWS_A_FLUSH", 1)
    worker = Worker(disk)
    worker.views.take(0, CHANGELOG)
    building = worker.views.open(0, 1)
    building.send(None)
    building.close()
    worker.store.release(0)
    successor = Worker(disk)
    view = successor.recover([])
    assert counts(view) == {"x": 1, "y": 1}
    successor.let_go()


def test_a_view_of_another_format_is_built_anew(disk: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows need not be read again for that."""
    worker = Worker(disk)
    worker.recover(CHANGELOG)
    worker.let_go()
    monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)
    successor = Worker(disk)
    view = successor.recover([])
    assert counts(view) == {"x": 1, "y": 1}
    assert view.lessons == 2
    successor.let_go()


@pytest.mark.parametrize("kind", STORES)
def test_a_changelog_that_is_shorter_than_it_was_is_read_from_its_start(kind: str) -> None:
    """Somebody deleted it: what was read of the one before is no row of this one."""
    with holds_in(kind) as how:
        worker = Worker(how("scorecards", TOPIC))
        worker.recover(CHANGELOG)
        app: Any = None
        restorer = Restorer(Settings(), [Table(worker.store, worker.views)], app)
        restorer._take_up(TopicPartition(TOPIC, 0), 3)
        assert worker.store.next_offset(0) == 3
        restorer._take_up(TopicPartition(TOPIC, 0), 1)
        assert worker.store.next_offset(0) == 0
        assert counts(worker.recover(CHANGELOG[:1])) == {"x": 1}
        worker.let_go()


def test_in_memory_nothing_is_left_of_a_partition_that_moved() -> None:
    """It is read from its start again."""
    with holds_in(MEMORY) as how:
        worker = Worker(how("scorecards", TOPIC))
        worker.recover(CHANGELOG)
        worker.let_go()
        assert worker.store.next_offset(0) == 0


@pytest.mark.parametrize("kind", STORES)
def test_a_partition_that_is_not_open_has_no_view_and_nothing_is_begun(kind: str) -> None:
    """Whoever asks for it hears which one, and the batches of others are kept as ever."""
    with holds_in(kind) as holds:
        worker = Worker(holds("scorecards", TOPIC))
        for ask in (worker.views.of, worker.views.view):
            with pytest.raises(MovedError, match=f"{TOPIC}, partition 3"):
                ask(3)
        assert not worker.store.begun(3)
        worker.store.keep([], [])
