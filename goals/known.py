"""What is known of the KPIs that goals are set for: unit, direction, windows, and whether they add up."""

from collections.abc import Iterator
from typing import NamedTuple

from kpis.calendar import Grain
from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.counting import unit_of
from kpis.definitions.evaluation import Evaluate, compiled
from kpis.definitions.formula import Named, Operation, Tree, is_sum, parse
from kpis.formulas import EVERY_GRAIN, KPIS, minor_digits
from kpis.meanings import BEYOND
from kpis.measures import MEASURES, SCALES
from schemas.definitions import Definitions, KpiUnit, Unit

DISTINCT = "distinct person"

DAYS_DIGITS = 6
"""To how many decimals days are divided."""

_RATES = frozenset({"hit_rate"})
"""Parts of a whole whose formulas do not show it."""


class KnownKpi(NamedTuple):
    """A KPI, as far as goals depend on it."""

    name: str
    unit: KpiUnit
    lower_is_better: bool
    grains: frozenset[Grain]
    """In which windows records show it."""
    accumulates: bool
    """Whether it grows with what happens, as a sum does and a mean or ratio does not."""
    additive: bool
    """Whether the figures of sellers and of days add up to those of their team and month."""
    spans: bool
    """Whether it can be put together over days that are no calendar window."""
    rate: bool
    """Whether it is a part of a whole, and so at most 1."""
    measures: frozenset[str]
    """What it is read off."""
    evaluate: Evaluate | None
    """Its formula; None for the few that look beyond one window."""


class Known(NamedTuple):
    """What an organisation can set goals for."""

    kpis: dict[str, KnownKpi]
    units: dict[str, Unit]
    """Of each measure."""
    currency: str

    @property
    def digits(self) -> int:
        """The minor digits of the reporting currency."""
        return minor_digits(self.currency)


def known_kpis(currency: str, own: Definitions | None = None) -> Known:
    """The KPIs that there are, in the order in which records show them, and an organisation's own."""
    own = Definitions() if own is None else own
    units = {name: measure.unit for name, measure in MEASURES.items()}
    units |= {name: unit_of(one) for name, one in own.measures.items()}
    distinct = {name for name, measure in MEASURES.items() if not measure.additive}
    distinct |= {name for name, one in own.measures.items() if one.count == DISTINCT}
    scales = {name: SCALES[unit] for name, unit in units.items()}
    ours = builtin_kpis()
    kpis: dict[str, KnownKpi] = {}
    for name, kpi in KPIS.items():
        if name not in ours:
            beyond = BEYOND[name]
            lower = beyond.better == "lower"
            kpis[name] = KnownKpi(
                name, beyond.unit, lower, kpi.grains, False, False, False, False, frozenset(), None
            )
    for name, one in (ours | own.kpis).items():
        tree, mentions = parse(one.formula)
        measures = frozenset(mention.measure for mention in mentions)
        if not measures <= units.keys():
            # It reads what is not defined, and no record shows it.
            continue
        adds_up = is_sum(tree)
        kpis[name] = KnownKpi(
            name,
            one.unit,
            one.better == "lower",
            KPIS[name].grains if name in ours else EVERY_GRAIN,
            adds_up,
            adds_up and measures.isdisjoint(distinct),
            measures.isdisjoint(distinct),
            name in _RATES or _is_share(tree),
            measures,
            compiled(tree, one.unit, scales),
        )
    in_order = {name: kpis[name] for name in [*KPIS, *own.kpis] if name in kpis}
    return Known(in_order, units, currency)


def digits_of(kpi: KnownKpi, known: Known) -> int:
    """How many decimals a figure of a KPI can have where it is divided among people."""
    match kpi.unit:
        case "count":
            return 0
        case "money":
            return known.digits
        case _:
            return DAYS_DIGITS


def _is_share(tree: Tree) -> bool:
    """Whether a formula is one measure over a sum that it is a part of."""
    match tree:
        case Operation("/", Named(part), below):
            return part in set(_terms(below))
        case _:
            return False


def _terms(tree: Tree) -> Iterator[str]:
    match tree:
        case Named(measure):
            yield measure
        case Operation("+", left, right):
            yield from _terms(left)
            yield from _terms(right)
        case _:
            return
