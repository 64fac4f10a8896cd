"""Whether a goal is realistic: what it asks for, beside what there was. Never a reason to refuse it."""

from fractions import Fraction
from typing import NamedTuple

from goals.figures import Records, shown, target_of, value_of
from goals.known import Known, KnownKpi
from goals.periods import Span, first_period, named, span_before, window_of
from schemas.goals import Goal, Relative

LOOKS_BACK = 12
"""How many periods like it a goal is compared with, at most,"""
LEAST_PERIODS = 3
"""and at least: two are no history."""


class _Was(NamedTuple):
    span: Span
    value: Fraction


def unrealistic(goal: Goal, known: Known, records: Records, today: int) -> list[str]:
    """What history says against a goal, in sentences."""
    kpi = known.kpis[goal.kpi]
    span = first_period(goal.period)
    history = _history(goal, kpi, known, span, records, today)
    target = target_of(goal, kpi, known, span, records)
    if target is None and isinstance(goal.target, Relative):
        return [
            f"there is no {goal.kpi} in what it is measured against; until there is, it asks for nothing."
        ]
    if target is None or len(history) < LEAST_PERIODS:
        return []
    if goal.better == "at_least":
        best, word = max(history, key=lambda was: was.value), "best"
        if target <= best.value:
            return []
    else:
        best, word = min(history, key=lambda was: was.value), "lowest"
        if target >= best.value:
            return []

    def figure(value: Fraction) -> str:
        return _text(value, kpi, known)

    mean = sum((was.value for was in history), Fraction(0)) / len(history)
    return [
        f"your {word} {_kind(span)} of the last {len(history)} was {figure(best.value)}"
        f" ({named(best.span)}); this asks for {figure(target)}. On average it was {figure(mean)}."
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


def _kind(span: Span) -> str:
    window = window_of(span)
    return f"{span.end - span.first} days" if window is None else window.grain.value


def _text(value: Fraction, kpi: KnownKpi, known: Known) -> str:
    if kpi.unit == "ratio" and kpi.rate:
        return f"{float(value * 100):.4g} %"
    figure = shown(value, kpi.unit, known.digits)
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)
