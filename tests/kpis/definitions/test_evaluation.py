"""Compiled formulas against the plain way: fractions, worked out node by node."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import MICROS_PER_DAY
from kpis.definitions.evaluation import compiled
from kpis.definitions.formula import Named, Negative, Number, Operation, Tree, parse, written
from schemas.definitions import KpiUnit
from schemas.records import Figure
from tests.kpis.definitions.trees import MEASURED, names_of, trees

SCALES = {
    "calls": 1,
    "contacts": 1,
    "deals_won": 1,
    "revenue": 10**18,
    "cycle_days_sum": MICROS_PER_DAY,
    "size": 10**6,
}
amounts = st.dictionaries(
    st.sampled_from(MEASURED), st.integers(-3, 3) | st.integers(-(10**30), 10**30), max_size=len(MEASURED)
)


def exactly(tree: Tree, values: dict[str, Fraction]) -> Fraction:
    """The value of a tree in fractions; raises ZeroDivisionError."""
    match tree:
        case Number(millionths):
            return Fraction(millionths, 10**6)
        case Named(measure):
            return values[measure]
        case Negative(of):
            return -exactly(of, values)
        case Operation(operator, left, right):
            one, other = exactly(left, values), exactly(right, values)
            match operator:
                case "+":
                    return one + other
                case "-":
                    return one - other
                case "*":
                    return one * other
                case "/":
                    return one / other


def values_of(counted: dict[str, int]) -> dict[str, Fraction]:
    return {name: Fraction(counted.get(name, 0), SCALES[name]) for name in MEASURED}


def shown(exact: Fraction, unit: KpiUnit, digits: int) -> Figure:
    """A figure as its unit is written, the slow way."""
    if unit == "money":
        minor = round(exact * 10**digits)  # Half to even, as fractions are rounded.
        return f"{Decimal(minor).scaleb(-digits):.{digits}f}" if minor else f"{Decimal(0):.{digits}f}"
    if unit == "count" and exact.denominator == 1 and abs(exact) < 2**63:
        return int(exact)
    try:
        return exact.numerator / exact.denominator + 0.0  # No zero is negative.
    except OverflowError:
        return None


units = st.sampled_from(["ratio", "count", "money", "days"])


@given(trees, amounts, units, st.sampled_from([0, 2, 3]))
def test_a_compiled_formula_is_exact(
    tree: Tree, counted: dict[str, int], unit: KpiUnit, digits: int
) -> None:
    """Rounded once; null where anything divides by zero."""
    found = compiled(tree, unit, SCALES)(counted, digits)
    try:
        exact = exactly(tree, values_of(counted))
    except ZeroDivisionError:
        assert found is None
        return
    if unit == "money":
        # The decimal module rounds to its context; compare what the text says.
        assert isinstance(found, str)
        assert Fraction(found) * 10**digits == round(exact * 10**digits)
        assert len(found.partition(".")[2]) == digits
    else:
        expected = shown(exact, unit, digits)
        assert found == expected
        assert type(found) is type(expected)
        assert repr(found) == repr(expected), "no zero is negative"


@given(trees, amounts)
def test_a_formula_means_what_it_means_in_arithmetic(tree: Tree, counted: dict[str, int]) -> None:
    """Python reads the same text, over fractions, and comes to the same."""
    values = values_of(counted)
    text = written(tree)
    # Numbers become fractions, so that Python too works in them.
    readable = text if names_of(tree) else f"0 * calls + {text}"
    code = "".join(f"Fraction('{part}')" if part[:1].isdigit() else part for part in split(readable))
    try:
        expected: Figure = shown(eval(code, {"Fraction": Fraction, **values}), "ratio", 0)
    except ZeroDivisionError:
        expected = None
    assert compiled(tree, "ratio", SCALES)(counted, 2) == expected


def split(text: str) -> list[str]:
    parts = [""]
    for sign in text:
        if (sign.isdigit() or sign == ".") != (parts[-1][-1:].isdigit() or parts[-1].endswith(".")):
            parts.append("")
        parts[-1] += sign
    return parts


@pytest.mark.parametrize(
    ("formula", "unit", "counted", "figure"),
    [
        ("deals_won / contacts", "ratio", {"deals_won": 4, "contacts": 31}, 4 / 31),
        ("deals_won / contacts", "ratio", {"deals_won": 4}, None),
        ("deals_won / contacts", "ratio", {"contacts": 4}, 0.0),
        ("deals_won / contacts", "ratio", {"contacts": -4}, 0.0),
        ("deals_won / contacts", "ratio", {"deals_won": 10**310, "contacts": 1}, None),
        ("deals_won / -contacts", "ratio", {"contacts": 4}, 0.0),
        ("0 * (calls / contacts)", "count", {"calls": 1}, None),
        ("calls / (deals_won / contacts)", "ratio", {"calls": 1, "contacts": 1}, None),
        (
            "calls / contacts + calls / deals_won",
            "ratio",
            {"calls": 1, "contacts": 2, "deals_won": 4},
            0.75,
        ),
        ("-(calls / contacts) / deals_won", "ratio", {"calls": 3, "contacts": 2, "deals_won": -1}, 1.5),
        ("calls / 2", "count", {"calls": 4}, 2),
        ("calls / 2", "count", {"calls": 5}, 2.5),
        ("revenue / deals_won", "money", {"revenue": 5 * 10**15, "deals_won": 1}, "0.00"),
        ("revenue / deals_won", "money", {"revenue": 15 * 10**15, "deals_won": 1}, "0.02"),
        ("revenue * -1", "money", {"revenue": 15 * 10**15}, "-0.02"),
        ("250 * calls", "money", {"calls": 3}, "750.00"),
        ("cycle_days_sum / 7", "days", {"cycle_days_sum": 14 * MICROS_PER_DAY}, 2.0),
        ("size / calls", "ratio", {"size": 1_500_000, "calls": 3}, 0.5),
        ("calls * calls * calls", "count", {"calls": 10**6}, 10**18),
        ("calls * calls * calls", "count", {"calls": 10**7}, 1e21),
    ],
)
def test_figures(
    formula: str, unit: Literal["ratio", "count", "money", "days"], counted: dict[str, int], figure: Figure
) -> None:
    """By their unit, in the reporting currency with two minor digits."""
    found = compiled(parse(formula).tree, unit, SCALES)(counted, 2)
    assert found == figure
    assert str(found) == str(figure)


def test_a_figure_beyond_what_a_float_holds_is_null() -> None:
    """And no infinity, which JSON has not."""
    tree = parse("*".join(["calls"] * 40)).tree
    assert compiled(tree, "ratio", SCALES)({"calls": 10**9}, 2) is None
