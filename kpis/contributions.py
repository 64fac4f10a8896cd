"""What one object contributes, where and when: a pure function of its row and the rows it is joined with.

A share is placed by day, seller, team and customer; the scopes and windows that count it follow from
the place. A place that no longer counts stays in the row, empty, so that a replay still knows whom to
tell.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from kpis.calendar import Calendar
from kpis.fold import CREATED, QUALIFIED, instant, known, stated_at, text
from kpis.measures import ACTIVITY_MEASURES, CONTACT_KINDS, MICROS_PER_UNIT
from schemas.rows import ObjectRow, Share, Value


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
    fresh = [] if row.deleted else _CONTRIBUTIONS[row.kind](row, business, joins)
    if not row.shares:
        return fresh
    places = {_place(share) for share in fresh}
    for share in row.shares:
        if _place(share) not in places:
            fresh.append(msgspec.structs.replace(share, measures={}) if share.measures else share)
    return fresh


def micros_of_money(amount: str) -> int:
    """A decimal string in millionths of its unit, exactly."""
    sign = -1 if amount.startswith("-") else 1
    whole, _, fraction = amount.lstrip("-").partition(".")
    return sign * (int(whole) * MICROS_PER_UNIT + int(fraction.ljust(6, "0")))


def _place(share: Share) -> tuple[int, str | None, str | None, str | None, str | None]:
    return share.day, share.seller, share.team, share.customer, share.person


def _lead(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    fields = known(row)
    created = row.firsts.get(CREATED)
    at = created.time if created is not None else row.first
    customer = text(fields, "customer")
    seller = text(fields, "seller")
    new = _share(business, joins, at, seller, customer, {"leads_new": 1})
    qualified = row.firsts.get(QUALIFIED)
    if qualified is None or text(fields, "verdict") == "disqualified":
        return [new]
    by = qualified.value if isinstance(qualified.value, str) else seller
    share = _share(business, joins, qualified.time, by, customer, {"leads_qualified": 1})
    if _place(share) != _place(new):
        return [new, share]
    return [msgspec.structs.replace(new, measures=new.measures | share.measures)]


def _activity(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    fields = known(row)
    kind = text(fields, "kind")
    at = instant(fields, "at")
    measure = ACTIVITY_MEASURES.get(kind) if kind is not None else None
    if measure is None or at is None:
        return []
    person = _person(fields) if kind in CONTACT_KINDS else None
    customer = text(fields, "customer")
    return [_share(business, joins, at, text(fields, "seller"), customer, {measure: 1}, person)]


def _person(fields: Mapping[str, Value]) -> str | None:
    """Whom an activity reached: (customer, else lead) + (person, else lead, else customer)."""
    customer = text(fields, "customer")
    lead = text(fields, "lead")
    where = customer or lead
    if where is None:
        return None
    who = text(fields, "person") or lead or customer
    return f"{len(where)}:{where}:{who}"


def _deal(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    fields = known(row)
    outcome = fields.get("outcome")
    if outcome is None or outcome == "open":
        return []
    won = outcome == "won"
    decided = instant(fields, "won_at" if won else "lost_at")
    if decided is None:
        decided = stated_at(row, "outcome")
        assert decided is not None
    measures = {"deals_lost": 1}
    if won:
        # An amount in a currency without a rate waits whole: it is neither zero nor dropped.
        currency = fields.get("currency")
        if currency is not None and currency != business.currency:
            return []
        first = instant(fields, "first_contact")
        measures = {"deals_won": 1}
        revenue = micros_of_money(text(fields, "value") or "0")
        if revenue:
            measures["revenue"] = revenue
        cycle = _cycle(joins.first_contact(row) if first is None else first, decided, business.calendar)
        if cycle:
            measures["cycle_days_sum"] = cycle
    return [_share(business, joins, decided, text(fields, "seller"), row.home, measures)]


def _cycle(first: int, won_at: int, calendar: Calendar) -> int:
    """Wall-clock time from first contact to won: from noon to noon is a day, even where a clock moved."""
    return 0 if first == won_at else max(0, calendar.wall_clock(won_at) - calendar.wall_clock(first))


def _nothing(_row: ObjectRow, _business: Business, _joins: Joins) -> list[Share]:
    """A customer's own row holds churn; no measure counts it by itself."""
    return []


def _share(
    business: Business,
    joins: Joins,
    at: int,
    seller: str | None,
    customer: str | None,
    measures: dict[str, int],
    person: str | None = None,
) -> Share:
    team = joins.team_at(seller, at) if seller is not None else None
    return Share(business.calendar.day(at), seller, team, customer, person, measures)


_CONTRIBUTIONS: dict[str, Callable[[ObjectRow, Business, Joins], list[Share]]] = {
    "lead": _lead,
    "activity": _activity,
    "deal": _deal,
    "customer": _nothing,
}
