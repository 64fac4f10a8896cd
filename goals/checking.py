"""Whether a goal makes sense: what its parts mean together, whoever wrote them and in whichever form."""

from fractions import Fraction
from typing import NamedTuple

from goals.known import Known, KnownKpi, digits_of
from goals.periods import ends, first_period, named, span_of, window_of
from goals.scopes import scope_fault
from kpis.calendar import Calendar, Grain, date_of, day_number, micros_of
from schemas.goals import Absolute, Goal, Once, Recurring, Relative

MAX_DAYS = 366 * 10
YEARS = (1990, 2200)
"""In which a goal can be: calendars end, and so do the years that people mean."""
_PERCENT = 100
_EVER = frozenset({Grain.EVER})


class Fault(NamedTuple):
    """What is wrong, or worth a second look."""

    keys: tuple[str, ...]
    """What it is about; the first that is written down shows where."""
    sentence: str
    warning: bool = False


class Faults:
    """All that was found so far."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def add(self, *keys: str, sentence: str) -> None:
        """The goal cannot be used."""
        self.found.append(Fault(keys, sentence))

    def warn(self, *keys: str, sentence: str) -> None:
        """It can, but is probably not what was meant."""
        self.found.append(Fault(keys, sentence, warning=True))


def unfit(goal: Goal) -> Fault | None:
    """Why a goal cannot even be watched, whatever it is of; None if it can."""
    if "|" in goal.id:
        return Fault(("id",), "an id has no `|` in it, which stands between the parts of keys.")
    if not _is_of_our_time(goal.period):
        return Fault(("period",), f"goals are for the years {YEARS[0]} to {YEARS[1]}.")
    return _unfit_dates(goal.period) if isinstance(goal.period, Once) else None


def _unfit_dates(once: Once) -> Fault | None:
    span = span_of(once)
    if span.last < span.first:
        return Fault(("period",), f"the period ends before it begins: {span}; turn the dates round.")
    days = span.end - span.first
    if days > MAX_DAYS:
        return Fault(("period",), f"the period has {days} days; at most {MAX_DAYS} will do.")
    return None


def judged(goal: Goal, known: Known, calendar: Calendar, now: int, faults: Faults) -> None:
    """Find everything that is wrong with a goal whose KPI is known."""
    kpi = known.kpis[goal.kpi]
    sentence = scope_fault(goal.scope)
    if sentence is not None:
        faults.add("scope", sentence=sentence)
    if "|" in goal.id:
        faults.add("id", sentence="an id has no `|` in it, which stands between the parts of keys.")
    if not _is_of_our_time(goal.period):
        faults.add("period", "from", sentence=f"goals are for the years {YEARS[0]} to {YEARS[1]}.")
        return
    if kpi.grains == _EVER:
        instead = sorted(
            name for name, each in known.kpis.items() if each.unit == kpi.unit and each.grains != _EVER
        )
        faults.add(
            "kpi",
            sentence=f"{kpi.name} is a figure over all time, and changes too slowly for a period; set"
            f" the goal for one that is counted anew in each, such as {' or '.join(instead[:3])}.",
        )
    elif isinstance(goal.period, Once):
        _check_once(goal.period, kpi, faults)
    elif Grain(goal.period.grain) not in kpi.grains:
        faults.add("every", sentence=f"there is no {kpi.name} of a {goal.period.grain}{_grains(kpi)}")
    _check_time(goal, calendar, now, faults)
    if isinstance(goal.target, Absolute):
        _check_absolute(goal, Fraction(goal.target.value), kpi, known, faults)
    else:
        _check_relative(goal.target, kpi, faults)
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
        faults.add("period", sentence=f"there is no {kpi.name} of a {window.grain}{_grains(kpi)}")
    elif not kpi.spans:
        why = (
            "counts each person once"
            if kpi.evaluate is not None
            else "compares calendar windows with each other"
        )
        faults.add(
            "period",
            sentence=f"{kpi.name} {why}, and so cannot be put together from days;"
            f" write a whole day, week, month, quarter or year instead of {span}.",
        )


def _grains(kpi: KnownKpi) -> str:
    there_is = [grain.value for grain in Grain if grain in kpi.grains and grain is not Grain.EVER]
    return f"; there is one of a {' or '.join(there_is)}."


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
            faults.add(
                "period", sentence=f"{named(span)} is over, and a goal looks ahead; choose a later period."
            )
        elif span.first < today and accepted is None:
            faults.warn("period", sentence=f"{named(span)} has begun; what came in since counts.")
        return
    if period.until is not None and period.until <= period.start:
        faults.add(
            "until", "every", sentence=f"it recurs until {period.until}, before it begins: {period.start}."
        )
        return
    first = first_period(period)
    if period.until is not None and first.first >= day_number(period.until):
        faults.add(
            "until",
            "every",
            sentence=f"no whole {period.grain} begins between {period.start} and {period.until}.",
        )
        return
    if period.until is not None and day_number(period.until) <= today and accepted is None:
        faults.add("until", "every", sentence=f"it ended with {period.until}, and a goal looks ahead.")
    if first.first != day_number(period.start):
        faults.warn(
            "from",
            "every",
            sentence=f"{period.start} is not the first day of a {period.grain}; the first one that counts"
            f" begins on {date_of(first.first)}.",
        )


def _check_absolute(goal: Goal, value: Fraction, kpi: KnownKpi, known: Known, faults: Faults) -> None:
    growth = kpi.evaluate is None
    if value < 0 and not growth:
        faults.add("target", sentence=f"{kpi.name} is never below zero; write a target above it.")
    elif value == 0 and goal.better == "at_least" and not growth:
        faults.add(
            "target", sentence=f"at least 0 is reached by doing nothing; how much {kpi.name} is wanted?"
        )
    if kpi.rate and value > 1:
        faults.add(
            "target",
            sentence=f"{kpi.name} is a part of a whole, and {_percent(value)} is above 100 %;"
            + (f" write {_plain(value)} %." if 2 <= value <= _PERCENT else " write a share such as 35 %."),
        )
    elif kpi.unit == "ratio" and value >= 10:
        faults.warn(
            "target",
            sentence=f"{_plain(value)} is {_percent(value)}; if {_plain(value)} % is meant, write the %.",
        )
    digits = digits_of(kpi, known)
    if (value * 10**digits).denominator != 1:
        parts = "whole numbers" if digits == 0 else f"at most {digits} decimals"
        faults.add(
            "target",
            sentence=f"{kpi.name} has {parts}, and {_plain(value)} can never be met just so; round it.",
        )


def _check_relative(target: Relative, kpi: KnownKpi, faults: Faults) -> None:
    change = Fraction(target.change)
    if kpi.evaluate is None and Grain.EVER not in kpi.grains:
        faults.add(
            "target",
            sentence=f"{kpi.name} is a change already; write what it should be, as 14 %, without a sign.",
        )
    elif change <= -1:
        faults.add("target", sentence=f"{_percent(change)} leaves nothing; write less than 100 %.")
    elif change == 0:
        faults.warn("target", sentence="a change of 0 % asks for as much as before.")


def _check_direction(goal: Goal, kpi: KnownKpi, faults: Faults) -> None:
    """Against what is better for a KPI a goal is hardly ever meant."""
    change = Fraction(goal.target.change) if isinstance(goal.target, Relative) else Fraction(0)
    if kpi.lower_is_better and goal.better == "at_least":
        faults.warn(
            "better",
            "kpi",
            sentence=f"of {kpi.name} less is better, and this asks for at least so much;"
            " at_most is probably meant.",
        )
    elif not kpi.lower_is_better and goal.better == "at_most":
        faults.warn(
            "better",
            "kpi",
            sentence=f"of {kpi.name} more is better, and this asks for at most so much;"
            " at_least is probably meant.",
        )
    elif (kpi.lower_is_better and change > 0) or (not kpi.lower_is_better and change < 0):
        way = "less" if kpi.lower_is_better else "more"
        faults.warn(
            "target", sentence=f"of {kpi.name} {way} is better, and {_percent(change)} goes the other way."
        )


def _percent(value: Fraction) -> str:
    return f"{_plain(value * _PERCENT)} %"


def _plain(value: Fraction) -> str:
    """A number of at most six decimals, as people write it."""
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.6f}".rstrip("0").rstrip(".")
