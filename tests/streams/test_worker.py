"""How a worker is put together."""

import sys
from pathlib import Path

import pytest

from streams.holding import InMemory
from streams.settings import ROCKSDB, Settings
from streams.worker import MissingStoreError, holds_of


def test_rows_are_in_memory_unless_it_was_told_otherwise() -> None:
    """And no directory is made."""
    assert holds_of(Settings(), 1)("objects", "malvakt-objects-changelog") is InMemory


def test_partitions_are_in_the_directory_it_was_told_of(tmp_path: Path) -> None:
    """By table and number."""
    pytest.importorskip("rocksdict")
    hold = holds_of(Settings(store=ROCKSDB, data=str(tmp_path)), 1)("objects", "malvakt-objects-changelog")
    hold(3).close()
    assert (tmp_path / "objects-3" / "CURRENT").exists()


def test_a_store_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    monkeypatch.delitem(sys.modules, "streams.rocks", raising=False)
    with pytest.raises(MissingStoreError, match=r"pip install 'malvakt\[rocksdb\]'"):
        holds_of(Settings(store=ROCKSDB, data=str(tmp_path)), 1)
