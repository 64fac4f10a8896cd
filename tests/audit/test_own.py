"""An organisation's own measures and KPIs are counted the same by the machine and by the books."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from audit.books import Books, Rules
from audit.comparing import Difference, Names, differences, forget_records, hold_latest, take_records
from audit.explaining import Asked, ask_for
from audit.formulas import Formula
from kpis.calendar import Calendar
from kpis.contributions import Business
from kpis.formulas import KPIS, minor_digits
from kpis.measures import MEASURES
from kpis.own import told
from kpis.replay import Replay
from schemas.definitions import Definitions, KpiDefinition, MeasureDefinition
from schemas.events import EVENT_TYPES, Recorded, encode_event
from schemas.records import KpiRecord
from tests.examples import examples
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
        return differences(books, Names(MEASURES.keys(), KPIS.keys())), unknown


@examples(10)
@given(recorded(), st.sampled_from(["SEK", "JPY", "KWD"]))
def test_own_figures_are_recounted_the_same(events: list[Recorded], currency: str) -> None:
    """Of every kind of object, condition and sum, and every form of formula."""
    assert found(events, replayed(events, DEFINED, currency), currency=currency) == ([], set())


def said(event_type: str, number: int, time: str = "2026-03-02T10:00:00Z", **data: Any) -> Recorded:
    if "from_" in data:
        data["from"] = data.pop("from_")
    line = {"specversion": "1.0", "id": f"e{number}", "source": "crm://test", "type": event_type}
    line |= {"time": time, "data": data}
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
    assert formula.reads == (name,)
    assert formula.figure({name: Fraction(2)}) == "15.00"


def counted(
    events: Iterable[Recorded],
    definition: MeasureDefinition,
    scope: str = "company",
    day: str | None = None,
) -> Fraction:
    """What a measure counts for a scope, on a day or in all, of which a unit is 1."""
    with Books(Rules("Europe/Stockholm", "SEK", 2), Definitions({"own": definition})) as books:
        books.take(events)
        books.balance()
        start = date(1970, 1, 1) if day is None else date.fromisoformat(day)
        ask_for(books, Asked(scope, "ever" if day is None else "day", start, NOW))
        rows = books.ask(
            "select whole, rest from sums where measure = 'own:own' and grain = $grain and start = $start",
            grain="ever" if day is None else "day",
            start=start,
        )
        per_unit = 1 if definition.count in {"each", "distinct person"} else 1_000_000
        return sum((Fraction(whole * 10**30 + rest, 10**30) for whole, rest in rows), Fraction()) / per_unit


@pytest.fixture(scope="module")
def empty() -> Iterator[Books]:
    """Books with nothing in them, which can reckon."""
    with Books(Rules("Europe/Stockholm", "SEK", 2)) as books:
        yield books


@pytest.mark.parametrize(
    ("stated", "millionths"),
    [
        ("12.5", 12_500_000),
        (12.5, 12_500_000),
        (7, 7_000_000),
        (-7, -7_000_000),
        (0.1, 100_000),
        ("0.0000005", 0),
        ("0.0000015", 2),
        ("-0.0000015", -2),
        ("0.0000025", 2),
        ("0.00000250000000000000000000000000001", 3),
        ("0.00000249999999999999999999999999999", 2),
        (5e-7, 0),
        (1.5e-6, 2),
        (2.5e-6, 2),
        (1e-30, 0),
        ("0000000000007", None),
        ("000000000007", 7_000_000),
        (999_999_999_999, 999_999_999_999_000_000),
        (10**12, None),
        (1e12, None),
        ("1e3", None),
        ("1,5", None),
        (".5", None),
        ("5.", None),
        ("+5", None),
        ("٣", None),
        (True, None),
        ("7\n", None),
        ("1." + "0" * 39, None),
    ],
)
def test_numbers_are_read_as_the_definitions_say(
    empty: Books, stated: object, millionths: int | None
) -> None:
    """Six decimals, half to even; what is no number counts for nothing."""
    [(found,)] = empty.ask("select millionths($stated::json)", stated=orjson.dumps(stated).decode())
    assert found == millionths


@pytest.mark.parametrize(
    ("wanted", "fulfilled"),
    [
        (3, [3, 3.0]),
        (3.0, [3, 3.0]),
        (0.5, [0.5]),
        ("3", ["3"]),
        (True, [True]),
        (False, [False]),
        (1, []),
        (2**53, [2**53, float(2**53)]),
        ("it's", ["it's"]),
    ],
)
def test_a_value_equals_only_its_own_kind(wanted: Any, fulfilled: list[object]) -> None:
    """A text is no number, and true is not 1."""
    stated = [3, 3.0, "3", True, False, 0.5, 2**53, 2**53 + 1, float(2**53), "it's", "True", "", None, [3]]
    events = [said("lead.created", n, lead=f"l{n}", size=size) for n, size in enumerate(stated)]
    assert counted(events, measure("lead.created", size=wanted)) == len(fulfilled)


def at(hour: int, day: int = 2) -> str:
    return f"2026-03-{day:02}T{hour:02}:00:00Z"


LEAD = [
    said("lead.created", 1, at(8), lead="l1", seller="anna"),
    said("lead.qualified", 2, at(9, 3), lead="l1", seller="bo"),
    said("lead.qualified", 5, at(8, 4), lead="l1", seller="anna"),
    said("lead.disqualified", 3, at(9, 4), lead="l1", tier="gold"),
    said("lead.disqualified", 4, at(9, 5), lead="l1"),
]
WON = [
    said("deal.won", 1, at(8), deal="d1", customer="c1", seller="anna", value="10"),
    said("deal.won", 2, at(9), deal="d2", customer="c1", seller="bo", value="10"),
    said("customer.churned", 3, at(9, 7), customer="c1"),
]
LOST = [
    said("rate.set", 1, at(1), currency="USD", rate="11.4275"),
    said("rate.set", 2, at(1, 4), currency="USD", rate="0.333333333333"),
    said("deal.created", 3, at(8), deal="d1", customer="c1", value="10", currency="USD", product="A"),
    said("deal.lost", 4, at(9, 5), deal="d1", customer="c1", product="B"),
    said("deal.created", 5, at(9), deal="d2", customer="c1", value="10", currency="EUR", product="B"),
]
COST = [
    said(
        *("cost.logged", 1, at(8)),
        cost="k1",
        category="event",
        amount="100",
        currency="SEK",
        points="2.5",
        from_="2026-03-05",
        to="2026-03-07",
    ),
]


@pytest.mark.parametrize(
    ("events", "definition", "scope", "day", "expected"),
    [
        (LEAD[:3], measure("lead.created"), "seller:anna", "2026-03-02", 1),
        (LEAD[:3], measure("lead.qualified"), "seller:bo", "2026-03-03", 1),
        (LEAD[:3], measure("lead.qualified"), "seller:anna", None, 0),
        (LEAD, measure("lead.qualified"), "company", None, 0),
        (LEAD[:3], measure("lead.disqualified"), "company", None, 0),
        (LEAD, measure("lead.disqualified"), "seller:anna", "2026-03-05", 1),
        (LEAD, measure("lead.disqualified", tier="gold"), "company", "2026-03-05", 1),
        (LEAD, measure("lead.disqualified", seller="bo"), "company", None, 0),
        (WON, measure("customer.churned"), "seller:bo", "2026-03-07", 1),
        (WON, measure("customer.churned"), "seller:anna", None, 0),
        (WON, measure("deal.won", "sum value", deal=("d1", "d3")), "customer:c1", "2026-03-02", 10),
        (LOST, measure("deal.created", "sum value"), "company", "2026-03-02", Fraction("114.275")),
        (LOST, measure("deal.created"), "company", "2026-03-02", 2),
        (LOST, measure("deal.lost", "sum value"), "company", "2026-03-05", Fraction("3.33333333333")),
        (LOST, measure("deal.created", product="A"), "company", None, 1),
        (LOST, measure("deal.created", product="B"), "company", None, 1),
        (COST, measure("cost.logged"), "company", "2026-03-05", 1),
        (COST, measure("cost.logged"), "company", None, 1),
        (COST, measure("cost.logged", "sum points"), "company", "2026-03-05", Fraction("2.5")),
        (COST, measure("cost.logged", "sum points"), "company", "2026-03-06", 0),
        (COST, measure("cost.logged", "sum amount", to="2026-03-07"), "company", None, 100),
        (COST, measure("cost.logged", "sum amount", **{"from": "2026-03-06"}), "company", None, 0),
    ],
)
def test_objects_count_where_and_when_ours_do(
    events: list[Recorded],
    definition: MeasureDefinition,
    scope: str,
    day: str | None,
    expected: Fraction,
) -> None:
    """Worked out by hand."""
    assert counted(events, definition, scope, day) == expected


def test_the_formulas_exact_sums_are_those_of_days() -> None:
    """Three times a third is a whole, so that a tie is a tie."""
    third = said(
        *("cost.logged", 1),
        cost="k1",
        category="event",
        amount="0.005",
        currency="SEK",
        from_="2026-03-02",
        to="2026-03-04",
    )
    defined = Definitions(kpis={"thrice": kpi("3 * cost", "money")})
    records = replayed([third], defined, "SEK")
    [day] = [record for record in records if record.key == "company|day|2026-03-02"]
    assert day.kpis["thrice"] == "0.00"
    assert found([third], records, defined) == ([], set())
