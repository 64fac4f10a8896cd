"""Generated histories: few objects, many events about them, awkward times. For property tests."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.events import EVENT_TYPES, Event

AWKWARD = [
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2024, 12, 30, 22, 30, tzinfo=UTC),
    datetime(2024, 12, 31, 23, 30, tzinfo=UTC),
    datetime(2025, 3, 30, 0, 59, tzinfo=UTC),
    datetime(2025, 3, 30, 1, 1, tzinfo=UTC),
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 22, 59, 59, 999999, tzinfo=UTC),
]
"""Leap days, ISO-week year ends, and the hours around a change of clocks."""

times = st.one_of(
    st.sampled_from(AWKWARD),
    st.integers(0, 700 * 24 * 60).map(
        lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
)
_sellers = st.sampled_from(["anna", "bo", "cia"])
_customers = st.sampled_from(["c1", "c2"])
_leads = st.sampled_from(["l1", "l2"])
_amounts = st.sampled_from(
    ["0", "100", "0.005", "0.05", "125000.00", "-3.335", "99999.999999", "999999999999.999999"]
)
_currencies = st.sampled_from(["SEK", "SEK", "SEK", "USD", "EUR"])
_rates = st.sampled_from(["11.4275", "0.333333333333", "10", "0.000000000001", "999999999.123456789012"])
_org_numbers = st.sampled_from(["556677-8899"])
_days = st.dates(date(2024, 2, 20), date(2024, 3, 10)).map(date.isoformat)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


_moments = times.map(lambda time: time.isoformat())
_lead = {"lead": _leads}
_deal = {"deal": st.sampled_from(["d1", "d2"]), "customer": _customers}
_where = {"customer": _maybe(_customers), "lead": _maybe(_leads)}
_activity = {"activity": st.sampled_from(["a1", "a2", "a3"]), **_where}
_seller = {"seller": _maybe(_sellers)}
_org_lead = {"customer": _maybe(_customers), "org_number": _maybe(_org_numbers), **_seller}
_cost = {"cost": st.sampled_from(["k1", "k2"])}
_cost_for = {
    **_seller,
    "team": _maybe(st.sampled_from(["north", "south"])),
    "customer": _maybe(_customers),
    "from": _maybe(_days),
    "to": _maybe(_days),
}
_categories = st.sampled_from(["salary", "time", "marketing", "meeting_booking", "event", "other"])
_money = {"value": _maybe(_amounts), "currency": _maybe(_currencies)}
_kinds = ["call", "email", "meeting_booked", "meeting_held", "quote_sent", "visit", "other"]

DATA: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "lead.created": {**_lead, **_org_lead},
    "lead.qualified": {**_lead, **_org_lead},
    "lead.disqualified": {**_lead},
    "lead.deleted": {**_lead},
    "activity.logged": {
        **_activity,
        "kind": st.sampled_from(_kinds),
        "seller": _sellers,
        "person": _maybe(st.sampled_from(["p1", "p2"])),
        "deal": _maybe(st.sampled_from(["d1", "d2"])),
    },
    "activity.deleted": {**_activity},
    "deal.created": {**_deal, **_seller, **_money, "lead": _maybe(_leads)},
    "deal.amended": {
        **_deal,
        **_seller,
        **_money,
        "won_at": _maybe(_moments),
        "lost_at": _maybe(_moments),
    },
    "deal.won": {**_deal, **_seller, **_money, "lead": _maybe(_leads)},
    "deal.lost": {**_deal},
    "deal.reopened": {**_deal},
    "deal.deleted": {**_deal},
    "customer.churned": {"customer": _customers},
    "seller.assigned": {"seller": _sellers, "team": st.sampled_from(["north", "south"])},
    "seller.left": {"seller": _sellers},
    "rate.set": {"currency": st.sampled_from(["USD", "EUR"]), "rate": _rates},
    "cost.logged": {
        **_cost,
        **_cost_for,
        "category": _categories,
        "amount": _amounts,
        "currency": _currencies,
    },
    "cost.amended": {
        **_cost,
        **_cost_for,
        "category": _maybe(_categories),
        "amount": _maybe(_amounts),
        "currency": _maybe(_currencies),
    },
    "cost.deleted": {**_cost},
}
_COMMON = [kind for kind in DATA if not kind.endswith("deleted")] * 3 + list(DATA)
_STATED_ONCE = st.booleans()


@st.composite
def events(draw: st.DrawFn) -> Event:
    """One valid event about one of a few objects."""
    kind = draw(st.sampled_from(_COMMON))
    data = {name: value for name, s in DATA[kind].items() if (value := draw(s)) is not None}
    if kind == "deal.created" and draw(_STATED_ONCE):
        data["first_contact"] = draw(_moments)
    if "deal" in data and "customer" not in data:
        del data["deal"]
    if "from" in data and "to" in data:
        data["from"], data["to"] = sorted([data["from"], data["to"]])
    envelope = {
        "specversion": "1.0",
        "id": draw(st.uuids()).hex,
        "source": "crm://test",
        "type": kind,
        "time": draw(times).isoformat(),
        "data": data,
    }
    return msgspec.convert(envelope, EVENT_TYPES[kind])


histories = st.lists(events(), min_size=1, max_size=25, unique_by=lambda event: event.id)
