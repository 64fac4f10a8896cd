"""The KPIs: what is read. Each is a formula over one window's measures.

The formulas, and the questions they answer, are those of a sales organisation's own steering:
is the pipeline fed, how many contacts become customers, how long does it take, is it worth aiming
higher. A KPI whose denominator is zero is null.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from kpis.calendar import MICROS_PER_DAY
from kpis.measures import MEASURES, MICROS_PER_UNIT, Unit
from schemas.records import Figure

_MINOR_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    "CLF": 4,
    "UYW": 4,
}
"""ISO 4217 minor units, where they are not 2."""

Amounts = Mapping[str, int]


class Kpi(Struct, frozen=True):
    """One figure that is read off a window."""

    name: str
    question: str
    formula: Callable[[Amounts, int], Figure]
    """From the window's measures and the reporting currency's minor digits."""


def minor_digits(currency: str) -> int:
    """How many digits a currency's minor unit has after the point (ISO 4217)."""
    return _MINOR_DIGITS.get(currency, 2)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Round an exact quotient to the nearest integer, ties to even. `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def money(micros: int, digits: int, among: int = 1) -> str:
    """Write millionths of a unit, divided by `among`, as a decimal string, rounded half-even once."""
    minor = divide_half_even(micros * 10**digits, MICROS_PER_UNIT * among)
    if digits == 0:
        return str(minor)
    sign = "-" if minor < 0 else ""
    text = str(abs(minor)).rjust(digits + 1, "0")
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


def show_measures(measures: Amounts, digits: int) -> dict[str, Figure]:
    """The measures as a record shows them: in order, money as decimal strings, durations in days."""
    shown: dict[str, Figure] = {}
    for name, measure in MEASURES.items():
        amount = measures.get(name)
        if amount is None:
            continue
        match measure.unit:
            case Unit.COUNT:
                shown[name] = amount
            case Unit.MONEY:
                shown[name] = money(amount, digits)
            case Unit.DAYS:
                shown[name] = amount / MICROS_PER_DAY
    return shown


def show_kpis(measures: Amounts, digits: int) -> dict[str, Figure]:
    """Every KPI of a window."""
    return {name: kpi.formula(measures, digits) for name, kpi in KPIS.items()}


def _count(measure: str) -> Callable[[Amounts, int], Figure]:
    return lambda measures, _: measures.get(measure, 0)


def _ratio(numerator: str, *denominators: str) -> Callable[[Amounts, int], Figure]:
    def formula(measures: Amounts, _: int) -> Figure:
        below = sum(measures.get(name, 0) for name in denominators)
        return measures.get(numerator, 0) / below if below else None

    return formula


def _deals_closed(measures: Amounts, _: int) -> Figure:
    return measures.get("deals_won", 0) + measures.get("deals_lost", 0)


def _revenue(measures: Amounts, digits: int) -> Figure:
    return money(measures.get("revenue", 0), digits)


def _average_deal_value(measures: Amounts, digits: int) -> Figure:
    won = measures.get("deals_won", 0)
    return money(measures.get("revenue", 0), digits, won) if won else None


def _sales_cycle_days(measures: Amounts, _: int) -> Figure:
    won = measures.get("deals_won", 0)
    return measures.get("cycle_days_sum", 0) / (MICROS_PER_DAY * won) if won else None


_READ = [
    Kpi("new_leads", "Is the pipeline fed?", _count("leads_new")),
    Kpi(
        "qualified_leads",
        "Is the pipeline fed with leads worth pursuing?",
        _count("leads_qualified"),
    ),
    Kpi("hit_rate", "How many contacts become customers?", _ratio("deals_won", "contacts")),
    Kpi(
        "win_rate",
        "How many decided deals do we win?",
        _ratio("deals_won", "deals_won", "deals_lost"),
    ),
    Kpi("sales_cycle_days", "How long from first contact to closed?", _sales_cycle_days),
    Kpi("revenue", "What did the deals we won bring?", _revenue),
    Kpi("average_deal_value", "Is it worth aiming higher?", _average_deal_value),
    Kpi("meetings_booked", "The seller's own day: meetings", _count("meetings_booked")),
    Kpi("quotes_sent", "The seller's own day: quotes", _count("quotes_sent")),
    Kpi("deals_closed", "The seller's own day: decided deals", _deals_closed),
]

KPIS: dict[str, Kpi] = {kpi.name: kpi for kpi in _READ}
"""Every KPI by its name, in the order in which records show them."""
