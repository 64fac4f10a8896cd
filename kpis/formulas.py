"""The KPIs: what is read. Each is a formula over one window's measures.

The formulas, and the questions they answer, are those of a sales organisation's own steering:
is the pipeline fed, how many contacts become customers, how long does it take, is it worth aiming
higher. A KPI whose denominator is zero is null.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

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

_WHOLE = [10**digits for digits in range(5)]
"""How many minor units make one."""

Amounts = Mapping[str, int]


Formula = Callable[[Amounts, int], Figure]
"""From a window's measures and the reporting currency's minor digits."""


class Kpi(Struct, frozen=True):
    """One figure that is read off a window."""

    name: str
    question: str
    reads: frozenset[str]
    """The measures it depends on."""
    formula: Formula
    measure: str | None = None
    """The measure that it is, where it is just that."""


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
    whole = _WHOLE[digits]
    minor = divide_half_even(micros * whole, MICROS_PER_UNIT * among)
    if digits == 0:
        return str(minor)
    if minor < 0:
        return f"-{-minor // whole}.{-minor % whole:0{digits}d}"
    return f"{minor // whole}.{minor % whole:0{digits}d}"


def figures_of(measures: Amounts, digits: int) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """A window's measures and KPIs as a record shows them.

    Measures stand in order, those that are zero left out, money as decimal strings, durations in days.
    """
    plan = _plan(tuple(measures), digits)
    shown = {name: show(measures[name], digits) for name, show in plan.measures}
    kpis = plan.constant.copy()
    for name, measure in plan.as_shown:
        kpis[name] = shown[measure]
    for name, formula in plan.formulas:
        kpis[name] = formula(measures, digits)
    return shown, kpis


class _Plan(NamedTuple):
    """How to show windows in which just these measures count."""

    measures: list[tuple[str, Callable[[int, int], Figure]]]
    constant: dict[str, Figure]
    """Every KPI in order, with its value where none of its measures counts."""
    as_shown: list[tuple[str, str]]
    """The KPIs that are a measure that counts, as it is shown."""
    formulas: list[tuple[str, Formula]]
    """The other KPIs that depend on what counts."""


@cache
def _plan(names: tuple[str, ...], digits: int) -> _Plan:
    depend = {name: kpi for name, kpi in KPIS.items() if not kpi.reads.isdisjoint(names)}
    return _Plan(
        [(name, _SHOWN[measure.unit]) for name, measure in MEASURES.items() if name in names],
        {name: kpi.formula({}, digits) for name, kpi in KPIS.items()},
        [(name, measure) for name, kpi in depend.items() if (measure := kpi.measure) is not None],
        [(name, kpi.formula) for name, kpi in depend.items() if kpi.measure is None],
    )


def _show_count(amount: int, _: int) -> Figure:
    return amount


def _show_days(amount: int, _: int) -> Figure:
    return amount / MICROS_PER_DAY


def _ratio(numerator: str, denominator: str) -> Formula:
    def formula(measures: Amounts, _: int) -> Figure:
        below = measures.get(denominator)
        return measures.get(numerator, 0) / below if below else None

    return formula


def _win_rate(measures: Amounts, _: int) -> Figure:
    won = measures.get("deals_won", 0)
    decided = won + measures.get("deals_lost", 0)
    return won / decided if decided else None


def _deals_closed(measures: Amounts, _: int) -> Figure:
    return measures.get("deals_won", 0) + measures.get("deals_lost", 0)


def _average_deal_value(measures: Amounts, digits: int) -> Figure:
    won = measures.get("deals_won", 0)
    return money(measures.get("revenue", 0), digits, won) if won else None


def _sales_cycle_days(measures: Amounts, _: int) -> Figure:
    won = measures.get("deals_won", 0)
    return measures.get("cycle_days_sum", 0) / (MICROS_PER_DAY * won) if won else None


_SHOWN: dict[Unit, Callable[[int, int], Figure]] = {
    Unit.COUNT: _show_count,
    Unit.MONEY: money,
    Unit.DAYS: _show_days,
}


def _is(name: str, question: str, measure: str) -> Kpi:
    """A KPI that is a measure."""
    show = _SHOWN[MEASURES[measure].unit]

    def formula(measures: Amounts, digits: int) -> Figure:
        return show(measures.get(measure, 0), digits)

    return Kpi(name, question, frozenset({measure}), formula, measure)


def _of(name: str, question: str, reads: str, formula: Formula) -> Kpi:
    """A KPI that is worked out from measures."""
    return Kpi(name, question, frozenset(reads.split()), formula)


_READ = [
    _is("new_leads", "Is the pipeline fed?", "leads_new"),
    _is("qualified_leads", "Is the pipeline fed with leads worth pursuing?", "leads_qualified"),
    _of(
        "hit_rate",
        "How many contacts become customers?",
        "deals_won contacts",
        _ratio("deals_won", "contacts"),
    ),
    _of("win_rate", "How many decided deals do we win?", "deals_won deals_lost", _win_rate),
    _of(
        "sales_cycle_days",
        "How long from first contact to closed?",
        "cycle_days_sum deals_won",
        _sales_cycle_days,
    ),
    _is("revenue", "What did the deals we won bring?", "revenue"),
    _of("average_deal_value", "Is it worth aiming higher?", "revenue deals_won", _average_deal_value),
    _is("meetings_booked", "The seller's own day: meetings", "meetings_booked"),
    _is("quotes_sent", "The seller's own day: quotes", "quotes_sent"),
    _of("deals_closed", "The seller's own day: decided deals", "deals_won deals_lost", _deals_closed),
]

KPIS: dict[str, Kpi] = {kpi.name: kpi for kpi in _READ}
"""Every KPI by its name, in the order in which records show them."""
