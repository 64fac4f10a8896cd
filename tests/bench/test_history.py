"""What an event costs as history grows: that all of it is folded, whatever it is stored in."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest
from msgspec import Struct

from bench.history import Stage, history
from malvakt.outcome import CallError
from streams.settings import MEMORY, ROCKSDB


class Report(Struct):
    history: list[Stage]


def run(store: Literal["memory", "rocksdb"], json: Path) -> list[Stage]:
    assert history(events=600, sellers=5, batch=150, stages=2, store=store, json=json) == 0
    return msgspec.json.decode(json.read_bytes(), type=Report).history


def test_both_stores_are_told_and_write_the_same(tmp_path: Path) -> None:
    """At each stage; only what that takes differs."""
    pytest.importorskip("rocksdict")
    stages = {store: run(store, tmp_path / store) for store in (MEMORY, ROCKSDB)}
    for ours, theirs in zip(stages[MEMORY], stages[ROCKSDB], strict=True):
        assert (ours.events, ours.rows, ours.records) == (theirs.events, theirs.rows, theirs.records)
        assert ours.rows > 0 < ours.records
    assert [stage.events for stage in stages[ROCKSDB]] == [300, 600]


def test_what_is_not_above_zero_is_refused() -> None:
    """Before anything is told."""
    with pytest.raises(CallError, match="are above 0"):
        history(batch=0)
