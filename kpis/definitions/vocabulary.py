"""What own definitions stand beside: the measures and KPIs that are there already, and their scales."""

from functools import cache

from kpis.calendar import MICROS_PER_DAY
from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.checking import Vocabulary, taken_names
from kpis.definitions.counting import MILLION, unit_of
from kpis.definitions.evaluation import Scales
from kpis.formulas import KPIS
from kpis.measures import MEASURES, MICROS_PER_UNIT
from schemas.definitions import Definitions, Unit

_SCALES = {Unit.COUNT: 1, Unit.MONEY: MICROS_PER_UNIT, Unit.DAYS: MICROS_PER_DAY, Unit.NUMBER: MILLION}


@cache
def vocabulary() -> Vocabulary:
    """What an organisation's own definitions can read, and what they must not be called."""
    kpis = dict.fromkeys(KPIS, "") | {name: kpi.formula for name, kpi in builtin_kpis().items()}
    return Vocabulary(frozenset(MEASURES), kpis, taken_names(MEASURES, kpis))


def scales(definitions: Definitions) -> Scales:
    """How many of the units that each measure counts, ours or own, make one of those that people read."""
    ours = {name: _SCALES[Unit(measure.unit)] for name, measure in MEASURES.items()}
    return ours | {name: _SCALES[unit_of(own)] for name, own in definitions.measures.items()}
