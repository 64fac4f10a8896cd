"""Figures, dates and periods as a language writes them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from types import MappingProxyType

from babel.core import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_symbol
from msgspec import Struct

from kpis.formulas import minor_digits
from kpis.meanings import KpiMeaning, called
from notices.phrases import Phrases
from schemas.definitions import KpiUnit
from schemas.records import Figure

READ_DIGITS = 3
"""What it takes a day is told to so many digits; nobody acts on more."""
_DECIMALS: dict[KpiUnit, int] = {"count": 1, "days": 1, "number": 3, "ratio": 3}
"""To how many decimals at most a figure is written; of a ratio, as a ratio."""
_MINOR_BELOW = 100
"""Smaller amounts of money are told to the öre, or whatever is the currency's smallest coin."""


class Meaning(Struct, frozen=True):
    """What is known of KPIs, and the currency of those that are money; and of people."""

    kpis: Mapping[str, KpiMeaning]
    currency: str
    people: Mapping[str, str] = MappingProxyType({})
    """What whoever a goal is for is called, by scope, where that is known; else by their id."""

    def unit(self, kpi: str) -> KpiUnit:
        """A KPI's unit; of one that is not known any more, a count."""
        known = self.kpis.get(kpi)
        return "count" if known is None else known.unit

    def accumulates(self, kpi: str) -> bool:
        """Whether there can be so much of so much; so it is with one that is not known any more."""
        known = self.kpis.get(kpi)
        return known is None or known.accumulates

    def lower_is_better(self, kpi: str) -> bool:
        """Whether a goal for it is a limit, where nobody says otherwise."""
        known = self.kpis.get(kpi)
        return known is not None and known.better == "lower"

    def name(self, kpi: str, phrases: Phrases) -> str:
        """What people call a KPI, within a sentence."""
        known = self.kpis.get(kpi)
        if known is None:
            return kpi
        name = called(known.name, phrases.locale[:2], kpi)
        # An abbreviation, such as CAC, stays one.
        return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def decimal(figure: Figure) -> Decimal | None:
    """A figure to reckon with."""
    return None if figure is None else Decimal(str(figure))


def written(value: Decimal | None, unit: KpiUnit, currency: str, phrases: Phrases) -> str:
    """A figure in its unit."""
    if value is None:
        return phrases.no_value
    locale = phrases.locale
    match unit:
        case "money":
            return _money(value, currency, locale)
        case "ratio":
            pattern = Locale.parse(locale).percent_formats[None].pattern.replace("#,##0", "#,##0.#")
            return format_percent(value, pattern, locale=locale)
        case "number":
            return format_decimal(to_read(value, up=False), "#,##0.###", locale=locale)
        case "days":
            rounded = _rounded(value, 1)
            shown = format_decimal(rounded, "#,##0.#", locale=locale)
            return (phrases.day if rounded == 1 else phrases.days).format(count=shown)
        case "count":
            return format_decimal(value, "#,##0.#", locale=locale)


def to_read(value: Decimal, *, up: bool) -> Decimal:
    """A figure as it is read: to three digits, upwards where less would not do."""
    if not value:
        return value
    exponent = value.adjusted() - READ_DIGITS + 1
    return value.quantize(Decimal(1).scaleb(exponent), ROUND_CEILING if up else ROUND_HALF_EVEN)


def to_take(value: Decimal, unit: KpiUnit, currency: str) -> Decimal:
    """What it takes a day, as it is told: never less, and nothing only where nothing is needed."""
    decimals = minor_digits(currency) if unit == "money" else _DECIMALS[unit]
    return to_read(value, up=True).quantize(Decimal(1).scaleb(-decimals), ROUND_CEILING)


def in_words(count: int, phrases: Phrases) -> str:
    """A number in words, if it is one that is written so."""
    if 1 <= count <= len(phrases.numbers):
        return phrases.numbers[count - 1]
    return format_decimal(count, "#,##0", locale=phrases.locale)


def day(on: date, today: date, phrases: Phrases) -> str:
    """A date, with its year where that is not this one."""
    pattern = phrases.date if on.year == today.year else phrases.date_with_year
    return format_date(on, pattern, locale=phrases.locale)


def moment(at: datetime, seen_from: datetime, phrases: Phrases) -> str:
    """A time of day, with the day where that is not the same."""
    if at.date() == seen_from.date():
        return phrases.at_time.format(time=f"{at:%H:%M}")
    return phrases.on_day_at.format(day=weekday(at.date(), phrases), time=f"{at:%H:%M}")


def weekday(on: date, phrases: Phrases) -> str:
    """A date with its day of the week."""
    return format_date(on, phrases.weekday_and_date, locale=phrases.locale)


def period(start: date, end: date, today: date, phrases: Phrases) -> str:
    """A period, by its name where it is a calendar window; both dates belong to it."""
    after = end + timedelta(days=1)
    if start == end:
        return phrases.on_day.format(day=day(start, today, phrases))
    if start.weekday() == 0 and after - start == timedelta(days=7):
        return phrases.in_week.format(week=start.isocalendar().week)
    if start.day == 1 and after.day == 1:
        months = (after.year - start.year) * 12 + after.month - start.month
        if months == 1:
            pattern = "MMMM" if start.year == today.year else phrases.month_with_year
            return phrases.in_month.format(month=format_date(start, pattern, locale=phrases.locale))
        if months == 3 and start.month % 3 == 1:
            return phrases.in_quarter.format(quarter=start.month // 3 + 1, year=start.year)
        if months == 12 and start.month == 1:
            return phrases.in_year.format(year=start.year)
    return phrases.between.format(start=day(start, today, phrases), end=day(end, today, phrases))


def _money(value: Decimal, currency: str, locale: str) -> str:
    whole = abs(value) >= _MINOR_BELOW or value == value.to_integral_value()
    digits = 0 if whole else minor_digits(currency)
    pattern = Locale.parse(locale).currency_formats["standard"].pattern
    pattern = pattern.replace(".00", f".{'0' * digits}".rstrip("."))
    if get_currency_symbol(currency, locale).isalpha():
        pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")
    rounded = _rounded(value, digits)
    return format_currency(rounded, currency, pattern, locale=locale, currency_digits=False)


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
