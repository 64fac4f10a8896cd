"""The books: lines are entered while others are gathered, and none of them is lost unnoticed."""

import duckdb
import pytest

from audit.books import Books, Rules

RULES = Rules("Europe/Stockholm", "SEK", 2)
HEAR = "insert into numbers select number from read_json($lines, columns = {number: 'bigint'})"


def test_what_was_entered_is_there_when_it_is_asked_for() -> None:
    """However many lines are still on their way."""
    with Books(RULES) as books:
        books.ask("create table numbers (number bigint)")
        for first in range(0, 5_000, 1_000):
            books.read_lines([b'{"number": %d}' % (first + number) for number in range(1_000)], HEAR)
        assert books.ask("select count(*), sum(number) from numbers") == [(5_000, 12_497_500)]


def test_a_line_that_cannot_be_entered_is_told_again_and_again() -> None:
    """Whatever is asked next: what the books say would be without it."""
    with Books(RULES) as books:
        books.ask("create table numbers (number bigint)")
        books.read_lines([b'{"number": "none"}'], HEAR)
        with pytest.raises(duckdb.Error, match="none"):
            books.read_lines([b'{"number": 1}'], HEAR)
        with pytest.raises(duckdb.Error, match="none"):
            books.ask("select count(*) from numbers")


def test_books_are_closed_while_lines_are_entered() -> None:
    """Nobody waits for what nobody wants any more."""
    with Books(RULES) as books:
        books.ask("create table numbers (number bigint)")
        for_hours = (
            "insert into numbers select sum(range) from range(10_000_000_000_000) where $lines <> ''"
        )
        books.read_lines([b'{"number": 1}'], for_hours)
