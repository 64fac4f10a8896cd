"""A batch in work: what it read, changed and touched so far. A row is the same object all through it."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from kpis.tally import CellKey
from schemas.rows import (
    DefinedRow,
    LeadOfRow,
    MentionsRow,
    ObjectRow,
    OriginRow,
    RateRow,
    Row,
    SellerRow,
)

RowType = TypeVar("RowType", SellerRow, MentionsRow, OriginRow, RateRow, LeadOfRow, DefinedRow)


class Batch:
    """Reads each row once, and collects what follows from the inputs."""

    def __init__(self, rows: Mapping[str, Row], version: int) -> None:
        self._rows = rows
        self.version = version
        """Under which it says what it says."""
        self._known: dict[str, Row] = {}
        self.changed: dict[str, Row] = {}
        self.folded: dict[str, ObjectRow] = {}
        self.touched: dict[str, None] = {}
        """Objects to count anew, in the order in which they were touched."""
        self.known_already: set[str] = set()
        """Of these, the ones whose places are told even where nothing about them changed."""
        self.created: set[str] = set()
        """Objects that were not known before."""
        self.customers: dict[str, None] = {}
        """Customers to count anew."""
        self.rates: dict[str, int] = {}
        """From when on a currency's rates may have changed."""
        self.defined: dict[str, None] = {}
        """Definitions to say something of."""
        self.cells: set[CellKey] = set()
        self.leads_named: set[str] = set()
        self.leads_here: set[str] = set()

    def object(self, key: str) -> ObjectRow | None:
        """An object's row."""
        row = self.read(key)
        assert row is None or isinstance(row, ObjectRow)
        return row

    def row(self, key: str, kind: type[RowType]) -> RowType | None:
        """Any other row."""
        row = self.read(key)
        assert row is None or isinstance(row, kind)
        return row

    def row_or(self, key: str, kind: type[RowType], new: Callable[[], RowType]) -> RowType:
        """Any other row, begun if there is none."""
        row = self.row(key, kind)
        if row is None:
            row = new()
            self._known[key] = row
        return row

    def read(self, key: str) -> Row | None:
        """A row, whatever it is."""
        known = self._known
        row = known.get(key)
        if row is None:
            row = self._rows.get(key)
            if row is not None:
                known[key] = row
        return row

    def begin(self, key: str, row: ObjectRow) -> None:
        """An object has a row from now on."""
        self._known[key] = row

    def touch(self, keys: Iterable[str]) -> None:
        """Count objects anew because of what they are joined with, and say again what they contribute."""
        for key in keys:
            self.touched[key] = None
            self.known_already.add(key)
