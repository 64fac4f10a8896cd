"""Goals as people write and say them: as a YAML file, and in a line."""

from collections.abc import Iterable
from fractions import Fraction

import yaml

from goals.known import Known
from goals.periods import named, span_of
from schemas.goals import Goal, Once, Recurring, Relative


def written(goals: Iterable[Goal], known: Known) -> str:
    """A file that reads as these goals; acceptances are part of it, versions are not."""
    table = {goal.id: _table(goal, known) for goal in goals}
    return yaml.safe_dump({"goals": table}, allow_unicode=True, sort_keys=False, width=100)


def in_a_line(goal: Goal, known: Known) -> str:
    """What a goal asks for, and whether anybody accepted it."""
    asks = " at least" if goal.better == "at_least" else " at most"
    if isinstance(goal.target, Relative) and goal.better == "at_least":
        asks = ""
    by = "a draft" if goal.accepted is None else f"accepted by {goal.accepted.by}"
    what = f"{goal.kpi} of {goal.scope}{asks} {asked_text(goal, known)}"
    return f"{what}, {period_text(goal.period)}; {by}"


def asked_text(goal: Goal, known: Known) -> str:
    """What a goal asks for: 1 500 000 SEK, or +14 % on last year."""
    text = target_text(goal, known)
    if isinstance(goal.target, Relative):
        text += " on the time before" if goal.target.baseline == "span_before" else " on last year"
    return text


def period_text(period: Once | Recurring) -> str:
    """When a goal is for: 2026-Q2, or every month from 2026-04-01."""
    if isinstance(period, Once):
        return named(span_of(period))
    until = "" if period.until is None else f" until {period.until}"
    return f"every {period.grain} from {period.start}{until}"


def _table(goal: Goal, known: Known) -> dict[str, object]:
    table: dict[str, object] = {}
    if goal.name is not None:
        table["name"] = goal.name
    table |= {"scope": goal.scope, "kpi": goal.kpi, "better": goal.better}
    table["target"] = target_text(goal, known)
    if isinstance(goal.target, Relative):
        table["against"] = goal.target.baseline
    if isinstance(goal.period, Once):
        table["period"] = period_text(goal.period)
    else:
        table |= {"every": goal.period.grain, "from": goal.period.start.isoformat()}
        if goal.period.until is not None:
            table["until"] = goal.period.until.isoformat()
    if goal.owner is not None:
        table["owner"] = goal.owner
    if goal.accepted is not None:
        table["accepted"] = {"by": goal.accepted.by, "at": goal.accepted.at.isoformat()}
    if goal.part_of is not None:
        table["part_of"] = goal.part_of
    return table


def target_text(goal: Goal, known: Known) -> str:
    """What a goal asks for, as it is written in a file: 1 500 000 SEK, 35 %, +14 %."""
    if isinstance(goal.target, Relative):
        change = Fraction(goal.target.change) * 100
        return f"{'-' if change < 0 else '+'}{_plain(abs(change))} %"
    value = goal.target.value
    kpi = known.kpis.get(goal.kpi)
    # Own KPIs come and go, and the goals for them are there to be looked at.
    unit = None if kpi is None else kpi.unit
    if unit == "ratio":
        # Of what is written with a sign and %, one reads a change.
        return f"{_plain(Fraction(value) * 100)} %" if Fraction(value) >= 0 else value
    whole, point, decimals = value.lstrip("-").partition(".")
    sign = "-" if value.startswith("-") else ""
    grouped = f"{int(whole):,}".replace(",", " ")
    if not decimals.strip("0"):
        point = decimals = ""
    currency = f" {known.currency}" if unit == "money" else ""
    return f"{sign}{grouped}{point}{decimals}{currency}"


def _plain(value: Fraction) -> str:
    """At most six decimals, exactly."""
    millionths = int(value * 1_000_000)
    whole, rest = divmod(millionths, 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
