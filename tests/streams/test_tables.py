"""The tables' store: versions decide, recovery reads on, terms outrank paused workers."""

from types import SimpleNamespace
from typing import Any

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from kpis.ledger import VERSIONS_PER_TERM
from schemas.internal import ScorecardRow, decode_scorecard, encode_scorecard
from streams.delivery import Written
from streams.tables import RowStore
from streams.transport import Fetched, Slice

TOPIC = "malvakt-scorecards-changelog"
P0, P1 = TP(TOPIC, 0), TP(TOPIC, 1)


def store() -> RowStore:
    """A store as Faust would make it, without an app behind it."""
    made: Any = RowStore.__new__(RowStore)
    made._decode = decode_scorecard
    made._rows, made._offsets, made._recovered = {}, {}, {}
    return made


def row(version: int) -> ScorecardRow:
    return ScorecardRow("company", "day", 20_000, {}, version)


def recover(into: RowStore, tp: TP, versions: list[int], first_offset: int = 0) -> None:
    """Recover rows of one key with these versions, in this order."""
    records = [
        SimpleNamespace(offset=first_offset + number, key=b"k", value=encode_scorecard(row(version)))
        for number, version in enumerate(versions)
    ]
    into.apply_changelog_batch([SimpleNamespace(value=Fetched([Slice(tp, records)]))], None, None)  # type: ignore[arg-type, list-item]


@given(st.permutations([1, 2, 3, 4, 5]))
def test_the_highest_version_of_a_row_survives_recovery(versions: list[int]) -> None:
    """Wherever in the changelog it stands: a late writer does no harm."""
    rows = store()
    recover(rows, P0, versions)
    assert rows.rows(0)["k"].version == 5


def test_recovery_reads_on_from_where_the_rows_are_current() -> None:
    """A partition that stays is not read again."""
    rows = store()
    assert rows.persisted_offset(P0) is None
    recover(rows, P0, [1, 2])
    assert rows.persisted_offset(P0) == 1
    rows.note_written(Written(TOPIC, 0, 2, 10))
    assert rows.persisted_offset(P0) == 11


def test_what_another_worker_wrote_in_between_is_still_read() -> None:
    """Own rows that do not follow without a gap move nothing."""
    rows = store()
    recover(rows, P0, [1, 2])
    rows.note_written(Written(TOPIC, 0, 7, 3))
    assert rows.persisted_offset(P0) == 1


async def moved(rows: RowStore, mine: set[TP]) -> None:
    await rows.on_recovery_completed(mine, set())


def test_partitions_that_moved_away_are_let_go() -> None:
    """Their rows, and where they were current; views over them are told."""
    rows = store()
    recover(rows, P0, [1])
    recover(rows, P1, [1])
    before = rows.recovered(1)
    finish(moved(rows, {P0}))
    assert rows.rows(0)
    assert not rows.rows(1)
    assert rows.persisted_offset(P1) is None
    assert rows.recovered(1) > before


def finish(coroutine: Any) -> None:
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def test_a_term_is_above_the_groups_past_and_the_rows() -> None:
    """The generation orders owners; where a group was reset, the rows do."""
    rows = store()
    assert rows.term(0, 7) == 7
    recover(rows, P0, [9 * VERSIONS_PER_TERM + 5])
    assert rows.term(0, 7) == 10
    assert rows.term(0, 12) == 12
