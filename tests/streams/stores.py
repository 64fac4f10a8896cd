"""Stores as a worker has them, without Faust, for tests that run against each."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.packing import Packing
from streams.data_directory import DataDirectory
from streams.holding import Hold, Holds, InMemory
from streams.settings import MEMORY, ROCKSDB
from streams.tables import RowStore

STORES = [MEMORY, ROCKSDB]
CACHE_MB = 16


def made_store(packing: Packing[Any], changelog: str, hold: Hold) -> RowStore[Any]:
    """A store as Faust would make it, without an app behind it."""
    nothing: Any = SimpleNamespace(name="")
    options = {"packing": packing, "changelog": changelog, "hold": hold}
    return RowStore("malvakt://rows", nothing, nothing, options=options)


def in_memory(_name: str, _changelog: str) -> Hold:
    """How a worker in memory holds the partitions of a table."""
    return InMemory


def on_disk(path: Path, first_term: int = 1) -> Holds:
    """How a worker with this directory holds the partitions of a table."""
    rocks = pytest.importorskip("streams.rocks", exc_type=ImportError)
    return rocks.Rocks(DataDirectory(path), CACHE_MB, first_term).table


@contextmanager
def holds_in(kind: str) -> Iterator[Holds]:
    """How a worker of its own, with this store, holds the partitions of a table."""
    if kind == MEMORY:
        yield in_memory
        return
    with tempfile.TemporaryDirectory() as folder:
        yield on_disk(Path(folder))
