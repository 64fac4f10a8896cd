"""History lived through again, day by day: what forecasts would have said of goals, and what came.

Nothing is known before it was said. Goals are set from the three months before each month, or are given;
of each, every working day but its period's last is judged, at the end of the day. All is learned anew
each month, from the days before it. The first half of the periods is for fitting linear pacing and alarms;
results are counted on the second.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from math import ceil
from time import perf_counter
from typing import NamedTuple

from goals.expecting import (
    DAYS_BEFORE,
    SUMS,
    Ask,
    Expecting,
    all_as_of_today,
    figure,
    learn_all,
    measures_of,
)
from goals.forecast import Forecast
from goals.foreseeing import AHEAD_DAYS
from goals.knowing import Figures, Known, is_read
from goals.outlook import Learned
from goals.seasons import Days, Works
from kpis.calendar import Grain, Window, date_of, day_number, micros_of, window_end, windows_of
from kpis.contributions import Business
from kpis.replay import Replay
from schemas.events import Event
from schemas.goals import Absolute, Better, Goal, Once, Recurring

AT_MOST = frozenset({"sales_cycle_days", "cac"})
"""KPIs that are better when they are less."""


class Set(NamedTuple):
    """A goal for a period, as it was set."""

    kpi: str
    scope: str
    start: int
    end: int
    """The last day."""
    target: float
    better: Better


class Judgement(NamedTuple):
    """What was known, and said, of a goal at the end of a working day."""

    goal: Set
    day: int
    share_passed: float
    days_left: int
    value: float | None
    forecast: Forecast
    result: float
    reached: bool


class Lived(NamedTuple):
    """What a backtest leads to."""

    judgements: list[Judgement]
    forecasts: int
    seconds: float
    """For all these forecasts together,"""
    preparing_s: float
    """for what is worked out once a day,"""
    learning_s: float
    """and for what is learned each month."""


Setting = Callable[[int, Figures], list[Set]]
"""The goals that are set at the beginning of a day, from what is known."""


class _Clock:
    def __init__(self) -> None:
        self.forecasts = 0
        self.seconds = self.preparing_s = self.learning_s = 0.0


def live_through(events: Iterable[Event], business: Business, works: Works, setting: Setting) -> Lived:
    """Feed events a day at a time, set goals, and judge them."""
    calendar = business.calendar
    in_order = sorted(events, key=lambda event: micros_of(event.time))
    if not in_order:
        return Lived([], 0, 0.0, 0.0, 0.0)
    by_day = {
        day: list(some)
        for day, some in groupby(in_order, lambda event: calendar.day(micros_of(event.time)))
    }
    first, last = min(by_day), max(by_day)
    days = Days(first, last + AHEAD_DAYS, works)
    known, replay, clock = Known(days, calendar), Replay(business), _Clock()
    judgements: list[Judgement] = []
    open_goals: dict[Set, list[Judgement]] = {}
    learned: dict[str, Learned] = {}
    for day in range(first, last + 1):
        new = setting(day, known.figures)
        month_begins = date_of(day).day == 1
        if new or (open_goals and month_begins):
            open_goals |= {goal: [] for goal in new}
            began = perf_counter()
            learned = learn_all(known.history(day - 1), {goal.kpi for goal in open_goals})
            clock.learning_s += perf_counter() - began
        replay.feed(by_day.get(day, ()))
        known.hear(by_day.get(day, ()))
        known.figures.read(replay.changed(calendar.local(calendar.start_of(day + 1)), is_read))
        ended = [goal for goal in open_goals if goal.end == day]
        for goal in ended:
            judgements.extend(_settled(goal, open_goals.pop(goal), known.figures))
        if works(day) and open_goals:
            began = perf_counter()
            history = known.history(day)
            expecting = Expecting(history, all_as_of_today(learned, history), day)
            clock.preparing_s += perf_counter() - began
            _judge(open_goals, known.figures, expecting, days, day, clock)
    return Lived(judgements, clock.forecasts, clock.seconds, clock.preparing_s, clock.learning_s)


def _judge(
    open_goals: Mapping[Set, list[Judgement]],
    figures: Figures,
    expecting: Expecting,
    days: Days,
    day: int,
    clock: _Clock,
) -> None:
    for goal, said in open_goals.items():
        done = figures.done(goal.scope, measures_of(goal.kpi), goal.start, day)
        ask = Ask(goal.kpi, goal.scope, goal.end, goal.target, goal.better)
        began = perf_counter()
        forecast = expecting.forecast(ask, done, left_today=0.0)
        clock.seconds += perf_counter() - began
        clock.forecasts += 1
        start, now, end = (each - days.first for each in (goal.start, day, goal.end))
        passed = days.worked[now + 1] - days.worked[start]
        left = days.worked[end + 1] - days.worked[now + 1]
        if left and forecast.expected is not None:
            value = figure(goal.kpi, done)
            said.append(
                Judgement(goal, day, passed / (passed + left), left, value, forecast, 0.0, reached=False)
            )


def _settled(goal: Set, said: Sequence[Judgement], figures: Figures) -> Iterator[Judgement]:
    """What was said, beside what came of it."""
    result = figure(goal.kpi, figures.done(goal.scope, measures_of(goal.kpi), goal.start, goal.end))
    if result is not None:
        reached = result >= goal.target if goal.better == "at_least" else result <= goal.target
        for judgement in said:
            yield judgement._replace(result=result, reached=reached)


def from_history(kpis: Sequence[str], kinds: Sequence[str]) -> Setting:
    """Monthly goals: as much as in a month of the three before, or as good a rate."""

    def setting(day: int, figures: Figures) -> list[Set]:
        month = Window(Grain.MONTH, day)
        if month not in windows_of(day) or day - figures.first < DAYS_BEFORE:
            return []
        end = window_end(*month)
        assert end is not None
        before = _months_before(day, 3)
        return [
            Set(kpi, scope, day, end - 1, target, "at_most" if kpi in AT_MOST else "at_least")
            for scope in figures.scopes()
            if scope.partition(":")[0] in kinds
            for kpi in kpis
            if (target := _usual(kpi, figures.done(scope, measures_of(kpi), before, day - 1)))
        ]

    return setting


def given(goals: Sequence[Goal]) -> Setting:
    """Goals as they are on their topic, in each of their periods."""

    def setting(day: int, figures: Figures) -> list[Set]:
        return [
            Set(goal.kpi, goal.scope, day, end, target, goal.better)
            for goal in goals
            if (end := _period_from(goal.period, day)) is not None
            and (target := _target(goal, day, end, figures)) is not None
        ]

    return setting


def _period_from(period: Once | Recurring, day: int) -> int | None:
    """The last day of the period that begins on a day."""
    if isinstance(period, Once):
        return day_number(period.end) if day_number(period.start) == day else None
    if date_of(day) < period.start or (period.until is not None and date_of(day) >= period.until):
        return None
    window = Window(Grain(period.grain), day)
    end = window_end(*window) if window in windows_of(day) else None
    return None if end is None else end - 1


def _target(goal: Goal, start: int, end: int, figures: Figures) -> float | None:
    if isinstance(goal.target, Absolute):
        return float(goal.target.value)
    if goal.target.baseline == "span_before":
        first, last = start - (end - start + 1), start - 1
    else:
        first, last = _year_before(start), _year_before(end)
    before = figure(goal.kpi, figures.done(goal.scope, measures_of(goal.kpi), first, last))
    return None if before is None else before * (1.0 + float(goal.target.change))


def _year_before(day: int) -> int:
    local = date_of(day)
    leap_day = (local.month, local.day) == (2, 29)
    return day_number(local.replace(year=local.year - 1, day=28 if leap_day else local.day))


def _usual(kpi: str, done: Mapping[str, float]) -> float | None:
    found = figure(kpi, done)
    if found is None or kpi not in SUMS:
        return found
    return found / 3 if kpi == "revenue" else ceil(found / 3)


def _months_before(day: int, months: int) -> int:
    for _ in range(months):
        day -= 1
        day -= date_of(day).day - 1
    return day
