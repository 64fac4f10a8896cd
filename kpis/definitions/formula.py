"""The formulas of KPIs: from a text to a tree and back. Nothing here runs what somebody wrote.

sum     = product { ("+" | "-") product }
product = factor { ("*" | "/") factor }
factor  = "-" factor | number | measure | "(" sum ")"
"""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Literal, NamedTuple, cast

from msgspec import Struct

MAX_CHARACTERS = 1000
MAX_TERMS = 100
MAX_DEPTH = 20
"""How deep parentheses and signs may nest."""

MILLION = 1_000_000

Operator = Literal["+", "-", "*", "/"]


class Number(Struct, frozen=True):
    """A number as it is written: never negative, with six decimals at most."""

    millionths: int


class Named(Struct, frozen=True):
    """A measure of the window."""

    measure: str


class Negative(Struct, frozen=True):
    """A sign before something."""

    of: "Tree"


class Operation(Struct, frozen=True):
    """Two operands and what is done with them."""

    operator: Operator
    left: "Tree"
    right: "Tree"


Tree = Number | Named | Negative | Operation


class Mention(NamedTuple):
    """Where a formula names a measure."""

    measure: str
    at: int


class Parsed(NamedTuple):
    """A formula's tree and, in order, what it names."""

    tree: Tree
    mentions: list[Mention]


class FormulaError(ValueError):
    """A text is no formula; says at which character (from 0) and why."""

    def __init__(self, at: int, sentence: str) -> None:
        super().__init__(sentence)
        self.at = at
        self.sentence = sentence


def parse(text: str) -> Parsed:
    """Read a formula.

    Raises:
        FormulaError: it is none, or goes beyond what a formula may have.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            MAX_CHARACTERS, f"a formula has at most {MAX_CHARACTERS} characters; this one has {len(text)}."
        )
    parser = _Parser(text)
    tree = parser.whole()
    return Parsed(tree, parser.mentions)


def written(tree: Tree) -> str:
    """A tree as a formula, with no more parentheses than it needs."""
    match tree:
        case Number(millionths):
            whole, rest = divmod(millionths, MILLION)
            return f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole)
        case Named(measure):
            return measure
        case Negative(of):
            return f"-{_operand(of, _SIGN)}"
        case Operation(operator, left, right):
            binds = _BINDS[operator]
            # From left to right: what stands on the right and binds no tighter needs parentheses.
            return f"{_operand(left, binds)} {operator} {_operand(right, binds + 1)}"


def renamed(tree: Tree, names: Mapping[str, str]) -> Tree:
    """The same tree with measures under other names, where `names` has them."""
    match tree:
        case Number():
            return tree
        case Named(measure):
            return Named(names.get(measure, measure))
        case Negative(of):
            return Negative(renamed(of, names))
        case Operation(operator, left, right):
            return Operation(operator, renamed(left, names), renamed(right, names))


def constant(tree: Tree) -> Fraction | None:
    """The value of what names no measure; `None` for what does, and for what divides by zero."""
    match tree:
        case Number(millionths):
            return Fraction(millionths, MILLION)
        case Named():
            return None
        case Negative(of):
            value = constant(of)
            return None if value is None else -value
        case Operation(operator, left, right):
            one, other = constant(left), constant(right)
            return None if one is None or other is None else _worked_out(operator, one, other)


def is_sum(tree: Tree) -> bool:
    """Whether a formula is a sum of measures, each perhaps times a number."""
    match tree:
        case Named():
            return True
        case Number():
            return False
        case Negative(of):
            return is_sum(of)
        case Operation("+" | "-", left, right):
            return is_sum(left) and is_sum(right)
        case Operation("*", left, right):
            return (is_sum(left) and _fixed(right)) or (_fixed(left) and is_sum(right))
        case Operation(_, left, right):
            return is_sum(left) and _fixed(right)


def _fixed(tree: Tree) -> bool:
    value = constant(tree)
    return value is not None and value != Fraction(0)


def _worked_out(operator: Operator, one: Fraction, other: Fraction) -> Fraction | None:
    match operator:
        case "+":
            return one + other
        case "-":
            return one - other
        case "*":
            return one * other
        case "/":
            return one / other if other else None


_BINDS: dict[Operator, int] = {"+": 1, "-": 1, "*": 2, "/": 2}
_SIGN = 3


def _operand(tree: Tree, binds: int) -> str:
    own = _BINDS[tree.operator] if isinstance(tree, Operation) else _SIGN
    return f"({written(tree)})" if own < binds else written(tree)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[-+*/()])|(?P<end>\Z))"
)
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_HINTS = {
    "%": "write 14 % as 0.14",
    ",": "write a decimal point, as in 0.5",
    ".": "write a digit before the point, as in 0.5",
    "^": "a formula has + - * / and parentheses only",
    "×": "write *",
    "·": "write *",
    "÷": "write /",
    ":": "write /",
    "–": "write -",
    "\N{MINUS SIGN}": "write -",
}
_OPERAND = "here a measure, a number or ( must stand"


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            hint = _HINTS.get(text[at], "a formula has measures, numbers, + - * / and parentheses")
            raise FormulaError(at, f"`{text[at]}` means nothing here; {hint}.")
        kind = cast("str", match.lastgroup)
        tokens.append(_Token(kind, match[kind], match.start(kind)))
        if kind == "end":
            return tokens
        at = match.end()


class _Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._terms = 0
        self._depth = 0
        self.mentions: list[Mention] = []

    def whole(self) -> Tree:
        """The formula, to its end."""
        tree = self._sum()
        token = self._peek()
        if token.text == ")":
            raise FormulaError(token.at, "this ) closes nothing.")
        if token.kind != "end":
            raise FormulaError(token.at, f"before `{token.text}` one of + - * / must stand.")
        if not self.mentions:
            raise FormulaError(0, "a formula reads at least one measure; this one names none.")
        return tree

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _sum(self) -> Tree:
        tree = self._product()
        while self._peek().text in {"+", "-"}:
            operator = cast("Operator", self._take().text)
            tree = Operation(operator, tree, self._product())
        return tree

    def _product(self) -> Tree:
        tree = self._factor()
        while self._peek().text in {"*", "/"}:
            operator = cast("Operator", self._take().text)
            at = self._peek().at
            right = self._factor()
            if operator == "/" and constant(right) == 0:
                raise FormulaError(at, "this is a division by zero, always.")
            tree = Operation(operator, tree, right)
        return tree

    def _factor(self) -> Tree:
        token = self._take()
        match token.kind, token.text:
            case "number", text:
                self._count(token)
                return _number(text, token.at)
            case "name", name:
                self._count(token)
                self.mentions.append(Mention(name, token.at))
                return Named(name)
            case _, "-":
                return Negative(self._within(token, self._factor))
            case _, "(":
                tree = self._within(token, self._sum)
                closing = self._take()
                if closing.text != ")":
                    raise FormulaError(token.at, "this ( is never closed.")
                return tree
            case "end", _:
                raise FormulaError(token.at, f"the formula ends, and {_OPERAND}.")
            case _, text:
                raise FormulaError(token.at, f"`{text}` cannot stand here; {_OPERAND}.")

    def _within(self, opening: _Token, part: Callable[[], Tree]) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError(opening.at, f"parentheses and signs nest at most {MAX_DEPTH} deep.")
        tree = part()
        self._depth -= 1
        return tree

    def _count(self, token: _Token) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise FormulaError(token.at, f"a formula has at most {MAX_TERMS} measures and numbers.")


def _number(text: str, at: int) -> Number:
    if not _NUMBER.fullmatch(text):
        raise FormulaError(at, "a number has at most 12 digits before the point and 6 after.")
    whole, _, rest = text.partition(".")
    return Number(int(whole) * MILLION + int(rest.ljust(6, "0")))
