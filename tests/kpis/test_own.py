"""Own measures: defined as ours are, they count what ours count; and what only they know."""

from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kpis.replay import Replay
from schemas.definitions import Definitions, KpiDefinition, MeasureDefinition
from schemas.events import Event, Told
from schemas.records import KpiRecord
from tests.examples import examples
from tests.kpis.histories import histories
from tests.kpis.test_fold import event
from tests.kpis.test_replay import NOW, business


def measure(event_type: str, count: str = "each", **where: Any) -> MeasureDefinition:
    wanted = {name: value if isinstance(value, tuple) else (value,) for name, value in where.items()}
    return MeasureDefinition(event=event_type, where=wanted, count=count)


def kpi(formula: str, unit: Any = "ratio") -> KpiDefinition:
    return KpiDefinition(formula=formula, unit=unit, better="higher", name={"en": "…"})


SAME = {
    "leads_new": measure("lead.created"),
    "leads_qualified": measure("lead.qualified"),
    "contacts": measure(
        "activity.logged", "distinct person", kind=("call", "email", "meeting_held", "visit")
    ),
    "calls": measure("activity.logged", kind="call"),
    "quotes_sent": measure("activity.logged", kind="quote_sent"),
    "deals_won": measure("deal.won"),
    "revenue": measure("deal.won", "sum value"),
    "deals_lost": measure("deal.lost"),
    "cost": measure("cost.logged", "sum amount"),
    "cost_salary": measure("cost.logged", "sum amount", category="salary"),
    "customers_churned": measure("customer.churned"),
}
"""Measures of ours, by definition."""

SAME_KPIS = {
    "hit_rate": kpi("own_deals_won / own_contacts"),
    "win_rate": kpi("own_deals_won / (own_deals_won + own_deals_lost)"),
    "average_deal_value": kpi("own_revenue / own_deals_won", "money"),
}


def replayed(events: list[Event | Told], definitions: Definitions) -> dict[str, KpiRecord]:
    replay = Replay(business(), definitions=definitions)
    replay.feed(events, 7)
    return {record.key: record for record in replay.records(NOW)}


def own(
    measures: dict[str, MeasureDefinition], kpis: dict[str, KpiDefinition] | None = None
) -> Definitions:
    return Definitions(measures, kpis or {})


@examples(300)
@given(histories)
def test_what_is_defined_as_ours_is_counts_what_ours_counts(events: list[Event]) -> None:
    """In every scope and window, to the last decimal."""
    definitions = own(
        {f"own_{name}": one for name, one in SAME.items()},
        {f"own_{name}": one for name, one in SAME_KPIS.items()},
    )
    for record in replayed([*events], definitions).values():
        for name in SAME:
            assert record.measures.get(f"own_{name}") == record.measures.get(name), (record.key, name)
        for name in SAME_KPIS:
            assert record.kpis[f"own_{name}"] == record.kpis[name], (record.key, name)


A: dict[str, Any] = {"activity": "a1", "customer": "c1", "seller": "anna", "kind": "meeting_booked"}
COMPANY = "company|day|2026-03-02"


def test_whoever_is_called_anything_is_one_person_of_ones_own_measures_too() -> None:
    """Persons of both kinds of count are kept beside each other."""
    definitions = own({"met": measure("activity.logged", "distinct person")})
    told = [
        event("activity.logged", 0, f"e{n}", **A | {"activity": f"a{n}", "kind": "call"}, person="m#1\x1fp")
        for n in range(2)
    ]
    record = replayed([*told], definitions)[COMPANY]
    assert (record.measures["met"], record.measures["contacts"]) == (1, 1)


def test_a_field_of_ones_own_is_asked_for() -> None:
    """Of every event of the object the latest value counts; what does not state it does not count."""
    definitions = own({"demos": measure("activity.logged", campaign="demo")})
    first = Told(event("activity.logged", 0, "a", **A), {"campaign": "demo"})
    other = Told(event("activity.logged", 0, "b", **A | {"activity": "a2"}), {})
    assert replayed([first, other], definitions)[COMPANY].measures["demos"] == 1
    again = Told(event("activity.logged", 0.1, "c", **A), {"campaign": "fair"})
    assert "demos" not in replayed([again, first, other], definitions)[COMPANY].measures


def test_numbers_of_ones_own_add_up() -> None:
    """As decimals and as numbers, exactly; what is none counts for nothing."""
    definitions = own({"minutes": measure("activity.logged", "sum minutes")})
    said = ["0.1", 0.2, 3, True, "long"]
    told = [
        Told(event("activity.logged", 0, f"e{n}", **A | {"activity": f"a{n}"}), {"minutes": value})
        for n, value in enumerate(said)
    ]
    assert replayed([*told], definitions)[COMPANY].measures["minutes"] == 3.3


def test_deals_created_and_leads_disqualified_count_where_ours_of_their_kind_would() -> None:
    """A deal at its earliest event, whatever became of it; a lead at the verdict that decided."""
    definitions = own(
        {"offers": measure("deal.created"), "lost_leads": measure("lead.disqualified", seller="anna")}
    )
    told: list[Any] = [
        event("deal.created", 0, "d", deal="d1", customer="c1", seller="anna"),
        event("deal.lost", 5, "e", deal="d1", customer="c1"),
        event("lead.created", -3, "l", lead="l1", seller="anna"),
        event("lead.disqualified", 0, "m", lead="l1"),
    ]
    found = replayed(told, definitions)
    assert found["seller:anna|day|2026-03-02"].measures == {"offers": 1, "lost_leads": 1}
    assert found["company|ever|1970-01-01"].measures["offers"] == 1


def test_a_deal_waits_for_its_rate_though_a_definition_counts_it_before() -> None:
    """Whatever came first: the rate or the deal."""
    definitions = own({"offers": measure("deal.created")})
    told = [
        event("deal.created", 1, "a", deal="d1", customer="c1", value="100", currency="EUR"),
        event("deal.won", 10, "b", deal="d1", customer="c1"),
        event("rate.set", 5, "r", currency="EUR", rate="11"),
    ]
    for order in permutations(told):
        found = Replay(business(), definitions=definitions)
        found.feed(order, 1)
        [ever] = [each for each in found.records(NOW) if each.key == "company|ever|1970-01-01"]
        assert ever.measures["offers"] == 1
        assert ever.measures["deals_won"] == 1
        assert ever.measures["revenue"] == "1100.00"


@given(st.lists(st.sampled_from(["x", "y"]), max_size=4))
def test_a_kpi_of_a_measure_that_nobody_defined_is_not_shown(names: list[str]) -> None:
    """Until somebody does."""
    definitions = own(
        {name: measure("activity.logged") for name in names},
        {"xy": kpi("x / y"), "calls_rate": kpi("calls")},
    )
    told: list[Any] = [event("activity.logged", 0, "a", **A)]
    found = replayed(told, definitions)[COMPANY].kpis
    assert ("xy" in found) == ({"x", "y"} <= set(names))
    assert found["calls_rate"] == 0
