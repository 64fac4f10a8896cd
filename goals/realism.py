"""Whether a goal is realistic: what it asks for, beside what there was. Never a reason to refuse it."""

from fractions import Fraction
from typing import NamedTuple

from goals.figures import Records, shown, target_of, value_of
from goals.known import Known, KnownKpi
from goals.periods import Span, first_period, span_before, window_of
from goals.reasons import Figure, Reason, reason
from kpis.calendar import Grain
from schemas.goals import Goal, Relative

LOOKS_BACK = 12
"""How many periods like it a goal is compared with, at most,"""
LEAST_PERIODS = 3
"""and at least: two are no history."""
DIGITS = 4
"""To how many digits at least a figure is told that is not written as records show it."""


class _Was(NamedTuple):
    span: Span
    value: Fraction


def unrealistic(goal: Goal, known: Known, records: Records, today: int) -> list[Reason]:
    """What history says against a goal."""
    kpi = known.kpis[goal.kpi]
    span = first_period(goal.period)
    history = _history(goal, kpi, known, span, records, today)
    target = target_of(goal, kpi, known, span, records)
    if target is None and isinstance(goal.target, Relative):
        return [reason("never_measured", kpi=goal.kpi)]
    if target is None or len(history) < LEAST_PERIODS:
        return []
    if goal.better == "at_least":
        best = max(history, key=lambda was: was.value)
        if target <= best.value:
            return []
    else:
        best = min(history, key=lambda was: was.value)
        if target >= best.value:
            return []

    def figure(value: Fraction) -> Figure:
        return Figure(_text(value, kpi, known))

    mean = sum((was.value for was in history), Fraction(0)) / len(history)
    return [
        reason(
            "best_so_far" if goal.better == "at_least" else "lowest_so_far",
            kind=_kind(span),
            count=len(history),
            best=figure(best.value),
            span=best.span,
            asks=figure(target),
            mean=figure(mean),
        )
    ]


def _history(
    goal: Goal, kpi: KnownKpi, known: Known, span: Span, records: Records, today: int
) -> list[_Was]:
    """Periods like it that are over, the latest first, back to the first of which there is anything."""
    found: list[_Was] = []
    while span.last >= today:
        span = span_before(span)
    for _ in range(LOOKS_BACK):
        value = value_of(kpi, known, goal.scope, span, records)
        if value is not None:
            found.append(_Was(span, value))
        span = span_before(span)
    # A sum before the first record is zero, and no history.
    while found and kpi.accumulates and not found[-1].value:
        found.pop()
    return found


def _kind(span: Span) -> Grain | int:
    """Which window it is, or how many days."""
    window = window_of(span)
    return span.end - span.first if window is None else window.grain


def _text(value: Fraction, kpi: KnownKpi, known: Known) -> str:
    if kpi.unit == "ratio":
        return f"{_written(float(value * 100))} %"
    figure = shown(value, kpi.unit, known.digits)
    return _written(figure) if isinstance(figure, float) else str(figure)


def _written(number: float) -> str:
    """A number to four digits, and to all of those before the point."""
    exponent = int(f"{number:.{DIGITS - 1}e}".partition("e")[2])
    text = f"{number:.{max(DIGITS - 1 - exponent, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
