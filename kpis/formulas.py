"""The figures of a record: what is counted, as people read it, and the KPIs over that.

The KPIs answer the questions of a sales organisation's own steering: is the pipeline fed, how many
contacts become customers, how long does it take, is it worth aiming higher. Their formulas are
definitions, as an organisation's own are (`kpis.definitions`), but for the few that look beyond one
window. A KPI whose denominator is zero is null.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import lcm
from typing import NamedTuple

import msgspec
from msgspec import Struct

from kpis.calendar import MICROS_PER_DAY, Grain
from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.evaluation import Evaluate, compiled
from kpis.definitions.formula import Named, Tree, parse, renamed
from kpis.measures import ENDED, ENDED_DAYS, ENDED_MICROS, MEASURES, SCALES, SINCE_DAYS, SINCE_MICROS
from kpis.money import amount_of, per_unit_of, weight_of
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

WAYS_KEPT = 10_000
PLANS_KEPT = 20_000
"""Of how many combinations of measures it is remembered how to show them: of names in which they travel,
which grow with history, and of the measures themselves."""
READERS_KEPT = 4
"""Of how many sets of definitions; one is in use, and while it changes, two."""


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


class _Formula(NamedTuple):
    """A KPI that a formula says."""

    name: str
    definition: KpiDefinition
    tree: Tree
    reads: frozenset[str]
    """The measures it mentions,"""
    keys: frozenset[str]
    """and the keys of these."""
    shown: str | None
    """The measure that it is, as that is shown."""


class _OfGrain(NamedTuple):
    """What all windows of a grain have in common."""

    constant: dict[str, Figure]
    """Every KPI in order, with its value where none of its measures counts."""
    formulas: list[_Formula]
    beyond: list[tuple[str, Beyond]]
    """The KPIs that no formula says."""
    comparisons: list[tuple[str, Beyond]]
    """Those among them that depend on what counts in other windows."""


class _Plan(NamedTuple):
    """How to show windows of a grain in which just these measures count."""

    of_grain: _OfGrain
    measures: list[tuple[str, Evaluate]]
    as_shown: list[tuple[str, str]]
    """The KPIs that are a measure that counts, as it is shown."""
    formulas: list[tuple[str, Evaluate]]
    """The other KPIs that depend on what counts."""
    may_be_zero: list[tuple[str, str]]
    """The measures of split amounts, which may add up to nothing; with their keys."""


class _Way(NamedTuple):
    """How to show windows of a grain in which measures travel under just these names."""

    split: list[tuple[str, list[tuple[str, int]]]]
    """The keys of amounts that travel in several measures, and what they are put together from first."""
    plan: _Plan


class Reader:
    """Reads records off measures: ours, and what an organisation defines itself.

    Windows count thousands of combinations of measures, and of the names in which amounts of money travel
    many more. What is worked out for one is little: a formula is read once, and compiled once for each way
    in which the amounts it mentions travel, whole or split. All that are split are put together in the
    same fraction of a unit, in which every one that was met so far is whole.
    """

    def __init__(
        self, own: Own | None = None, *, ways_kept: int = WAYS_KEPT, plans_kept: int = PLANS_KEPT
    ) -> None:
        self._ways_kept, self._plans_kept = ways_kept, plans_kept
        self._own = Own({}, {}) if own is None else own
        self._counted = {name: Counted(name, measure.unit) for name, measure in MEASURES.items()}
        self._counted |= self._own.measures
        self._by_key = {each.key: name for name, each in self._counted.items()}
        self._per_unit = per_unit_of([])
        """How many of what split amounts are put together in make a unit: the least number that is one for
        each name that was met. For all numbers of days up to `MAX_COST_DAYS` it has 1,600 digits."""
        self._keys: dict[str, str] = {}
        """By the names that were met: the key of the measure that travels under it."""
        self._weights: dict[str, int] = {}
        """By the same names: by how much to multiply what travels under it, to put amounts together."""
        self._ways: dict[str, dict[frozenset[str], _Way]] = {grain.value: {} for grain in Grain}
        """By grain, and by the names of what counts. They come in as many orders as there are histories."""
        self._plans: dict[tuple[str, frozenset[str], frozenset[str]], _Plan] = {}
        """By grain, the keys of the measures that count, and of those that are split."""
        self._of_grains: dict[str, _OfGrain] = {}
        self._shows: dict[tuple[str, int], tuple[str, Evaluate]] = {}
        """Measures, by how many of what they count make a unit."""
        self._evaluates: dict[tuple[str, frozenset[str]], tuple[str, Evaluate]] = {}
        """Formulas, by which of the amounts in them are split."""

    def figures(
        self, measures: Amounts, grain: str, moment: Moment, compare: Compare | None = None
    ) -> tuple[dict[str, Figure], dict[str, Figure]]:
        """A window's measures and KPIs as a record shows them.

        Measures stand in order, those that are zero left out, money as decimal strings, durations in days.
        """
        digits = moment.digits
        names = frozenset(measures)
        way = self._ways[grain].get(names)
        if way is None:
            way = self._way(names, grain, digits)
        split, plan = way
        amounts = measures
        if split:
            amounts = dict(measures)
            for key, weights in split:
                amounts[key] = sum([measures[name] * weight for name, weight in weights])
        shown: dict[str, Figure] = {}
        for name, show in plan.measures:
            shown[name] = show(amounts, digits)
        of_grain = plan.of_grain
        kpis = of_grain.constant.copy()
        for name, measure in plan.as_shown:
            kpis[name] = shown[measure]
        for name, evaluate in plan.formulas:
            kpis[name] = evaluate(amounts, digits)
        for name, beyond in of_grain.beyond:
            kpis[name] = beyond(measures, moment, compare)
        if compare is not None:
            for name, beyond in of_grain.comparisons:
                kpis[name] = beyond(measures, moment, compare)
        for name, key in plan.may_be_zero:
            if not amounts[key]:
                del shown[name]
        return shown, kpis

    def _way(self, names: frozenset[str], grain: str, digits: int) -> _Way:
        keys = self._keys
        for name in names:
            if name not in keys:
                self._meet(name)
        travel: dict[str, list[str]] = {}
        for name in names:
            key = keys[name]
            if key in self._by_key:
                travel.setdefault(key, []).append(name)
        split = {key: under for key, under in travel.items() if under != [key]}
        plan = self._planned(grain, frozenset(travel), frozenset(split), digits)
        weights = self._weights
        ways = self._ways[grain]
        if len(ways) > self._ways_kept:
            ways.clear()
        way = ways[names] = _Way(
            [(key, [(name, weights[name]) for name in under]) for key, under in split.items()], plan
        )
        return way

    def _meet(self, name: str) -> None:
        """A name under which an amount travels: from now on amounts are put together as finely as it is."""
        per_unit = lcm(self._per_unit, per_unit_of([name]))
        self._keys[name] = amount_of(name)
        if per_unit != self._per_unit:
            self._per_unit = per_unit
            self._forget()
            self._weights = {known: weight_of(known, per_unit) for known in self._keys}
        else:
            self._weights[name] = weight_of(name, per_unit)

    def _planned(self, grain: str, travel: frozenset[str], split: frozenset[str], digits: int) -> _Plan:
        which = (grain, travel, split)
        plan = self._plans.get(which)
        if plan is None:
            if len(self._plans) > self._plans_kept:
                self._forget()
            of_grain = self._of_grains.get(grain)
            if of_grain is None:
                of_grain = self._of_grains[grain] = self._of_grain(Grain(grain), digits)
            plan = self._plans[which] = self._plan(travel, split, of_grain)
        return plan

    def _forget(self) -> None:
        for ways in self._ways.values():
            ways.clear()
        self._plans.clear()
        self._shows.clear()
        self._evaluates.clear()

    def _plan(self, travel: frozenset[str], split: frozenset[str], of_grain: _OfGrain) -> _Plan:
        travelling = {self._by_key[key] for key in travel}
        counting = [(name, each.key) for name, each in self._counted.items() if name in travelling]
        as_shown: list[tuple[str, str]] = []
        formulas: list[tuple[str, Evaluate]] = []
        for formula in of_grain.formulas:
            if formula.reads.isdisjoint(travelling):
                continue
            if formula.shown is not None:
                as_shown.append((formula.name, formula.shown))
            else:
                formulas.append(self._evaluate(formula, split))
        return _Plan(
            of_grain,
            [self._show(name, whole=key not in split) for name, key in counting],
            as_shown,
            formulas,
            [(name, key) for name, key in counting if key in split],
        )

    def _of_grain(self, grain: Grain, digits: int) -> _OfGrain:
        constant: dict[str, Figure] = {}
        beyond: list[tuple[str, Beyond]] = []
        comparisons: list[tuple[str, Beyond]] = []
        for name, kpi in KPIS.items():
            if grain in kpi.grains and kpi.beyond is not None:
                constant[name] = kpi.beyond({}, Moment(digits, 0, 0), None)
                (comparisons if kpi.compares else beyond).append((name, kpi.beyond))
        formulas = list(self._formulas(grain))
        for formula in formulas:
            _, evaluate = self._evaluate(formula, frozenset())
            constant[formula.name] = evaluate({}, digits)
        order = [*KPIS, *self._own.kpis]
        in_order = {name: constant[name] for name in order if name in constant}
        return _OfGrain(in_order, formulas, beyond, comparisons)

    def _formulas(self, grain: Grain) -> Iterator[_Formula]:
        ours = {name: one for name, one in builtin_kpis().items() if grain in KPIS[name].grains}
        for name, definition in (ours | self._own.kpis).items():
            tree, mentions = parse(definition.formula)
            reads = frozenset(mention.measure for mention in mentions)
            if not reads <= self._counted.keys():
                # It reads what is not counted yet.
                continue
            keys = frozenset(self._counted[measure].key for measure in reads)
            shown = None
            if isinstance(tree, Named) and self._counted[tree.measure].unit.value == definition.unit:
                shown = tree.measure
            yield _Formula(name, definition, tree, reads, keys, shown)

    def _show(self, name: str, *, whole: bool) -> tuple[str, Evaluate]:
        counted = self._counted[name]
        per_unit = SCALES[counted.unit] if whole else self._per_unit
        show = self._shows.get((name, per_unit))
        if show is None:
            show = self._shows[name, per_unit] = (name, _show(counted, per_unit))
        return show

    def _evaluate(self, formula: _Formula, split: frozenset[str]) -> tuple[str, Evaluate]:
        which = (formula.name, formula.keys & split)
        known = self._evaluates.get(which)
        if known is None:
            keys = {name: self._counted[name].key for name in formula.reads}
            scales = {key: SCALES[self._counted[name].unit] for name, key in keys.items()}
            scales |= dict.fromkeys(formula.keys & split, self._per_unit)
            evaluate = compiled(renamed(formula.tree, keys), formula.definition.unit, scales)
            known = self._evaluates[which] = (formula.name, evaluate)
        return known


def shared_reader(own: Own, digits: int) -> Reader:
    """A process has one reader for what is defined: partitions count in like combinations of measures."""
    return _shared_reader(_encode_own(own), digits)


@lru_cache(READERS_KEPT)
def _shared_reader(own: bytes, _digits: int) -> Reader:
    return Reader(_decode_own(own))


_encode_own = msgspec.msgpack.Encoder().encode
_decode_own = msgspec.msgpack.Decoder(Own).decode


def _show(counted: Counted, scale: int) -> Evaluate:
    """How a measure that counts is shown, of which so many make a unit."""
    key, unit = counted
    match unit:
        case Unit.COUNT:
            return lambda amounts, _: amounts[key]
        case Unit.DAYS | Unit.NUMBER:
            return lambda amounts, _: amounts[key] / scale
        case Unit.MONEY:
            return lambda amounts, digits: money(amounts[key], digits, scale)


def customers_staying(measures: Amounts) -> int:
    """How many of a scope's customers have not left: of all time, they have stayed longer each day."""
    return measures.get("customers_new", 0) - measures.get(ENDED, 0)


def _customer_lifetime_days(measures: Amounts, moment: Moment, _: Compare | None) -> Figure:
    """From each customer's first won deal until they churned, or else until the as-of."""
    customers = measures.get("customers_new", 0)
    if not customers:
        return None
    staying = customers_staying(measures)
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
