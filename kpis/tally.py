"""Tallies: the sums over one partition's objects, a view in memory that is rebuilt from the rows.

Additive measures are kept by day, because longer windows are sums of days. Distinct counts are kept
for each window, because they are not.
"""

from collections.abc import Iterator

from kpis.calendar import Window, windows_of
from schemas.internal import Measures
from schemas.rows import Share

COMPANY = "company"

CellKey = tuple[str, Window]


def scopes_of(share: Share) -> Iterator[str]:
    """The scopes that count a share: the company, and whichever of seller, team and customer it has."""
    yield COMPANY
    if share.seller is not None:
        yield f"seller:{share.seller}"
    if share.team is not None:
        yield f"team:{share.team}"
    if share.customer is not None:
        yield f"customer:{share.customer}"


def cells_of(share: Share) -> Iterator[CellKey]:
    """The cells a share counts in: its day for each scope; every window, where it is a contact."""
    windows = windows_of(share.day)
    if share.person is None:
        windows = windows[:1]
    for scope in scopes_of(share):
        for window in windows:
            yield scope, window


class Tally:
    """The sums over the shares it was given. Adding and removing a share are inverse, exactly."""

    def __init__(self) -> None:
        self._sums: dict[CellKey, Measures] = {}
        self._persons: dict[CellKey, dict[str, int]] = {}

    def add(self, share: Share) -> None:
        """Count a share."""
        self._apply(share, 1)

    def remove(self, share: Share) -> None:
        """Take back a share that was counted."""
        self._apply(share, -1)

    def measures(self, cell: CellKey) -> Measures:
        """The tally of a cell, a copy; empty where nothing counts."""
        measures = self._sums.get(cell, {}).copy()
        persons = self._persons.get(cell)
        if persons is not None:
            measures["contacts"] = len(persons)
        return measures

    def _apply(self, share: Share, sign: int) -> None:
        if not share.measures:
            return
        day = windows_of(share.day)[0]
        for scope in scopes_of(share):
            add_measures(self._sums, (scope, day), share.measures, sign)
        if share.person is not None:
            for cell in cells_of(share):
                self._meet(cell, share.person, sign)

    def _meet(self, cell: CellKey, person: str, sign: int) -> None:
        persons = self._persons.setdefault(cell, {})
        times = persons.get(person, 0) + sign
        if times:
            persons[person] = times
        else:
            del persons[person]
            if not persons:
                del self._persons[cell]


def add_measures(sums: dict[CellKey, Measures], cell: CellKey, measures: Measures, sign: int) -> None:
    """Add measures to a cell's, leaving out what is zero."""
    total = sums.setdefault(cell, {})
    for name, amount in measures.items():
        new = total.get(name, 0) + sign * amount
        if new:
            total[name] = new
        else:
            total.pop(name, None)
    if not total:
        del sums[cell]
