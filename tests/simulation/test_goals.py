"""Goals that the people of a floor set are what goals may be, and ask for a little more than was."""

from datetime import UTC, date, datetime

from goals.known import known_kpis
from goals.records import faults_of
from kpis.calendar import Calendar, micros_of
from kpis.contributions import Business
from simulation.floor import Floor, events
from simulation.goals import goals_after

BUSINESS = Business(Calendar("Europe/Stockholm"), "SEK")
NOW = datetime(2026, 9, 16, 12, tzinfo=UTC)


def test_company_teams_and_sellers_have_goals_that_are_valid_accepted_and_in_force() -> None:
    """Each of the period that is now; asked twice, the same."""
    told = list(events(Floor(sellers=4, teams=2), date(2026, 6, 1), NOW.date()))
    goals = goals_after(told, BUSINESS, NOW)
    assert goals == goals_after(told, BUSINESS, NOW)
    assert {goal.scope.partition(":")[0] for goal in goals} == {"company", "team", "seller"}
    known = known_kpis("SEK")
    for goal in goals:
        assert faults_of(goal, known, BUSINESS.calendar, micros_of(NOW)) == []
    assert len({goal.id for goal in goals}) == len(goals)
    starts = {(goal.period.grain, goal.period.start) for goal in goals if hasattr(goal.period, "grain")}
    assert starts <= {
        ("month", date(2026, 9, 1)), ("quarter", date(2026, 7, 1)), ("week", date(2026, 9, 14))
    }  # fmt: skip
    assert all(goal.accepted and goal.accepted.at == NOW for goal in goals)


def test_before_there_is_anything_to_go_by_there_are_no_goals() -> None:
    """Nor where nothing was ever reached."""
    assert goals_after([], BUSINESS, NOW) == []
    day = events(Floor(sellers=2), date(2026, 9, 16), NOW.date())
    assert goals_after(day, BUSINESS, NOW) == []
