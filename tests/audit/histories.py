"""Generated histories that also have what histories of leads and deals alone lack: costs, rates, churn."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from audit.figures import MEASURES as AUDITED
from kpis.measures import MEASURES
from schemas.events import EVENT_TYPES, Event
from tests.kpis import histories as plain

_dates = st.one_of(
    st.sampled_from(["2024-02-29", "2024-12-30", "2025-03-30", "2025-10-26"]),
    st.dates(min_value=plain.AWKWARD[0].date(), max_value=plain.AWKWARD[-1].date()).map(str),
)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


_cost = {"cost": st.sampled_from(["k1", "k2"])}
_categories = st.sampled_from(["salary", "time", "marketing", "meeting_booking", "event", "other"])
_amounts = st.sampled_from(["100", "0.01", "45000.50", "-12.345678", "999999999999.999999"])
_currencies = st.sampled_from(["SEK", "USD", "EUR"])
_spread = {
    "seller": _maybe(st.sampled_from(["anna", "bo", "cia"])),
    "team": _maybe(st.sampled_from(["north", "south"])),
    "customer": _maybe(st.sampled_from(["c1", "c2"])),
    "from": _maybe(_dates),
    "to": _maybe(_dates),
}
_org = {"org_number": _maybe(st.sampled_from(["556000-0001", "556000-0002"]))}
_more = {
    "cost.logged": {
        **_cost,
        **_spread,
        "category": _categories,
        "amount": _amounts,
        "currency": _currencies,
    },
    "cost.amended": {
        **_cost,
        **_spread,
        "category": _maybe(_categories),
        "amount": _maybe(_amounts),
        "currency": _maybe(_currencies),
    },
    "cost.deleted": {**_cost},
    "rate.set": {
        "currency": st.sampled_from(["USD", "EUR"]),
        "rate": st.sampled_from(["10", "0.5", "9.123456789012", "123456789012.123456789012"]),
    },
}

_ALL: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    **plain.DATA,
    **_more,
    "lead.created": {**plain.DATA["lead.created"], **_org},
    "lead.qualified": {**plain.DATA["lead.qualified"], **_org},
}
_FREQUENT = [kind for kind in _ALL if not kind.endswith("deleted")] * 3 + list(_ALL)


@st.composite
def _events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(_FREQUENT))
    data = {name: value for name, s in _ALL[kind].items() if (value := draw(s)) is not None}
    if "deal" in data and "customer" not in data:
        del data["deal"]
    envelope = {
        "specversion": "1.0",
        "id": draw(st.uuids()).hex,
        "source": "crm://test",
        "type": kind,
        "time": draw(plain.times).isoformat(),
        "data": data,
    }
    return msgspec.convert(envelope, EVENT_TYPES[kind])


FULL_HISTORIES = st.lists(_events(), min_size=1, max_size=25, unique_by=lambda event: event.id)

PUBLISHED_HISTORIES = FULL_HISTORIES if AUDITED.keys() <= MEASURES.keys() else plain.histories
"""What the machine is held against: everything, once it counts everything."""
