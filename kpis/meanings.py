"""What every KPI is called, in what it is, which way is better, and whether it adds up: of ours and of an
organisation's own.

All who write a figure for people read it here; how a figure is worked out is in `kpis.formulas`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from kpis.definitions.builtin import builtin_kpis
from kpis.definitions.formula import is_sum, parse
from kpis.formulas import KPIS
from schemas.definitions import KpiDefinition, KpiUnit


class KpiMeaning(Struct, frozen=True):
    """What a KPI's figure stands for."""

    unit: KpiUnit
    better: Literal["higher", "lower"]
    name: Mapping[str, str]
    """What people call it, by language."""
    accumulates: bool = False
    """Whether it grows with what happens, as a sum does and a mean or ratio does not."""


BEYOND: Mapping[str, KpiMeaning] = MappingProxyType(
    {
        "customer_lifetime_days": KpiMeaning(
            "days", "higher", {"sv": "Tid som kund, dagar", "en": "Customer lifetime, days"}
        ),
        "sales_growth": KpiMeaning("ratio", "higher", {"sv": "Tillväxt", "en": "Growth"}),
        "growth_accumulated": KpiMeaning(
            "ratio", "higher", {"sv": "Tillväxt i år", "en": "Growth this year"}
        ),
    }
)
"""Those that look beyond one window, which no formula says; the others are in `builtin.toml`."""


def called(name: Mapping[str, str], language: str, key: str) -> str:
    """What something is called in a language; else in English, in any, or by the words of its key."""
    given = name.get(language) or name.get("en") or next(iter(name.values()), None)
    if given is not None:
        return given
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def kpi_meanings(own: Mapping[str, KpiDefinition] = MappingProxyType({})) -> dict[str, KpiMeaning]:
    """All KPIs by name, in the order in which records show them; own ones last."""
    defined = {**builtin_kpis(), **own}
    return {
        name: _defined(defined[name]) if name in defined else BEYOND[name]
        for name in dict.fromkeys([*KPIS, *own])
    }


def _defined(one: KpiDefinition) -> KpiMeaning:
    return KpiMeaning(one.unit, one.better, one.name, is_sum(parse(one.formula).tree))
