"""The KPIs: what is read. Each is a formula over one window's measures.

The formulas, and the questions they answer, are those of a sales organisation's own steering:
is the pipeline fed, how many contacts become customers, how long does it take, is it worth aiming
higher. A KPI whose denominator is zero is null.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from msgspec import Struct

from kpis.calendar import MICROS_PER_DAY, Grain
from kpis.measures import ENDED, ENDED_DAYS, ENDED_MICROS, MEASURES, SINCE_DAYS, SINCE_MICROS, Unit
from kpis.money import MICROS_PER_UNIT, PARTS_PER_UNIT, above, below, parts_in
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


class Compared(NamedTuple):
    """Revenue of a window, and of what it is compared with, in parts of a unit (`kpis.money`)."""

    now: int
    before: int


class Moment(NamedTuple):
    """What a figure depends on besides the measures of its window."""

    digits: int
    """The reporting currency's minor digits."""
    day: int
    """The day of the as-of, on the wall clock,"""
    micros: int
    """and the time of that day."""
    growth: Compared | None = None
    """The window beside the one before."""
    accumulated: Compared | None = None
    """The year so far beside the same dates of last year."""


Formula = Callable[[Amounts, Moment], Figure]
"""From a window's measures and the moment."""
Show = Callable[[Amounts, int], Figure]
"""From a window's measures and the reporting currency's minor digits."""

EVERY_GRAIN = frozenset(Grain)


class Kpi(Struct, frozen=True):
    """One figure that is read off a window."""

    name: str
    question: str
    reads: frozenset[str]
    """The measures it depends on."""
    formula: Formula
    measure: str | None = None
    """The measure that it is, where it is just that."""
    grains: frozenset[Grain] = EVERY_GRAIN
    """In which windows it can be read."""
    compares: bool = False
    """Whether it depends on other windows, too."""


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


def money(amount: int, digits: int, among: int = 1, per_unit: int = MICROS_PER_UNIT) -> str:
    """Write an amount, divided by `among`, as a decimal string, rounded half-even once.

    It is counted in millionths of a unit, or whatever a unit has `per_unit` of.
    """
    whole = _WHOLE[digits]
    minor = divide_half_even(amount * whole, per_unit * among)
    if digits == 0:
        return str(minor)
    if minor < 0:
        return f"-{-minor // whole}.{-minor % whole:0{digits}d}"
    return f"{minor // whole}.{minor % whole:0{digits}d}"


def figures_of(
    measures: Amounts, grain: Grain, moment: Moment
) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """A window's measures and KPIs as a record shows them.

    Measures stand in order, those that are zero left out, money as decimal strings, durations in days.
    """
    digits = moment.digits
    plan = _plan(tuple(measures), grain, digits)
    shown: dict[str, Figure] = {}
    for name, show in plan.measures:
        shown[name] = show(measures, digits)
    kpis = plan.constant.copy()
    for name, measure in plan.as_shown:
        kpis[name] = shown[measure]
    for name, formula in plan.formulas:
        kpis[name] = formula(measures, moment)
    if moment.growth is not None:
        for name, formula in plan.comparisons:
            kpis[name] = formula(measures, moment)
    for name in plan.may_be_zero:
        if not parts_in(measures, name):
            del shown[name]
    return shown, kpis


class _Plan(NamedTuple):
    """How to show windows of a grain in which just these measures count."""

    measures: list[tuple[str, Show]]
    constant: dict[str, Figure]
    """Every KPI in order, with its value where none of its measures counts."""
    as_shown: list[tuple[str, str]]
    """The KPIs that are a measure that counts, as it is shown."""
    formulas: list[tuple[str, Formula]]
    """The other KPIs that depend on what counts."""
    comparisons: list[tuple[str, Formula]]
    """The KPIs that depend on what counts in other windows."""
    may_be_zero: list[str]
    """Amounts that travel in several measures, which may add up to nothing."""


@cache
def _plan(names: tuple[str, ...], grain: Grain, digits: int) -> _Plan:
    readable = {name: kpi for name, kpi in KPIS.items() if grain in kpi.grains}
    depend = {name: kpi for name, kpi in readable.items() if not kpi.reads.isdisjoint(names)}
    nothing = Moment(digits, 0, 0)
    return _Plan(
        [
            (name, _show(name, measure.unit, names))
            for name, measure in MEASURES.items()
            if not _travels_as(name, measure.unit).isdisjoint(names)
        ],
        {name: kpi.formula({}, nothing) for name, kpi in readable.items()},
        [(name, kpi.measure) for name, kpi in depend.items() if kpi.measure is not None],
        [(name, kpi.formula) for name, kpi in depend.items() if kpi.measure is None and not kpi.compares],
        [(name, kpi.formula) for name, kpi in readable.items() if kpi.compares],
        [name for name in MEASURES if above(name) in names or below(name) in names],
    )


def _travels_as(measure: str, unit: Unit) -> frozenset[str]:
    if unit is Unit.MONEY:
        return frozenset({measure, above(measure), below(measure)})
    return frozenset({measure})


def _show(name: str, unit: Unit, names: tuple[str, ...] = ()) -> Show:
    """How a measure is shown where just these count."""
    match unit:
        case Unit.COUNT:
            return lambda measures, _: measures.get(name, 0)
        case Unit.DAYS:
            return lambda measures, _: measures.get(name, 0) / MICROS_PER_DAY
        case Unit.MONEY:
            if above(name) in names or below(name) in names:
                return lambda measures, digits: money(
                    parts_in(measures, name), digits, per_unit=PARTS_PER_UNIT
                )
            return lambda measures, digits: money(measures.get(name, 0), digits)


def _ratio(numerator: str, denominator: str) -> Formula:
    def formula(measures: Amounts, _: Moment) -> Figure:
        among = measures.get(denominator)
        return measures.get(numerator, 0) / among if among else None

    return formula


def _mean_amount(numerator: str, denominator: str) -> Formula:
    finer, coarser = below(numerator), above(numerator)

    def formula(measures: Amounts, moment: Moment) -> Figure:
        among = measures.get(denominator)
        if not among:
            return None
        if finer in measures or coarser in measures:
            return money(parts_in(measures, numerator), moment.digits, among, PARTS_PER_UNIT)
        return money(measures.get(numerator, 0), moment.digits, among)

    return formula


def _win_rate(measures: Amounts, _: Moment) -> Figure:
    won = measures.get("deals_won", 0)
    decided = won + measures.get("deals_lost", 0)
    return won / decided if decided else None


def _deals_closed(measures: Amounts, _: Moment) -> Figure:
    return measures.get("deals_won", 0) + measures.get("deals_lost", 0)


def _sales_cycle_days(measures: Amounts, _: Moment) -> Figure:
    won = measures.get("deals_won", 0)
    return measures.get("cycle_days_sum", 0) / (MICROS_PER_DAY * won) if won else None


def _customer_lifetime_days(measures: Amounts, moment: Moment) -> Figure:
    """From each customer's first won deal until they churned, or else until the as-of."""
    customers = measures.get("customers_new", 0)
    if not customers:
        return None
    staying = customers - measures.get(ENDED, 0)
    days = staying * moment.day + measures.get(ENDED_DAYS, 0) - measures.get(SINCE_DAYS, 0)
    micros = staying * moment.micros + measures.get(ENDED_MICROS, 0) - measures.get(SINCE_MICROS, 0)
    return (days * MICROS_PER_DAY + micros) / (MICROS_PER_DAY * customers)


def _sales_growth(_: Amounts, moment: Moment) -> Figure:
    return _growth(moment.growth)


def _growth_accumulated(_: Amounts, moment: Moment) -> Figure:
    return _growth(moment.accumulated)


def _growth(compared: Compared | None) -> Figure:
    if compared is None or not compared.before:
        return None
    return (compared.now - compared.before) / compared.before


def _is(name: str, question: str, measure: str) -> Kpi:
    """A KPI that is a measure."""
    unit = MEASURES[measure].unit
    show = _show(measure, unit, tuple(_travels_as(measure, unit)))
    return Kpi(
        name,
        question,
        _travels_as(measure, unit),
        lambda measures, moment: show(measures, moment.digits),
        measure,
    )


def _of(
    name: str,
    question: str,
    reads: str,
    formula: Formula,
    grains: frozenset[Grain] = EVERY_GRAIN,
    *,
    compares: bool = False,
) -> Kpi:
    """A KPI that is worked out from measures."""
    measures = frozenset[str]().union(
        *(_travels_as(each, MEASURES[each].unit) if each in MEASURES else {each} for each in reads.split())
    )
    return Kpi(name, question, measures, formula, None, grains, compares)


_EVER = frozenset({Grain.EVER})

_READ = [
    _is("new_leads", "Is the pipeline fed?", "leads_new"),
    _is("new_organisations", "Is the pipeline fed with new organisations?", "organisations_new"),
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
    _of(
        "average_deal_value",
        "Is it worth aiming higher?",
        "revenue deals_won",
        _mean_amount("revenue", "deals_won"),
    ),
    _of(
        "cac",
        "What does a new customer cost, salary and time included?",
        "cost customers_new",
        _mean_amount("cost", "customers_new"),
    ),
    _of(
        "clv",
        "What is a customer worth over time?",
        "revenue customers_new",
        _mean_amount("revenue", "customers_new"),
        _EVER,
    ),
    _of(
        "deals_per_customer",
        "How much more do they buy?",
        "deals_won customers_new",
        _ratio("deals_won", "customers_new"),
        _EVER,
    ),
    _of(
        "customer_lifetime_days",
        "How long do they stay?",
        "customers_new",
        _customer_lifetime_days,
        _EVER,
    ),
    _of("sales_growth", "Are we growing?", "revenue", _sales_growth, EVERY_GRAIN - _EVER, compares=True),
    _of(
        "growth_accumulated",
        "Are we growing despite the seasons?",
        "revenue",
        _growth_accumulated,
        frozenset({Grain.YEAR}),
        compares=True,
    ),
    _is("meetings_booked", "The seller's own day: meetings", "meetings_booked"),
    _is("quotes_sent", "The seller's own day: quotes", "quotes_sent"),
    _of("deals_closed", "The seller's own day: decided deals", "deals_won deals_lost", _deals_closed),
]

KPIS: dict[str, Kpi] = {kpi.name: kpi for kpi in _READ}
"""Every KPI by its name, in the order in which records show them."""
