"""The report on a backtest: how good the probabilities were, beside those of linear pacing."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from goals.backtest import Judgement, Lived, Set
from goals.calibration import (
    Course,
    Decile,
    Judged,
    Warned,
    alarm_at,
    brier,
    deciles,
    log_loss,
    warned,
)
from goals.outlook import kind_of
from goals.pacing import fit, fits, on_pace

FORECAST, PACING, TIMED, NAIVE = "forecast", "pacing", "pacing_and_time", "on_pace"
FALSE_ALARMS = 0.1
"""Of goals that are reached, one in ten may raise an alarm."""
HOURS_A_DAY = 8.0
ALL = "all"


class Scores(Struct, frozen=True):
    """Of the goals of a kind of scope and a KPI."""

    scopes: str
    kpi: str
    goals: int
    judgements: int
    reached: float
    """Of the judgements, how many were of goals that came to be reached."""
    brier: dict[str, float]
    log_loss: dict[str, float]
    within: float
    """How often the result was within the interval, which is for four of five."""


class Report(Struct, frozen=True):
    """What a backtest found, on the periods it was not fitted on."""

    tested_from: str
    learned_from: int
    """Judgements of earlier periods, on which pacing and alarms were fitted."""
    scores: list[Scores]
    calibration: dict[str, list[Decile]]
    alarms: dict[str, Warned]
    forecasts: int
    microseconds_a_forecast: float
    preparing_s: float
    learning_s: float


class _Said(NamedTuple):
    judgement: Judgement
    by: dict[str, float]


def report(lived: Lived, written: Callable[[int], str]) -> Report | None:
    """Score a backtest; `written` writes a day. None where there is nothing to test on."""
    starts = sorted({judgement.goal.start for judgement in lived.judgements})
    if len(starts) < 2:
        return None
    split = starts[len(starts) // 2]
    before = [judgement for judgement in lived.judgements if judgement.goal.end < split]
    pacing = fit(before)

    def said(judgement: Judgement) -> _Said:
        by = {
            FORECAST: judgement.forecast.probability,
            PACING: pacing.of(judgement),
            TIMED: pacing.told_the_time(judgement),
            NAIVE: float(on_pace(judgement)),
        }
        return _Said(judgement, by)

    learned = [said(judgement) for judgement in before if fits(pacing, judgement)]
    tested = [
        said(judgement)
        for judgement in lived.judgements
        if judgement.goal.start >= split and fits(pacing, judgement)
    ]
    if not learned or not tested:
        return None
    return Report(
        tested_from=written(split),
        learned_from=len(learned),
        scores=_scores(tested),
        calibration={by: deciles(_judged(tested, by)) for by in (FORECAST, PACING, TIMED)},
        alarms={by: _alarm(learned, tested, by) for by in (FORECAST, PACING, TIMED)}
        | {NAIVE: warned(_courses(tested, NAIVE), 0.5, HOURS_A_DAY)},
        forecasts=lived.forecasts,
        microseconds_a_forecast=lived.seconds / lived.forecasts * 1e6,
        preparing_s=lived.preparing_s,
        learning_s=lived.learning_s,
    )


def _scores(tested: Sequence[_Said]) -> list[Scores]:
    sorts: dict[tuple[str, str], list[_Said]] = {}
    for each in tested:
        goal = each.judgement.goal
        for sort in ((ALL, ALL), (kind_of(goal.scope), ALL), (kind_of(goal.scope), goal.kpi)):
            sorts.setdefault(sort, []).append(each)
    return [
        Scores(
            scopes,
            kpi,
            len({each.judgement.goal for each in of_sort}),
            len(of_sort),
            sum(each.judgement.reached for each in of_sort) / len(of_sort),
            {by: brier(_judged(of_sort, by)) for by in (FORECAST, PACING, TIMED, NAIVE)},
            {by: log_loss(_judged(of_sort, by)) for by in (FORECAST, PACING, TIMED)},
            sum(map(_is_within, of_sort)) / len(of_sort),
        )
        for (scopes, kpi), of_sort in sorted(sorts.items())
    ]


def _is_within(said: _Said) -> bool:
    forecast, result = said.judgement.forecast, said.judgement.result
    assert forecast.low is not None
    assert forecast.high is not None
    slack = 1e-9 * abs(result)
    return forecast.low - slack <= result <= forecast.high + slack


def _judged(said: Sequence[_Said], by: str) -> list[Judged]:
    return [(each.by[by], each.judgement.reached) for each in said]


def _alarm(learned: Sequence[_Said], tested: Sequence[_Said], by: str) -> Warned:
    threshold = alarm_at(_courses(learned, by), FALSE_ALARMS)
    return warned(_courses(tested, by), threshold, HOURS_A_DAY)


def _courses(said: Sequence[_Said], by: str) -> list[Course]:
    courses: dict[Set, list[_Said]] = {}
    for each in said:
        courses.setdefault(each.judgement.goal, []).append(each)
    return [
        Course(
            course[0].judgement.reached,
            [(each.by[by], float(each.judgement.days_left)) for each in course],
        )
        for course in courses.values()
    ]
