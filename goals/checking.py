"""Whether a goal makes sense: what its parts mean together, whoever wrote them and in whichever form."""

from fractions import Fraction
from typing import NamedTuple

from goals.known import Known, KnownKpi, digits_of
from goals.periods import baseline_of, ends, first_period, span_of, window_of
from goals.reasons import Code, Field, Percent, Reason, reason
from goals.scopes import scope_fault
from kpis.calendar import Calendar, Grain, date_of, day_number, micros_of
from schemas.goals import Absolute, Goal, Once, Recurring, Relative

MAX_DAYS = 366 * 10
YEARS = (1990, 2200)
"""In which a goal can be: calendars end, and so do the years that people mean."""
_MOST_PERCENT = 100
_EVER = frozenset({Grain.EVER})


class Fault(NamedTuple):
    """What is wrong, or worth a second look."""

    keys: tuple[str, ...]
    """What it is about; the first that is written down shows where."""
    reason: Reason
    warning: bool = False


class Faults:
    """All that was found so far."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, keys: tuple[str, ...], code: Code, **about: Field) -> None:
        """The goal cannot be used."""
        self.found.append(Fault(keys, reason(code, **about)))

    def warn(self, keys: tuple[str, ...], code: Code, **about: Field) -> None:
        """It can, but is probably not what was meant."""
        self.found.append(Fault(keys, reason(code, **about), warning=True))


def unfit(goal: Goal) -> Fault | None:
    """Why a goal cannot even be watched, whatever it is of; None if it can."""
    if "|" in goal.id:
        return Fault(("id",), reason("id_with_bar"))
    if not _is_of_our_time(goal.period):
        return Fault(("period",), reason("years", first=YEARS[0], last=YEARS[1]))
    return _unfit_dates(goal.period) if isinstance(goal.period, Once) else None


def _unfit_dates(once: Once) -> Fault | None:
    span = span_of(once)
    if span.last < span.first:
        return Fault(("period",), reason("ends_before_it_begins", span=span))
    days = span.end - span.first
    if days > MAX_DAYS:
        return Fault(("period",), reason("too_many_days", days=days, most=MAX_DAYS))
    return None


def judged(goal: Goal, known: Known, calendar: Calendar, now: int, faults: Faults) -> None:
    """Find everything that is wrong with a goal whose KPI is known."""
    kpi = known.kpis[goal.kpi]
    no_scope = scope_fault(goal.scope)
    if no_scope is not None:
        faults.found.append(Fault(("scope",), no_scope))
    if "|" in goal.id:
        faults.add(("id",), "id_with_bar")
    if not _is_of_our_time(goal.period):
        faults.add(("period", "from"), "years", first=YEARS[0], last=YEARS[1])
        return
    if kpi.grains == _EVER:
        instead = sorted(
            name for name, each in known.kpis.items() if each.unit == kpi.unit and each.grains != _EVER
        )
        faults.add(("kpi",), "over_all_time", kpi=kpi.name, kpis=tuple(instead[:3]))
    elif isinstance(goal.period, Once):
        _check_once(goal.period, kpi, faults)
    elif Grain(goal.period.grain) not in kpi.grains:
        grain = Grain(goal.period.grain)
        faults.add(("every",), "no_such_window", kpi=kpi.name, grain=grain, grains=_grains(kpi))
    _check_time(goal, calendar, now, faults)
    if isinstance(goal.target, Absolute):
        _check_absolute(goal, Fraction(goal.target.value), kpi, known, faults)
    else:
        _check_relative(goal.target, kpi, faults)
        _check_baseline(goal.target, goal.period, kpi, faults)
    _check_direction(goal, kpi, faults)


def _is_of_our_time(period: Once | Recurring) -> bool:
    last = period.end if isinstance(period, Once) else period.until or period.start
    return YEARS[0] <= period.start.year and last.year <= YEARS[1]


def _check_once(once: Once, kpi: KnownKpi, faults: Faults) -> None:
    fault = _unfit_dates(once)
    if fault is not None:
        faults.found.append(fault)
        return
    span = span_of(once)
    window = window_of(span)
    if window is not None and window.grain in kpi.grains:
        return
    if window is not None:
        grains = _grains(kpi)
        faults.add(("period",), "no_such_window", kpi=kpi.name, grain=window.grain, grains=grains)
    elif not kpi.spans:
        why: Code = "compares_windows" if kpi.evaluate is None else "counts_persons"
        faults.add(("period",), why, kpi=kpi.name, span=span)


def _grains(kpi: KnownKpi) -> tuple[Grain, ...]:
    """Of which windows there is one that a goal can be for."""
    return tuple(grain for grain in Grain if grain in kpi.grains and grain is not Grain.EVER)


def _check_time(goal: Goal, calendar: Calendar, now: int, faults: Faults) -> None:
    """What is over is no goal, unless it was accepted before that."""
    period = goal.period
    today = calendar.day(now)
    accepted = None if goal.accepted is None else micros_of(goal.accepted.at)
    if isinstance(period, Once):
        span = span_of(period)
        if span.last < span.first:
            return
        over = ends(calendar, span)
        if over <= now and (accepted is None or accepted >= over):
            faults.add(("period",), "over", span=span)
        elif span.first < today and accepted is None:
            faults.warn(("period",), "begun", span=span)
        return
    if period.until is not None and period.until <= period.start:
        faults.add(("until", "every"), "until_before_from", until=period.until, start=period.start)
        return
    first = first_period(period)
    if period.until is not None and first.first >= day_number(period.until):
        between = {"start": period.start, "until": period.until}
        faults.add(("until", "every"), "no_whole_window", grain=Grain(period.grain), **between)
        return
    if period.until is not None and day_number(period.until) <= today and accepted is None:
        faults.add(("until", "every"), "ended", until=period.until)
    if first.first != day_number(period.start):
        days = {"start": period.start, "first": date_of(first.first)}
        faults.warn(("from", "every"), "not_the_first_day", grain=Grain(period.grain), **days)


def _check_absolute(goal: Goal, value: Fraction, kpi: KnownKpi, known: Known, faults: Faults) -> None:
    growth = kpi.evaluate is None
    if value < 0 and not growth:
        faults.add(("target",), "below_zero", kpi=kpi.name)
    elif value == 0 and goal.better == "at_least" and not growth:
        faults.add(("target",), "nothing_to_do", kpi=kpi.name)
    if kpi.rate and value > 1:
        meant = 2 <= value <= _MOST_PERCENT
        above: Code = "above_the_whole_perhaps_percent" if meant else "above_the_whole"
        faults.add(("target",), above, kpi=kpi.name, value=value, percent=Percent(value))
    elif kpi.unit == "ratio" and value >= 10:
        faults.warn(("target",), "perhaps_percent", value=value, percent=Percent(value))
    digits = digits_of(kpi, known)
    if (value * 10**digits).denominator != 1:
        parts: Code = "whole_numbers" if digits == 0 else "decimals"
        faults.add(("target",), parts, kpi=kpi.name, value=value, digits=digits)


def _check_relative(target: Relative, kpi: KnownKpi, faults: Faults) -> None:
    change = Fraction(target.change)
    if kpi.evaluate is None and Grain.EVER not in kpi.grains:
        faults.add(("target",), "change_of_a_change", kpi=kpi.name)
    elif change <= -1:
        faults.add(("target",), "nothing_left", percent=Percent(change))
    elif change == 0:
        faults.warn(("target",), "no_change")


def _check_baseline(target: Relative, period: Once | Recurring, kpi: KnownKpi, faults: Faults) -> None:
    """What counts each person once has no figure of days that are no window, as those of a week last year.

    All weeks are alike in that, and all other windows have one to be compared with.
    """
    if kpi.spans or kpi.evaluate is None:
        return
    span = first_period(period)
    if window_of(span) is not None and window_of(baseline_of(target, span)) is None:
        faults.add(("against",), "no_week_last_year", kpi=kpi.name)


def _check_direction(goal: Goal, kpi: KnownKpi, faults: Faults) -> None:
    """Against what is better for a KPI a goal is hardly ever meant."""
    change = Fraction(goal.target.change) if isinstance(goal.target, Relative) else Fraction(0)
    if kpi.lower_is_better and goal.better == "at_least":
        faults.warn(("better", "kpi"), "less_is_better", kpi=kpi.name)
    elif not kpi.lower_is_better and goal.better == "at_most":
        faults.warn(("better", "kpi"), "more_is_better", kpi=kpi.name)
    elif (kpi.lower_is_better and change > 0) or (not kpi.lower_is_better and change < 0):
        way: Code = "other_way_less" if kpi.lower_is_better else "other_way_more"
        faults.warn(("target",), way, kpi=kpi.name, percent=Percent(change))
