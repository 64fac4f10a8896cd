"""Definitions as records of the topic, held to what those of a file are held to, whoever wrote them."""

from kpis.definitions.checking import Tables, checked
from kpis.definitions.formula import FormulaError, parse
from kpis.definitions.vocabulary import vocabulary
from schemas.decoding import Reason, ReasonCode, decode_defined
from schemas.definitions import DefinitionRecord, KpiDefinition


def read_record(key: str, raw: bytes) -> DefinitionRecord | Reason:
    """A definition that can be used, or what is wrong with it first.

    A formula may name measures that nobody defined yet: what is read again from a compacted topic comes in
    the order of its last changes. Until they are there, the KPI is not shown.
    """
    record = decode_defined(key, raw)
    if isinstance(record, Reason):
        return record
    known = vocabulary()
    named = _measures_of(record) - known.kpis.keys()
    _, faults = checked(_as_tables(key, record), known.knowing(named))
    if not faults:
        return record
    fault = faults[0]
    path = ".".join(["$.definition", *(str(part) for part in fault.path[2:])])
    return Reason(ReasonCode.INVALID_FIELD, path, f"`{key}`: {fault.sentence}")


def _as_tables(key: str, record: DefinitionRecord) -> Tables:
    """A record in the form in which definitions are judged."""
    kind, _, name = key.partition("/")
    known = record.definition
    return {kind: {name: {field: getattr(known, field) for field in known.__struct_fields__}}}


def _measures_of(record: DefinitionRecord) -> set[str]:
    if not isinstance(record.definition, KpiDefinition):
        return set()
    try:
        return {mention.measure for mention in parse(record.definition.formula).mentions}
    except FormulaError:
        # What is wrong with it, the judge says.
        return set()
