"""Linear pacing, which forecasts are held against: with half of the time gone, half of the target.

Its probability is a logistic curve of where the pace leads, fitted on what is for learning; a second curve
is also told how much time is left, which is more than who paces linearly asks. Rates and means do not grow
with time: of these, the pace leads to the figure as it stands.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from goals.backtest import Judgement
from goals.calibration import Curve, fitted
from goals.expecting import SUMS
from goals.outlook import kind_of

_FARTHEST = 3.0
"""Whatever leads to more than three times the target is as good as that."""


class Pacing(NamedTuple):
    """The curves of each kind of scope and KPI."""

    plain: Mapping[tuple[str, str], Curve]
    timed: Mapping[tuple[str, str], Curve]

    def of(self, judgement: Judgement) -> float:
        """The chance of reaching the goal, by the pace alone."""
        if _there(judgement):
            return 1.0
        return self.plain[_sort(judgement)].at(_plain(judgement))

    def told_the_time(self, judgement: Judgement) -> float:
        """And by the pace and how much time is left."""
        if _there(judgement):
            return 1.0
        return self.timed[_sort(judgement)].at(_timed(judgement))


def fit(judgements: Iterable[Judgement]) -> Pacing:
    """The curves that would have been best."""
    sorts: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in judgements:
        of_sort = sorts.setdefault(_sort(judgement), [])
        if not _there(judgement):
            of_sort.append(judgement)
    return Pacing(
        {
            sort: fitted([(_plain(each), each.reached) for each in some])
            for sort, some in sorts.items()
            if some
        },
        {
            sort: fitted([(_timed(each), each.reached) for each in some])
            for sort, some in sorts.items()
            if some
        },
    )


def fits(pacing: Pacing, judgement: Judgement) -> bool:
    """Whether there was anything to learn from for this sort of goal."""
    return _sort(judgement) in pacing.plain


def on_pace(judgement: Judgement) -> bool:
    """Whether the pace leads to the target."""
    return _leads_to(judgement) >= 0.0


def _sort(judgement: Judgement) -> tuple[str, str]:
    return kind_of(judgement.goal.scope), judgement.goal.kpi


def _there(judgement: Judgement) -> bool:
    """Whether the target is reached already, of what only grows."""
    goal = judgement.goal
    return (
        goal.kpi in SUMS
        and goal.better == "at_least"
        and judgement.value is not None
        and judgement.value >= goal.target
    )


def _leads_to(judgement: Judgement) -> float:
    """By how much of the target the pace leads beyond it, or short of it."""
    goal, value = judgement.goal, judgement.value
    if value is None:
        return -1.0
    part = value / goal.target if goal.target else _FARTHEST
    if goal.kpi in SUMS:
        part /= judgement.share_passed
    part = min(part, _FARTHEST)
    return part - 1.0 if goal.better == "at_least" else 1.0 - part


def _plain(judgement: Judgement) -> tuple[float, ...]:
    return (1.0, _leads_to(judgement))


def _timed(judgement: Judgement) -> tuple[float, ...]:
    pace, passed = _leads_to(judgement), judgement.share_passed
    return (1.0, passed, pace, pace * passed / (1.05 - passed))
