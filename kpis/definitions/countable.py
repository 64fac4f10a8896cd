"""What can be counted: the event types that describe an object, and what is known of its fields.

Each type counts what a measure of ours counts, at the same time and for the same seller, team and
customer; an own measure counts those among them whose combined fields fulfil its conditions.
"""

from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Literal, get_args, get_origin

from msgspec import Struct

from schemas.events import EVENT_TYPES, Money, fields_of


class FieldKind(StrEnum):
    """What a field of the contract holds, as far as conditions and sums go."""

    TEXT = "text"
    MONEY = "money"
    INSTANT = "instant"
    DATE = "date"


class Field(Struct, frozen=True):
    """A field that the contract knows."""

    kind: FieldKind
    choices: tuple[str, ...] = ()
    """The only values it can have; any, where empty."""


class Countable(Struct, frozen=True):
    """An event type that describes something to count."""

    noun: str
    """What the object is, as the types of its events begin: lead, activity, deal, customer, cost."""
    things: str
    at: str


COUNTABLE = {
    "lead.created": Countable(
        "lead", "leads", "the earliest lead.created; while there is none, the lead's earliest event"
    ),
    "lead.qualified": Countable(
        "lead", "leads whose latest verdict is not disqualified", "the earliest lead.qualified"
    ),
    "lead.disqualified": Countable(
        "lead", "leads whose latest verdict is disqualified", "the lead.disqualified that decided it"
    ),
    "activity.logged": Countable("activity", "activities of every kind", "the latest activity.logged"),
    "deal.created": Countable("deal", "deals, whatever became of them", "the deal's earliest event"),
    "deal.won": Countable(
        "deal", "deals whose outcome is won", "won_at, else the deal.won that decided it"
    ),
    "deal.lost": Countable(
        "deal", "deals whose outcome is lost", "lost_at, else the deal.lost that decided it"
    ),
    "customer.churned": Countable(
        "customer", "customers who had a deal won and churned after the latest", "that customer.churned"
    ),
    "cost.logged": Countable(
        "cost",
        "costs",
        "the first of its days, else the latest cost.logged; an amount is spread over the days",
    ),
}
"""Every event type that a measure can be made of."""

NOUNS = frozenset(countable.noun for countable in COUNTABLE.values())

INSTEAD = {
    "deal.amended": "what it states is taken into the deal; count deal.created, deal.won or deal.lost",
    "deal.reopened": "a deal that was reopened is open; count deal.created, deal.won or deal.lost",
    "cost.amended": "what it states is taken into the cost; count cost.logged",
    "seller.assigned": "it describes the organisation",
    "seller.left": "it describes the organisation",
    "rate.set": "it describes the organisation",
}
"""Why others cannot be counted; deletions go without saying."""

DELETIONS = frozenset(name for name in EVENT_TYPES if name.endswith(".deleted"))


def event_types_of(noun: str) -> tuple[str, ...]:
    """The event types that state something of an object, but for its deletion."""
    return tuple(name for name in EVENT_TYPES if name.startswith(f"{noun}.") and name not in DELETIONS)


@cache
def known_fields(noun: str) -> dict[str, Field]:
    """What the contract knows that events state of an object."""
    return {
        field.encode_name: _field(field.type)
        for event_type in event_types_of(noun)
        for field in fields_of(event_type)
    }


@cache
def names_of_fields() -> frozenset[str]:
    """Every field of every event type."""
    return frozenset(field.encode_name for name in EVENT_TYPES for field in fields_of(name))


def _field(stated: object) -> Field:
    """From the type of a struct's field, which may be optional."""
    kinds = {stated, *get_args(stated)}
    if Money in kinds:
        return Field(FieldKind.MONEY)
    plain = {kind for kind in kinds for kind in (kind, *get_args(kind))}
    if datetime in plain:
        return Field(FieldKind.INSTANT)
    if date in plain:
        return Field(FieldKind.DATE)
    for kind in kinds:
        if get_origin(kind) is Literal:
            return Field(FieldKind.TEXT, get_args(kind))
    return Field(FieldKind.TEXT)
