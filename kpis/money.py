"""Amounts of money: integers, exact in any sum, however large it grows and however fine a rate makes it.

An object's amount is counted in *parts*, of which a unit of currency has 10^18: enough for an amount of
six decimals at a rate of twelve. Sums of parts would soon be larger than what is written in 64 bits, so
that an amount travels in up to three measures: millionths of a unit under its own name, and what is
above a million units and below a millionth of one under names of their own. Most have only the first.

An amount that is shared by days need not divide. What is left over is counted as so many thirtieths, if
the days are thirty, of the millionth or of the part in which it is left: one measure for each number of
days. So shares add up exactly, whichever of them are put together, and each number stays small.
"""

from collections.abc import Iterable, Mapping
from math import lcm

MICROS_PER_UNIT = 1_000_000
PARTS_PER_MICRO = 10**12
PARTS_PER_UNIT = MICROS_PER_UNIT * PARTS_PER_MICRO
_MICROS_PER_MILLION = 10**12
_PARTS_PER_MILLION = 10**24
_UNITS_PER_MILLION = 10**6

_RATE_DIGITS = 12

_ABOVE = "^"
_BELOW = "~"
_AMONG = "/"


def above(measure: str) -> str:
    """The name under which the whole millions of units of a sum of money travel."""
    return measure + _ABOVE


def below(measure: str) -> str:
    """The name under which what is finer than a millionth travels, in parts."""
    return measure + _BELOW


def among(measure: str, days: int) -> str:
    """The name under which travels what is left over where so many days share what `measure` counts."""
    return f"{measure}{_AMONG}{days}"


def amount_of(name: str) -> str:
    """The measure whose sums travel, among others, under this name."""
    return name.partition(_AMONG)[0].rstrip(_ABOVE + _BELOW)


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


def share_of(measure: str, parts: int, days: int) -> dict[str, int]:
    """What falls on each of so many days of an amount, in the measures in which it travels."""
    if days == 1:
        return measures_of(measure, parts)
    sign = 1 if parts >= 0 else -1
    micros, fine = divmod(abs(parts), PARTS_PER_MICRO)
    micros, micros_left = divmod(micros, days)
    fine, fine_left = divmod(fine, days)
    found = measures_of(measure, sign * (micros * PARTS_PER_MICRO + fine))
    if micros_left:
        found[among(measure, days)] = sign * micros_left
    if fine_left:
        found[among(below(measure), days)] = sign * fine_left
    return found


def per_unit_of(names: Iterable[str]) -> int:
    """Of how many a unit has, at least, to put together exactly what travels under these names."""
    return lcm(MICROS_PER_UNIT, *map(_per_unit, names))


def weight_of(name: str, per_unit: int) -> int:
    """By how much to multiply what travels under a name, to count it in what a unit has `per_unit` of.

    That is a multiple of `per_unit_of` the name: then the weight is exact.
    """
    units = _UNITS_PER_MILLION if name.endswith(_ABOVE) else 1
    return per_unit * units // _per_unit(name)


def _per_unit(name: str) -> int:
    """Of how many of what is counted under a name a unit has; where millions are counted, 1."""
    whole, _, days = name.partition(_AMONG)
    if whole.endswith(_ABOVE):
        return 1
    return (PARTS_PER_UNIT if whole.endswith(_BELOW) else MICROS_PER_UNIT) * int(days or 1)


def parts_in(measures: Mapping[str, int], measure: str) -> int:
    """A sum of money that no days share, in parts, from the measures in which it travelled."""
    micros = measures.get(measure, 0) + measures.get(above(measure), 0) * _MICROS_PER_MILLION
    return micros * PARTS_PER_MICRO + measures.get(below(measure), 0)
