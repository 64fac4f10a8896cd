"""A goal divided among those who are to reach it together, exactly; and how far parts are from a whole."""

from collections.abc import Collection, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from goals.figures import Records, shown, value_of
from goals.known import Known, digits_of
from goals.periods import Span, a_year_before
from goals.reasons import Reason, reason
from goals.scopes import scope_fault
from kpis.rounding import decimal_text
from schemas.goals import Absolute, Goal

_MAX_ID = 128


class SplitError(ValueError):
    """A goal cannot be divided so."""

    def __init__(self, said: Reason | str) -> None:
        super().__init__(said)
        self.said = said


class Part(NamedTuple):
    """Somebody's part of a goal."""

    scope: str
    weight: int
    """In proportion to the others'."""


def split(goal: Goal, parts: Sequence[Part], known: Known) -> list[Goal]:
    """A goal's parts as goals of their own, drafts until each is accepted. They add up to it exactly.

    Raises:
        SplitError: it cannot be divided, or not so.
    """
    kpi = known.kpis[goal.kpi]
    if not kpi.additive:
        raise SplitError(
            f"{goal.kpi} of a team is not the sum of its sellers', so it cannot be divided;"
            " give each the same target instead."
        )
    if not isinstance(goal.target, Absolute):
        raise SplitError(
            f"`{goal.id}` asks for a change, which is the same for each: give each the same target instead."
        )
    _check(goal, parts)
    digits = max(digits_of(kpi, known), _digits(goal.target.value))
    shares = divided(_minor(goal.target.value, digits), [part.weight for part in parts])
    return [
        Goal(
            id=f"{goal.id}.{part.scope.partition(':')[2]}",
            version=1,
            scope=part.scope,
            kpi=goal.kpi,
            better=goal.better,
            target=Absolute(value=decimal_text(share, digits)),
            period=goal.period,
            name=goal.name,
            part_of=goal.id,
        )
        for part, share in zip(parts, shares, strict=True)
    ]


def divided(whole: int, weights: Sequence[int]) -> list[int]:
    """A whole in proportion to weights; what is left over goes to the largest remainders."""
    total = sum(weights)
    shares = [whole * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(whole * weights[place] % total))
    for place in by_remainder[: whole - sum(shares)]:
        shares[place] += 1
    return shares


def last_years(goal: Goal, span: Span, scopes: Iterable[str], known: Known, records: Records) -> list[Part]:
    """Parts in proportion to what each scope reached in the same period of last year.

    Raises:
        SplitError: nobody reached anything then.
    """
    kpi = known.kpis[goal.kpi]
    before = a_year_before(span)
    digits = digits_of(kpi, known)
    parts = [
        Part(scope, round(max(value_of(kpi, known, scope, before, records) or 0, 0) * 10**digits))
        for scope in scopes
    ]
    if not any(part.weight for part in parts):
        raise SplitError(reason("nobody_reached", kpi=goal.kpi, span=before))
    return parts


def difference(goal: Goal, parts: Iterable[Goal]) -> Fraction | None:
    """How much the parts ask for beyond the whole; below zero where they ask for less.

    `None` where one of them is relative, and cannot be compared before its period begins.
    """
    whole = goal.target
    if not isinstance(whole, Absolute):
        return None
    total = -Fraction(whole.value)
    for part in parts:
        if not isinstance(part.target, Absolute):
            return None
        total += Fraction(part.target.value)
    return total


def unlike(goals: Collection[Goal], known: Known) -> dict[str, str]:
    """What is to be said of goals whose parts, in the same period, ask for more or less; by their ids."""
    whole = {goal.id: goal for goal in goals}
    found: dict[str, str] = {}
    for name in whole.keys() & (parts := parts_of(goals)).keys():
        kpi = known.kpis.get(whole[name].kpi)
        asked = difference(whole[name], [part for part in parts[name] if part.period == whole[name].period])
        if asked and kpi is not None:
            way = "more" if asked > 0 else "less"
            amount = shown(abs(asked), kpi.unit, known.digits)
            found[name] = f"its parts ask for {amount} {way} than it does."
    return found


def parts_of(goals: Iterable[Goal]) -> dict[str, list[Goal]]:
    """The parts of each goal, by its id."""
    found: dict[str, list[Goal]] = {}
    for goal in goals:
        if goal.part_of is not None:
            found.setdefault(goal.part_of, []).append(goal)
    return found


def _check(goal: Goal, parts: Sequence[Part]) -> None:
    if not parts:
        raise SplitError(reason("among_nobody", id=goal.id))
    seen: set[str] = set()
    for part in parts:
        fault = scope_fault(part.scope)
        kind = part.scope.partition(":")[0]
        if fault is not None:
            raise SplitError(fault)
        if part.scope in seen:
            raise SplitError(f"{part.scope} is named twice.")
        if kind not in {"team", "seller"} or part.scope == goal.scope:
            raise SplitError(
                f"a goal is divided over teams or sellers; {part.scope} is none that is part of it."
            )
        if kind == "team" and goal.scope != "company":
            raise SplitError(f"{part.scope} is no part of {goal.scope}; only the company has teams.")
        if part.weight < 0:
            raise SplitError(f"the weight of {part.scope} is below zero.")
        if len(f"{goal.id}.{part.scope.partition(':')[2]}") > _MAX_ID:
            raise SplitError(
                f"the id of the part of {part.scope} would have more than {_MAX_ID} characters."
            )
        seen.add(part.scope)
    if not any(part.weight for part in parts):
        raise SplitError(reason("no_weight"))


def _digits(value: str) -> int:
    return len(value.partition(".")[2])


def _minor(value: str, digits: int) -> int:
    """An amount in units of which so many digits make one."""
    return int(Fraction(value) * 10**digits)
