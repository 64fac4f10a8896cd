"""Amounts of money: exact, however they are put together."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kpis.money import (
    PARTS_PER_MICRO,
    PARTS_PER_UNIT,
    measures_of,
    measures_of_micros,
    micros_of_money,
    parts_in,
    parts_of_rate,
    per_unit_of,
    share_of,
    weight_of,
)
from kpis.tally import add_measures
from schemas.events import MAX_COST_DAYS
from schemas.internal import Measures

amounts = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)
days = st.one_of(
    st.sampled_from([1, 7, 28, 29, 30, 31, 90, 91, 92, 365, 366]), st.integers(1, MAX_COST_DAYS)
)
rates = st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,12})?", fullmatch=True)


@given(amounts, rates)
def test_an_amount_at_a_rate_is_exact(amount: str, rate: str) -> None:
    """To the eighteenth decimal, which is all there can be."""
    parts = micros_of_money(amount) * parts_of_rate(rate)
    assert Fraction(parts, PARTS_PER_UNIT) == Fraction(amount) * Fraction(rate)


@given(st.lists(st.tuples(amounts, rates), max_size=8))
def test_sums_of_what_amounts_travel_in_are_the_amounts_sums(told: list[tuple[str, str]]) -> None:
    """And each fits in 64 bits, as large as they may be."""
    sums: dict[str, Measures] = {}
    for amount, rate in told:
        measures = measures_of("cost", micros_of_money(amount) * parts_of_rate(rate))
        assert all(amount for amount in measures.values())
        add_measures(sums, "k", measures)
    found = sums.get("k", {})
    assert all(abs(amount) < 2**63 for amount in found.values())
    expected = sum((Fraction(amount) * Fraction(rate) for amount, rate in told), Fraction())
    assert Fraction(parts_in(found, "cost"), PARTS_PER_UNIT) == expected


@given(amounts)
def test_an_amount_in_the_reporting_currency_travels_the_same(amount: str) -> None:
    """As one at a rate of 1."""
    micros = micros_of_money(amount)
    assert measures_of_micros("cost", micros) == measures_of("cost", micros * PARTS_PER_MICRO)


def put_together(measures: Measures) -> Fraction:
    per_unit = per_unit_of(measures)
    return Fraction(sum(weight_of(name, per_unit) * amount for name, amount in measures.items()), per_unit)


@given(amounts, rates, days)
def test_the_shares_of_all_days_are_the_amount(amount: str, rate: str, among: int) -> None:
    """Exactly, and what they travel in fits in 64 bits, for as many years as there are."""
    share = share_of("cost", micros_of_money(amount) * parts_of_rate(rate), among)
    assert all(0 < abs(each) < 10**12 * MAX_COST_DAYS for each in share.values())
    assert put_together(share) * among == Fraction(amount) * Fraction(rate)


@given(st.lists(st.tuples(amounts, rates, days, st.integers(-9, 3_660)), max_size=8))
def test_days_of_any_amounts_add_up_exactly(told: list[tuple[str, str, int, int]]) -> None:
    """So many days of each, however many share it; days that are taken back, too."""
    sums: dict[str, Measures] = {}
    for amount, rate, among, times in told:
        share = share_of("cost", micros_of_money(amount) * parts_of_rate(rate), among)
        if times:
            add_measures(sums, "k", {name: each * times for name, each in share.items()})
    expected = (Fraction(amount) * Fraction(rate) / among * times for amount, rate, among, times in told)
    assert put_together(sums.get("k", {})) == sum(expected, Fraction())
