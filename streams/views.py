"""Views over a table's partitions: built from the rows when a partition is taken over."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from streams.tables import Rows, RowStore

ROWS_A_TURN = 1_000
"""How many rows are learnt before others get their turn: the partitions that go on meanwhile."""


class _View(Protocol):
    """What a worker asks of a view over rows."""

    def learn(self, key: str, row: Any, /) -> None:
        """Take in one row."""
        ...

    def begin_term(self, term: int, /) -> None:
        """Write under this term from now on."""
        ...


View = TypeVar("View", bound=_View)


class Views(Generic[View]):
    """One view a partition, current with its rows."""

    def __init__(self, store: RowStore[Any], make: Callable[[int, Rows[Any]], View]) -> None:
        self._store = store
        self._make = make
        self._views: dict[int, View] = {}

    def of(self, partition: int) -> View:
        """The view of a partition that was opened."""
        return self._views[partition]

    async def open(self, partition: int, least_term: int) -> None:
        """Have a view of a partition whose rows are current, under a term above every earlier owner's."""
        view = self._views.get(partition)
        if view is None:
            rows = self._store.rows(partition)
            view = self._make(partition, rows)
            for count, key in enumerate(rows, 1):
                view.learn(key, rows[key])
                if count % ROWS_A_TURN == 0:
                    await asyncio.sleep(0)
        view.begin_term(self._store.term_after(partition, least_term))
        self._views[partition] = view

    def close(self, partition: int) -> None:
        """Forget a view that may not be current with the rows any more."""
        self._views.pop(partition, None)
