"""Formulas as texts: what is one, what is none, and where it goes wrong."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.definitions.formula import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_TERMS,
    FormulaError,
    Named,
    Negative,
    Number,
    Operation,
    Tree,
    constant,
    is_sum,
    parse,
    written,
)
from tests.kpis.definitions.trees import names_of, trees

A, B, C = Named("a"), Named("b"), Named("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("a - b - c", Operation("-", Operation("-", A, B), C)),
        ("a - (b - c)", Operation("-", A, Operation("-", B, C))),
        ("a / b / c", Operation("/", Operation("/", A, B), C)),
        ("a + b * c", Operation("+", A, Operation("*", B, C))),
        ("(a+b)*c", Operation("*", Operation("+", A, B), C)),
        ("-a * b", Operation("*", Negative(A), B)),
        ("a - -b", Operation("-", A, Negative(B))),
        ("a * 1.5", Operation("*", A, Number(1_500_000))),
        ("a*0.000001", Operation("*", A, Number(1))),
        (" \n a\t/\n100 ", Operation("/", A, Number(100_000_000))),
    ],
)
def test_what_a_formula_means(text: str, tree: Tree) -> None:
    """From left to right, products before sums, signs before both."""
    assert parse(text).tree == tree


@pytest.mark.parametrize(
    ("text", "adds_up"),
    [
        ("a", True),
        ("a - 2 * b / 7", True),
        ("-(a + b)", True),
        ("a / b", False),
        ("a + 1", False),
        ("0 * a", False),
    ],
)
def test_what_adds_up(text: str, adds_up: bool) -> None:
    """Sums of measures do, over days and over people; means and ratios do not."""
    assert is_sum(parse(text).tree) == adds_up


@given(trees)
def test_a_formula_that_is_written_reads_as_it_was(tree: Tree) -> None:
    """And names what it names, in order, each where it stands."""
    text = written(tree)
    if not names_of(tree) or divides_by_zero(tree):
        with pytest.raises(FormulaError):
            parse(text)
        return
    parsed = parse(text)
    assert parsed.tree == tree
    assert [mention.measure for mention in parsed.mentions] == names_of(tree)
    assert all(text.startswith(mention.measure, mention.at) for mention in parsed.mentions)


def divides_by_zero(tree: Tree) -> bool:
    """Whether anything is divided by numbers that come to zero."""
    match tree:
        case Operation(operator, left, right):
            zero = operator == "/" and not names_of(right) and constant(right) == 0
            return zero or divides_by_zero(left) or divides_by_zero(right)
        case Negative(of):
            return divides_by_zero(of)
        case _:
            return False


@given(trees)
def test_no_parentheses_are_written_that_nothing_needs(tree: Tree) -> None:
    """Without any pair of them the formula is another, or none."""
    text = written(tree)
    for at in [position for position, sign in enumerate(text) if sign == "("]:
        depth, end = 0, at
        for end in range(at, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
        without = text[:at] + text[at + 1 : end] + text[end + 1 :]
        try:
            assert parse(without).tree != tree
        except FormulaError:
            continue


WRONG = [
    ("", 0, "the formula ends"),
    ("a +", 3, "the formula ends, and here a measure"),
    ("a b", 2, "before `b` one of + - * /"),
    ("a 2", 2, "before `2` one of"),
    ("(a + b", 0, "this ( is never closed"),
    ("a + b)", 5, "this ) closes nothing"),
    ("a (b)", 2, "before `(` one of"),
    ("a * / b", 4, "`/` cannot stand here"),
    ("a ** 2", 3, "`*` cannot stand here"),
    ("()", 1, "`)` cannot stand here"),
    ("a * 14%", 6, "write 14 % as 0.14"),
    ("a * 0,5", 5, "write a decimal point"),
    ("a * .5", 4, "write a digit before"),
    ("a ÷ b", 2, "write /"),
    ("a \N{MINUS SIGN} b", 2, "write -"),
    ("a.b", 1, "`.` means nothing here"),
    ("å + 1", 0, "`å` means nothing here"),
    ("a * 1.0000001", 4, "at most 12 digits before the point and 6 after"),
    ("a * 1234567890123", 4, "at most 12 digits"),
    ("a * ٣", 4, "`٣` means nothing here"),
    ("a / 0", 4, "a division by zero"),
    ("a / (1 - 1.000)", 4, "a division by zero"),
    ("a / -0", 4, "a division by zero"),
    ("1 + 2", 0, "names none"),
    ("__import__(os)", 10, "before `(` one of"),
    ("(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1), MAX_DEPTH, "nest at most"),
    ("-" * (MAX_DEPTH + 1) + "a", MAX_DEPTH, "nest at most"),
    ("a" + "+a" * MAX_TERMS, 2 * MAX_TERMS, f"at most {MAX_TERMS} measures"),
    ("a" * (MAX_CHARACTERS + 1), MAX_CHARACTERS, f"at most {MAX_CHARACTERS} characters"),
]


@pytest.mark.parametrize(
    ("text", "at", "sentence"), WRONG, ids=[text[:20] or "empty" for text, *_ in WRONG]
)
def test_what_is_no_formula_is_told_where_and_why(text: str, at: int, sentence: str) -> None:
    """By the character, from 0."""
    with pytest.raises(FormulaError) as raised:
        parse(text)
    assert sentence in raised.value.sentence
    assert raised.value.at == at


def test_the_bounds_themselves_are_within() -> None:
    """As deep and as long as a formula may be."""
    assert parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH).tree == A
    assert len(parse("a" + "+a" * (MAX_TERMS - 1)).mentions) == MAX_TERMS
    assert parse("a".ljust(MAX_CHARACTERS)).tree == A


@given(st.text(alphabet="ab_ .,0123456789+-*/()%\n\té", max_size=40) | st.text(max_size=20))
def test_any_text_is_a_formula_or_told_why_not(text: str) -> None:
    """At a place within it, and with a whole sentence."""
    error = error_of(text)
    if error is None:
        tree = parse(text).tree
        assert parse(written(tree)).tree == tree
    else:
        assert 0 <= error.at <= len(text)
        assert error.sentence.endswith(".")


def error_of(text: str) -> FormulaError | None:
    try:
        parse(text)
    except FormulaError as error:
        return error
    return None


def test_constants_are_worked_out_exactly() -> None:
    """What names a measure, or divides by zero, is none."""
    third = Operation("/", Number(1_000_000), Number(3_000_000))
    assert constant(Negative(third)) == Fraction(-1, 3)
    assert constant(Operation("*", Number(0), A)) is None
    assert constant(Operation("/", third, Number(0))) is None
