"""Our own KPIs as definitions: they are sound, and give what the formulas written by hand give."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from kpis.definitions.builtin import BUILTIN, builtin_kpis
from kpis.definitions.checking import Vocabulary
from kpis.definitions.evaluation import Evaluate, compiled
from kpis.definitions.formula import parse, written
from kpis.definitions.reading import read
from kpis.definitions.vocabulary import scales, vocabulary
from kpis.formulas import KPIS
from kpis.measures import MEASURES
from schemas.definitions import Definitions

UNCOUNTED = {"organisations_new", "customers_new", "cost"} - MEASURES.keys()
"""What definitions read and nothing counts yet."""

COUNTED = {
    name: kpi
    for name, kpi in builtin_kpis().items()
    if not UNCOUNTED & {mention.measure for mention in parse(kpi.formula).mentions}
}


def formulas() -> dict[str, Evaluate]:
    known = scales(Definitions())
    return {name: compiled(parse(kpi.formula).tree, kpi.unit, known) for name, kpi in COUNTED.items()}


def test_they_are_sound() -> None:
    """Held to what an organisation's own are held to, but for their names."""
    definitions, faults = read(BUILTIN.read_bytes(), Vocabulary(frozenset(MEASURES) | UNCOUNTED, {}, {}))
    assert not faults
    assert definitions.kpis == builtin_kpis()
    assert list(definitions.kpis) == list(tomllib.loads(BUILTIN.read_text("utf-8"))["kpis"])
    for kpi in builtin_kpis().values():
        assert set(kpi.name) == {"sv", "en"}
        assert written(parse(kpi.formula).tree) == kpi.formula


counts = st.integers(0, 3) | st.integers(0, 10**15)
amounts = st.integers(-3, 3) | st.integers(-(10**32), 10**32)


@given(
    st.fixed_dictionaries(
        {},
        optional={name: counts if one.unit == "count" else amounts for name, one in MEASURES.items()},
    ),
    st.sampled_from([0, 2, 3]),
)
def test_they_give_what_the_formulas_give(measures: dict[str, int], digits: int) -> None:
    """Every KPI that the language can express, to the last digit and in the same type."""
    found = {name: formula(measures, digits) for name, formula in formulas().items()}
    expected = {name: KPIS[name].formula(measures, digits) for name in found}
    assert found == expected
    assert list(map(type, found.values())) == list(map(type, expected.values()))


def test_those_that_are_counted_are_all_that_a_formula_of_one_window_can_say() -> None:
    """In the order of the records; and each reads what it says it reads."""
    beyond = {"customer_lifetime_days", "sales_growth", "growth_accumulated"}
    assert list(COUNTED) == [name for name in KPIS if name not in beyond]
    for name, kpi in COUNTED.items():
        assert {mention.measure for mention in parse(kpi.formula).mentions} == KPIS[name].reads


def test_names_of_ours_are_taken() -> None:
    """By measures, KPIs, fields of events and parts of records; and a KPI's formula can be told."""
    known = vocabulary()
    assert known.taken.keys() >= MEASURES.keys() | KPIS.keys() | builtin_kpis().keys()
    assert {"seller", "from", "value", "state", "company"} <= known.taken.keys()
    assert known.kpis["win_rate"] == "deals_won / (deals_won + deals_lost)"
