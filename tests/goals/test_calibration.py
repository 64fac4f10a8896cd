"""Scores by hand, and curves and alarms on plain cases."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.calibration import Course, alarm_at, brier, deciles, fitted, log_loss, warned

judged = st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), min_size=1, max_size=60)


def test_scores_by_hand() -> None:
    """Two said seven in ten; one came."""
    said = [(0.7, True), (0.7, False)]
    assert brier(said) == pytest.approx((0.09 + 0.49) / 2)
    assert log_loss(said) == pytest.approx(-(log(0.7) + log(0.3)) / 2)
    [decile] = deciles(said)
    assert (decile.low, decile.judged, decile.reached) == (0.7, 2, 0.5)
    assert decile.predicted == pytest.approx(0.7)


@given(judged)
def test_deciles_leave_nothing_out(said: list[tuple[float, bool]]) -> None:
    """Every probability is in one, 1 itself too."""
    table = deciles(said)
    assert sum(decile.judged for decile in table) == len(said)
    assert all(decile.low <= decile.predicted + 1e-9 for decile in table)
    assert sum(decile.reached * decile.judged for decile in table) == pytest.approx(
        sum(reached for _, reached in said)
    )


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
def test_a_curve_goes_through_two_points(a: int, b: int, c: int, d: int) -> None:
    """With as many weights as points it says just how often each came."""
    points = [((1.0, 0.0), True)] * a + [((1.0, 0.0), False)] * b
    points += [((1.0, 1.0), True)] * c + [((1.0, 1.0), False)] * d
    curve = fitted(points)
    assert curve.at((1.0, 0.0)) == pytest.approx(a / (a + b), abs=0.01)
    assert curve.at((1.0, 1.0)) == pytest.approx(c / (c + d), abs=0.01)


def test_a_curve_stays_finite_where_all_is_plain() -> None:
    """All reached above, none below."""
    curve = fitted([((1.0, x), x > 0.0) for x in (-2.0, -1.0, 1.0, 2.0)])
    assert curve.at((1.0, 2.0)) > 0.98
    assert curve.at((1.0, -2.0)) < 0.02


def test_an_alarm_is_set_so_that_false_ones_are_as_rare_as_asked() -> None:
    """Of ten goals that are reached one may raise it; what it is worth is told by those that are missed."""
    reached = [Course(True, [(0.9, 10.0), (0.30 + number / 100, 5.0)]) for number in range(10)]
    threshold = alarm_at(reached, 0.1)
    assert 0.30 <= threshold < 0.31
    missed = [
        Course(False, [(0.9, 10.0), (0.2, 4.0), (0.0, 1.0)]),
        Course(False, [(0.25, 10.0), (0.9, 1.0)]),
        Course(False, [(0.5, 1.0)]),
    ]
    alarm = warned([*reached, *missed], threshold, 8.0)
    assert alarm.false_alarms == pytest.approx(0.1)
    assert alarm.warned == pytest.approx(2 / 3)
    assert alarm.hours == 32.0
