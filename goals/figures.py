"""A KPI over any span, read off KPI records: a calendar window's own, or others put together.

Figures are exact here, and become what records show when a status is written.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from goals.known import Known, KnownKpi
from goals.periods import Span, baseline_of, window_of, windows_in
from kpis.calendar import Window, date_of
from kpis.measures import SCALES
from kpis.rounding import POWERS, decimal_text, half_even
from schemas.definitions import KpiUnit, Unit
from schemas.goals import Absolute, Goal
from schemas.records import Figure, KpiRecord

Records = Mapping[str, KpiRecord]
"""KPI records by their key. One that is missing counts nothing."""

TRAILING_DAYS = 90
"""Over how many days it is seen how many leads a result takes."""

MOST_COUNTED = 1_000_000
"""What a quotient of counts is by, at most: floats tell such shares apart, and targets of six decimals."""

_LEADS = "leads_new"


class Figures(NamedTuple):
    """The figures of a goal in a period: exact, and as a status shows them."""

    kpi: KnownKpi
    value: Fraction | None
    target: Fraction | None
    missing: Fraction | None
    """To the target; of one that must not be exceeded, what is left below it."""
    done: Fraction | None
    """What there is, by the target; None where that divides by nothing, or less. Growth is compared as what
    it grew to: -5 % is 0.95 of what there was."""
    a_lead: Fraction | None
    """How much a new lead brought of late, where leads are what it takes."""
    shown_value: Figure
    shown_target: Figure
    shown_missing: Figure


_WINDOWS_KEPT = 16_384
"""Of how many windows it is remembered how the keys of their records end."""


def figures_of(
    goal: Goal, span: Span, known: Known, records: Records, a_lead: Callable[[], Fraction | None]
) -> Figures:
    """The figures of a goal in a period. What a lead brought is asked for where it is needed."""
    kpi = known.kpis[goal.kpi]
    value = value_of(kpi, known, goal.scope, span, records)
    target = target_of(goal, kpi, known, span, records)
    missing = None
    if value is not None and target is not None:
        missing = target - value
        if goal.better == "at_least":
            missing = max(missing, Fraction(0))
    wants_leads = missing is not None and goal.better == "at_least" and kpi.additive
    return Figures(
        kpi,
        value,
        target,
        missing,
        _done(kpi, value, target),
        a_lead() if wants_leads else None,
        *(shown(figure, kpi.unit, known.digits) for figure in (value, target, missing)),
    )


def _done(kpi: KnownKpi, value: Fraction | None, target: Fraction | None) -> Fraction | None:
    if value is None or target is None:
        return None
    if kpi.evaluate is None:
        value, target = 1 + value, 1 + target
    return value / target if target > 0 else None


def key_of(scope: str, window: Window) -> str:
    """The key of a window's record."""
    return scope + _suffix(window)


@lru_cache(_WINDOWS_KEPT)
def _suffix(window: Window) -> str:
    return f"|{window.grain}|{date_of(window.start)}"


def keys_of(goal: Goal, span: Span, today: int) -> Iterator[str]:
    """The records on which it depends where a goal stands in a period."""
    spans = [span, trailing(today)]
    if not isinstance(goal.target, Absolute):
        spans.append(baseline_of(goal.target, span))
    for each in spans:
        for window in windows_in(each):
            yield key_of(goal.scope, window)


def value_of(kpi: KnownKpi, known: Known, scope: str, span: Span, records: Records) -> Fraction | None:
    """A KPI over a span; `None` where it divides by zero, or cannot be put together."""
    window = window_of(span)
    if window is not None and window.grain in kpi.grains:
        record = records.get(key_of(scope, window))
        if record is not None:
            return exact(record.kpis.get(kpi.name))
    if kpi.evaluate is None or (window is None and not kpi.spans):
        return None
    amounts = _amounts(kpi.measures, known, scope, span, records)
    return exact(kpi.evaluate(amounts, known.digits))


def target_of(goal: Goal, kpi: KnownKpi, known: Known, span: Span, records: Records) -> Fraction | None:
    """What a period asks for; `None` where it is relative to what there is no figure of."""
    if isinstance(goal.target, Absolute):
        return Fraction(goal.target.value)
    before = value_of(kpi, known, goal.scope, baseline_of(goal.target, span), records)
    if not before:
        # So much more than nothing is nothing to reach.
        return None
    asked = before * (1 + Fraction(goal.target.change))
    # As it is shown: nobody has parts of the smallest coin.
    return Fraction(_minor(asked, known.digits), POWERS[known.digits]) if kpi.unit == "money" else asked


def per_lead(kpi: KnownKpi, known: Known, scope: str, today: int, records: Records) -> Fraction | None:
    """How much of a KPI a new lead brought, over the last days before today."""
    span = trailing(today)
    leads = _amounts(frozenset({_LEADS}), known, scope, span, records).get(_LEADS, 0)
    value = value_of(kpi, known, scope, span, records)
    return value / leads if value and leads else None


def trailing(today: int) -> Span:
    """The days over which leads are compared with results."""
    return Span(today - TRAILING_DAYS, today - 1)


def _amounts(
    measures: frozenset[str], known: Known, scope: str, span: Span, records: Records
) -> dict[str, int]:
    """Sums of measures, in the units in which they are counted."""
    amounts: dict[str, int] = {}
    for window in windows_in(span):
        record = records.get(key_of(scope, window))
        if record is None:
            continue
        for name in measures & record.measures.keys():
            amounts[name] = amounts.get(name, 0) + _counted(record.measures[name], known.units[name])
    return amounts


def _counted(figure: Figure, unit: Unit) -> int:
    """A measure as a record shows it, as the integer that it was shown from, to the record's digits."""
    return 0 if figure is None else round(Fraction(figure) * SCALES[unit])


def exact(figure: Figure) -> Fraction | None:
    """What a record shows, as the number that it was shown from.

    A float is seldom the quotient that it is nearest to: 3 of 5 would be less than 60 %, and 22 of 70 not
    just 10 % more than 2 of 7. It is taken for a number that a target can be written as; else for a
    quotient of counts, where it is the float nearest to one; else for the shortest decimal that is read as
    it.
    """
    if not isinstance(figure, float):
        return None if figure is None else Fraction(figure)
    decimal = Fraction(repr(figure))
    if decimal.denominator <= MOST_COUNTED:
        return decimal
    quotient = decimal.limit_denominator(MOST_COUNTED)
    return quotient if float(quotient) == figure else decimal


def shown(value: Fraction | None, unit: KpiUnit, digits: int) -> Figure:
    """A number as records show it; parts of a count are kept."""
    if value is None:
        return None
    if unit == "money":
        return decimal_text(_minor(value, digits), digits)
    if unit == "count" and value.denominator == 1:
        return value.numerator
    return float(value)


def _minor(value: Fraction, digits: int) -> int:
    """An amount in minor units, as records round it."""
    return half_even(value.numerator * POWERS[digits], value.denominator)
