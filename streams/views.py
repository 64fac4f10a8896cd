"""Views over a table's partitions: current with the rows, whoever wrote them.

A view is built from the rows where there is none, and follows them where they are read on. Where it is kept
on disk it is taken up as it was left.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from streams.holding import Place
from streams.tables import Rows, RowStore
from streams.view_entries import FORMAT

ROWS_A_TURN = 1_000
"""How many rows are learnt before others get their turn: the partitions that go on meanwhile."""
ROWS_A_FLUSH = 10_000
"""How many rows are learnt before what they add up to is flushed: fewer write the same sums more often."""


class _View(Protocol):
    """What a worker asks of a view over rows."""

    def learn(self, key: str, row: Any, /) -> None:
        """Take in one row."""
        ...

    def relearn(self, key: str, old: Any, new: Any, /) -> None:
        """Take in one row, in the place of another."""
        ...

    def begin_term(self, term: int, /) -> None:
        """Write under this term from now on."""
        ...


View = TypeVar("View", bound=_View)


class MovedError(RuntimeError):
    """A partition is not open here; the message says which."""


class Views(Generic[View]):
    """One view a partition, current with its rows."""

    def __init__(self, store: RowStore[Any], make: Callable[[int, Rows[Any], Place], View]) -> None:
        self._store = store
        self._make = make
        self._views: dict[int, View] = {}

    def of(self, partition: int) -> View:
        """The view of a partition that was opened, to take a batch in. It must be kept before the next.

        Raises:
            MovedError: it is not open.
        """
        view = self.view(partition)
        self._store.begin(partition)
        return view

    def view(self, partition: int) -> View:
        """The view of a partition that was opened, to ask it something.

        Raises:
            MovedError: it is not open.
        """
        view = self._views.get(partition)
        if view is None:
            raise MovedError(f"{self._store.changelog}, partition {partition} is not open here.")
        return view

    def settle(self, partition: int) -> None:
        """Have the view of a partition stand where its rows do, before they are read on.

        What a batch left that failed is forgotten; a view that is there is taken up.
        """
        if self._store.begun(partition):
            self.close(partition)
        if partition not in self._views and self._store.holding(partition).book.views == FORMAT:
            self._views[partition] = self._made(partition)

    def take(self, partition: int, records: list[Any]) -> None:
        """Take in a slice of the changelog: the rows, and what they change in the view, if there is one."""
        view = self._views.get(partition)
        self._store.take(partition, records, None if view is None else view.relearn)

    async def open(self, partition: int, least_term: int) -> None:
        """Have a view of a partition whose rows are current, under a term above every earlier owner's."""
        view = self._views.get(partition)
        if view is None:
            view = await self._built(partition)
        view.begin_term(self._store.term_after(partition, least_term))
        self._views[partition] = view

    def close(self, partition: int) -> None:
        """Let go of a view, and of what it did that is not kept."""
        self._views.pop(partition, None)
        self._store.revert(partition)

    async def _built(self, partition: int) -> View:
        holding = self._store.holding(partition)
        holding.clear_view()
        view = self._made(partition)
        for count, (key, row) in enumerate(self._store.rows(partition).each(), 1):
            view.learn(key, row)
            if count % ROWS_A_FLUSH == 0:
                holding.flush()
            if count % ROWS_A_TURN == 0:
                await asyncio.sleep(0)
        holding.book.views = FORMAT
        holding.flush()
        return view

    def _made(self, partition: int) -> View:
        return self._make(partition, self._store.rows(partition), self._store.holding(partition))
