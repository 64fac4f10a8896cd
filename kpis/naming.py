"""Who names whom: from the key of a row to the objects that are joined with it.

The ledger asks it which objects to count anew when a seller, a lead or a deal changes. It is a view: built
from what the rows refer to, and kept wherever the ledger's owner keeps views.
"""

from collections.abc import Iterable
from typing import Protocol


class Naming(Protocol):
    """An index of objects by the rows they name."""

    def add(self, ref: str, key: str, /) -> None:
        """An object names a row that it did not name before."""
        ...

    def of(self, ref: str, /) -> Iterable[str]:
        """The keys of the objects that name a row."""
        ...


class NamingInMemory:
    """The index as a dictionary of lists."""

    def __init__(self) -> None:
        self._keys: dict[str, list[str]] = {}

    def add(self, ref: str, key: str, /) -> None:
        """An object names a row that it did not name before."""
        self._keys.setdefault(ref, []).append(key)

    def of(self, ref: str, /) -> Iterable[str]:
        """The keys of the objects that name a row."""
        return self._keys.get(ref, ())
