"""The tables' store: versions decide, recovery reads on, terms outrank paused workers."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kpis.versions import VERSIONS_PER_TERM, first_version
from schemas.internal import SCORECARD_ROWS, ScorecardRow
from schemas.packing import version_of
from streams.delivery import Outgoing, Written
from streams.tables import TERM_KEY, RowStore

TOPIC = "malvakt-scorecards-changelog"
ROW = ScorecardRow("company", 20_000, {})


def store() -> Any:
    """A store as Faust would make it, without an app behind it."""
    made: Any = RowStore.__new__(RowStore)
    made._packing = SCORECARD_ROWS
    made.changelog = TOPIC
    made._packed, made._highest, made._next, made._terms_written = {}, {}, {}, {}
    return made


def recover(into: RowStore[Any], partition: int, versions: list[int], first_offset: int = 0) -> None:
    """Recover rows of one key with these versions, in this order."""
    records = [
        SimpleNamespace(offset=first_offset + number, key=b"k", value=SCORECARD_ROWS.pack(ROW, version))
        for number, version in enumerate(versions)
    ]
    into.take(partition, records)


def write(rows: RowStore[Any], changes: list[Outgoing], first_offset: int) -> None:
    """As if the broker had acknowledged these changes there."""
    rows.keep(changes, [Written(TOPIC, 0, first_offset, len(changes))])


@given(st.permutations([1, 2, 300, 70_000, 2**40]))
def test_the_highest_version_of_a_row_survives_recovery(versions: list[int]) -> None:
    """Wherever in the changelog it stands: a late writer does no harm."""
    rows = store()
    recover(rows, 0, versions)
    assert version_of(rows._packed[0]["k"]) == 2**40


def test_rows_are_read_as_they_were_written() -> None:
    """By their keys, and only where they are."""
    rows = store()
    write(rows, rows.changes(0, {"a": ROW}, first_version(1)), 0)
    found = rows.rows(0)
    assert found["a"] == ROW
    assert found.get("b") is None
    assert list(found) == ["a"]


def test_recovery_reads_on_from_where_the_rows_are_current() -> None:
    """A partition that stays is not read again."""
    rows = store()
    assert rows.next_offset(0) == 0
    recover(rows, 0, [1, 2])
    assert rows.next_offset(0) == 2
    changes = rows.changes(0, {"a": ROW}, first_version(3))
    write(rows, changes, 2)
    assert rows.next_offset(0) == 2 + len(changes)


def test_what_another_worker_wrote_in_between_is_still_read() -> None:
    """Own rows that do not follow without a gap move nothing."""
    rows = store()
    recover(rows, 0, [1, 2])
    write(rows, rows.changes(0, {"a": ROW}, first_version(3)), 7)
    assert rows.next_offset(0) == 2


def test_partitions_that_moved_away_are_let_go() -> None:
    """Their rows, and where they were current."""
    rows = store()
    recover(rows, 0, [1])
    recover(rows, 1, [1])
    rows.release(1)
    assert rows.partitions() == {0}
    assert rows.next_offset(1) == 0
    assert not rows.rows(1)


def test_a_term_is_above_the_groups_past_and_the_rows() -> None:
    """The generation orders owners; where a group was reset, the rows do."""
    rows = store()
    assert rows.term_after(0, 7) == 7
    recover(rows, 0, [first_version(9) + 5])
    assert rows.term_after(0, 7) == 10
    assert rows.term_after(0, 12) == 12


def test_a_new_term_comes_first_even_where_no_row_changes() -> None:
    """What is said under it, and may not be in any row, is outranked by the next owner."""
    rows = store()
    changes = rows.changes(0, {}, first_version(5) + 1)
    assert [change.key for change in changes] == [TERM_KEY]
    write(rows, changes, 0)
    assert rows.changes(0, {}, first_version(5) + 2) == []
    assert rows.term_after(0, 1) == 6
    successor = store()
    successor.take(0, [SimpleNamespace(offset=0, key=changes[0].key.encode(), value=changes[0].value)])
    assert successor.term_after(0, 1) == 6
    assert not successor.rows(0)


def test_a_term_that_runs_out_of_versions_is_followed_by_the_next() -> None:
    """It is written down like any other."""
    rows = store()
    write(rows, rows.changes(0, {}, first_version(5) + 1), 0)
    assert [change.key for change in rows.changes(0, {}, first_version(5) + VERSIONS_PER_TERM)] == [
        TERM_KEY
    ]
