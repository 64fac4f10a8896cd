"""What records show of an organisation's definitions, and what becomes of it."""

from kpis.definitions.holding import NOTHING, Held, only
from schemas.definitions import Definitions
from tests.kpis.test_own import kpi, measure

CALLS = measure("activity.logged", kind="call")
VISITS = measure("activity.logged", kind="visit")
OURS = Definitions({"made": CALLS}, {"rate": kpi("made / deals_won"), "won": kpi("2 * deals_won")})


def test_a_figure_is_absent_for_a_reason() -> None:
    """It never was, is still counted or reads what is, or was taken away; what is there again, is."""
    said = Definitions(OURS.measures | {"new": VISITS}, OURS.kpis | {"of_new": kpi("new / made")})
    held = Held(Definitions(OURS.measures, said.kpis), said, frozenset({"old", "new"}))
    there = {"revenue": None, "calls": None, "made": None, "rate": None, "won": None}
    away = {"new": "uncounted", "of_new": "uncounted", "old": "removed", "older": "figure"}
    assert {name: held.absent(name) for name in [*there, *away]} == there | away
    assert held.figures()[-3:] == ["made", "rate", "won"]
    assert NOTHING.figures() == held.figures()[:-3]


def test_what_becomes_of_a_figure_is_told_with_all_that_it_reads() -> None:
    """Of ours nothing does."""
    assert only(OURS).since("rate") is None
    held = Held(OURS, Definitions({"made": VISITS}, OURS.kpis), frozenset())
    expected = {"made": "changed", "rate": "changed", "won": None, "revenue": None}
    assert {name: held.since(name) for name in expected} == expected
    held = Held(OURS, Definitions({}, {"rate": kpi("calls / deals_won")}), frozenset())
    expected = {"made": "removed", "rate": "changed", "won": "removed", "calls": None}
    assert {name: held.since(name) for name in expected} == expected
