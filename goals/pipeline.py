"""What is in the pipeline: how likely open deals are won within so many working days, by their age.

Conversion and delay are one thing here: of the deals that were open at an age, how many were won on the
next working day, and how many lost. That holds for what is still open as for what is decided long since,
so that a young history does not mistake slow deals for lost ones.
"""

from collections.abc import Sequence
from typing import NamedTuple

OLDEST = 180
"""Working days; deals older than that are all of one age."""
FARTHEST = 66
"""Working days that are looked ahead at most: a quarter."""
_AGES = (0, 1, 2, 3, 5, 8, 12, 17, 24, 33, 45, 60, 80, 110, 140, OLDEST)
"""From each of these ages on a deal has other chances."""
_FEW = 10.0
"""A seller's own record counts half where so many of their deals should have been won by now."""


class Deal(NamedTuple):
    """A deal as it is known now."""

    opened: int
    """The day on which it was created,"""
    decided: int | None
    """and the one on which it was won or lost; none while it is open."""
    won: bool
    scopes: tuple[str, ...]
    """Whose it is."""


class Chances(NamedTuple):
    """The chances of deals to be won."""

    open: list[list[float]]
    """Within so many working days, at such an age."""
    coming: list[float]
    """How many are won within so many working days, where one is created on each of them."""
    skill: dict[str, float]
    """How many a scope wins, of those that the company would have won."""


def learn_chances(deals: Sequence[Deal], first: int, worked: Sequence[int], today: int) -> Chances:
    """From all deals up to a day; `worked` is how many working days lie before each, from `first` on."""
    at_risk = [0.0] * (OLDEST + 2)
    won = [0.0] * (OLDEST + 2)
    lost = [0.0] * (OLDEST + 2)
    ages: list[int] = []
    for deal in deals:
        last = today if deal.decided is None else deal.decided
        age = min(OLDEST, max(0, worked[last - first + 1] - worked[deal.opened - first + 1]))
        ages.append(age)
        at_risk[0] += 1
        at_risk[age + 1] -= 1
        if deal.decided is not None:
            (won if deal.won else lost)[age] += 1
    for age in range(1, OLDEST + 2):
        at_risk[age] += at_risk[age - 1]
    wins, losses = _by_age(won, at_risk), _by_age(lost, at_risk)
    table = _within(wins, losses)
    stay = 1.0 - wins[0] - losses[0]
    coming = [0.0]
    for row in table[:-1]:
        coming.append(coming[-1] + wins[0] + stay * row[0])
    return Chances(table, coming, _skill(deals, ages, wins))


def won_within(table: Sequence[Sequence[float]], days: float, age: int) -> float:
    """The chance of an open deal to be won within so many working days, which may be a broken number."""
    whole = min(int(days), FARTHEST - 1)
    part = min(days - whole, 1.0)
    return table[whole][age] * (1.0 - part) + table[whole + 1][age] * part


def won_of_coming(coming: Sequence[float], days: float) -> float:
    """How many are won within so many working days, of one that is created on each."""
    whole = min(int(days), FARTHEST - 1)
    # Beyond what is looked ahead, as many are won a day as on the last of it.
    return coming[whole] + (coming[whole + 1] - coming[whole]) * (days - whole)


def _by_age(found: Sequence[float], at_risk: Sequence[float]) -> list[float]:
    """The chance, on a day, at each age: the same from one of `_AGES` to the next."""
    usual = sum(found) / max(1.0, sum(at_risk))
    chances: list[float] = []
    for start, end in zip(_AGES, (*_AGES[1:], OLDEST + 1), strict=True):
        chance = (sum(found[start:end]) + 2.0 * usual) / (sum(at_risk[start:end]) + 2.0)
        chances.extend([min(chance, 0.49)] * (end - start))
    return chances


def _within(wins: Sequence[float], losses: Sequence[float]) -> list[list[float]]:
    table = [[0.0] * (OLDEST + 1)]
    for _ in range(FARTHEST):
        before = table[-1]
        row: list[float] = []
        for age in range(OLDEST + 1):
            older = min(age + 1, OLDEST)
            row.append(wins[older] + (1.0 - wins[older] - losses[older]) * before[older])
        table.append(row)
    return table


def _skill(deals: Sequence[Deal], ages: Sequence[int], wins: Sequence[float]) -> dict[str, float]:
    by_then = [0.0]
    for chance in wins:
        by_then.append(by_then[-1] + chance)
    found: dict[str, float] = {}
    expected: dict[str, float] = {}
    for deal, age in zip(deals, ages, strict=True):
        for scope in deal.scopes:
            found[scope] = found.get(scope, 0.0) + (deal.won and deal.decided is not None)
            expected[scope] = expected.get(scope, 0.0) + by_then[age + 1]
    return {scope: (found[scope] + _FEW) / (expected[scope] + _FEW) for scope in found}
