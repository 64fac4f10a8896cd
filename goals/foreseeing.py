"""Outlooks of goals on one day, as ticks ask for them: each kept for minutes, or until its figures move.

Pure: who reads topics tells `Figures` what came, and a day begins with what was learned until it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from zlib import crc32

from goals.expecting import DAYS_BEFORE, KPIS, Ask, Expecting, figure, learn_all, measures_of
from goals.forecast import Forecast
from goals.knowing import KINDS, Deals, Figures
from goals.outlook import History
from goals.pace import Profile
from goals.periods import Span, baseline_of
from goals.seasons import Days
from goals.usual import usual_profiles
from goals.working_time import MICROS, WorkingTime
from kpis.calendar import Calendar, micros_of
from schemas.events import Event
from schemas.goals import Absolute, Goal

KEPT_MICROS = 300 * MICROS
"""How long a forecast is kept where nothing but time moves it."""

HISTORY_DAYS = 4 * 366
"""Days that are looked back: of one older than that, nothing is learned."""
AHEAD_DAYS = 370
"""Days that goals reach ahead at most."""


class Dawn(NamedTuple):
    """What the forecasts of a day begin with."""

    figures: Figures
    expecting: Expecting
    profiles: Mapping[str, Profile]
    """By KPI, of those whose usual pace is known."""


def figures_for(today: int) -> Figures:
    """Figures of the days that the forecasts of a day need, none of them known yet."""
    return Figures(today - HISTORY_DAYS, today + AHEAD_DAYS)


def dawn(
    figures: Figures, events: Iterable[Event], today: int, calendar: Calendar, working: WorkingTime
) -> Dawn | None:
    """Learn from figures and events what there is to know until yesterday; costs seconds or minutes.

    Events may come in any order, and more than once. None where the history is too short for a forecast.
    """
    figures.begin()
    if not figures.records or today - figures.first < DAYS_BEFORE:
        return None
    # A CRM may tell of what is still to happen, or of what happened while this was read.
    night = calendar.start_of(today)
    heard = [event for event in events if micros_of(event.time) < night]
    heard.sort(key=lambda event: (event.time, event.id, event.source))
    deals = Deals(calendar)
    deals.hear(heard)
    days = Days(figures.first, figures.last, working.works)
    history = History(days, today - 1, figures.series, deals.since(days.first))
    expecting = Expecting(history, learn_all(history, set(KPIS)), today)
    return Dawn(figures, expecting, usual_profiles(history, heard, calendar, working))


class _Kept(NamedTuple):
    turn: int
    ask: Ask
    done: Mapping[str, float]
    forecast: Forecast


class Foreseeing:
    """What is to be expected of goals on a day, from what it began with and its figures so far."""

    def __init__(self, dawn: Dawn, working: WorkingTime) -> None:
        self._figures, self._expecting, self.profiles = dawn
        self._today = dawn.expecting.today
        self._working = working
        self._kept: dict[tuple[str, Span], _Kept] = {}

    def outlook(self, goal: Goal, span: Span, now: int) -> Forecast | None:
        """What to expect of a goal in a period; None where there is no telling.

        That is where there is no forecast of the KPI or scope, no figure that a relative target could be
        read off, or where the period does not hold this day or ends too far ahead.
        """
        ask = self._ask(goal, span)
        if ask is None:
            return None
        done = self._figures.done(goal.scope, measures_of(goal.kpi), span.first, self._today)
        # Each goal has its turn at another moment, so that ticks cost alike.
        turn = (now + crc32(goal.id.encode()) * MICROS % KEPT_MICROS) // KEPT_MICROS
        kept = self._kept.get((goal.id, span))
        if kept is None or (kept.turn, kept.ask, kept.done) != (turn, ask, done):
            forecast = self._expecting.forecast(ask, done, self._left(now))
            kept = self._kept[goal.id, span] = _Kept(turn, ask, done, forecast)
        return kept.forecast

    def _ask(self, goal: Goal, span: Span) -> Ask | None:
        if goal.kpi not in KPIS or not goal.scope.startswith(KINDS):
            return None
        if not span.first <= self._today <= span.last <= self._figures.last:
            return None
        # Of whom nothing was known when all this was learned, nothing is foretold until it is again.
        if not self._expecting.has_learned(goal.kpi, goal.scope):
            return None
        target = self._target(goal, span)
        if target is None:
            return None
        return Ask(goal.kpi, goal.scope, span.last, target, goal.better)

    def _target(self, goal: Goal, span: Span) -> float | None:
        if isinstance(goal.target, Absolute):
            return float(goal.target.value)
        first, last = baseline_of(goal.target, span)
        if first < self._figures.first:
            return None
        before = figure(goal.kpi, self._figures.done(goal.scope, measures_of(goal.kpi), first, last))
        return before * (1.0 + float(goal.target.change)) if before else None

    def _left(self, now: int) -> float:
        """The share of today's working time that is left."""
        whole = self._working.on(self._today)
        return 1.0 - self._working.until(self._today, now) / whole if whole else 0.0
