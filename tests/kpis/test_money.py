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
)
from kpis.tally import add_measures
from schemas.internal import Measures

amounts = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)
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
