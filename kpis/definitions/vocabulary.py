"""What own definitions stand beside: the measures and KPIs that are there already."""

from functools import cache

from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.checking import Vocabulary, taken_names
from kpis.formulas import KPIS
from kpis.measures import MEASURES


@cache
def vocabulary() -> Vocabulary:
    """What an organisation's own definitions can read, and what they must not be called."""
    kpis = dict.fromkeys(KPIS, "") | {name: kpi.formula for name, kpi in builtin_kpis().items()}
    return Vocabulary(frozenset(MEASURES), kpis, taken_names(MEASURES, kpis))
