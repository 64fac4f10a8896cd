"""The KPIs' formulas, and how figures are written."""

from decimal import ROUND_HALF_EVEN, Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import MICROS_PER_DAY, Grain
from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.evaluation import compiled
from kpis.definitions.formula import parse
from kpis.formulas import KPIS, Compare, Compared, Moment, Reader, minor_digits, money
from kpis.measures import ENDED, ENDED_DAYS, ENDED_MICROS, MEASURES, SCALES, SINCE_DAYS, SINCE_MICROS
from kpis.money import above, among, amount_of, below, per_unit_of, weight_of

MONTH = {
    "leads_new": 31,
    "organisations_new": 5,
    "customers_new": 3,
    "cost": 100_000_005_000 + 10_000,
    "leads_qualified": 12,
    "contacts": 31,
    "meetings_booked": 9,
    "quotes_sent": 7,
    "deals_won": 4,
    "deals_lost": 6,
    "revenue": 410_000_000_000,
    "cycle_days_sum": 82 * MICROS_PER_DAY,
}


NOTHING = Moment(2, 0, 0)


def test_every_kpi_of_a_month() -> None:
    """The figures of the contract's own example, and the rest."""
    compare = Compare(Compared(410 * 10**21, 328 * 10**21), None)
    assert Reader().figures(MONTH, Grain.MONTH, NOTHING, compare)[1] == {
        "new_leads": 31,
        "new_organisations": 5,
        "qualified_leads": 12,
        "hit_rate": 4 / 31,
        "win_rate": 0.4,
        "sales_cycle_days": 20.5,
        "revenue": "410000.00",
        "average_deal_value": "102500.00",
        "cac": "33333.34",
        "sales_growth": 0.25,
        "meetings_booked": 9,
        "quotes_sent": 7,
        "deals_closed": 10,
    }


def test_every_kpi_of_all_time() -> None:
    """What a customer is worth, how often they buy and how long they stay is read over all time only."""
    of_customers = {
        SINCE_DAYS: 3 * 20_000,
        SINCE_MICROS: 3 * MICROS_PER_DAY // 2,
        ENDED: 1,
        ENDED_DAYS: 20_010,
        ENDED_MICROS: 0,
    }
    _, found = Reader().figures(MONTH | of_customers, Grain.EVER, Moment(2, 20_100, MICROS_PER_DAY // 2))
    assert found["clv"] == "136666.67"
    assert found["deals_per_customer"] == 4 / 3
    assert found["customer_lifetime_days"] == (9.5 + 100 + 100) / 3
    assert "sales_growth" not in found


def test_a_year_is_compared_with_the_same_dates_of_last_year() -> None:
    """And where there was nothing, growth is null."""
    compare = Compare(Compared(4, 0), Compared(3, 4))
    _, found = Reader().figures(MONTH, Grain.YEAR, NOTHING, compare)
    assert (found["sales_growth"], found["growth_accumulated"]) == (None, -0.25)


def test_a_kpi_without_denominator_is_null() -> None:
    """Nothing happened: counts are zero, ratios and means are null."""
    _, found = Reader().figures({}, Grain.YEAR, NOTHING)
    nulls = {name for name, value in found.items() if value is None}
    assert nulls == {
        *("hit_rate", "win_rate", "sales_cycle_days", "average_deal_value", "cac"),
        *("sales_growth", "growth_accumulated"),
    }
    for grain in Grain:
        readable = {name for name, kpi in KPIS.items() if grain in kpi.grains}
        assert set(Reader().figures({}, grain, NOTHING)[1]) == readable


def test_measures_are_shown_in_their_units() -> None:
    """Money as a decimal string, time in days, and what is zero left out."""
    counted = {"revenue": 1_005_000, "cycle_days_sum": MICROS_PER_DAY // 2, "calls": 3}
    shown, _ = Reader().figures(counted, Grain.DAY, NOTHING)
    assert list(shown.items()) == [("calls", 3), ("revenue", "1.00"), ("cycle_days_sum", 0.5)]


def test_an_amount_that_adds_up_to_nothing_is_left_out() -> None:
    """Though it is a million in one measure and minus a million in another."""
    shown, kpis = Reader().figures({"calls": 1, above("cost"): 1, "cost": -(10**12)}, Grain.DAY, NOTHING)
    assert (shown, kpis["cac"]) == ({"calls": 1}, None)


names = sorted(
    [
        *(*MEASURES, above("revenue"), below("revenue"), below("cost")),
        *(among("cost", 30), among("cost", 31), among(below("cost"), 365), among("cost_salary", 7)),
    ]
)


counting = st.dictionaries(st.sampled_from(names), st.integers(1, 10**9))


@given(counting, st.sampled_from(Grain))
def test_kpis_are_what_their_definitions_say(measures: dict[str, int], grain: Grain) -> None:
    """Whichever measures count: worked out from all of them, without a plan."""
    _, found = Reader().figures(measures, grain, Moment(2, 1, 1))
    scales = {name: SCALES[each.unit] for name, each in MEASURES.items()}
    amounts = dict(measures)
    for name, each in MEASURES.items():
        if each.unit == "money":
            travelled = [other for other in measures if amount_of(other) == name]
            scales[name] = per_unit_of(travelled)
            amounts[name] = sum(measures[other] * weight_of(other, scales[name]) for other in travelled)
    for name, kpi in builtin_kpis().items():
        if grain in KPIS[name].grains:
            evaluate = compiled(parse(kpi.formula).tree, kpi.unit, scales)
            assert found[name] == evaluate(amounts, 2)


@given(st.lists(st.tuples(counting, st.sampled_from(Grain)), max_size=8))
def test_what_was_shown_before_changes_nothing(windows: list[tuple[dict[str, int], Grain]]) -> None:
    """In whichever names amounts travelled there, and however little a reader remembers of it."""
    moment = Moment(2, 1, 1)
    remembers, forgets = Reader(), Reader(ways_kept=1, plans_kept=2)
    for measures, grain in [*windows, *windows]:
        fresh = Reader().figures(measures, grain, moment)
        assert remembers.figures(measures, grain, moment) == fresh
        assert forgets.figures(measures, grain, moment) == fresh


def test_in_whichever_order_measures_came_they_are_shown_in_one_way() -> None:
    """What is worked out for a combination is worked out once: of orders there are far too many to keep."""
    reader = Reader()
    shown = [
        reader.figures({name: MONTH[name] for name in names}, Grain.MONTH, NOTHING)
        for names in permutations(["leads_new", "revenue", "deals_won", "cost"])
    ]
    assert all(each == shown[0] for each in shown)
    assert all(list(each[0]) == list(shown[0][0]) for each in shown)
    assert len(reader._ways[Grain.MONTH]) == 1


@given(st.integers(-(10**18), 10**18), st.sampled_from([0, 2, 3]))
def test_money_is_rounded_once_to_the_minor_unit(micros: int, digits: int) -> None:
    """Half to even, with just the digits the currency has."""
    exact = Decimal(micros).scaleb(-6)
    expected = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    assert Decimal(money(micros, digits)) == expected
    assert len(money(micros, digits).partition(".")[2]) == digits


@pytest.mark.parametrize(("currency", "digits"), [("SEK", 2), ("JPY", 0), ("KWD", 3), ("ISK", 0)])
def test_minor_units_are_those_of_iso_4217(currency: str, digits: int) -> None:
    """Yen have none, dinars three."""
    assert minor_digits(currency) == digits
