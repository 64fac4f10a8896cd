"""An organisation's own measures and KPIs are counted the same by the machine and by the books."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from audit.books import Books, Rules
from audit.comparing import Difference, Names, differences, forget_records, hold_latest, take_records
from audit.formulas import Formula
from kpis.calendar import Calendar
from kpis.contributions import Business
from kpis.formulas import KPIS, minor_digits
from kpis.measures import MEASURES
from kpis.own import told
from kpis.replay import Replay
from schemas.definitions import Definitions, KpiDefinition
from schemas.events import EVENT_TYPES, Recorded, encode_event
from schemas.records import KpiRecord
from tests.kpis.histories import histories
from tests.kpis.test_own import kpi, measure

NOW = datetime(2025, 7, 1, 12, tzinfo=UTC)

MEASURED = {
    "big_leads": measure("lead.created", size=(3, "three", True)),
    "named_leads": measure("lead.created", "sum points", lead="l1"),
    "good_leads": measure("lead.qualified", tier="gold"),
    "bad_leads": measure("lead.disqualified"),
    "all_activities": measure("activity.logged"),
    "gold_calls": measure("activity.logged", kind=("call", "other"), tier="gold"),
    "met": measure("activity.logged", "distinct person"),
    "gold_met": measure("activity.logged", "distinct person", tier=("gold", "it's")),
    "points": measure("activity.logged", "sum points"),
    "deals_opened": measure("deal.created", "sum value"),
    "customers_deals": measure("deal.created", customer="c1"),
    "deals_of_size": measure("deal.won", "sum value", size=(3, 0.5)),
    "points_won": measure("deal.won", "sum points"),
    "lost_value": measure("deal.lost", "sum value"),
    "churned": measure("customer.churned", tier=("gold", "silver")),
    "churned_points": measure("customer.churned", "sum points"),
    "salaries": measure("cost.logged", "sum amount", category=("salary", "time")),
    "from_a_day": measure("cost.logged", **{"from": "2024-02-28"}),
    "cost_points": measure("cost.logged", "sum points", size=True),
    "costs": measure("cost.logged"),
}
READ = {
    "gold_rate": kpi("gold_calls / all_activities"),
    "met_share": kpi("100 * gold_met / met", "count"),
    "spent_thrice": kpi("salaries * 3 - cost", "money"),
    "spent_a_day": kpi("salaries / (30 + 0.5 * deals_won)", "money"),
    "cycle": kpi("cycle_days_sum / (deals_won - 1)", "days"),
    "nested": kpi("-(points + 1) / (gold_calls / (met - 2) - 0.25) * -2"),
    "value_of_all": kpi("deals_opened - lost_value - revenue", "money"),
}
DEFINED = Definitions(MEASURED, READ)

TOO_LONG = "x" * 1025
values = st.sampled_from(
    [3, 3.0, "3", True, False, 0.5, "three", "gold", "silver", "it's", None, [3], {"a": 3}, 2**63, TOO_LONG]
)
numbers = st.one_of(
    st.integers(-(2**64), 2**64),
    st.integers(-9, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["12.5", "-0.0000005", "0.0000015", "1e3", "1,5", "0000000000001", "-7", True]),
    st.sampled_from([1e-7, 2.5e-6, 5e-7, 1.5e-6, 0.1234565]),
    st.from_regex(r"-?[0-9]{1,13}(\.[0-9]{1,30})?", fullmatch=True),
)
stated = st.fixed_dictionaries({}, optional={"tier": values, "size": values, "points": numbers})


@st.composite
def recorded(draw: st.DrawFn) -> list[Recorded]:
    """Histories whose events state fields of the organisation's own."""
    found: list[Recorded] = []
    for event in draw(histories):
        line = orjson.loads(encode_event(event))
        found.append(Recorded(event, msgspec.json.encode(line | {"data": draw(stated) | line["data"]})))
    return found


def replayed(events: Iterable[Recorded], defined: Definitions, currency: str) -> list[KpiRecord]:
    replay = Replay(Business(Calendar("Europe/Stockholm"), currency), definitions=defined)
    replay.feed(told(events, defined))
    return list(replay.records(NOW))


def found(
    events: Iterable[Recorded],
    records: Iterable[KpiRecord],
    defined: Definitions = DEFINED,
    currency: str = "SEK",
) -> tuple[list[Difference], set[str]]:
    """What differs, and what could not be recounted."""
    with Books(Rules("Europe/Stockholm", currency, minor_digits(currency)), defined) as books:
        books.take(events)
        books.balance()
        forget_records(books)
        unknown = take_records(books, records)
        hold_latest(books)
        return differences(books, Names(MEASURES, KPIS)), unknown


@settings(max_examples=40, deadline=None)
@given(recorded(), st.sampled_from(["SEK", "JPY", "KWD"]))
def test_own_figures_are_recounted_the_same(events: list[Recorded], currency: str) -> None:
    """Of every kind of object, condition and sum, and every form of formula."""
    assert found(events, replayed(events, DEFINED, currency), currency=currency) == ([], set())


def said(event_type: str, number: int, **data: Any) -> Recorded:
    line = {"specversion": "1.0", "id": f"e{number}", "source": "crm://test", "type": event_type}
    line |= {"time": "2026-03-02T10:00:00Z", "data": data}
    return Recorded(msgspec.convert(line, EVENT_TYPES[event_type]), orjson.dumps(line))


CALLS = [
    said("activity.logged", n, activity=f"a{n}", kind="call", seller="anna", customer="c1", tier="gold")
    for n in range(3)
]


def test_an_own_figure_that_was_corrupted_is_found() -> None:
    """A measure, a KPI over it, and one that is missing."""
    records = replayed(CALLS, DEFINED, "SEK")
    [day] = [record for record in records if record.key == "company|day|2026-03-02"]
    others = [record for record in records if record is not day]
    kpis = {name: figure for name, figure in day.kpis.items() if name != "met_share"}
    wrong = replace(day, measures=day.measures | {"gold_calls": 4}, kpis=kpis | {"gold_rate": 0.5})
    differ, _ = found(CALLS, [wrong, *others])
    assert [(d.scope, d.grain, d.figure, d.published, d.recounted) for d in differ] == [
        ("company", "day", "kpis.gold_rate", 0.5, 1.0),
        ("company", "day", "kpis.met_share", None, 100),
        ("company", "day", "measures.gold_calls", 4, 3),
    ]


def test_figures_without_a_definition_are_named() -> None:
    """And the rest is compared."""
    some = Definitions({"met": MEASURED["met"]}, {"met_share": READ["met_share"]})
    differ, unknown = found(CALLS, replayed(CALLS, DEFINED, "SEK"), some)
    assert differ == []
    assert unknown >= {"measures.gold_calls", "kpis.gold_rate", "kpis.met_share"}
    assert "measures.met" not in unknown


def test_a_record_of_own_figures_only_should_be_there() -> None:
    """Activities of kind `other` are counted by none of ours."""
    told_of = [said("activity.logged", 1, activity="a1", kind="other", seller="anna")]
    records = replayed(told_of, DEFINED, "SEK")
    differ, _ = found(told_of, records[1:])
    assert [(d.figure, d.published, d.recounted) for d in differ] == [(None, None, "a record")]


@pytest.mark.parametrize("name", ["in", "is", "lambda", "number_0", "measure_a", "a1"])
def test_a_measure_may_be_called_what_python_has_another_use_for(name: str) -> None:
    """Names are names."""
    formula = Formula(KpiDefinition(formula=f"{name} * 007.5", unit="money", better="higher", name={}), 2)
    assert formula.reads == {name}
    assert formula.figure({name: 2}) == "15.00"
