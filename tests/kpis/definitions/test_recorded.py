"""Records of definitions: what a file says comes back, and what no file may say is refused."""

import pytest

from kpis.definitions.reading import read
from kpis.definitions.recorded import read_record
from kpis.definitions.vocabulary import vocabulary
from schemas.decoding import Reason
from schemas.definitions import DefinitionRecord, KpiDefinition, encode_definition, key_of
from tests.kpis.definitions.test_reading import GOOD

WON = b'{"version":1,"definition":{"kind":"measure","event":"deal.won"}}'


def test_definitions_travel_as_records() -> None:
    """What a file says goes to the topic and comes back as it was."""
    definitions, _ = read(GOOD.encode(), vocabulary())
    for name, definition in {**definitions.measures, **definitions.kpis}.items():
        record = DefinitionRecord(3, definition)
        assert read_record(key_of(name, definition), encode_definition(record)) == record


def test_a_formula_may_come_before_its_measures() -> None:
    """As where the topic was compacted, and a measure changed after the KPI that reads it."""
    raw = kpi("nobody_knows_yet / contacts")
    assert isinstance(read_record("kpis/our_rate", raw), DefinitionRecord)


def kpi(formula: str) -> bytes:
    definition = KpiDefinition(formula=formula, unit="ratio", better="higher", name={"en": "Ours"})
    return encode_definition(DefinitionRecord(1, definition))


@pytest.mark.parametrize(
    ("key", "raw", "path", "word"),
    [
        ("measures/big", WON.replace(b"won", b"amended"), "$.definition.event", "amended"),
        ("measures/big", WON.replace(b"deal.won", b"deal.wonn"), "$.definition.event", "deal.won"),
        (
            "measures/big",
            WON.replace(b'won"', b'won","where":{"value":["1"]}'),
            "$.definition.where.value.0",
            "value",
        ),
        ("measures/revenue", WON, "$.definition", "revenue"),
        ("measures/big@day", WON, "$.definition", "cannot be a name"),
        ("measures/", WON, "$.definition", "cannot be a name"),
        ("kpis/our_rate", kpi("1 +"), "$.definition.formula", "formula"),
        ("kpis/our_rate", kpi("hit_rate / 2"), "$.definition.formula", "is a KPI"),
        ("kpis/our_rate", WON, "$", "its key"),
        ("measures/big", b"[]", "$", "Expected"),
        ("measures/big", WON.replace(b"1", b"0", 1), "$.version", "version"),
    ],
)
def test_a_fault_in_a_record_is_found_as_in_a_file(key: str, raw: bytes, path: str, word: str) -> None:
    """Whoever wrote it there; nothing of it is counted."""
    reason = read_record(key, raw)
    assert isinstance(reason, Reason)
    assert reason.path == path
    assert word.casefold() in reason.sentence.casefold()
