"""Freshness: up to when everything has been counted, with what comes in all the time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wall.freshness import BEHIND_S, STAGES, State, Watermark, state_of

NOON = datetime(2026, 3, 19, 12, tzinfo=UTC)
TOPICS = sorted({topic for stage in STAGES for topic in stage})
PARTITIONS = [(topic, number) for topic in TOPICS for number in range(2)]


def at(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


def all_at(offset: int) -> dict[tuple[str, int], int]:
    return dict.fromkeys(PARTITIONS, offset)


def test_with_nothing_left_to_do_each_look_says_that_it_is_all_counted() -> None:
    """Also where nothing ever came."""
    watermark = Watermark()
    for second in range(3):
        watermark.look(at(second), {}, all_at(0))
        assert watermark.counted_to == at(second)


def test_a_pipeline_that_is_always_busy_is_not_behind() -> None:
    """Something is in flight at each look, and what was there a few looks ago is through."""
    watermark = Watermark()
    for second in range(1, 60):
        watermark.look(at(second), all_at(second * 10 - 1), all_at(second * 10))
    assert watermark.counted_to is not None
    assert watermark.counted_to >= at(60 - 1 - 2 * len(STAGES))


@pytest.mark.parametrize("stuck", TOPICS)
def test_whatever_is_stuck_holds_it_back(stuck: str) -> None:
    """Wherever it is; and once that goes on, all is counted again."""
    watermark = Watermark()
    watermark.look(at(0), all_at(5), all_at(5))
    for second in range(1, 30):
        watermark.look(at(second), {**all_at(90), (stuck, 1): 5}, all_at(90))
    assert watermark.counted_to == at(0)
    for second in range(30, 36):
        watermark.look(at(second), all_at(90), all_at(90))
    assert watermark.counted_to is not None
    assert watermark.counted_to >= at(30)


@given(steps=st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_it_never_says_more_than_is_so(steps: list[int]) -> None:
    """One event each second, some of them counted: what it says was counted had been, when it says so."""
    watermark, counted = Watermark(), 0
    for second, step in enumerate(steps):
        counted = min(counted + step, second)
        # The events are counted in their order, and lead to one record each, read at once.
        watermark.look(at(second), all_at(counted), all_at(second))
        if watermark.counted_to is not None:
            assert watermark.counted_to <= at(counted)


@pytest.mark.parametrize(
    ("reachable", "away", "counted_age_s", "tick_age_s", "says"),
    [
        (False, True, 1.0, 1.0, "unreachable"),
        (True, True, None, None, "away"),
        (True, False, None, 1.0, "unknown"),
        (True, False, BEHIND_S + 1, 1.0, "behind"),
        (True, False, 1.0, None, "still"),
        (True, False, 1.0, 60.0, "still"),
        (True, False, 1.0, 12.0, "fresh"),
    ],
)
def test_what_is_wrong_is_said(
    reachable: bool, away: bool, counted_age_s: float | None, tick_age_s: float | None, says: State
) -> None:
    """The worst first."""
    found = state_of(
        reachable=reachable,
        away=away,
        counted_age_s=counted_age_s,
        tick_age_s=tick_age_s,
        tick_every_s=10.0,
    )
    assert found == says


def test_where_nobody_knows_how_often_the_clock_ticks_it_never_stands_still() -> None:
    """As in a demo, which ticks for itself."""
    found = state_of(reachable=True, away=False, counted_age_s=1.0, tick_age_s=None, tick_every_s=0.0)
    assert found == "fresh"
