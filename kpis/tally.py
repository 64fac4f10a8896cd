"""Tallies: the sums over one partition's objects by scope and day, a view that is rebuilt from the rows.

Days suffice, because longer windows are sums of days: distinct counts too, in the form of
`kpis.measures.counted_in`.
"""

from bisect import bisect_right
from collections.abc import MutableMapping
from functools import lru_cache
from typing import NamedTuple, TypeVar

from kpis.calendar import window_end, windows_of
from kpis.measures import counted_in
from schemas.internal import Measures
from schemas.rows import Share

COMPANY = "company"

CellKey = tuple[str, int]
"""A scope and a day."""

_OF = "\x1f"
"""Between the distinct count that a person is for and the person, where it is not `contacts`."""

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


def distinct_person(measure: str, person: str) -> str:
    """A person, as one that another distinct count than `contacts` is of."""
    return measure + _OF + person


def _distinct_count(person: str) -> str:
    measure, _, _ = person.rpartition(_OF)
    return measure or "contacts"


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
                self._meet(_distinct_count(share.person), contact, others, 1)
                self._contacts[share.person] = sorted([*others, contact], key=_order)

    def remove(self, share: Share) -> None:
        """Take back a share that was counted."""
        if share.measures:
            self._count(share, -1)
            if share.person is not None:
                contact = _contact(share)
                others = self._contacts[share.person].copy()
                others.remove(contact)
                self._meet(_distinct_count(share.person), contact, others, -1)
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
        day = share.day
        cells = [(scope, day) for scope in scopes_of(share)]
        if share.person is not None:
            for scope, days in _days_in_scopes(share, self._contacts.get(share.person, [])):
                after = bisect_right(days, day)
                if after < len(days):
                    cells.append((scope, days[after]))
        return cells

    def _count(self, share: Share, sign: int) -> None:
        day = share.day
        measures = share.measures if sign > 0 else negative(share.measures)
        for scope in scopes_of(share):
            add_measures(self._cells, (scope, day), measures)

    def _meet(self, counted: str, contact: Contact, others: list[Contact], sign: int) -> None:
        """Count a contact where it is the first of its window, instead of the one that was."""
        for scope, days in _days_in_scopes(contact, others):
            after = bisect_right(days, contact.day)
            before = after - 1
            gained: Measures = {}
            lost: Measures = {}
            for measure, start, end in _spans_of(counted, contact.day):
                if before >= 0 and days[before] >= start:
                    continue
                gained[measure] = sign
                if after < len(days) and days[after] < end:
                    lost[measure] = -sign
            if gained:
                add_measures(self._cells, (scope, contact.day), gained)
            if lost:
                add_measures(self._cells, (scope, days[after]), lost)


def _contact(share: Share) -> Contact:
    return Contact(share.day, share.seller, share.team, share.customer)


def _order(contact: Contact) -> int:
    return contact.day


def _days_in_scopes(place: Share | Contact, contacts: list[Contact]) -> list[tuple[str, list[int]]]:
    """For each scope of a place: the days, in order, on which it had these contacts."""
    seller, team, customer = place.seller, place.team, place.customer
    days = [(COMPANY, [contact.day for contact in contacts])]
    if seller is not None:
        days.append((_SELLERS[seller], [contact.day for contact in contacts if contact.seller == seller]))
    if team is not None:
        days.append((_TEAMS[team], [contact.day for contact in contacts if contact.team == team]))
    if customer is not None:
        held = [contact.day for contact in contacts if contact.customer == customer]
        days.append((_CUSTOMERS[customer], held))
    return days


@lru_cache(200_000)
def _spans_of(counted: str, day: int) -> tuple[tuple[str, int, int], ...]:
    """For each window that holds a day: the measure of first contacts in it, its start and its end."""
    return tuple(
        (counted_in(counted, window.grain), window.start, window_end(*window) or FOR_EVER)
        for window in windows_of(day)
    )


def negative(measures: Measures) -> Measures:
    """What takes measures back."""
    return {name: -amount for name, amount in measures.items()}


def add_measures(sums: MutableMapping[Key, Measures], key: Key, measures: Measures) -> None:
    """Add measures to the sums under a key, leaving out what is zero. `measures` holds no zero."""
    total = sums.get(key)
    if total is None:
        sums[key] = measures.copy()
        return
    for name, amount in measures.items():
        new = total.get(name, 0) + amount
        if new:
            total[name] = new
        else:
            del total[name]
    if total:
        sums[key] = total
    else:
        del sums[key]
