"""The KPIs' formulas, and how figures are written."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import MICROS_PER_DAY
from kpis.formulas import KPIS, divide_half_even, figures_of, minor_digits, money
from kpis.measures import MEASURES

MONTH = {
    "leads_new": 31,
    "leads_qualified": 12,
    "contacts": 31,
    "meetings_booked": 9,
    "quotes_sent": 7,
    "deals_won": 4,
    "deals_lost": 6,
    "revenue": 410_000_000_000,
    "cycle_days_sum": 82 * MICROS_PER_DAY,
}


def test_every_kpi_of_a_month() -> None:
    """The figures of the contract's own example, and the rest."""
    assert figures_of(MONTH, 2)[1] == {
        "new_leads": 31,
        "qualified_leads": 12,
        "hit_rate": 4 / 31,
        "win_rate": 0.4,
        "sales_cycle_days": 20.5,
        "revenue": "410000.00",
        "average_deal_value": "102500.00",
        "meetings_booked": 9,
        "quotes_sent": 7,
        "deals_closed": 10,
    }


def test_a_kpi_without_denominator_is_null() -> None:
    """Nothing happened: counts are zero, ratios and means are null."""
    _, found = figures_of({}, 2)
    nulls = {name for name, value in found.items() if value is None}
    assert nulls == {"hit_rate", "win_rate", "sales_cycle_days", "average_deal_value"}
    assert set(found) == set(KPIS)


def test_measures_are_shown_in_their_units() -> None:
    """Money as a decimal string, time in days, and what is zero left out."""
    counted = {"revenue": 1_005_000, "cycle_days_sum": MICROS_PER_DAY // 2, "calls": 3}
    shown, _ = figures_of(counted, 2)
    assert list(shown.items()) == [("calls", 3), ("revenue", "1.00"), ("cycle_days_sum", 0.5)]


@given(st.dictionaries(st.sampled_from(sorted(MEASURES)), st.integers(1, 10**9)))
def test_every_kpi_reads_what_it_says_it_reads(measures: dict[str, int]) -> None:
    """What was worked out for the measures that count equals each formula taken by itself."""
    _, found = figures_of(measures, 2)
    assert list(found.items()) == [(name, kpi.formula(measures, 2)) for name, kpi in KPIS.items()]


@given(st.integers(), st.integers(1, 10**12))
def test_division_rounds_half_to_even(numerator: int, denominator: int) -> None:
    """As the decimal module does, at any size."""
    quotient = divide_half_even(numerator, denominator)
    rest = numerator - quotient * denominator
    assert 2 * abs(rest) <= denominator
    assert 2 * abs(rest) < denominator or quotient % 2 == 0


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
