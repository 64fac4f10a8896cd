"""What a customer's objects add up to: when they were first heard of, and what they bought first and last.

A view over the rows of one partition, kept up to date object by object: a customer of thousands of deals
costs no more to count anew than one of a single deal.
"""

from bisect import insort
from collections.abc import Callable, Iterable, MutableMapping
from typing import NamedTuple

from schemas.rows import Said


class Won(NamedTuple):
    """A won deal of a customer, in the order in which they were won."""

    at: int
    deal: str
    seller: str | None


class First(NamedTuple):
    """The earliest event of a customer's objects, and the seller it named."""

    time: int
    event: str
    source: str
    seller: str | None
    key: str
    """Of the row of the object."""


class Customer(NamedTuple):
    """What counts of a customer."""

    organisation: First | None
    """Their earliest event, if they are an organisation with a number."""
    first: Won | None
    last: Won | None


def first_of(key: str, said: Said) -> First:
    """An object's earliest event, as one of its customer's."""
    return First(
        said.time, said.event, said.source, said.value if isinstance(said.value, str) else None, key
    )


class Customers:
    """The view. What a mapping returns is set again where it changed, as a mapping on disk needs."""

    def __init__(
        self,
        won: MutableMapping[str, list[Won]] | None = None,
        firsts: MutableMapping[str, First] | None = None,
        organisations: MutableMapping[str, int] | None = None,
        leavers: MutableMapping[str, int] | None = None,
    ) -> None:
        self._won: MutableMapping[str, list[Won]] = {} if won is None else won
        self._firsts: MutableMapping[str, First] = {} if firsts is None else firsts
        self._organisations: MutableMapping[str, int] = {} if organisations is None else organisations
        self._leavers: MutableMapping[str, int] = {} if leavers is None else leavers

    def of(self, customer: str) -> Customer:
        """What counts of a customer now."""
        won = self._won.get(customer)
        organisation = self._firsts.get(customer) if self._organisations.get(customer) else None
        return Customer(organisation, won[0] if won else None, won[-1] if won else None)

    def win(self, customer: str, deal: str, now: Won | None, *, new: bool) -> bool:
        """A deal is won, or is not; whether that changes what the customer counts.

        It does where the first one is another now, and for who once left also where the last one is. Of
        a deal that is new nothing can be known.
        """
        won = self._won.get(customer, [])
        before = None if new else next((known for known in won if known.deal == deal), None)
        if before == now:
            return False
        first, last = won[:1], won[-1:]
        if before is not None:
            won.remove(before)
        if now is not None:
            if not won or _in_order(won[-1]) < _in_order(now):
                won.append(now)
            else:
                insort(won, now, key=_in_order)
        if won:
            self._won[customer] = won
        else:
            del self._won[customer]
        return won[:1] != first or (won[-1:] != last and customer in self._leavers)

    def leave(self, customer: str) -> None:
        """The customer left, at some time."""
        self._leavers[customer] = 1

    def is_earlier(self, customer: str, key: str, time: int) -> bool:
        """Whether another of the customer's objects is known to have an earlier event than this time."""
        known = self._firsts.get(customer)
        return known is not None and known.time < time and known.key != key

    def hear(
        self, customer: str, key: str, now: First | None, others: Callable[[], Iterable[First]]
    ) -> bool:
        """An object's earliest event is known, or it is the customer's no more; whether that matters.

        `others` gives the earliest events of the customer's other objects, and is asked only where the
        object whose event was the earliest has it no longer.
        """
        known = self._firsts.get(customer)
        if known is None or known.key != key:
            if now is None or (known is not None and _place(known) <= _place(now)):
                return False
            first: First | None = now
        elif now is not None and _place(now) <= _place(known):
            first = now
        else:
            first = min([*others(), *([] if now is None else [now])], key=_place, default=None)
        if first == known:
            return False
        if first is None:
            del self._firsts[customer]
        else:
            self._firsts[customer] = first
        return bool(self._organisations.get(customer))

    def number(self, customer: str, change: int) -> bool:
        """More of the customer's leads state an organisation number, or fewer; whether that matters."""
        if not change:
            return False
        before = self._organisations.get(customer, 0)
        if before + change:
            self._organisations[customer] = before + change
        else:
            del self._organisations[customer]
        return not before or not before + change


def _in_order(won: Won) -> tuple[int, str]:
    return won.at, won.deal


def _place(first: First) -> tuple[int, str, str, str]:
    return first.time, first.event, first.source, first.key
