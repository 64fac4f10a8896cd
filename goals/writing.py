"""Goals as a YAML file, in the language in which people write them."""

from collections.abc import Iterable
from fractions import Fraction

import yaml

from goals.known import Known
from goals.periods import named, span_of
from schemas.goals import Goal, Once, Relative


def written(goals: Iterable[Goal], known: Known) -> str:
    """A file that reads as these goals; acceptances are part of it, versions are not."""
    table = {goal.id: _table(goal, known) for goal in goals}
    return yaml.safe_dump({"goals": table}, allow_unicode=True, sort_keys=False, width=100)


def _table(goal: Goal, known: Known) -> dict[str, object]:
    table: dict[str, object] = {}
    if goal.name is not None:
        table["name"] = goal.name
    table |= {"scope": goal.scope, "kpi": goal.kpi, "better": goal.better}
    table["target"] = target_text(goal, known)
    if isinstance(goal.target, Relative):
        table["against"] = goal.target.baseline
    if isinstance(goal.period, Once):
        table["period"] = named(span_of(goal.period))
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
    unit = known.kpis[goal.kpi].unit
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
