"""How well a goal does in a period, given its figures and the clock; and what keeps that from flapping."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, Protocol

from goals.figures import Figures
from goals.known import Known
from goals.pace import Pace
from goals.periods import Span, begins, ends
from goals.working_time import MICROS, WorkingTime
from kpis.calendar import Calendar
from kpis.scorecards import CLOSING_MICROS
from schemas.goals import Goal, Standing


class Outlook(Protocol):
    """How a period is likely to end; a mean of nothing is not known."""

    @property
    def low(self) -> float | None:
        """In one of ten periods the result is below this,"""
        ...

    @property
    def expected(self) -> float | None:
        """on average it is this,"""
        ...

    @property
    def high(self) -> float | None:
        """and in one of ten it is above this."""
        ...

    @property
    def probability(self) -> float:
        """Of reaching the goal."""
        ...


class Learning:
    """It is still being learned what to expect, and at what pace: until then what was said last holds."""


LEARNING = Learning()


class Scene(NamedTuple):
    """What a goal is judged by besides its figures."""

    known: Known
    calendar: Calendar
    working: WorkingTime
    """Of whom the goal is for."""
    pace: Pace
    """At which results come in where no other is known,"""
    paces: Mapping[str, Pace] = {}
    """and by KPI, where one has been learned."""


class Seen(NamedTuple):
    """The figures of a goal in a period, at an instant."""

    figures: Figures
    passed: Fraction
    """The share of the period's working time that has passed,"""
    due: Fraction
    """and the share of its result that is due, at the usual pace."""


Tension = Fraction | float
"""How tense it is for a goal: a strain, which is exact, or a doubt, which is an estimate."""


class Limits(NamedTuple):
    """Beyond which a goal is judged worse, and up to which better again."""

    at_risk: Tension
    slipped: Tension
    on_track_again: Tension
    at_risk_again: Tension


STRAIN = Limits(Fraction("1.25"), Fraction(2), Fraction("1.10"), Fraction("1.60"))
"""Of the strain: how many times the usual pace the rest of a period must come in at to reach the goal."""

DOUBT = Limits(0.5, 0.8, 0.4, 0.7)
"""Of the probability not to reach it, an estimate that takes the place of the strain where there is one."""

LEAST_MICROS = 3_600 * MICROS
"""How long a goal that moved between on track, at risk and slipped stays there before it moves on."""

COURSE: tuple[Standing, ...] = ("on_track", "at_risk", "slipped")
"""The standings between which a goal moves while its period lasts, from good to bad."""


def see(span: Span, figures: Figures, scene: Scene, now: int) -> Seen:
    """What a goal is judged by: its figures, and how much of its period is over."""
    start, end = begins(scene.calendar, span), ends(scene.calendar, span)
    pace = scene.paces.get(figures.kpi.name, scene.pace)
    return Seen(figures, scene.working.share(start, end, now), pace.due(start, end, now))


def reached(goal: Goal, figures: Figures) -> bool:
    """Whether a figure is what was asked for."""
    value, target = figures.value, figures.target
    if value is None or target is None:
        return False
    return value >= target if goal.better == "at_least" else value <= target


def strain(goal: Goal, seen: Seen) -> Fraction | None:
    """How many times the usual pace the rest must come in at; `None` where no pace is enough.

    Of a figure that grows: what is missing, by what is left of the period. Of a mean or ratio: how much
    better than the target the rest must be. Of what must stay below its target, the other way round.
    """
    kpi, done = seen.figures.kpi, seen.figures.done
    if seen.figures.missing is None:
        return Fraction(1)
    if done is None:
        return Fraction(1) if reached(goal, seen.figures) else None
    left = 1 - seen.due
    missing = 1 - (done if kpi.accumulates else done * seen.due)
    if goal.better == "at_least":
        return _by(max(missing, Fraction(0)), left)
    return _by(left, missing)


def _by(part: Fraction, whole: Fraction) -> Fraction | None:
    if whole > 0:
        return part / whole
    return Fraction(1) if part == whole else None


def judged(
    goal: Goal,
    span: Span,
    seen: Seen,
    scene: Scene,
    now: int,
    outlook: Outlook | None,
    was: Standing | None,
    moved_at: int | None,
) -> Standing:
    """The standing of a goal, given what it was and when it last moved; `was` is None at the first look."""
    end = ends(scene.calendar, span)
    figures = seen.figures
    if figures.target is None or now < begins(scene.calendar, span):
        return "pending"
    if now >= end + CLOSING_MICROS:
        return "achieved" if reached(goal, figures) else "missed"
    if goal.better == "at_least" and figures.kpi.accumulates and reached(goal, figures):
        return "achieved"
    if now >= end:
        # What happened last takes a while to come in.
        return was or "pending"
    if outlook is None:
        return _on_course(strain(goal, seen), STRAIN, now, was, moved_at)
    return _on_course(1.0 - outlook.probability, DOUBT, now, was, moved_at)


def _on_course(
    tense: Tension | None, limits: Limits, now: int, was: Standing | None, moved_at: int | None
) -> Standing:
    if was not in COURSE:
        return COURSE[_how_bad(tense, limits)]
    if moved_at is not None and now < moved_at + LEAST_MICROS:
        return was
    return COURSE[_moved(COURSE.index(was), tense, limits)]


def _how_bad(tense: Tension | None, limits: Limits) -> int:
    if tense is None or tense > limits.slipped:
        return 2
    return 1 if tense > limits.at_risk else 0


def _moved(was: int, tense: Tension | None, limits: Limits) -> int:
    """How bad it is, given how bad it was: to get better takes more than not to get worse."""
    bad = _how_bad(tense, limits)
    if tense is None or bad >= was:
        return bad
    if tense <= limits.on_track_again:
        return 0
    return 1 if was == 2 and tense <= limits.at_risk_again else was


def when_slips(goal: Goal, span: Span, figures: Figures, scene: Scene) -> int | None:
    """The instant, to the second, at which a goal slips if it is looked at from its beginning and only time
    passes; `None` where it does not. Where there is no forecast.
    """
    start, end = begins(scene.calendar, span), ends(scene.calendar, span)

    def beyond(limit: Tension, at: int) -> bool:
        tense = strain(goal, see(span, figures, scene, at))
        return tense is None or tense > limit

    def first(limit: Tension) -> int:
        low, high = start // MICROS, end // MICROS
        while low < high:
            middle = (low + high) // 2
            if beyond(limit, middle * MICROS):
                high = middle
            else:
                low = middle + 1
        return low * MICROS

    if goal.better == "at_least" and figures.kpi.accumulates and reached(goal, figures):
        return None
    if beyond(STRAIN.slipped, start):
        return start
    if goal.better == "at_most" and figures.kpi.accumulates:
        # What was spent early is made good by time.
        return None
    at_risk, slips = first(STRAIN.at_risk), first(STRAIN.slipped)
    if start < at_risk < slips:
        slips = max(slips, at_risk + LEAST_MICROS)
    return slips if slips < end else None
