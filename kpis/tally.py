"""Tallies: the sums over one partition's objects by scope and day, a view that is rebuilt from the rows.

Days suffice, because longer windows are sums of days: distinct counts too, in the form of
`kpis.measures.counted_in`.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, MutableMapping
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
    # A person begins with a figure, and may hold any character; the name of a measure does neither.
    measure, mark, _ = person.partition(_OF)
    return measure if mark and not measure[:1].isdigit() else "contacts"


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
                contacts = self._contacts.get(share.person, [])
                self._meet(_distinct_count(share.person), contact, contacts, 1)
                insort(contacts, contact, key=_order)
                self._contacts[share.person] = contacts

    def remove(self, share: Share) -> None:
        """Take back a share that was counted."""
        if share.measures:
            self._count(share, -1)
            if share.person is not None:
                contact = _contact(share)
                others = self._contacts[share.person]
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
        cells = [(scope, share.day) for scope in scopes_of(share)]
        if share.person is not None:
            contacts = self._contacts.get(share.person, [])
            cells.extend(
                (scope, after)
                for scope, _, after in _around(_contact(share), contacts)
                if after is not None
            )
        return cells

    def _count(self, share: Share, sign: int) -> None:
        day = share.day
        measures = share.measures if sign > 0 else negative(share.measures)
        for scope in scopes_of(share):
            add_measures(self._cells, (scope, day), measures)

    def _meet(self, counted: str, contact: Contact, others: list[Contact], sign: int) -> None:
        """Count a contact where it is the first of its window, instead of the one that was."""
        for scope, before, after in _around(contact, others):
            gained: Measures = {}
            lost: Measures = {}
            for measure, start, end in _spans_of(counted, contact.day):
                if before is not None and before >= start:
                    continue
                gained[measure] = sign
                if after is not None and after < end:
                    lost[measure] = -sign
            if gained:
                add_measures(self._cells, (scope, contact.day), gained)
            if lost:
                assert after is not None
                add_measures(self._cells, (scope, after), lost)


def _contact(share: Share) -> Contact:
    return Contact(share.day, share.seller, share.team, share.customer)


def _order(contact: Contact) -> int:
    return contact.day


def _around(contact: Contact, others: list[Contact]) -> Iterator[tuple[str, int | None, int | None]]:
    """For each scope of a contact: the days of the last of the others up to its own, and of the next after.

    Others stand in order. Mostly it is their neighbour, however many a person had over the years.
    """
    at = bisect_right(others, contact.day, key=_order)
    before = others[at - 1].day if at else None
    after = others[at].day if at < len(others) else None
    yield COMPANY, before, after
    for place, scopes in _PLACES:
        identifier = contact[place]
        if isinstance(identifier, str):
            yield (
                scopes[identifier],
                _first_of(others, range(at - 1, -1, -1), place, identifier),
                _first_of(others, range(at, len(others)), place, identifier),
            )


_PLACES = ((1, _SELLERS), (2, _TEAMS), (3, _CUSTOMERS))
"""Where in a contact its seller, team and customer are, and their scopes."""


def _first_of(contacts: list[Contact], numbers: range, place: int, identifier: str) -> int | None:
    """The day of the first of these contacts, gone through by number, that has this in a place."""
    for number in numbers:
        if contacts[number][place] == identifier:
            return contacts[number].day
    return None


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
