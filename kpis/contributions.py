"""What one object contributes, where and when: a pure function of its row and the rows it is joined with.

A share is placed by day, seller, team and customer; the scopes and windows that count it follow from
the place. A place that no longer counts stays in the row, empty, so that a replay still knows whom to
tell.
"""

from collections.abc import Callable
from typing import NamedTuple

from kpis.calendar import Calendar
from kpis.fold import ANY, CREATED, QUALIFIED
from kpis.measures import ACTIVITY_MEASURES, CONTACT_KINDS, MICROS_PER_UNIT
from schemas.rows import ObjectRow, Said, Share


class Business(NamedTuple):
    """How the organisation counts: in which timezone and which reporting currency."""

    calendar: Calendar
    currency: str


class Joins(NamedTuple):
    """The questions an object asks of other rows."""

    team_at: Callable[[str, int], str | None]
    """The team of a seller at an instant."""
    first_contact: Callable[[ObjectRow], int]
    """The earliest event of a deal, of the lead it names and of the activities that name either."""


def shares_of(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    """The shares of an object as it is known now, then its former places, empty."""
    fresh: list[Share] = []
    if not row.deleted:
        _CONTRIBUTIONS[row.kind](row, business, joins, fresh)
    if not row.shares:
        return fresh
    places = {_place(share) for share in fresh}
    for share in row.shares:
        if _place(share) not in places:
            share.measures = {}
            fresh.append(share)
    return fresh


def micros_of_money(amount: str) -> int:
    """A decimal string in millionths of its unit, exactly."""
    sign = -1 if amount.startswith("-") else 1
    whole, _, fraction = amount.lstrip("-").partition(".")
    return sign * (int(whole) * MICROS_PER_UNIT + int(fraction.ljust(6, "0")))


def seller_of(row: ObjectRow) -> str | None:
    """The seller an object belongs to."""
    return text(row.said.get("seller"))


def text(said: Said | None) -> str | None:
    """The value of a text field, where it was stated."""
    return said.value if said is not None and isinstance(said.value, str) else None


def _place(share: Share) -> tuple[int, str | None, str | None, str | None, str | None]:
    return share.day, share.seller, share.team, share.customer, share.person


def _lead(row: ObjectRow, business: Business, joins: Joins, shares: list[Share]) -> None:
    first = row.first.get(CREATED) or row.first.get(ANY)
    if first is None:
        return
    customer = text(row.said.get("customer"))
    seller = seller_of(row)
    new = _share(business, joins, first.time, seller, customer, {"leads_new": 1})
    shares.append(new)
    qualified = row.first.get(QUALIFIED)
    if qualified is None or row.said["verdict"].value == "disqualified":
        return
    share = _share(
        business, joins, qualified.time, text(qualified) or seller, customer, {"leads_qualified": 1}
    )
    if _place(share) == _place(new):
        new.measures.update(share.measures)
    else:
        shares.append(share)


def _activity(row: ObjectRow, business: Business, joins: Joins, shares: list[Share]) -> None:
    kind = text(row.said.get("kind"))
    at = row.said.get("at")
    if kind is None or at is None:
        return
    measure = ACTIVITY_MEASURES.get(kind)
    person = _person(row) if kind in CONTACT_KINDS else None
    if measure is None:
        return
    share = _share(business, joins, at.time, seller_of(row), text(row.said.get("customer")), {measure: 1})
    share.person = person
    shares.append(share)


def _person(row: ObjectRow) -> str | None:
    """Whom an activity reached: (customer, else lead) + (person, else lead, else customer)."""
    customer = text(row.said.get("customer"))
    lead = text(row.said.get("lead"))
    where = customer or lead
    if where is None:
        return None
    who = text(row.said.get("person")) or lead or customer
    return f"{len(where)}:{where}:{who}"


def _deal(row: ObjectRow, business: Business, joins: Joins, shares: list[Share]) -> None:
    outcome = row.said.get("outcome")
    if outcome is None or outcome.value == "open":
        return
    won = outcome.value == "won"
    amended = row.said.get("won_at" if won else "lost_at")
    at = amended.value if amended is not None and isinstance(amended.value, int) else outcome.time
    measures = {"deals_lost": 1}
    if won:
        # An amount in a currency without a rate waits whole: it is neither zero nor dropped.
        if text(row.said.get("currency")) not in {None, business.currency}:
            return
        measures = {
            "deals_won": 1,
            "revenue": micros_of_money(text(row.said.get("value")) or "0"),
            "cycle_days_sum": _cycle(row, at, business, joins),
        }
    shares.append(_share(business, joins, at, seller_of(row), row.home, measures))


def _cycle(row: ObjectRow, won_at: int, business: Business, joins: Joins) -> int:
    """Wall-clock time from first contact to won: from noon to noon is a day, even where a clock moved."""
    stated = row.said.get("first_contact")
    first = stated.value if stated is not None else None
    if not isinstance(first, int):
        first = joins.first_contact(row)
    return max(0, business.calendar.wall_clock(won_at) - business.calendar.wall_clock(first))


def _customer(row: ObjectRow, business: Business, joins: Joins, shares: list[Share]) -> None:
    """A customer's own row holds churn; no measure counts it by itself."""


def _share(
    business: Business,
    joins: Joins,
    at: int,
    seller: str | None,
    customer: str | None,
    measures: dict[str, int],
) -> Share:
    team = joins.team_at(seller, at) if seller is not None else None
    return Share(business.calendar.day(at), seller, team, customer, None, measures)


_CONTRIBUTIONS: dict[str, Callable[[ObjectRow, Business, Joins, list[Share]], None]] = {
    "lead": _lead,
    "activity": _activity,
    "deal": _deal,
    "customer": _customer,
}
