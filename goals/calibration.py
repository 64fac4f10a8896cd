"""How good probabilities are: scores, calibration, and how early they warn. With linear pacing beside them.

Linear pacing says: with half of the time gone there should be half of the target. Taken as yes or no, it is
surer than it can be; so its probability is a logistic curve of where the pace leads, fitted on the part of
history that is for learning. A second curve is also told how much time is left, which is more than anybody
does who paces linearly.
"""

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple

from msgspec import Struct

Judged = tuple[float, bool]
"""A probability that a goal is reached, and whether it was."""
CLIPPED = 0.005
"""In log loss nothing counts as surer than this: one late correction would outweigh all the rest."""


class Decile(Struct, frozen=True):
    """Probabilities in a tenth of the range, and how often they came true."""

    low: float
    judged: int
    predicted: float
    reached: float


class Warned(Struct, frozen=True):
    """What an alarm, raised where the probability falls to a threshold, is worth."""

    threshold: float
    false_alarms: float
    """Of the goals that were reached, how many it was raised for."""
    warned: float
    """Of those that were missed, how many it was raised for."""
    hours: float
    """Working hours before the end at which it was, in the middle of all misses; 0 where it was not."""


class Course(NamedTuple):
    """A goal's probabilities, in order, each with the working days that are left then."""

    reached: bool
    said: Sequence[tuple[float, float]]


def brier(judged: Sequence[Judged]) -> float:
    """The mean squared error: 0 is perfect, 0.25 is a coin."""
    return sum((chance - reached) ** 2 for chance, reached in judged) / len(judged)


def log_loss(judged: Sequence[Judged]) -> float:
    """Surprise, in nats."""
    return -sum(
        log(min(max(chance if reached else 1.0 - chance, CLIPPED), 1.0 - CLIPPED))
        for chance, reached in judged
    ) / len(judged)


def deciles(judged: Sequence[Judged]) -> list[Decile]:
    """The calibration table; tenths of which nothing was said are left out."""
    table: list[Decile] = []
    for tenth in range(10):
        of_it = [each for each in judged if min(9, int(each[0] * 10)) == tenth]
        if of_it:
            table.append(
                Decile(
                    tenth / 10,
                    len(of_it),
                    sum(chance for chance, _ in of_it) / len(of_it),
                    sum(reached for _, reached in of_it) / len(of_it),
                )
            )
    return table


class Curve(NamedTuple):
    """A logistic curve over some features."""

    weights: tuple[float, ...]

    def at(self, features: Sequence[float]) -> float:
        """The probability there."""
        found = sum(weight * feature for weight, feature in zip(self.weights, features, strict=True))
        return 1.0 / (1.0 + exp(-min(max(found, -40.0), 40.0)))


def fitted(points: Sequence[tuple[tuple[float, ...], bool]]) -> Curve:
    """The most likely curve, by Newton's method; a little ridge keeps it finite where all is plain."""
    size = len(points[0][0])
    weights = [0.0] * size
    for _ in range(12):
        slope = [-1e-3 * weight for weight in weights]
        bend = [[1e-3 * (i == j) for j in range(size)] for i in range(size)]
        curve = Curve(tuple(weights))
        for features, reached in points:
            chance = curve.at(features)
            off, sure = reached - chance, chance * (1.0 - chance)
            for i, feature in enumerate(features):
                slope[i] += off * feature
                for j in range(size):
                    bend[i][j] += sure * feature * features[j]
        step = _solved(bend, slope)
        weights = [weight + each for weight, each in zip(weights, step, strict=True)]
    return Curve(tuple(weights))


def alarm_at(courses: Sequence[Course], false_alarms: float) -> float:
    """The highest threshold that raises no more than so large a share of false alarms."""
    lowest = sorted(min(chance for chance, _ in course.said) for course in courses if course.reached)
    if not lowest:
        return 0.5
    allowed = int(false_alarms * len(lowest))
    # Just below the first that must not be raised.
    return lowest[min(allowed, len(lowest) - 1)] - 1e-9


def warned(courses: Sequence[Course], threshold: float, hours_a_day: float) -> Warned:
    """What an alarm at a threshold would have done."""
    leads = {
        reached: [_lead(course, threshold) for course in courses if course.reached is reached]
        for reached in (True, False)
    }
    missed = sorted(lead or 0.0 for lead in leads[False])
    return Warned(
        threshold,
        _share(leads[True]),
        _share(leads[False]),
        missed[len(missed) // 2] * hours_a_day if missed else 0.0,
    )


def _lead(course: Course, threshold: float) -> float | None:
    """Working days that were left when the alarm was raised."""
    return next((left for chance, left in course.said if chance <= threshold), None)


def _share(leads: Sequence[float | None]) -> float:
    return sum(lead is not None for lead in leads) / len(leads) if leads else 0.0


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss, with the largest pivot; the matrix is small and positive."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for i in range(size):
        best = max(range(i, size), key=lambda k: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for k in range(size):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [row[-1] / row[i] for i, row in enumerate(rows)]
