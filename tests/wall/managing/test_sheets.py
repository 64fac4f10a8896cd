"""CSV as Excel reads it, in which nothing that somebody wrote becomes a formula."""

import csv
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.rules import Language
from wall.managing.sheets import DELIMITERS, Cell, Number, lines


def read(raw: bytes, language: Language) -> list[list[str]]:
    return list(csv.reader(StringIO(raw.decode(), newline=""), delimiter=DELIMITERS[language]))


@pytest.mark.parametrize(
    ("cell", "swedish", "english"),
    [
        (Number("-1234.50"), "-1234,50", "-1234.50"),
        (0.1, "0,1", "0.1"),
        (1e-7, "0,0000001", "0.0000001"),
        (12, "12", "12"),
        (None, "", ""),
        (date(2026, 3, 1), "2026-03-01", "2026-03-01"),
        (datetime(2026, 3, 1, 9, 5, tzinfo=UTC), "2026-03-01 09:05:00", "2026-03-01 09:05:00"),
        ("Åsa; Bo, och Cia", "Åsa; Bo, och Cia", "Åsa; Bo, och Cia"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("-2+3", "'-2+3", "'-2+3"),
    ],
)
def test_a_cell_is_written_as_its_language_reads_it(cell: Cell, swedish: str, english: str) -> None:
    """Numbers with a comma or a point, in digits; texts as they are, but for what would be worked out."""
    assert read(lines([["a", cell]], "sv"), "sv") == [["a", swedish]]
    assert read(lines([["a", cell]], "en"), "en") == [["a", english]]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=4), min_size=1, max_size=4))
def test_no_text_begins_as_a_formula_does_and_none_breaks_out_of_its_cell(rows: list[list[str]]) -> None:
    """Whatever somebody called a deal, a team or themselves."""
    found = read(lines(rows, "sv"), "sv")
    assert [len(row) for row in found] == [len(row) for row in rows]
    for before, after in zip(rows, found, strict=True):
        for text, cell in zip(before, after, strict=True):
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
            assert cell in {text, f"'{text}"}
