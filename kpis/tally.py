"""Tallies: the sums over one partition's objects by scope and day, a view that is rebuilt from the rows.

Days suffice, because longer windows are sums of days: distinct counts too, in the form of
`kpis.measures.counted_in`.
"""

from bisect import bisect_right
from collections.abc import MutableMapping
from functools import cache
from typing import NamedTuple, TypeVar

from kpis.calendar import window_end, windows_of
from kpis.measures import counted_in
from schemas.internal import Measures
from schemas.rows import Share

COMPANY = "company"

CellKey = tuple[str, int]
"""A scope and a day."""

SCOPES_KEPT = 200_000
"""How many scopes of a kind are remembered."""

FOR_EVER = 1_000_000_000
"""A day after every other: where the window `ever` ends."""

Key = TypeVar("Key")


class Contact(NamedTuple):
    """One time a person was contacted."""

    day: int
    seller: str | None
    team: str | None
    customer: str | None


class _Prefixed(dict[str, str]):
    """Scopes by their id, made once: the same string is hashed once, and kept once in all tallies."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def __missing__(self, identifier: str) -> str:
        if len(self) > SCOPES_KEPT:
            self.clear()
        scope = self[identifier] = self._prefix + identifier
        return scope


_SELLERS, _TEAMS, _CUSTOMERS = _Prefixed("seller:"), _Prefixed("team:"), _Prefixed("customer:")


def scopes_of(place: Share | Contact) -> list[str]:
    """The scopes that count a share: the company, and whichever of seller, team and customer it has."""
    scopes = [COMPANY]
    if place.seller is not None:
        scopes.append(_SELLERS[place.seller])
    if place.team is not None:
        scopes.append(_TEAMS[place.team])
    if place.customer is not None:
        scopes.append(_CUSTOMERS[place.customer])
    return scopes


class Tally:
    """The sums over the shares it was given. Adding and removing a share are inverse, exactly.

    What a mapping returns is changed in place and then set again, as a mapping on disk needs.
    """

    def __init__(
        self,
        cells: MutableMapping[CellKey, Measures] | None = None,
        contacts: MutableMapping[str, list[Contact]] | None = None,
    ) -> None:
        self._cells: MutableMapping[CellKey, Measures] = {} if cells is None else cells
        self._contacts: MutableMapping[str, list[Contact]] = {} if contacts is None else contacts

    def add(self, share: Share) -> None:
        """Count a share."""
        if share.measures:
            self._count(share, 1)
            if share.person is not None:
                contact = _contact(share)
                others = self._contacts.get(share.person, [])
                self._meet(contact, others, 1)
                self._contacts[share.person] = sorted([*others, contact], key=_order)

    def remove(self, share: Share) -> None:
        """Take back a share that was counted."""
        if share.measures:
            self._count(share, -1)
            if share.person is not None:
                contact = _contact(share)
                others = self._contacts[share.person].copy()
                others.remove(contact)
                self._meet(contact, others, -1)
                if others:
                    self._contacts[share.person] = others
                else:
                    del self._contacts[share.person]

    def measures(self, cell: CellKey) -> Measures:
        """The tally of a cell, a copy; empty where nothing counts."""
        return self._cells.get(cell, {}).copy()

    def touched_by(self, share: Share) -> list[CellKey]:
        """The cells that a share changes, or changed when it ceased to count.

        They are its own day's in each scope, and where it is a contact, the day on which the person was
        contacted next: there it may no longer be the first time, or be again.
        """
        scopes = scopes_of(share)
        cells = [(scope, share.day) for scope in scopes]
        if share.person is not None:
            contacts = self._contacts.get(share.person, [])
            for scope in scopes:
                days = _days_in(scope, contacts)
                after = bisect_right(days, share.day)
                if after < len(days):
                    cells.append((scope, days[after]))
        return cells

    def _count(self, share: Share, sign: int) -> None:
        day = share.day
        for scope in scopes_of(share):
            add_measures(self._cells, (scope, day), share.measures, sign)

    def _meet(self, contact: Contact, others: list[Contact], sign: int) -> None:
        """Count a contact where it is the first of its window, instead of the one that was."""
        for scope in scopes_of(contact):
            days = _days_in(scope, others)
            after = bisect_right(days, contact.day)
            before = after - 1
            gained: Measures = {}
            lost: Measures = {}
            for measure, start, end in _spans_of(contact.day):
                if before >= 0 and days[before] >= start:
                    continue
                gained[measure] = 1
                if after < len(days) and days[after] < end:
                    lost[measure] = 1
            if gained:
                add_measures(self._cells, (scope, contact.day), gained, sign)
            if lost:
                add_measures(self._cells, (scope, days[after]), lost, -sign)


def _contact(share: Share) -> Contact:
    return Contact(share.day, share.seller, share.team, share.customer)


def _order(contact: Contact) -> int:
    return contact.day


def _days_in(scope: str, contacts: list[Contact]) -> list[int]:
    """The days, in order, on which a scope had these contacts."""
    return [contact.day for contact in contacts if scope in scopes_of(contact)]


@cache
def _spans_of(day: int) -> tuple[tuple[str, int, int], ...]:
    """For each window that holds a day: the measure of first contacts in it, its start and its end."""
    return tuple(
        (counted_in("contacts", window.grain), window.start, window_end(*window) or FOR_EVER)
        for window in windows_of(day)
    )


def add_measures(sums: MutableMapping[Key, Measures], key: Key, measures: Measures, sign: int = 1) -> None:
    """Add measures to the sums under a key, leaving out what is zero. `measures` holds no zero."""
    total = sums.get(key)
    if total is None:
        sums[key] = measures.copy() if sign > 0 else {name: -amount for name, amount in measures.items()}
        return
    for name, amount in measures.items():
        new = total.get(name, 0) + sign * amount
        if new:
            total[name] = new
        else:
            del total[name]
    if total:
        sums[key] = total
    else:
        del sums[key]
