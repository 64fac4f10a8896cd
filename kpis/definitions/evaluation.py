"""A formula's tree, compiled to a function over a window's measures: exact, and rounded once, at the end.

A measure counts whole units of some scale (micros of a day, millionths of a krona). What does not divide
is therefore an integer over a scale that is known beforehand, and the usual formula, one such amount over
another, is worked out in two integers. Only what divides within, as `a / (b + c / d)`, carries quotients.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from kpis.definitions.formula import Named, Negative, Number, Operation, Tree, constant
from kpis.rounding import POWERS, decimal_text, half_even
from schemas.definitions import KpiUnit
from schemas.records import Figure

Amounts = Mapping[str, int]
"""A window's measures; one that is left out is zero."""

Scales = Mapping[str, int]
"""How many of the units that a measure counts make one of those that people read: 86,400,000,000
microseconds make a day."""

Evaluate = Callable[[Amounts, int], Figure]
"""From a window's measures and the reporting currency's minor digits. `None` where anything is divided by
zero, and where the figure is beyond what a float can hold."""

_INTEGERS = 2**63
"""Below this an integer can be read by whatever reads JSON."""

_Whole = Callable[[Amounts], int]
_Show = Callable[[int, int, int], Figure]
"""From a numerator, a denominator that is not zero, and the minor digits."""


class _Scaled(NamedTuple):
    """An amount: an integer over a scale."""

    amount: _Whole
    scale: int
    measure: str | None = None
    """The measure that it is, where it is just that: every record works such formulas out."""


_Quotient = Callable[[Amounts], tuple[int, int]]
"""A numerator and a denominator that is not zero; raises ZeroDivisionError where there is none."""


def compiled(tree: Tree, unit: KpiUnit, scales: Scales) -> Evaluate:
    """A function that works a formula out, and writes it as its unit is written."""
    show = _SHOWN[unit]
    above, below = _split(tree)
    numerator = _scaled(above, scales)
    denominator = _ONE if below is None else _scaled(below, scales)
    if numerator is None or denominator is None:
        return _shown(_quotient(tree, scales), show)
    if below is None:
        return _shown_amount(numerator, show)
    return _shown_division(numerator, denominator, show)


def _split(tree: Tree) -> tuple[Tree, Tree | None]:
    """What stands above and below the last division, where that is what a formula ends with."""
    match tree:
        case Operation("/", above, below) if constant(below) is None:
            return above, below
        case _:
            return tree, None


def _one(_: Amounts) -> int:
    return 1


_ONE = _Scaled(_one, 1)


def _scaled(tree: Tree, scales: Scales) -> _Scaled | None:
    """What does not divide, or only by numbers; `None` for what does."""
    match tree:
        case Number(millionths):
            return _fixed(Fraction(millionths, 1_000_000))
        case Named(measure):
            return _Scaled(_measure(measure), scales[measure], measure)
        case Negative(of):
            part = _scaled(of, scales)
            return part and _Scaled(_times(part.amount, -1), part.scale)
        case Operation(operator, left, right):
            one, other = (
                _scaled(left, scales),
                _divisor(right) if operator == "/" else _scaled(right, scales),
            )
            if one is None or other is None:
                return None
            return _sum(one, other, operator == "-") if operator in {"+", "-"} else _product(one, other)


def _divisor(tree: Tree) -> _Scaled | None:
    """What a division by a number multiplies by."""
    by = constant(tree)
    return _fixed(1 / by) if by else None


def _measure(name: str) -> _Whole:
    def measure(amounts: Amounts) -> int:
        return amounts.get(name, 0)

    return measure


def _fixed(value: Fraction) -> _Scaled:
    numerator = value.numerator

    def fixed(_: Amounts) -> int:
        return numerator

    return _Scaled(fixed, value.denominator)


def _times(amount: _Whole, factor: int) -> _Whole:
    if factor == 1:
        return amount

    def times(amounts: Amounts) -> int:
        return factor * amount(amounts)

    return times


def _product(one: _Scaled, other: _Scaled) -> _Scaled:
    left, right = one.amount, other.amount

    def product(amounts: Amounts) -> int:
        return left(amounts) * right(amounts)

    return _Scaled(product, one.scale * other.scale)


def _sum(one: _Scaled, other: _Scaled, less: bool) -> _Scaled:
    scale = lcm(one.scale, other.scale)
    first, second = one.measure, other.measure
    if first is not None and second is not None and one.scale == other.scale and not less:

        def total_of_two(amounts: Amounts) -> int:
            return amounts.get(first, 0) + amounts.get(second, 0)

        return _Scaled(total_of_two, scale)
    left = _times(one.amount, scale // one.scale)
    right = _times(other.amount, scale // other.scale * (-1 if less else 1))

    def total(amounts: Amounts) -> int:
        return left(amounts) + right(amounts)

    return _Scaled(total, scale)


def _quotient(tree: Tree, scales: Scales) -> _Quotient:
    """Whatever there is, as it stands."""
    whole = _scaled(tree, scales)
    if whole is not None:
        amount, scale, _ = whole
        return lambda amounts: (amount(amounts), scale)
    match tree:
        case Operation(operator, left, right):
            return _OPERATIONS[operator](_quotient(left, scales), _quotient(right, scales))
        case Negative(of):
            part = _quotient(of, scales)

            def negative(amounts: Amounts) -> tuple[int, int]:
                numerator, denominator = part(amounts)
                return -numerator, denominator

            return negative
        case _:
            raise AssertionError(tree)


def _added(left: _Quotient, right: _Quotient) -> _Quotient:
    def added(amounts: Amounts) -> tuple[int, int]:
        a, b = left(amounts)
        c, d = right(amounts)
        return a * d + c * b, b * d

    return added


def _subtracted(left: _Quotient, right: _Quotient) -> _Quotient:
    def subtracted(amounts: Amounts) -> tuple[int, int]:
        a, b = left(amounts)
        c, d = right(amounts)
        return a * d - c * b, b * d

    return subtracted


def _multiplied(left: _Quotient, right: _Quotient) -> _Quotient:
    def multiplied(amounts: Amounts) -> tuple[int, int]:
        a, b = left(amounts)
        c, d = right(amounts)
        return a * c, b * d

    return multiplied


def _divided(left: _Quotient, right: _Quotient) -> _Quotient:
    def divided(amounts: Amounts) -> tuple[int, int]:
        a, b = left(amounts)
        c, d = right(amounts)
        if c == 0:
            raise ZeroDivisionError
        return a * d, b * c

    return divided


_OPERATIONS = {"+": _added, "-": _subtracted, "*": _multiplied, "/": _divided}


def _shown(quotient: _Quotient, show: _Show) -> Evaluate:
    def evaluate(amounts: Amounts, digits: int) -> Figure:
        try:
            numerator, denominator = quotient(amounts)
        except ZeroDivisionError:
            return None
        if denominator < 0:
            return show(-numerator, -denominator, digits)
        return show(numerator, denominator, digits)

    return evaluate


def _shown_amount(amount: _Scaled, show: _Show) -> Evaluate:
    whole, scale, _ = amount

    def evaluate(amounts: Amounts, digits: int) -> Figure:
        return show(whole(amounts), scale, digits)

    def evaluate_count(amounts: Amounts, digits: int) -> Figure:
        count = whole(amounts)
        return count if -_INTEGERS < count < _INTEGERS else _float(count, 1, digits)

    return evaluate_count if show is _count and scale == 1 else evaluate


def _shown_division(above: _Scaled, below: _Scaled, show: _Show) -> Evaluate:
    # (n / scale of n) / (d / scale of d), in lowest terms.
    factor = Fraction(below.scale, above.scale)
    numerator = _times(above.amount, factor.numerator)
    denominator = _times(below.amount, factor.denominator)

    def evaluate(amounts: Amounts, digits: int) -> Figure:
        divisor = denominator(amounts)
        if divisor > 0:
            return show(numerator(amounts), divisor, digits)
        if divisor == 0:
            return None
        return show(-numerator(amounts), -divisor, digits)

    def evaluate_float(amounts: Amounts, _: int) -> Figure:
        divisor = denominator(amounts)
        if divisor == 0:
            return None
        try:
            return numerator(amounts) / divisor + _NO_MINUS
        except OverflowError:
            return None

    if show is _money and above.measure is not None and below.measure is not None and factor < 1:
        return _mean(above.measure, below.measure, factor)
    if show is not _float:
        return evaluate
    if above.measure is None or below.measure is None or factor != 1:
        return evaluate_float
    return _ratio(above.measure, below.measure)


def _mean(above: str, below: str, factor: Fraction) -> Evaluate:
    """Of an amount over a count, in money."""
    times, among = factor.numerator, factor.denominator

    def mean(amounts: Amounts, digits: int) -> Figure:
        divisor = amounts.get(below, 0)
        if divisor == 0:
            return None
        sign = 1 if divisor > 0 else -1
        minor = half_even(sign * times * amounts.get(above, 0) * POWERS[digits], sign * divisor * among)
        return decimal_text(minor, digits)

    return mean


def _ratio(above: str, below: str) -> Evaluate:
    """Of two measures that count in the same unit: what most KPIs are."""

    def ratio(amounts: Amounts, _: int) -> Figure:
        divisor = amounts.get(below)
        if not divisor:
            return None
        try:
            return amounts.get(above, 0) / divisor + _NO_MINUS
        except OverflowError:
            return None

    return ratio


_NO_MINUS = 0.0
"""Added to a zero below zero, which a division may give, it makes a plain one."""


def _money(numerator: int, denominator: int, digits: int) -> Figure:
    return decimal_text(half_even(numerator * POWERS[digits], denominator), digits)


def _float(numerator: int, denominator: int, _: int) -> Figure:
    try:
        # Of integers, true division gives the float nearest to the exact quotient.
        return numerator / denominator + _NO_MINUS
    except OverflowError:
        return None


def _count(numerator: int, denominator: int, digits: int) -> Figure:
    whole, rest = divmod(numerator, denominator) if denominator != 1 else (numerator, 0)
    if rest or abs(whole) >= _INTEGERS:
        return _float(numerator, denominator, digits)
    return whole


_SHOWN: dict[KpiUnit, _Show] = {
    "ratio": _float,
    "number": _float,
    "days": _float,
    "count": _count,
    "money": _money,
}
