"""Rows for a spreadsheet: CSV as Excel reads it in a language, in which no text can turn into a formula."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

from notices.rules import Language

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it Excel takes UTF-8 for something else."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What begins so is worked out by spreadsheets, whoever wrote it."""
DELIMITERS: dict[Language, str] = {"sv": ";", "en": ","}
POINTS: dict[Language, str] = {"sv": ",", "en": "."}


class Number(str):
    """A number in digits, as records write them; no text that somebody wrote."""

    __slots__ = ()


Cell = str | int | float | date | datetime | Number | None


def lines(rows: Iterable[Sequence[Cell]], language: Language) -> bytes:
    """Rows as lines, each ended as Excel ends them."""
    buffer = StringIO()
    writer = csv.writer(buffer, delimiter=DELIMITERS[language], lineterminator="\r\n")
    writer.writerows([_written(cell, language) for cell in row] for row in rows)
    return buffer.getvalue().encode()


def _written(cell: Cell, language: Language) -> str:
    match cell:
        case None:
            return ""
        case Number():
            return cell.replace(".", POINTS[language])
        case str():
            return f"'{cell}" if cell.startswith(FORMULAS) else cell
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M:%S}"
        case date():
            return cell.isoformat()
        case _:
            # A float in digits only: an exponent would be read as a text, or as another number.
            return format(Decimal(repr(cell)), "f").replace(".", POINTS[language])
