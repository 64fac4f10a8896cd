"""Scenes are made once for all who share them, and anew when what they are made of is another."""

from datetime import date, datetime
from fractions import Fraction

from goals.pace import EVEN, Profile
from goals.periods import Span, begins, ends
from goals.scenes import Scenes
from goals.working_plan import WorkingPlan
from kpis.calendar import Calendar, day_number, micros_of
from kpis.contributions import Business
from schemas.definitions import Definitions

CALENDAR = Calendar("Europe/Stockholm")
APRIL = Span(day_number(date(2026, 4, 1)), day_number(date(2026, 4, 30)))
MIDDLE = micros_of(CALENDAR.at(datetime.fromisoformat("2026-04-16T00:00")))
LATE = Profile((1,) * 9 + (11,), EVEN.by_day)


def test_a_learned_pace_is_that_of_its_kpi_and_holds_until_another_is_learned() -> None:
    """Where none was learned the pace is even."""
    scenes = Scenes(Business(CALENDAR, "SEK"), WorkingPlan())

    def due(profiles: dict[str, Profile], kpi: str) -> Fraction:
        scene = scenes.of("team:north", Definitions(), profiles)
        pace = scene.paces.get(kpi, scene.pace)
        return pace.due(begins(CALENDAR, APRIL), ends(CALENDAR, APRIL), MIDDLE)

    even, learned = due({}, "revenue"), {"revenue": LATE}
    assert due(learned, "revenue") < even / 1.5
    assert due(learned, "new_leads") == even
    assert scenes.of("team:north", Definitions(), learned) is scenes.of(
        "team:north", Definitions(), learned
    )
    assert due({}, "revenue") == even
