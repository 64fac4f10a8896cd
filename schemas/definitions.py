"""An organisation's own measures and KPIs, as they travel on the topic `definitions`.

What they mean, and what makes one valid, is in `kpis/definitions`; here is only their form.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Plain = str | int | float | bool
"""A value that a field of an event's data may have and a condition may ask for."""

KpiUnit = Literal["ratio", "number", "count", "money", "days"]
"""How a KPI's figure is written: a ratio in per cent, and a number as it is."""


class Unit(StrEnum):
    """What a measure's figure stands for."""

    COUNT = "count"
    MONEY = "money"
    DAYS = "days"
    NUMBER = "number"
    """A number of the organisation's own, with six decimals."""


class MeasureDefinition(
    Struct, frozen=True, kw_only=True, tag_field="kind", tag="measure", omit_defaults=True
):
    """What is counted of the objects that an event type describes."""

    event: str
    where: dict[str, tuple[Plain, ...]] = {}
    """For each field the values it may have; an object must fulfil all of them."""
    count: str = "each"
    """`each`, `distinct person` or `sum FIELD`."""
    name: dict[str, str] = {}
    """What people call it, by language."""


class KpiDefinition(Struct, frozen=True, kw_only=True, tag_field="kind", tag="kpi", omit_defaults=True):
    """What is read off a window's measures."""

    formula: str
    unit: KpiUnit
    better: Literal["higher", "lower"]
    name: dict[str, str]


class Definitions(Struct, frozen=True):
    """All that an organisation defines, by name."""

    measures: dict[str, MeasureDefinition] = {}
    kpis: dict[str, KpiDefinition] = {}


class DefinitionRecord(Struct, frozen=True):
    """One definition on the topic, under the key `measures/NAME` or `kpis/NAME`; null there removes it."""

    version: Annotated[int, Meta(ge=1)]
    """Grows with each change: figures and goals say under which one they hold."""
    definition: MeasureDefinition | KpiDefinition


def key_of(name: str, definition: MeasureDefinition | KpiDefinition) -> str:
    """The record's key on the topic."""
    return f"measures/{name}" if isinstance(definition, MeasureDefinition) else f"kpis/{name}"


encode_definition = msgspec.json.Encoder(order="deterministic").encode
decode_definition = msgspec.json.Decoder(DefinitionRecord).decode
