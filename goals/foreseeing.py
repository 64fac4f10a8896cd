"""Outlooks of goals on one day, as ticks ask for them: each kept for minutes, or until its figures move.

Pure: who reads topics tells `Known` what came, and who learned hands over what was learned.
"""

from collections.abc import Mapping
from typing import NamedTuple
from zlib import crc32

from goals.expecting import DAYS_BEFORE, KPIS, Ask, Expecting, counts_of, figure, measures_of
from goals.forecast import Forecast
from goals.knowing import KINDS, Known
from goals.outlook import Learned
from goals.periods import Span, baseline_of
from goals.working_time import MICROS, WorkingTime
from schemas.goals import Absolute, Goal

KEPT_MICROS = 300 * MICROS
"""How long a forecast is kept where nothing but time moves it."""


class _Kept(NamedTuple):
    turn: int
    ask: Ask
    done: Mapping[str, float]
    forecast: Forecast


class Foreseeing:
    """What is to be expected of goals on a day, from what was learned and known when it began."""

    def __init__(
        self, known: Known, learned: Mapping[str, Learned], today: int, working: WorkingTime
    ) -> None:
        self._known = known
        self._learned = learned
        self._today = today
        self._working = working
        self._expecting = Expecting(known.history(today - 1), learned, today)
        self._enough = today - known.first >= DAYS_BEFORE
        self._kept: dict[tuple[str, Span], _Kept] = {}

    def outlook(self, goal: Goal, span: Span, now: int) -> Forecast | None:
        """What to expect of a goal in a period; None where there is no telling.

        That is where there is too little history, no forecast of the KPI or scope, no figure that a
        relative target could be read off, or where the period does not hold this day or ends too far ahead.
        """
        ask = self._ask(goal, span)
        if ask is None:
            return None
        done = self._known.done(goal.scope, measures_of(goal.kpi), span.first, self._today)
        # Each goal has its turn at another moment, so that ticks cost alike.
        turn = (now + crc32(goal.id.encode()) * MICROS % KEPT_MICROS) // KEPT_MICROS
        kept = self._kept.get((goal.id, span))
        if kept is None or (kept.turn, kept.ask, kept.done) != (turn, ask, done):
            forecast = self._expecting.forecast(ask, done, self._left(now))
            kept = self._kept[goal.id, span] = _Kept(turn, ask, done, forecast)
        return kept.forecast

    def _ask(self, goal: Goal, span: Span) -> Ask | None:
        if not self._enough or goal.kpi not in KPIS or not goal.scope.startswith(KINDS):
            return None
        if not span.first <= self._today <= span.last <= self._known.last:
            return None
        # Of whom nothing was known when all this was learned, nothing is foretold until it is again.
        if not any(self._has_learned(count, goal.scope) for count in counts_of(goal.kpi)):
            return None
        target = self._target(goal, span)
        if target is None:
            return None
        return Ask(goal.kpi, goal.scope, span.last, target, goal.better)

    def _has_learned(self, count: str, scope: str) -> bool:
        learned = self._learned.get(count)
        return learned is not None and scope in learned.tracks

    def _target(self, goal: Goal, span: Span) -> float | None:
        if isinstance(goal.target, Absolute):
            return float(goal.target.value)
        first, last = baseline_of(goal.target, span)
        if first < self._known.first:
            return None
        before = figure(goal.kpi, self._known.done(goal.scope, measures_of(goal.kpi), first, last))
        return before * (1.0 + float(goal.target.change)) if before else None

    def _left(self, now: int) -> float:
        """The share of today's working time that is left."""
        whole = self._working.on(self._today)
        return 1.0 - self._working.until(self._today, now) / whole if whole else 0.0
