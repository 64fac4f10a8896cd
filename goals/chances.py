"""What is still to come as a distribution: chances and quantiles in closed form.

Counts are negative binomial, and added up term by term while they are small. Large ones, and sums of money,
which are compound negative binomial, are kept as a mean, a variance and the chance that nothing comes; the
part above zero is read as a gamma distribution of the same moments, by Wilson and Hilferty's cube root.
Either takes microseconds and is the same in every currency. docs/forecast.md has the formulas.
"""

from collections.abc import Iterator
from itertools import accumulate, islice
from math import ceil, erfc, exp, inf, log1p, sqrt
from statistics import NormalDist
from typing import NamedTuple

_NORMAL = NormalDist()
_SQRT2 = sqrt(2.0)
_SMALL = 300.0
"""Counts of which no more are expected are added up term by term."""


class Rest(NamedTuple):
    """What is still to come of a sum."""

    mean: float
    variance: float
    nothing: float
    """The chance that nothing comes at all."""
    whole: bool
    """Whether it comes in whole numbers."""

    def of(self, share: float) -> "Rest":
        """A part of it: what comes in a share of the time."""
        nothing = self.nothing**share if self.nothing > 0.0 else float(share == 0.0)
        return Rest(self.mean * share, self.variance * share, nothing, self.whole)

    def and_then(self, other: "Rest") -> "Rest":
        """This, and what comes after it."""
        return Rest(
            self.mean + other.mean,
            self.variance + other.variance,
            self.nothing * other.nothing,
            self.whole,
        )

    def beside(self, other: "Rest") -> "Rest":
        """This and another count of the same time: what moves the one beyond chance moves both."""
        mean = self.mean + other.mean
        beyond = sum(sqrt(max(0.0, each.variance - each.mean)) for each in (self, other))
        return Rest(mean, mean + beyond * beyond, self.nothing * other.nothing, self.whole)


NOTHING = Rest(0.0, 0.0, 1.0, whole=False)


def count(mean: float, overdispersion: float) -> Rest:
    """A count: its variance is the mean, and overdispersion times the mean squared."""
    if mean <= 0.0:
        return Rest(0.0, 0.0, 1.0, whole=True)
    variance = mean + overdispersion * mean * mean
    spread = overdispersion * mean
    nothing = exp(-mean) if spread < 1e-9 else exp(-log1p(spread) / overdispersion)
    return Rest(mean, variance, nothing, whole=True)


def worth(number: Rest, value: float, variation: float, known_from: float) -> Rest:
    """So many, each worth `value` on average, with a squared coefficient of variation.

    `known_from` is how many the average was taken from: with few, it is uncertain itself.
    """
    spread = number.mean * variation + number.variance + number.mean**2 * variation / known_from
    return Rest(number.mean * value, spread * value * value, number.nothing, whole=False)


def chance_of(rest: Rest, amount: float) -> float:
    """The chance that at least so much comes."""
    if amount <= 0.0:
        return 1.0
    if rest.mean <= 0.0:
        return 0.0
    if _is_small(rest):
        return max(0.0, 1.0 - sum(islice(_each(rest), ceil(amount))))
    mean, shape = _above_zero(rest)
    # Between the whole numbers: three or more is more than two and a half.
    above = max(amount - 0.5, 0.0) if rest.whole else amount
    z = ((above / mean) ** (1 / 3) - 1.0 + 1.0 / (9.0 * shape)) * 3.0 * sqrt(shape)
    return (1.0 - rest.nothing) * tail(z)


def quantile(rest: Rest, probability: float) -> float:
    """How much comes at most, with a probability below one."""
    if rest.mean <= 0.0 or probability <= rest.nothing:
        return 0.0
    if _is_small(rest):
        farthest = int(rest.mean + 40.0 * sqrt(rest.variance)) + 1
        upto = accumulate(islice(_each(rest), farthest))
        return float(next((number for number, sure in enumerate(upto) if sure >= probability), farthest))
    mean, shape = _above_zero(rest)
    within = (probability - rest.nothing) / (1.0 - rest.nothing)
    root = 1.0 - 1.0 / (9.0 * shape) + _NORMAL.inv_cdf(within) / (3.0 * sqrt(shape))
    found = mean * max(root, 0.0) ** 3
    return float(round(found)) if rest.whole else found


def _is_small(rest: Rest) -> bool:
    return rest.whole and rest.mean <= _SMALL


def _each(rest: Rest) -> Iterator[float]:
    """The chance of none, of one, of two and so on."""
    mean = rest.mean
    spread = max(0.0, (rest.variance - mean) / mean)
    size = mean / spread if spread > 1e-9 else inf
    chance = exp(-mean) if size == inf else exp(-log1p(spread) * size)
    number = 0
    while True:
        yield chance
        chance *= (mean + spread * number) / ((number + 1) * (1.0 + spread))
        number += 1


def tail(z: float) -> float:
    """The chance that a normal deviate is above z."""
    return 0.5 * erfc(z / _SQRT2)


def normal_quantile(probability: float) -> float:
    """The deviate below which it lies with a probability."""
    return _NORMAL.inv_cdf(probability)


def _above_zero(rest: Rest) -> tuple[float, float]:
    """Mean and gamma shape of what comes, given that anything does."""
    something = 1.0 - rest.nothing
    mean = rest.mean / something
    square = (rest.variance + rest.mean * rest.mean) / something
    variance = square - mean * mean
    # Rounding must not make it certain.
    return mean, mean * mean / max(variance, 1e-6 * mean * mean)


def shares(number: int, yes: float, no: float) -> list[float]:
    """Beta-binomial: the chance of each number of yes among so many, after `yes` and `no` before."""
    ways = [1.0]
    for k in range(number):
        ways.append(ways[-1] * (number - k) / (k + 1) * (yes + k) / (no + number - k - 1))
        if ways[-1] > 1e250:
            ways = [way * 1e-250 for way in ways]
    total = sum(ways)
    return [way / total for way in ways]
