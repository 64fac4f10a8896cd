"""What KPIs are called and how they are written: ours, and the organisation's own as the view has them."""

from msgspec import Struct

from goals.known import known_kpis
from kpis.calendar import Grain
from kpis.definitions.changing import definitions_in
from kpis.meanings import kpi_meanings
from notices.figures import Meaning
from schemas.definitions import Definitions, KpiUnit, Unit
from wall.entries import decode_defined, decode_named
from wall.view import View


class Kpi(Struct, frozen=True, kw_only=True):
    """A KPI, as pages show it."""

    kpi: str
    name: dict[str, str]
    """By language; empty where nobody gave it one."""
    unit: KpiUnit
    lower_is_better: bool
    additive: bool
    """Whether the figures of sellers add up to those of their team."""
    grains: list[Grain]
    """In which windows there is one, the shortest first."""
    own: bool
    """Whether the organisation defined it."""


class Measure(Struct, frozen=True, kw_only=True):
    """A measure, as pages show it."""

    measure: str
    name: dict[str, str]
    """By language; empty of those of ours, which pages name, and where nobody gave it one."""
    unit: Unit


def definitions_of(view: View) -> Definitions:
    """What the organisation defined itself."""
    held = map(decode_defined, view.of_kind("definition"))
    return definitions_in({one.key: one.record for one in held})


def meaning_in(view: View, currency: str) -> Meaning:
    """The KPIs, and the people, as texts name them."""
    people = {named.scope: named.name for named in map(decode_named, view.of_kind("name"))}
    return Meaning(kpi_meanings(definitions_of(view).kpis), currency, people)


def kpis_in(view: View, currency: str) -> list[Kpi]:
    """All KPIs, in the order in which records show them; own ones last."""
    own = definitions_of(view)
    meanings = kpi_meanings(own.kpis)
    return [
        Kpi(
            kpi=one.name,
            name=dict(meanings[one.name].name),
            unit=one.unit,
            lower_is_better=one.lower_is_better,
            additive=one.additive,
            grains=[grain for grain in Grain if grain in one.grains],
            own=one.name in own.kpis,
        )
        for one in known_kpis(currency, own).kpis.values()
    ]


def measures_in(view: View, currency: str) -> list[Measure]:
    """All measures, in the order in which records show them; own ones last."""
    own = definitions_of(view)
    return [
        Measure(measure=name, name=own.measures[name].name if name in own.measures else {}, unit=unit)
        for name, unit in known_kpis(currency, own).units.items()
    ]
