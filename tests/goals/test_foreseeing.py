"""Outlooks as ticks ask for them: those of the backtest's code, kept and renewed."""

from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from goals.expecting import Ask, Expecting, learn_all, measures_of
from goals.foreseeing import KEPT_MICROS, Foreseeing
from goals.knowing import Known, is_read
from goals.outlook import Learned
from goals.periods import Span
from goals.seasons import Days
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, day_number
from kpis.contributions import Business
from kpis.replay import Replay
from schemas.goals import Absolute, Goal, Once, Relative
from simulation.floor import Floor, events

START, TODAY = date(2025, 6, 1), date(2026, 3, 18)
CALENDAR = Calendar("Europe/Stockholm")
WORKING = WorkingTime(CALENDAR, Plan())
MONTH = Span(day_number(date(2026, 3, 1)), day_number(date(2026, 3, 31)))
HOUR = 3_600_000_000
DAWN = CALENDAR.start_of(day_number(TODAY))
NOON = DAWN + 12 * HOUR


def known_from(start: date) -> Known:
    happened = list(events(Floor(sellers=3, teams=1, seed=5), start, TODAY))
    replay = Replay(Business(CALENDAR, "SEK"))
    replay.feed(happened)
    known = Known(Days(day_number(start), day_number(TODAY) + 370, WORKING.works), CALENDAR)
    known.hear(happened)
    known.read(replay.changed(CALENDAR.local(DAWN), is_read))
    return known


@cache
def known() -> Known:
    return known_from(START)


@cache
def learned() -> dict[str, Learned]:
    return learn_all(known().history(day_number(TODAY) - 1), {"revenue", "win_rate", "cac"})


def foreseeing() -> Foreseeing:
    return Foreseeing(known(), learned(), day_number(TODAY), WORKING)


def goal(**changed: Any) -> Goal:
    once = Once(start=date(2026, 3, 1), end=date(2026, 3, 31))
    usual: dict[str, Any] = {
        "id": "g",
        "version": 1,
        "scope": "company",
        "kpi": "revenue",
        "better": "at_least",
        "target": Absolute(value=Decimal(900_000)),
        "period": once,
    }
    return Goal(**(usual | changed))


@pytest.mark.parametrize("kpi", ["revenue", "win_rate", "cac"])
@pytest.mark.parametrize("scope", ["company", *(scope for scope in known().scopes() if "seller" in scope)])
def test_it_is_what_the_backtest_would_say(kpi: str, scope: str) -> None:
    """At dawn all of today is left."""
    today = day_number(TODAY)
    expecting = Expecting(known().history(today - 1), learned(), today)
    done = known().done(scope, measures_of(kpi), MONTH.first, today)
    said = expecting.forecast(Ask(kpi, scope, MONTH.last, 900_000.0, "at_least"), done, 1.0)
    assert foreseeing().outlook(goal(kpi=kpi, scope=scope), MONTH, DAWN) == said


def test_a_forecast_is_kept_and_renewed_once_within_minutes() -> None:
    """In a working hour, at one moment of each stretch of minutes."""
    day, asked = foreseeing(), goal()
    start = DAWN + 9 * HOUR
    seen = [day.outlook(asked, MONTH, start + step * KEPT_MICROS // 10) for step in range(31)]
    renewed = [step for step in range(1, 31) if seen[step] != seen[step - 1]]
    assert len(renewed) == 3
    assert {later - sooner for sooner, later in pairwise(renewed)} == {10}


def test_goals_have_their_turns_at_different_moments() -> None:
    """So that no tick renews all of them."""
    day, start = foreseeing(), DAWN + 9 * HOUR
    goals = [goal(id=f"g{number}") for number in range(100)]
    before = [day.outlook(each, MONTH, start) for each in goals]
    after = [day.outlook(each, MONTH, start + KEPT_MICROS // 2) for each in goals]
    assert 25 < sum(one != other for one, other in zip(before, after, strict=True)) < 75


def test_figures_and_targets_that_move_count_at_once() -> None:
    """Without waiting for the goal's turn."""
    mine = known_from(START)
    day = Foreseeing(mine, learned(), day_number(TODAY), WORKING)
    before = day.outlook(goal(), MONTH, NOON)
    harder = day.outlook(goal(target=Absolute(value=Decimal(9_000_000))), MONTH, NOON)
    assert before is not None
    assert harder is not None
    assert harder.probability < before.probability
    more = Replay(Business(CALENDAR, "SEK"))
    more.feed(events(Floor(sellers=3, teams=1, seed=6), START, TODAY))
    mine.read(more.changed(CALENDAR.local(DAWN), is_read))
    assert day.outlook(goal(), MONTH, NOON) != before


def test_a_relative_target_is_read_off_what_was() -> None:
    """The month before and a tenth: February is known, the March of a year ago is not."""
    february = known().done("company", ["revenue"], MONTH.first - 28, MONTH.first - 1)["revenue"]
    more = goal(target=Relative(change=Decimal("0.1"), baseline="span_before"))
    absolute = goal(target=Absolute(value=Decimal(str(february * 1.1))))
    said, same = foreseeing().outlook(more, MONTH, NOON), foreseeing().outlook(absolute, MONTH, NOON)
    assert said is not None
    assert same is not None
    assert said.probability == pytest.approx(same.probability, abs=1e-6)
    last_year = goal(target=Relative(change=Decimal("0.1"), baseline="last_year"))
    assert foreseeing().outlook(last_year, MONTH, NOON) is None


def test_where_there_is_no_telling_there_is_no_outlook() -> None:
    """Other KPIs, customers, strangers, periods not now or too far ahead, and a young history."""
    day = foreseeing()
    assert day.outlook(goal(kpi="hit_rate"), MONTH, NOON) is None
    assert day.outlook(goal(scope="customer:c"), MONTH, NOON) is None
    assert day.outlook(goal(scope="seller:nobody"), MONTH, NOON) is None
    assert day.outlook(goal(), Span(MONTH.first + 31, MONTH.last + 30), NOON) is None
    assert day.outlook(goal(), Span(MONTH.first, MONTH.last + 400), NOON) is None
    young = known_from(date(2026, 2, 1))
    history = young.history(day_number(TODAY) - 1)
    few = Foreseeing(young, learn_all(history, {"revenue"}), day_number(TODAY), WORKING)
    assert few.outlook(goal(), MONTH, NOON) is None
