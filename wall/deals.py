"""Deals as the feed tells of them: which were just won, and which of these call for a celebration.

What is known of a deal is kept field by field, the latest statement of each, so that any order of its
events, and any of them twice, comes to the same. This is no count of anything: figures come from records.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from schemas.events import (
    DealAmended,
    DealCreated,
    DealDeleted,
    DealLost,
    DealReopened,
    DealWon,
)

LATE = timedelta(minutes=15)
"""What is heard of later than this is in the feed, but nobody jumps up for it."""


class Stated(Struct, frozen=True, array_like=True):
    """What one event states; of two the later one holds."""

    time: datetime
    event: str
    source: str
    value: str

    @property
    def order(self) -> tuple[datetime, str, str]:
        """By the time of the event, then its id."""
        return self.time, self.event, self.source


class Deal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one deal."""

    stated: dict[str, Stated] = {}
    deleted: bool = False


class Moment(Struct, frozen=True, kw_only=True):
    """A deal in the feed."""

    deal: str
    customer: str
    seller: str | None
    value: str | None
    currency: str | None
    """As it was stated; none is the reporting currency."""
    at: datetime | None
    """When it was won; none where it turned out that it was not."""
    new: bool
    """Whether this is the first that is heard of it, soon after it was won: a reason to celebrate."""


WON, NOT_WON = "won", "not won"
OfDeal = DealCreated | DealAmended | DealWon | DealLost | DealReopened | DealDeleted
"""The events of deals."""

encode_deal = msgspec.json.Encoder().encode
decode_deal = msgspec.json.Decoder(Deal).decode
encode_moment = msgspec.json.Encoder().encode
decode_moment = msgspec.json.Decoder(Moment).decode


def told(deal: Deal, event: OfDeal) -> Deal:
    """What is known of a deal once an event was heard."""
    if isinstance(event, DealDeleted):
        return msgspec.structs.replace(deal, deleted=True)
    stated = dict(deal.stated)
    for field, value in _said(event):
        new = Stated(event.time, event.id, event.source, value)
        known = stated.get(field)
        if known is None or new.order > known.order:
            stated[field] = new
    return msgspec.structs.replace(deal, stated=stated)


def won_at(deal: Deal) -> datetime | None:
    """When a deal was won; none where it was not, as far as is known."""
    outcome = deal.stated.get("outcome")
    if deal.deleted or outcome is None or outcome.value != WON:
        return None
    amended = _stated(deal, "won_at")
    return outcome.time if amended is None else datetime.fromisoformat(amended)


def moment(key: tuple[str, str], deal: Deal, held: Moment | None, clock: datetime | None) -> Moment | None:
    """What the feed has of a deal: none where it was never won.

    It is new once at most: not when it changes, nor when it was won long before or after the clock, nor
    while nobody knows what time it is.
    """
    at = won_at(deal)
    if at is None and held is None:
        return None
    fresh = held is None and at is not None and clock is not None and abs(clock - at) <= LATE
    customer, name = key
    return Moment(
        deal=name,
        customer=customer,
        seller=_stated(deal, "seller"),
        value=_stated(deal, "value"),
        currency=_stated(deal, "currency"),
        at=at,
        new=fresh,
    )


def same(one: Moment, other: Moment) -> bool:
    """Whether two say the same of the deal, whoever heard it first."""
    return msgspec.structs.replace(one, new=False) == msgspec.structs.replace(other, new=False)


def _said(
    event: DealCreated | DealAmended | DealWon | DealLost | DealReopened,
) -> Iterator[tuple[str, str]]:
    match event:
        case DealWon():
            yield "outcome", WON
        case DealLost() | DealReopened():
            yield "outcome", NOT_WON
            return
        case DealAmended():
            if event.data.won_at is not None:
                yield "won_at", event.data.won_at.isoformat()
        case DealCreated():
            pass
    for field in ("seller", "value", "currency"):
        value: str | None = getattr(event.data, field)
        if value is not None:
            yield field, value


def _stated(deal: Deal, field: str) -> str | None:
    stated = deal.stated.get(field)
    return None if stated is None else stated.value
