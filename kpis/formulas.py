"""The figures of a record: what is counted, as people read it, and the KPIs over that.

The KPIs answer the questions of a sales organisation's own steering: is the pipeline fed, how many
contacts become customers, how long does it take, is it worth aiming higher. Their formulas are
definitions, as an organisation's own are (`kpis.definitions`), but for the few that look beyond one
window. A KPI whose denominator is zero is null.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from kpis.calendar import MICROS_PER_DAY, Grain
from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.evaluation import Evaluate, compiled
from kpis.definitions.formula import Named, Tree, parse, renamed
from kpis.measures import ENDED, ENDED_DAYS, ENDED_MICROS, MEASURES, SCALES, SINCE_DAYS, SINCE_MICROS
from kpis.money import PARTS_PER_UNIT, above, below, parts_in
from kpis.rounding import POWERS, decimal_text, half_even
from schemas.definitions import KpiDefinition, Unit
from schemas.records import Figure

_MINOR_DIGITS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    "CLF": 4,
    "UYW": 4,
}
"""ISO 4217 minor units, where they are not 2."""

Amounts = Mapping[str, int]


class Compared(NamedTuple):
    """Revenue of a window, and of what it is compared with, both in the same fraction of a unit."""

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


class Compare(NamedTuple):
    """What a record's growth is worked out from."""

    growth: Compared
    """The window beside the one before."""
    accumulated: Compared | None
    """The year so far beside the same dates of last year."""


Beyond = Callable[[Amounts, Moment, Compare | None], Figure]
"""A KPI that no formula over one window's measures can say."""

EVERY_GRAIN = frozenset(Grain)

ORDERS_KEPT = 10_000
PLANS_KEPT = 5_000
"""Of how many combinations of measures it is remembered how to show them."""


class Kpi(NamedTuple):
    """One figure that is read off a window."""

    name: str
    question: str
    grains: frozenset[Grain] = EVERY_GRAIN
    """In which windows it can be read."""
    beyond: Beyond | None = None
    """How it is worked out, where its definition cannot say."""
    compares: bool = False
    """Whether it depends on other windows, too."""


class Counted(NamedTuple):
    """A measure as records are to show it."""

    key: str
    """Under which its sums travel."""
    unit: Unit


class Own(Struct, frozen=True):
    """What an organisation defines itself, as far as it is in use."""

    measures: dict[str, Counted]
    kpis: dict[str, KpiDefinition]


def minor_digits(currency: str) -> int:
    """How many digits a currency's minor unit has after the point (ISO 4217)."""
    return _MINOR_DIGITS.get(currency, 2)


def money(amount: int, digits: int, per_unit: int = SCALES[Unit.MONEY]) -> str:
    """Write an amount as a decimal string, rounded half-even once; a unit has `per_unit` of it."""
    return decimal_text(half_even(amount * POWERS[digits], per_unit), digits)


class _Plan(NamedTuple):
    """How to show windows of a grain in which just these measures count."""

    measures: list[tuple[str, Evaluate]]
    constant: dict[str, Figure]
    """Every KPI in order, with its value where none of its measures counts."""
    as_shown: list[tuple[str, str]]
    """The KPIs that are a measure that counts, as it is shown."""
    formulas: list[tuple[str, Evaluate]]
    """The other KPIs that depend on what counts."""
    beyond: list[tuple[str, Beyond]]
    """Those among them that no formula says."""
    comparisons: list[tuple[str, Beyond]]
    """The KPIs that depend on what counts in other windows."""
    may_be_zero: list[tuple[str, str]]
    """Amounts that travel in several measures, which may add up to nothing; by their keys."""


class Reader:
    """Reads records off measures: ours, and what an organisation defines itself."""

    def __init__(self, own: Own | None = None) -> None:
        self._own = Own({}, {}) if own is None else own
        self._counted = {name: Counted(name, measure.unit) for name, measure in MEASURES.items()}
        self._counted |= self._own.measures
        self._plans: dict[str, dict[tuple[str, ...], _Plan]] = {grain.value: {} for grain in Grain}
        """By grain, and by the measures that count, in the order in which they came."""
        self._of_sets: dict[tuple[str, frozenset[str]], _Plan] = {}
        """The same plans, whatever the order."""

    def figures(
        self, measures: Amounts, grain: str, moment: Moment, compare: Compare | None = None
    ) -> tuple[dict[str, Figure], dict[str, Figure]]:
        """A window's measures and KPIs as a record shows them.

        Measures stand in order, those that are zero left out, money as decimal strings, durations in days.
        """
        digits = moment.digits
        names = tuple(measures)
        plan = self._plans[grain].get(names)
        if plan is None:
            plan = self._planned(names, grain, digits)
        shown: dict[str, Figure] = {}
        for name, show in plan.measures:
            shown[name] = show(measures, digits)
        kpis = plan.constant.copy()
        for name, measure in plan.as_shown:
            kpis[name] = shown[measure]
        for name, evaluate in plan.formulas:
            kpis[name] = evaluate(measures, digits)
        for name, beyond in plan.beyond:
            kpis[name] = beyond(measures, moment, compare)
        if compare is not None:
            for name, beyond in plan.comparisons:
                kpis[name] = beyond(measures, moment, compare)
        for name, counted in plan.may_be_zero:
            if not parts_in(measures, counted):
                del shown[name]
        return shown, kpis

    def _planned(self, names: tuple[str, ...], grain: str, digits: int) -> _Plan:
        orders = self._plans[grain]
        if len(orders) > ORDERS_KEPT:
            orders.clear()
        if len(self._of_sets) > PLANS_KEPT:
            self._of_sets.clear()
        key = (grain, frozenset(names))
        plan = self._of_sets.get(key)
        if plan is None:
            plan = self._of_sets[key] = self._plan(key[1], Grain(grain), digits)
        orders[names] = plan
        return plan

    def _plan(self, names: frozenset[str], grain: Grain, digits: int) -> _Plan:
        travelling = {
            name: each for name, each in self._counted.items() if not _travels_as(each).isdisjoint(names)
        }
        constant: dict[str, Figure] = {}
        as_shown: list[tuple[str, str]] = []
        formulas: list[tuple[str, Evaluate]] = []
        beyond: list[tuple[str, Beyond]] = []
        comparisons: list[tuple[str, Beyond]] = []
        for name, kpi in KPIS.items():
            if grain not in kpi.grains:
                continue
            if kpi.beyond is not None:
                constant[name] = kpi.beyond({}, Moment(digits, 0, 0), None)
                (comparisons if kpi.compares else beyond).append((name, kpi.beyond))
        for name, definition in self._definitions(grain).items():
            tree, mentions = parse(definition.formula)
            if not all(mention.measure in self._counted for mention in mentions):
                # It reads what is not counted yet.
                continue
            evaluate = self._evaluate(tree, definition, names)
            constant[name] = evaluate({}, digits)
            if all(mention.measure not in travelling for mention in mentions):
                continue
            if isinstance(tree, Named) and _shows_as(self._counted[tree.measure].unit) == definition.unit:
                as_shown.append((name, tree.measure))
            else:
                formulas.append((name, evaluate))
        order = [*KPIS, *self._own.kpis]
        return _Plan(
            [(name, _show(each, names)) for name, each in travelling.items()],
            {name: constant[name] for name in order if name in constant},
            as_shown,
            formulas,
            beyond,
            comparisons,
            [(name, each.key) for name, each in travelling.items() if _is_split(each.key, names)],
        )

    def _definitions(self, grain: Grain) -> dict[str, KpiDefinition]:
        ours = {name: one for name, one in builtin_kpis().items() if grain in KPIS[name].grains}
        return ours | self._own.kpis

    def _evaluate(self, tree: Tree, definition: KpiDefinition, names: frozenset[str]) -> Evaluate:
        """A formula over just these measures; amounts in several of them are put together first."""
        keys = {name: each.key for name, each in self._counted.items()}
        split = [each.key for each in self._counted.values() if _is_split(each.key, names)]
        scales = {each.key: SCALES[each.unit] for each in self._counted.values()}
        scales |= dict.fromkeys(split, PARTS_PER_UNIT)
        evaluate = compiled(renamed(tree, keys), definition.unit, scales)
        if not split:
            return evaluate

        def put_together(measures: Amounts, digits: int) -> Figure:
            whole = {key: parts_in(measures, key) for key in split}
            return evaluate({**measures, **whole}, digits)

        return put_together


def _travels_as(counted: Counted) -> frozenset[str]:
    """The measures in which the sums of one travel."""
    key = counted.key
    if counted.unit in {Unit.MONEY, Unit.NUMBER}:
        return frozenset({key, above(key), below(key)})
    return frozenset({key})


def _is_split(key: str, names: frozenset[str]) -> bool:
    return above(key) in names or below(key) in names


def _shows_as(unit: Unit) -> str:
    """The unit of a KPI that is shown as a measure of this one is."""
    return {Unit.NUMBER: "ratio"}.get(unit, unit.value)


def _show(counted: Counted, names: frozenset[str]) -> Evaluate:
    """How a measure is shown where just these count."""
    key, unit = counted
    split = _is_split(key, names)
    match unit:
        case Unit.COUNT:
            return lambda measures, _: measures.get(key, 0)
        case Unit.DAYS:
            return lambda measures, _: measures.get(key, 0) / MICROS_PER_DAY
        case Unit.NUMBER:
            if split:
                return lambda measures, _: parts_in(measures, key) / PARTS_PER_UNIT
            return lambda measures, _: measures.get(key, 0) / SCALES[Unit.NUMBER]
        case Unit.MONEY:
            if split:
                return lambda measures, digits: money(parts_in(measures, key), digits, PARTS_PER_UNIT)
            return lambda measures, digits: money(measures.get(key, 0), digits)


def _customer_lifetime_days(measures: Amounts, moment: Moment, _: Compare | None) -> Figure:
    """From each customer's first won deal until they churned, or else until the as-of."""
    customers = measures.get("customers_new", 0)
    if not customers:
        return None
    staying = customers - measures.get(ENDED, 0)
    days = staying * moment.day + measures.get(ENDED_DAYS, 0) - measures.get(SINCE_DAYS, 0)
    micros = staying * moment.micros + measures.get(ENDED_MICROS, 0) - measures.get(SINCE_MICROS, 0)
    return (days * MICROS_PER_DAY + micros) / (MICROS_PER_DAY * customers)


def _sales_growth(_a: Amounts, _m: Moment, compare: Compare | None) -> Figure:
    return None if compare is None else _growth(compare.growth)


def _growth_accumulated(_a: Amounts, _m: Moment, compare: Compare | None) -> Figure:
    return None if compare is None else _growth(compare.accumulated)


def _growth(compared: Compared | None) -> Figure:
    if compared is None or not compared.before:
        return None
    return (compared.now - compared.before) / compared.before


_EVER = frozenset({Grain.EVER})

_READ = [
    Kpi("new_leads", "Is the pipeline fed?"),
    Kpi("new_organisations", "Is the pipeline fed with new organisations?"),
    Kpi("qualified_leads", "Is the pipeline fed with leads worth pursuing?"),
    Kpi("hit_rate", "How many contacts become customers?"),
    Kpi("win_rate", "How many decided deals do we win?"),
    Kpi("sales_cycle_days", "How long from first contact to closed?"),
    Kpi("revenue", "What did the deals we won bring?"),
    Kpi("average_deal_value", "Is it worth aiming higher?"),
    Kpi("cac", "What does a new customer cost, salary and time included?"),
    Kpi("clv", "What is a customer worth over time?", _EVER),
    Kpi("deals_per_customer", "How much more do they buy?", _EVER),
    Kpi("customer_lifetime_days", "How long do they stay?", _EVER, _customer_lifetime_days),
    Kpi("sales_growth", "Are we growing?", EVERY_GRAIN - _EVER, _sales_growth, compares=True),
    Kpi(
        "growth_accumulated",
        "Are we growing despite the seasons?",
        frozenset({Grain.YEAR}),
        _growth_accumulated,
        compares=True,
    ),
    Kpi("meetings_booked", "The seller's own day: meetings"),
    Kpi("quotes_sent", "The seller's own day: quotes"),
    Kpi("deals_closed", "The seller's own day: decided deals"),
]

KPIS: dict[str, Kpi] = {kpi.name: kpi for kpi in _READ}
"""Every KPI by its name, in the order in which records show them."""
