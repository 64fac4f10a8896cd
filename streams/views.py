"""Views over a table's partitions: built from the rows, and again whenever recovery changed them."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from streams.tables import RowStore

View = TypeVar("View")


class Views(Generic[View]):
    """One view a partition, current with its rows."""

    def __init__(
        self,
        store: RowStore,
        generation: Callable[[], int],
        build: Callable[[int, dict[str, Any], int], View],
    ) -> None:
        self._store = store
        self._generation = generation
        self._build = build
        self._views: dict[int, tuple[int, View]] = {}

    def of(self, partition: int) -> View:
        """The view of a partition, under a term above every earlier owner's."""
        recovered = self._store.recovered(partition)
        known = self._views.get(partition)
        if known is not None and known[0] == recovered:
            return known[1]
        term = self._store.term(partition, self._generation())
        view = self._build(partition, self._store.rows(partition), term)
        self._views[partition] = (recovered, view)
        return view
