"""Where a goal's figure will end up: what is done and what is still to come against the target.

Pure and cheap: what is learned, and what is to come of each sum until the period's end, changes daily and
is worked out in `goals.outlook`; here it meets the figure as it stands now. Nothing is drawn at random.
"""

from math import ceil, floor, sqrt
from typing import NamedTuple

from goals.chances import Rest, chance_of, normal_quantile, quantile, shares, tail
from schemas.goals import Better

LOW, HIGH = 0.1, 0.9
"""Between these quantiles the result lies in four of five periods."""
_MANY = 150
"""Of so many decisions and more, a share is as good as normal."""
_ABOUT = sqrt(3.0)
"""Gauss-Hermite: the mean and so many deviations to either side stand for a normal distribution."""


class Forecast(NamedTuple):
    """A figure's result at the end of a period, as it looks now."""

    expected: float | None
    low: float | None
    high: float | None
    probability: float
    """Of reaching the target."""


class Split(NamedTuple):
    """Decisions of two kinds, such as deals won and lost."""

    yes: float
    no: float


def left_of_day(share_passed: float, at_dawn: float, at_dusk: float) -> float:
    """How much of today's working time is left, from the share of the period's that has passed."""
    if at_dusk <= at_dawn:
        return 0.0
    return min(1.0, max(0.0, (at_dusk - share_passed) / (at_dusk - at_dawn)))


def to_come(today: Rest, later: Rest, left_today: float) -> Rest:
    """What comes from now on: the part of today that is left, and the days after it."""
    return today.of(left_today).and_then(later)


def of_sum(done: float, rest: Rest, target: float, better: Better) -> Forecast:
    """Of a count or an amount, such as meetings booked or revenue."""
    expected = done + rest.mean
    low = min(expected, done + quantile(rest, LOW))
    high = max(expected, done + quantile(rest, HIGH))
    missing = target - done
    if better == "at_least":
        return Forecast(expected, low, high, chance_of(rest, ceil(missing) if rest.whole else missing))
    if missing < 0.0:
        return Forecast(expected, low, high, 0.0)
    # One more than allowed, or any money more.
    above = floor(missing) + 1 if rest.whole else missing
    exceeded = chance_of(rest, above) if above > 0.0 else 1.0 - rest.nothing
    return Forecast(expected, low, high, 1.0 - exceeded)


def of_share(done: Split, rest: Rest, before: Split, target: float, better: Better) -> Forecast:
    """Of a rate of decisions, such as the win rate, after what was decided before the period."""
    yes, no = before.yes + done.yes, before.no + done.no
    likely = yes / (yes + no)
    decided = done.yes + done.no
    in_all = decided + rest.mean
    if in_all <= 0.0:
        return Forecast(None, None, None, 0.0)
    if rest.mean <= 0.0:
        result = done.yes / decided
        return Forecast(result, result, result, float(_reached(result, target, better)))
    expected = (done.yes + likely * rest.mean) / in_all
    spread = likely * (1.0 - likely)
    known = yes + no + 1.0
    variance = rest.mean * spread + (rest.mean**2 + rest.variance) * spread / known
    variance += rest.variance * (likely - expected) ** 2
    deviation = sqrt(variance) / in_all
    away = normal_quantile(HIGH) * deviation
    low, high = max(0.0, expected - away), min(1.0, expected + away)
    if rest.mean >= _MANY:
        above = tail((target - expected) / deviation)
        return Forecast(expected, low, high, above if better == "at_least" else 1.0 - above)
    deviates = sqrt(rest.variance)
    probability = 0.0
    for weight, number in (
        (1 / 6, rest.mean - _ABOUT * deviates),
        (2 / 3, rest.mean),
        (1 / 6, rest.mean + _ABOUT * deviates),
    ):
        more = max(0, round(number))
        reached = (
            chance
            for k, chance in enumerate(shares(more, yes, no))
            if decided + more and _reached((done.yes + k) / (decided + more), target, better)
        )
        probability += weight * sum(reached)
    return Forecast(expected, low, high, min(1.0, probability))


def of_mean(
    above: float, below: float, rest_above: Rest, rest_below: Rest, target: float, better: Better
) -> Forecast:
    """Of one sum by another, such as the average deal's value or acquisition cost."""
    in_all = below + rest_below.mean
    if in_all <= 0.0:
        return Forecast(None, None, None, 0.0)
    expected = (above + rest_above.mean) / in_all
    # What both share, more deals and so more value, moves the mean little: only what is left counts.
    each = rest_above.mean / rest_below.mean if rest_below.mean > 0.0 else 0.0
    own = max(0.0, rest_above.variance - each * each * rest_below.variance)
    variance = own + (each - expected) ** 2 * rest_below.variance
    if variance <= 0.0:
        return Forecast(expected, expected, expected, float(_reached(expected, target, better)))
    deviation = sqrt(variance) / in_all
    away = normal_quantile(HIGH) * deviation
    reached = tail((target - expected) / deviation)
    return Forecast(
        expected,
        max(0.0, expected - away),
        expected + away,
        reached if better == "at_least" else 1.0 - reached,
    )


def _reached(result: float, target: float, better: Better) -> bool:
    return result >= target if better == "at_least" else result <= target
