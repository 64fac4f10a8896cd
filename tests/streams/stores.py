"""Stores as a worker has them, without Faust, for tests that run against each."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.packing import Packing
from streams.data_directory import DataDirectory
from streams.holding import Hold, InMemory
from streams.settings import MEMORY, ROCKSDB
from streams.tables import RowStore

STORES = [MEMORY, ROCKSDB]

Keeping = Callable[[str, str], Hold]


def made_store(packing: Packing[Any], changelog: str, hold: Hold) -> RowStore[Any]:
    """A store as Faust would make it, without an app behind it."""
    nothing: Any = SimpleNamespace(name="")
    options = {"packing": packing, "changelog": changelog, "hold": hold}
    return RowStore("malvakt://rows", nothing, nothing, options=options)


def on_disk(path: Path, first_term: int = 1) -> Keeping:
    """How a worker with this directory holds the partitions of a table."""
    rocks = pytest.importorskip("streams.rocks", exc_type=ImportError)
    return rocks.Rocks(DataDirectory(path), 16, first_term).table


@contextmanager
def keeping(kind: str) -> Iterator[Keeping]:
    """How a worker of its own, with this store, holds the partitions of a table."""
    if kind == MEMORY:
        yield lambda _name, _changelog: InMemory
        return
    with tempfile.TemporaryDirectory() as folder:
        yield on_disk(Path(folder))
