"""What one object contributes, where and when: a pure function of its row and the rows it is joined with.

A share is placed by day, seller, team and customer; the scopes and windows that count it follow from
the place. A place that no longer counts stays in the row, empty, so that a replay still knows whom to
tell.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from kpis.calendar import MICROS_PER_DAY, Calendar, Grain, day_number
from kpis.customers import Customer
from kpis.fold import CREATED, QUALIFIED, decided_at, instant, known, stated_at, text, won_at
from kpis.measures import (
    ACTIVITY_MEASURES,
    CONTACT_KINDS,
    ENDED,
    ENDED_DAYS,
    ENDED_MICROS,
    SINCE_DAYS,
    SINCE_MICROS,
    counted_in,
)
from kpis.money import (
    PARTS_PER_MICRO,
    measures_of,
    measures_of_micros,
    micros_of_money,
    parts_of_rate,
    share_of,
)
from schemas.events import MAX_COST_DAYS
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
    rate_at: Callable[[str, int], str | None]
    """What a unit of a currency was worth at an instant."""
    customer: Callable[[str], Customer]
    """What a customer's objects add up to."""


def shares_of(
    row: ObjectRow, business: Business, joins: Joins, own: Callable[[ObjectRow], list[Share]] | None = None
) -> list[Share]:
    """The shares of an object as it is known now, then its former places, empty.

    `own` gives what it contributes to the organisation's own measures, where there are any of its kind.
    """
    fresh = [] if row.deleted else _CONTRIBUTIONS[row.kind](row, business, joins)
    if own is not None and not row.deleted:
        fresh = merged([*fresh, *own(row)])
    if not row.shares:
        return fresh
    places = {_place(share) for share in fresh}
    for share in row.shares:
        if _place(share) not in places:
            fresh.append(msgspec.structs.replace(share, measures={}) if share.measures else share)
    return fresh


def _place(share: Share) -> tuple[int, str | None, str | None, str | None, str | None]:
    return share.day, share.seller, share.team, share.customer, share.person


def _lead(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    fields = known(row)
    created = row.firsts.get(CREATED)
    at = created.time if created is not None else row.first
    customer = text(fields, "customer")
    seller = text(fields, "seller")
    new = share_at(business, joins, at, seller, customer, {"leads_new": 1})
    qualified = row.firsts.get(QUALIFIED)
    if qualified is None or text(fields, "verdict") == "disqualified":
        return [new]
    by = qualified.value if isinstance(qualified.value, str) else seller
    share = share_at(business, joins, qualified.time, by, customer, {"leads_qualified": 1})
    return merged([new, share])


def _activity(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    fields = known(row)
    kind = text(fields, "kind")
    at = instant(fields, "at")
    measure = ACTIVITY_MEASURES.get(kind) if kind is not None else None
    if measure is None or at is None:
        return []
    person = person_of(fields) if kind in CONTACT_KINDS else None
    customer = text(fields, "customer")
    return [share_at(business, joins, at, text(fields, "seller"), customer, {measure: 1}, person)]


def person_of(fields: Mapping[str, Value]) -> str | None:
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
    seller = text(fields, "seller")
    decided = won_at(row, fields)
    if decided is None:
        decided = decided_at(row, fields, "lost_at")
        return [share_at(business, joins, decided, seller, row.home, {"deals_lost": 1})]
    revenue = _revenue(fields, decided, business, joins)
    if revenue is None:
        return []
    first = instant(fields, "first_contact")
    measures = {"deals_won": 1, **revenue}
    cycle = _cycle(joins.first_contact(row) if first is None else first, decided, business.calendar)
    if cycle:
        measures["cycle_days_sum"] = cycle
    return [share_at(business, joins, decided, seller, row.home, measures)]


def _revenue(
    fields: Mapping[str, Value], at: int, business: Business, joins: Joins
) -> dict[str, int] | None:
    """A deal's value at the rate valid at an instant. `None` where there is none: the deal waits, whole.

    It is neither zero nor dropped, and counts once the rate is known.
    """
    micros = micros_of_money(text(fields, "value") or "0")
    currency = fields.get("currency")
    if currency is None or currency == business.currency:
        return measures_of_micros("revenue", micros)
    rate = rate_at(fields, at, business, joins)
    return None if rate is None else measures_of("revenue", micros * rate)


def _cycle(first: int, won_at: int, calendar: Calendar) -> int:
    """Wall-clock time from first contact to won: from noon to noon is a day, even where a clock moved."""
    return 0 if first == won_at else max(0, calendar.wall_clock(won_at) - calendar.wall_clock(first))


def _cost(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    """Of each day its part, exactly: all of them together are the amount."""
    fields = known(row)
    at = instant(fields, "at")
    if at is None:
        return []
    amount = micros_of_money(text(fields, "amount") or "0")
    rates = rates_of_cost(fields, times := times_of_cost(fields, at, business.calendar), business, joins)
    if rates is None:
        return []
    seller, customer, category = (text(fields, name) for name in ("seller", "customer", "category"))
    shares: list[Share] = []
    for time, rate in zip(times, rates, strict=True):
        measures = {
            **share_of("cost", amount * rate, len(times)),
            **share_of(f"cost_{category}", amount * rate, len(times)),
        }
        if measures:
            share = share_at(business, joins, time, seller, customer, measures)
            if seller is None:
                share = msgspec.structs.replace(share, team=text(fields, "team"))
            shares.append(share)
    return shares


def rate_at(fields: Mapping[str, Value], at: int, business: Business, joins: Joins) -> int | None:
    """The parts that a millionth of an object's currency is worth; `None` where no rate is known."""
    currency = text(fields, "currency")
    if currency is None or currency == business.currency:
        return PARTS_PER_MICRO
    rate = joins.rate_at(currency, at)
    return None if rate is None else parts_of_rate(rate)


def priced_at(row: ObjectRow, calendar: Calendar) -> list[int]:
    """The instants whose rates an object's amounts are taken at, whether there are rates or not."""
    fields = known(row)
    if row.kind == "cost":
        at = instant(fields, "at")
        return [] if at is None else times_of_cost(fields, at, calendar)
    if row.kind != "deal":
        return []
    outcome = fields.get("outcome")
    if outcome is None or outcome == "open":
        return [row.first]
    # What is defined of created deals counts at their first event.
    return [row.first, decided_at(row, fields, f"{outcome}_at")]


def rates_of_cost(
    fields: Mapping[str, Value], times: list[int], business: Business, joins: Joins
) -> list[int] | None:
    """The rate of each of a cost's days; `None` where one has none: then all of it waits."""
    rates = [rate_at(fields, time, business, joins) for time in times]
    known_rates = [rate for rate in rates if rate is not None]
    return known_rates if len(known_rates) == len(times) else None


def times_of_cost(fields: Mapping[str, Value], at: int, calendar: Calendar) -> list[int]:
    """The instants at which a cost counts: its own, or the start of each day it is spread over."""
    ends = (text(fields, "from_"), text(fields, "to"))
    stated = [day_number(date.fromisoformat(day)) for day in ends if day is not None]
    if not stated:
        return [at]
    first, last = min(stated), max(stated)
    if last - first >= MAX_COST_DAYS:
        # Put together from events that each state one end; what was meant, nobody knows.
        last = first
    return [calendar.start_of(day) for day in range(first, last + 1)]


def _customer(row: ObjectRow, business: Business, joins: Joins) -> list[Share]:
    """A customer counts when first heard of, when first won and when they left, each for its own seller."""
    customer = joins.customer(row.home)
    shares: list[Share] = []
    heard = customer.organisation
    if heard is not None:
        by = heard.seller
        shares.append(share_at(business, joins, heard.time, by, row.home, {"organisations_new": 1}))
    if customer.first is not None and customer.last is not None:
        first, last = customer.first, customer.last
        day, micros = divmod(business.calendar.wall_clock(first.at), MICROS_PER_DAY)
        new = {"customers_new": 1, _SINCE_DAYS: day, _SINCE_MICROS: micros}
        churned = stated_at(row, "churned")
        if churned is not None and churned > last.at:
            left = {"customers_churned": 1}
            shares.append(share_at(business, joins, churned, last.seller, row.home, left))
            day, micros = divmod(business.calendar.wall_clock(churned), MICROS_PER_DAY)
            new |= {_ENDED: 1, _ENDED_DAYS: day, _ENDED_MICROS: micros}
        counts = {name: amount for name, amount in new.items() if amount}
        shares.append(share_at(business, joins, first.at, first.seller, row.home, counts))
    return merged(shares)


_SINCE_DAYS, _SINCE_MICROS, _ENDED, _ENDED_DAYS, _ENDED_MICROS = (
    counted_in(name, Grain.EVER) for name in (SINCE_DAYS, SINCE_MICROS, ENDED, ENDED_DAYS, ENDED_MICROS)
)


def merged(shares: list[Share]) -> list[Share]:
    """One share for each place."""
    places: dict[tuple[int, str | None, str | None, str | None, str | None], Share] = {}
    for share in shares:
        place = _place(share)
        here = places.get(place)
        if here is not None:
            share = msgspec.structs.replace(here, measures=here.measures | share.measures)  # noqa: PLW2901
        places[place] = share
    return list(places.values())


def share_at(
    business: Business,
    joins: Joins,
    at: int,
    seller: str | None,
    customer: str | None,
    measures: dict[str, int],
    person: str | None = None,
) -> Share:
    """A share at an instant, for the team that the seller was in then."""
    team = joins.team_at(seller, at) if seller is not None else None
    return Share(business.calendar.day(at), seller, team, customer, person, measures)


_CONTRIBUTIONS: dict[str, Callable[[ObjectRow, Business, Joins], list[Share]]] = {
    "lead": _lead,
    "activity": _activity,
    "deal": _deal,
    "cost": _cost,
    "customer": _customer,
}
