"""Amounts of money: integers, exact in any sum, however large it grows and however fine a rate makes it.

An object's amount is counted in *parts*, of which a unit of currency has 10^18: enough for an amount of
six decimals at a rate of twelve. Sums of parts would soon be larger than what is written in 64 bits, so
that an amount travels in up to three measures: millionths of a unit under its own name, and what is
above a million units and below a millionth of one under names of their own. Most have only the first.
"""

from collections.abc import Mapping

MICROS_PER_UNIT = 1_000_000
PARTS_PER_MICRO = 10**12
PARTS_PER_UNIT = MICROS_PER_UNIT * PARTS_PER_MICRO
_MICROS_PER_MILLION = 10**12
_PARTS_PER_MILLION = 10**24

_RATE_DIGITS = 12


def above(measure: str) -> str:
    """The name under which the whole millions of units of a sum of money travel."""
    return measure + "^"


def below(measure: str) -> str:
    """The name under which what is finer than a millionth travels, in parts."""
    return measure + "~"


def micros_of_money(amount: str) -> int:
    """A decimal string of at most six decimals in millionths of its unit, exactly."""
    whole, _, fraction = amount.partition(".")
    # With the digits behind the point appended, and the sign in front, it is one integer.
    return int(whole + fraction.ljust(6, "0"))


def parts_of_rate(rate: str) -> int:
    """A rate of at most twelve decimals as the parts that a millionth of the currency is worth."""
    whole, _, fraction = rate.partition(".")
    return int(whole) * PARTS_PER_MICRO + int(fraction.ljust(_RATE_DIGITS, "0"))


def measures_of(measure: str, parts: int) -> dict[str, int]:
    """An amount in the measures in which it travels; none of them is zero."""
    size = abs(parts)
    millions, rest = divmod(size, _PARTS_PER_MILLION)
    micros, rest = divmod(rest, PARTS_PER_MICRO)
    sign = 1 if parts >= 0 else -1
    found: dict[str, int] = {}
    if micros:
        found[measure] = sign * micros
    if millions:
        found[above(measure)] = sign * millions
    if rest:
        found[below(measure)] = sign * rest
    return found


def measures_of_micros(measure: str, micros: int) -> dict[str, int]:
    """As `measures_of`, of an amount that has nothing below a millionth."""
    if -_MICROS_PER_MILLION < micros < _MICROS_PER_MILLION:
        return {measure: micros} if micros else {}
    return measures_of(measure, micros * PARTS_PER_MICRO)


def parts_in(measures: Mapping[str, int], measure: str) -> int:
    """A sum of money in parts, put together from the measures in which it travelled."""
    micros = measures.get(measure, 0) + measures.get(above(measure), 0) * _MICROS_PER_MILLION
    return micros * PARTS_PER_MICRO + measures.get(below(measure), 0)
