"""A floor's run in sittings: what a folder says of itself, and what several of them make together."""

from pathlib import Path

import pytest

from bench.floor import Journal, Organisation, Sitting, floor, keep, taken_up, totals
from malvakt.outcome import CallError
from streams.settings import MEMORY, ROCKSDB

FLOOR = Organisation(events=1_000, sellers=4, events_per_day=50.0)


def test_a_folder_is_gone_on_with(tmp_path: Path) -> None:
    """With all that was done there."""
    assert taken_up(tmp_path, FLOOR, ROCKSDB) is None
    journal = Journal(FLOOR, ROCKSDB, [Sitting(10, 1.5, 0.5, [100.0, 90.0])])
    keep(tmp_path, journal)
    assert taken_up(tmp_path, FLOOR, ROCKSDB) == journal


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    """Another floor, or another store: figures of two would be put together."""
    keep(tmp_path, Journal(FLOOR, ROCKSDB, []))
    for told, store in ((Organisation(1_000, 5, 50.0), ROCKSDB), (FLOOR, MEMORY)):
        with pytest.raises(CallError, match="is of another run"):
            taken_up(tmp_path, told, store)


def test_a_floor_that_was_told_in_part_is_refused(tmp_path: Path) -> None:
    """Told again it would be there twice, and more of it be measured than is said."""
    (tmp_path / "kafka").mkdir()
    with pytest.raises(CallError, match="remove it, and begin anew"):
        taken_up(tmp_path, FLOOR, ROCKSDB)


def test_what_cannot_be_is_refused() -> None:
    """Before anything is started."""
    with pytest.raises(CallError, match="--cache-mb is 8 or more"):
        floor(cache_mb=7)


def test_sittings_are_added_up() -> None:
    """But for memory, of which the most counts that each worker held."""
    total = totals([Sitting(10, 1.5, 0.5, [100.0, 90.0]), Sitting(20, 2.5, 1.0, [80.0, 95.0])])
    assert total == Sitting(30, 4.0, 1.5, [100.0, 95.0])
