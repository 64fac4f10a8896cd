"""What every KPI is called, how it is written, and which way is better: of ours and of own ones.

All who write a figure for people read it here; how a figure is worked out is in `kpis.formulas`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.formula import Named, Operation, Tree, parse
from kpis.formulas import KPIS
from schemas.definitions import KpiDefinition, KpiUnit


class KpiMeaning(Struct, frozen=True):
    """What a KPI's figure stands for."""

    unit: KpiUnit
    better: Literal["higher", "lower"]
    name: Mapping[str, str]
    """What people call it, by language."""
    percent: bool = False
    """Whether it is written in per cent, as a part of a whole or a change; another ratio is a number."""


_RATES = frozenset({"hit_rate"})
"""Parts of a whole whose formulas do not show it."""

BEYOND: Mapping[str, KpiMeaning] = MappingProxyType(
    {
        "customer_lifetime_days": KpiMeaning(
            "days", "higher", {"sv": "Tid som kund, dagar", "en": "Customer lifetime, days"}
        ),
        "sales_growth": KpiMeaning("ratio", "higher", {"sv": "Tillväxt", "en": "Growth"}, percent=True),
        "growth_accumulated": KpiMeaning(
            "ratio", "higher", {"sv": "Tillväxt i år", "en": "Growth this year"}, percent=True
        ),
    }
)
"""Those that look beyond one window, which no formula says; the others are in `builtin.toml`."""


def kpi_meanings(own: Mapping[str, KpiDefinition] = MappingProxyType({})) -> dict[str, KpiMeaning]:
    """All KPIs by name, in the order in which records show them; own ones last."""
    defined = {**builtin_kpis(), **own}
    return {
        name: _defined(name, defined[name]) if name in defined else BEYOND[name]
        for name in dict.fromkeys([*KPIS, *own])
    }


def is_rate(name: str, tree: Tree) -> bool:
    """Whether a KPI is a part of a whole, and so at most 1: one measure over a sum that it is a term of."""
    match tree:
        case Operation("/", Named(part), below):
            return name in _RATES or part in set(_terms(below))
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


def _defined(name: str, one: KpiDefinition) -> KpiMeaning:
    percent = one.unit == "ratio" and is_rate(name, parse(one.formula).tree)
    return KpiMeaning(one.unit, one.better, one.name, percent)
