"""Our own KPIs as definitions: they are sound, and in the order of the records."""

import tomllib

from kpis.definitions.builtin import BUILTIN, builtin_kpis
from kpis.definitions.checking import Vocabulary
from kpis.definitions.formula import parse, written
from kpis.definitions.reading import read
from kpis.definitions.vocabulary import vocabulary
from kpis.formulas import KPIS
from kpis.measures import MEASURES


def test_they_are_sound() -> None:
    """Held to what an organisation's own are held to, but for their names."""
    definitions, faults = read(BUILTIN.read_bytes(), Vocabulary(frozenset(MEASURES), {}, {}))
    assert not faults
    assert definitions.kpis == builtin_kpis()
    assert list(definitions.kpis) == list(tomllib.loads(BUILTIN.read_text("utf-8"))["kpis"])
    for kpi in builtin_kpis().values():
        assert set(kpi.name) == {"sv", "en"}
        assert written(parse(kpi.formula).tree) == kpi.formula


def test_they_are_all_that_a_formula_of_one_window_can_say() -> None:
    """In the order of the records."""
    assert list(builtin_kpis()) == [name for name, kpi in KPIS.items() if kpi.beyond is None]


def test_names_of_ours_are_taken() -> None:
    """By measures, KPIs, fields of events and parts of records; and a KPI's formula can be told."""
    known = vocabulary()
    assert known.taken.keys() >= MEASURES.keys() | KPIS.keys() | builtin_kpis().keys()
    assert {"seller", "from", "value", "state", "company"} <= known.taken.keys()
    assert known.kpis["win_rate"] == "deals_won / (deals_won + deals_lost)"
