"""What changes when a file of definitions is put in force, beside what is in force already."""

from collections.abc import Mapping

from kpis.definitions.formula import parse, written
from schemas.definitions import (
    DefinitionRecord,
    Definitions,
    KpiDefinition,
    MeasureDefinition,
    key_of,
)


def changed(
    definitions: Definitions, in_force: Mapping[str, DefinitionRecord], *, only: bool, now: int
) -> dict[str, DefinitionRecord | None]:
    """The records to write, by key; `None` for what is taken away, where only these are to be in force.

    A version is the time, in seconds, so that what was taken away and comes back is never taken for what
    it was.
    """
    named = [*definitions.measures.items(), *definitions.kpis.items()]
    wanted = {key_of(name, one): one for name, one in named}
    changes: dict[str, DefinitionRecord | None] = {}
    for key, one in wanted.items():
        known = in_force.get(key)
        if known is None or not _same(known.definition, one):
            changes[key] = DefinitionRecord(max(now, 0 if known is None else known.version + 1), one)
    if only:
        changes |= dict.fromkeys(in_force.keys() - wanted.keys())
    return changes


def definitions_in(records: Mapping[str, DefinitionRecord]) -> Definitions:
    """What records of the topic define, by name."""
    found = Definitions({}, {})
    for key, record in records.items():
        name = key.partition("/")[2]
        if isinstance(record.definition, KpiDefinition):
            found.kpis[name] = record.definition
        else:
            found.measures[name] = record.definition
    return found


def _same(one: MeasureDefinition | KpiDefinition, other: MeasureDefinition | KpiDefinition) -> bool:
    """Whether two say the same, however a formula is spaced."""
    if isinstance(one, KpiDefinition) and isinstance(other, KpiDefinition):
        same = written(parse(one.formula).tree) == written(parse(other.formula).tree)
        return same and (one.unit, one.better, one.name) == (other.unit, other.better, other.name)
    return one == other
