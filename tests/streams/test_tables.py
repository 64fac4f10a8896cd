"""The tables' store: versions decide, recovery reads on, terms outrank paused workers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.versions import VERSIONS_PER_TERM, first_version
from schemas.internal import SCORECARD_ROWS, DayRow
from schemas.packing import version_of
from streams.delivery import Outgoing, Written
from streams.tables import TERM_KEY, OvertakenError, RowStore
from tests.streams.stores import STORES, holds_in, made_store

TOPIC = "malvakt-scorecards-changelog"
ROW = DayRow("company", 20_000, {})


Make = Callable[[], RowStore[Any]]


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes stores, each of a worker of its own."""
    with ExitStack() as stack:

        def make() -> RowStore[Any]:
            hold = stack.enter_context(holds_in(request.param))("scorecards", TOPIC)
            return made_store(SCORECARD_ROWS, TOPIC, hold)

        yield make


def recover(into: RowStore[Any], partition: int, versions: list[int], first_offset: int = 0) -> None:
    """Recover rows of one key with these versions, in this order."""
    records = [
        SimpleNamespace(offset=first_offset + number, key=b"k", value=SCORECARD_ROWS.pack(ROW, version))
        for number, version in enumerate(versions)
    ]
    into.take(partition, records, None)


def write(rows: RowStore[Any], changes: list[Outgoing], first_offset: int) -> None:
    """As if the broker had acknowledged these changes there."""
    rows.keep(changes, [Written(TOPIC, 0, first_offset, len(changes))])


@given(st.permutations([1, 2, 300, 70_000, 2**40]))
def test_the_highest_version_of_a_row_survives_recovery(store: Make, versions: list[int]) -> None:
    """Wherever in the changelog it stands: a late writer does no harm."""
    rows = store()
    recover(rows, 0, versions)
    assert version_of(rows.holding(0).packed["k"]) == 2**40
    rows.release(0)


def test_rows_are_read_as_they_were_written(store: Make) -> None:
    """By their keys, and only where they are."""
    rows = store()
    write(rows, rows.changes(0, {"a": ROW}, first_version(1)), 0)
    found = rows.rows(0)
    assert found["a"] == ROW
    assert found.get("b") is None
    assert list(found) == ["a"]


def test_recovery_reads_on_from_where_the_rows_are_current(store: Make) -> None:
    """A partition that stays is not read again."""
    rows = store()
    assert rows.next_offset(0) == 0
    recover(rows, 0, [1, 2])
    assert rows.next_offset(0) == 2
    changes = rows.changes(0, {"a": ROW}, first_version(3))
    write(rows, changes, 2)
    assert rows.next_offset(0) == 2 + len(changes)


def test_what_another_worker_wrote_in_between_is_still_read(store: Make) -> None:
    """Own rows that do not follow without a gap move nothing."""
    rows = store()
    recover(rows, 0, [1, 2])
    write(rows, rows.changes(0, {"a": ROW}, first_version(3)), 7)
    assert rows.next_offset(0) == 2


def test_partitions_that_moved_away_are_let_go(store: Make) -> None:
    """They are held no more; what may be left of them on disk is what it was."""
    rows = store()
    recover(rows, 0, [1])
    recover(rows, 1, [1])
    rows.release(1)
    assert rows.partitions() == {0}
    assert rows.held() == 1
    assert rows.next_offset(1) == len(rows.rows(1))


def test_a_changelog_that_is_another_is_read_from_its_start(store: Make) -> None:
    """What was held of the one before is gone for good."""
    rows = store()
    recover(rows, 0, [1])
    rows.discard(0)
    assert rows.next_offset(0) == 0
    assert not rows.rows(0)


def test_what_was_begun_and_not_written_is_known_as_such(store: Make) -> None:
    """Until its rows are kept; where the partition was read anew by then, keeping is refused."""
    rows = store()
    changes = rows.changes(0, {"a": ROW}, first_version(1))
    assert rows.begun(0)
    rows.revert(0)
    assert not rows.begun(0)
    with pytest.raises(OvertakenError, match="partition 0"):
        write(rows, changes, 0)
    write(rows, rows.changes(0, {"a": ROW}, first_version(1)), 0)
    assert not rows.begun(0)


def test_a_term_is_above_the_groups_past_and_the_rows(store: Make) -> None:
    """The generation orders owners; where a group was reset, the rows do."""
    rows = store()
    assert rows.term_after(0, 7) == 7
    recover(rows, 0, [first_version(9) + 5])
    assert rows.term_after(0, 7) == 10
    assert rows.term_after(0, 12) == 12


def test_a_new_term_comes_first_even_where_no_row_changes(store: Make) -> None:
    """What is said under it, and may not be in any row, is outranked by the next owner."""
    rows = store()
    changes = rows.changes(0, {}, first_version(5) + 1)
    assert [change.key for change in changes] == [TERM_KEY]
    write(rows, changes, 0)
    assert rows.changes(0, {}, first_version(5) + 2) == []
    assert rows.term_after(0, 1) == 6
    successor = store()
    assert changes[0].key is not None
    record = SimpleNamespace(offset=0, key=changes[0].key.encode(), value=changes[0].value)
    successor.take(0, [record], None)
    assert successor.term_after(0, 1) == 6
    assert not successor.rows(0)


def test_a_claimed_term_is_not_gone_below_even_where_no_row_was_written(store: Make) -> None:
    """Nor one under which something was; and nothing is left to read of one's own claim."""
    rows = store()
    write(rows, rows.changes(0, {"a": ROW}, first_version(5) + 1), 0)
    [claim] = rows.claim([0], 9)
    rows.claimed(9, [Written(claim.topic, 0, 2, 1)])
    assert (rows.term_after(0, 9), rows.term_after(0, 1)) == (9, 9)
    assert rows.next_offset(0) == 3
    successor = store()
    assert claim.key is not None
    record = SimpleNamespace(offset=2, key=claim.key.encode(), value=claim.value)
    successor.take(0, [record], None)
    assert (successor.term_after(0, 1), successor.term_after(0, 10)) == (9, 10)
    write(rows, rows.changes(0, {}, first_version(9) + 1), 3)
    assert rows.term_after(0, 1) == 10


def test_a_term_that_runs_out_of_versions_is_followed_by_the_next(store: Make) -> None:
    """It is written down like any other."""
    rows = store()
    write(rows, rows.changes(0, {}, first_version(5) + 1), 0)
    assert [change.key for change in rows.changes(0, {}, first_version(5) + VERSIONS_PER_TERM)] == [
        TERM_KEY
    ]
