"""An organisation's own KPIs: worked out exactly, in fractions, from measures as they are recounted.

A formula has names, numbers, + - * / and parentheses, which Python reads by the same rules: its parser
makes the tree. Nothing of it is run but the four operations below.
"""

import ast
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from schemas.definitions import KpiDefinition
from schemas.records import Figure

_TOKEN = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9]+(?:\.[0-9]+)?)")
_LARGEST = 2**63
_NEAR = 1e-12
"""What two ways of dividing may differ by, and no count of anything could."""

_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
    ast.Div: lambda one, other: one / other,
}


class Formula:
    """A KPI's definition, ready to be worked out."""

    def __init__(self, definition: KpiDefinition, digits: int) -> None:
        self._unit = definition.unit
        self._digits = digits
        self._constants: dict[str, Fraction] = {}
        self.text = definition.formula
        """As a person wrote it."""
        # Every token gets a name that Python can have no other use for, as it has for `in`.
        text = _TOKEN.sub(self._token, definition.formula)
        names = (match["name"] for match in _TOKEN.finditer(definition.formula))
        self.reads = tuple(dict.fromkeys(name for name in names if name is not None))
        """The measures that it names, each once, in the order in which it does."""
        self._tree = ast.parse(f"({text})", mode="eval").body

    def figure(self, measures: Mapping[str, Fraction]) -> Figure:
        """The figure as a record must show it; a measure that is left out is zero."""
        try:
            return written(self._value(self._tree, measures), self._unit, self._digits)
        except (ZeroDivisionError, OverflowError):
            return None

    def _token(self, match: re.Match[str]) -> str:
        if match["name"] is not None:
            return f"measure_{match['name']}"
        name = f"number_{len(self._constants)}"
        self._constants[name] = Fraction(match["number"])
        return name

    def _value(self, tree: ast.expr, measures: Mapping[str, Fraction]) -> Fraction:
        match tree:
            case ast.BinOp(left, operation, right):
                return _OPERATIONS[type(operation)](
                    self._value(left, measures), self._value(right, measures)
                )
            case ast.UnaryOp(ast.USub(), operand):
                return -self._value(operand, measures)
            case ast.Name(name) if name in self._constants:
                return self._constants[name]
            case ast.Name(name):
                return measures.get(name.removeprefix("measure_"), Fraction())
            case _:
                raise AssertionError(ast.dump(tree))


def written(value: Fraction, unit: str, digits: int) -> Figure:
    """An exact figure as records show it: of money with so many decimals, of a `count` whole where it is.

    Raises:
        OverflowError: no float holds it.
    """
    match unit:
        case "money":
            # Fractions round half to even.
            return _decimal(round(value * 10**digits), digits)
        case "count":
            whole = value.denominator == 1 and abs(value) < _LARGEST
            return int(value) if whole else float(value)
        case _:
            return float(value)


def same(said: Figure, figure: Figure) -> bool:
    """Whether what a record says is that figure."""
    if isinstance(said, int | float) and isinstance(figure, float):
        return abs(said - figure) <= _NEAR * max(1.0, abs(figure))
    return said == figure


def _decimal(minor: int, digits: int) -> str:
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"
