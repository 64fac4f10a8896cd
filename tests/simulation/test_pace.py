"""Pace: a floor's time against ours."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Recorded
from simulation.floor import Floor, told
from simulation.pace import bursts, paced

START = date(2026, 3, 2)


def life(days: int) -> list[Recorded]:
    return list(told(Floor(sellers=3), START, START + timedelta(days=days)))


@pytest.mark.parametrize("speed", [1.0, 600.0])
def test_paced_waits_as_long_as_it_took_but_not_through_the_night(speed: float) -> None:
    """Divided by the speed, and never longer than a person wants to look at nothing."""
    happened = life(3)
    paces = list(paced(happened, speed, quiet_s=1.5))
    assert [recorded for _, recorded in paces] == happened
    assert paces[0][0] == 0.0
    for (one, other), (wait, _) in zip(pairwise(happened), paces[1:], strict=True):
        assert wait == min((other.event.time - one.event.time).total_seconds() / speed, 1.5)


def test_what_turns_out_late_is_told_at_once() -> None:
    """And what comes after it does not wait for the time in between once more."""
    first, *_, last = life(3)
    waits = [wait for wait, _ in paced([first, last, first, last], 1.0, quiet_s=10_000_000.0)]
    took = (last.event.time - first.event.time).total_seconds()
    assert waits == [0.0, took, 0.0, 0.0]


WAITS = st.lists(st.integers(0, 2_000), max_size=40)


@given(WAITS, st.integers(0, 3_000))
def test_bursts_tell_everything_no_later_and_hardly_earlier(waits: list[int], shortest: int) -> None:
    """In the same order; each event less than the shortest wait before its time."""
    [recorded, *_] = life(1)
    # Whole milliseconds, so that sums are exact.
    told_by = [(float(wait), recorded) for wait in waits]
    due, expected = 0.0, list[float]()
    for wait in waits:
        due += wait
        expected.append(due)
    clock, found = 0.0, list[float]()
    together = list(bursts(told_by, float(shortest)))
    for wait, burst in together:
        clock += wait
        assert burst
        found += [clock] * len(burst)
    assert len(found) == len(expected)
    assert all(0.0 <= at - told_at < max(shortest, 1) for at, told_at in zip(expected, found, strict=True))
    assert all(wait >= shortest for wait, _ in together[1:])
