"""What a worker holds of one partition of a table: rows, how far they are current, and the view over them.

One shape for every store, so that tables and views need not know whether it is in memory or on disk.
What is set holds once it is flushed, all of it or nothing: a partition is never left between two batches.
"""

from collections.abc import Callable, Collection, MutableMapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from kpis.naming import Naming, NamingInMemory

Key = TypeVar("Key")
Value = TypeVar("Value")


class Book(Struct):
    """How far a partition's rows and its view are current."""

    next_offset: int = 0
    """From which offset of the changelog on there may be rows that are not held."""
    highest: int = 0
    """The highest version of a row or term that was met."""
    term_written: int = 0
    """The last term that this worker wrote down."""
    views: int = 0
    """The format of the view, where it says all that the rows do; 0 where it does not."""

    @property
    def taken_in(self) -> int:
        """How much of history is in it: a record counts once as a row, and once in the view."""
        return self.next_offset * (2 if self.views else 1)


class Entries(NamedTuple, Generic[Key, Value]):
    """One of the mappings that make up a view, and how its entries are written where it is on disk."""

    prefix: bytes
    """A letter that no other mapping of the table has."""
    key: Callable[[Key], bytes]
    key_of: Callable[[bytes], Key]
    value: Callable[[Value], bytes]
    value_of: Callable[[bytes], Value]


class Place(Protocol):
    """Where a view keeps what it adds up."""

    def mapping(self, entries: Entries[Key, Value], /) -> MutableMapping[Key, Value]:
        """One of its mappings. A value that was changed must be set again."""
        ...

    def naming(self) -> Naming:
        """Its index of who names whom."""
        ...


class Holding(Place, Protocol):
    """One partition of a table, as it is held."""

    book: Book

    @property
    def packed(self) -> MutableMapping[str, bytes]:
        """The rows, packed, by their keys."""
        ...

    def flush(self) -> None:
        """What was set in the rows, the view and the book holds from now on."""
        ...

    def revert(self) -> None:
        """Forget what was set since the last flush, or where that cannot be, the view."""
        ...

    def clear_view(self) -> None:
        """Forget the view, to build it anew."""
        ...

    def discard(self) -> None:
        """Forget everything, for good. This ends it."""
        ...

    def close(self) -> None:
        """Let go of it. This ends it, too, but what outlives the process stays."""
        ...


class Hold(Protocol):
    """How a table's partitions are taken up, each with what is held of it already."""

    def __call__(self, partition: int, /) -> Holding:
        """Take up a partition."""
        ...

    def left(self, held: Collection[int], /) -> dict[int, int]:
        """Of partitions that are not held now but were, how much is taken in of what is left of them."""
        ...


Holds = Callable[[str, str], Hold]
"""How the partitions of a table are taken up, which has a name and a changelog."""


class InMemory:
    """A partition in plain dictionaries. Nothing of it outlives the process, or being let go of."""

    def __init__(self, _partition: int) -> None:
        self.book = Book()
        self.packed: dict[str, bytes] = {}

    @staticmethod
    def left(_held: Collection[int]) -> dict[int, int]:
        """Nothing is."""
        return {}

    def mapping(self, entries: Entries[Any, Any], /) -> dict[Any, Any]:  # noqa: ARG002
        """A new dictionary: no view outlives the one that was made with it."""
        return {}

    def naming(self) -> Naming:
        """A new index."""
        return NamingInMemory()

    def flush(self) -> None:
        """It holds already."""

    def revert(self) -> None:
        """A dictionary does not know what it held before: the view is built anew."""
        self.clear_view()

    def clear_view(self) -> None:
        """It goes with the view."""
        self.book.views = 0

    def discard(self) -> None:
        """It goes with this object."""

    def close(self) -> None:
        """It goes with this object."""
