"""Targets as people write them, such as 1 500 000 SEK, 35 %, +14 % or 30 days, as exact numbers."""

import re
from fractions import Fraction
from typing import NamedTuple

from goals.known import KnownKpi
from goals.reasons import Code, Field, Like, reason

_WRITTEN = re.compile(
    r"(?P<sign>[+\-−]?)\s*(?P<number>[0-9][0-9 .,'_\u00a0\u2009\u202f]*)\s*(?P<unit>%|[^\W\d_]*)"
)
_SPACES = re.compile(r"[ '_\u00a0\u2009\u202f]")
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_DAYS = frozenset({"day", "days", "dag", "dagar"})
_KRONOR = frozenset({"kr", "kronor"})
_KRONA_CURRENCIES = frozenset({"SEK", "NOK", "DKK", "ISK"})


class AmountError(ValueError):
    """A text is no target for its KPI."""

    def __init__(self, code: Code, **about: Field) -> None:
        super().__init__(code)
        self.reason = reason(code, **about)


class Written(NamedTuple):
    """A target as it was understood."""

    value: str
    """A decimal string, of a percentage as a ratio."""
    change: bool
    """Whether it is so much more or less, and not so much."""


def read_target(text: str, kpi: KnownKpi, currency: str) -> Written:
    """What somebody wrote as the target for a KPI.

    Raises:
        AmountError: it cannot be one.
    """
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise AmountError("no_target", written=text, example=like(kpi, currency))
    number = _number(found["number"].strip(), text)
    sign, unit = found["sign"], found["unit"]
    if sign and unit == "%":
        return Written(_decimal(number / 100, text, "" if sign == "+" else "-"), True)
    if sign == "+":
        raise AmountError("neither_figure_nor_change", written=text)
    _check_unit(text, unit, kpi, currency)
    value = number / 100 if unit == "%" else number
    return Written(_decimal(value, text, "-" if sign else ""), False)


def like(kpi: KnownKpi, currency: str) -> Like:
    """What a target for a KPI looks like."""
    return Like("rate" if kpi.rate else kpi.unit, currency)


def _check_unit(text: str, unit: str, kpi: KnownKpi, currency: str) -> None:
    """Whether a figure's unit is the KPI's; one that states none is in it."""
    if not unit:
        return
    shape = like(kpi, currency)
    if unit == "%":
        if kpi.unit == "ratio":
            return
        raise AmountError("no_share", kpi=kpi.name, written=text, is_a=shape, example=shape)
    if unit.lower() in _DAYS and kpi.unit == "days":
        return
    if kpi.unit == "money":
        if unit == currency or (unit.lower() in _KRONOR and currency in _KRONA_CURRENCIES):
            return
        raise AmountError("other_currency", kpi=kpi.name, currency=currency, unit=unit, example=shape)
    raise AmountError("other_unit", kpi=kpi.name, is_a=shape, unit=unit, example=shape)


def _number(text: str, whole: str) -> Fraction:
    """A number with spaces between thousands, and a point or comma before decimals."""
    bare = _SPACES.sub("", text)
    if re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", bare):
        thousands, decimals = bare.replace(",", " "), bare.replace(",", ".")
        raise AmountError("two_ways", written=whole, thousands=thousands, decimals=decimals)
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3}){2,}(\.[0-9]+)?|[0-9]{1,3},[0-9]{3}\.[0-9]+", bare):
        bare = bare.replace(",", "")
    bare = bare.replace(",", ".")
    if not _NUMBER.fullmatch(bare):
        raise AmountError("no_number", written=whole)
    return Fraction(bare)


def _decimal(value: Fraction, text: str, sign: str) -> str:
    """An exact decimal string of at most six decimals."""
    millionths = value * 1_000_000
    if millionths.denominator != 1:
        raise AmountError("too_many_decimals", written=text)
    whole, rest = divmod(millionths.numerator, 1_000_000)
    digits = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return sign + digits if value else digits
