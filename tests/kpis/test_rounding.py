"""Amounts as people read them."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from kpis.rounding import decimal_text, half_even


@given(st.integers(), st.integers(1, 10**12))
def test_a_quotient_is_rounded_half_to_even(numerator: int, denominator: int) -> None:
    """To the nearest integer, at any size."""
    rest = numerator - half_even(numerator, denominator) * denominator
    assert 2 * abs(rest) <= denominator
    assert 2 * abs(rest) < denominator or half_even(numerator, denominator) % 2 == 0


@given(st.integers(-(10**30), 10**30), st.integers(0, 4))
def test_minor_units_are_written_as_decimals(minor: int, digits: int) -> None:
    """With just the digits there are, and no sign before zero."""
    text = decimal_text(minor, digits)
    with localcontext(prec=60):
        assert Decimal(text) == Decimal(minor).scaleb(-digits)
        places = Decimal(1).scaleb(-digits)
        assert text == str(Decimal(text).quantize(places, ROUND_HALF_EVEN))
