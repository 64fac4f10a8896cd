"""What KPIs are called and in what they are: of each, and the same that goals reckon with."""

from goals.known import known_kpis
from kpis.formulas import KPIS
from kpis.meanings import BEYOND, kpi_meanings
from schemas.definitions import KpiDefinition


def test_every_kpi_has_a_name_in_both_languages() -> None:
    """Its own, not its id's words."""
    meanings = kpi_meanings()
    assert list(meanings) == list(KPIS)
    for name, meaning in meanings.items():
        assert set(meaning.name) == {"sv", "en"}
        assert name not in meaning.name.values()
    for language in ("sv", "en"):
        assert len({meaning.name[language] for meaning in meanings.values()}) == len(KPIS)


def test_what_no_formula_says_is_said_here() -> None:
    """And only that."""
    assert list(BEYOND) == [name for name, kpi in KPIS.items() if kpi.beyond is not None]
    assert {name: each.unit for name, each in BEYOND.items() if each.unit != "ratio"} == {
        "customer_lifetime_days": "days"
    }


def test_goals_reckon_in_the_units_that_are_written() -> None:
    """And in their directions, and of what adds up."""
    meanings = kpi_meanings()
    for name, known in known_kpis("SEK").kpis.items():
        assert (known.unit, known.lower_is_better, known.accumulates) == (
            meanings[name].unit,
            meanings[name].better == "lower",
            meanings[name].accumulates,
        )


def test_own_kpis_come_last_as_they_are_defined() -> None:
    own = KpiDefinition(formula="deals_won / calls", unit="ratio", better="higher", name={"sv": "Snabbhet"})
    *_, name = meanings = kpi_meanings({"speed": own})
    assert name == "speed"
    assert (meanings[name].unit, meanings[name].better, meanings[name].name) == (
        "ratio",
        "higher",
        own.name,
    )
    assert not meanings[name].accumulates
