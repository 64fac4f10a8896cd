"""What every schedule of faults holds, whatever the seed."""

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.schedule import TAKES_ONE, Kind, Step, schedule, workers_after

LONGEST_WAIT_S = 9.0


@st.composite
def set_ups(draw: st.DrawFn) -> tuple[int, int, list[Step]]:
    """How many workers and partitions there are, and a schedule for them."""
    workers = draw(st.integers(2, 5))
    partitions = draw(st.integers(workers, 12))
    faults = draw(st.integers(len(Kind), 40))
    seed = draw(st.integers(0, 2**32))
    steps = planned(seed, faults, workers, partitions)
    assert len(steps) == faults
    return workers, partitions, steps


def planned(seed: int, faults: int, workers: int, partitions: int) -> list[Step]:
    steps = schedule(
        seed,
        faults,
        workers=workers,
        partitions=partitions,
        longest_wait_s=LONGEST_WAIT_S,
        longest_outage_s=40.0,
    )
    return list(steps)


@given(set_ups())
def test_every_kind_of_fault_occurs(found: tuple[int, int, list[Step]]) -> None:
    """However few they are."""
    _, _, steps = found
    assert {step.kind for step in steps} == set(Kind)


@given(set_ups())
def test_one_worker_is_always_left(found: tuple[int, int, list[Step]]) -> None:
    """Also while one is being replaced, or is paused; and no worker is without a partition."""
    workers, partitions, steps = found
    for step in steps:
        if step.kind in TAKES_ONE:
            assert workers > 1
        workers = workers_after(step.kind, workers)
        assert 1 <= workers <= partitions


@given(set_ups())
def test_waits_are_short_enough_to_disturb_what_the_last_fault_began(
    found: tuple[int, int, list[Step]],
) -> None:
    """And victims are a share of the workers, whose number is not known beforehand."""
    _, _, steps = found
    for step in steps:
        assert 0.0 < step.wait_s <= LONGEST_WAIT_S
        assert 0.0 <= step.victim < 1.0
        assert step.planned_s(6.0) >= step.wait_s


@given(st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_schedule(seed: int) -> None:
    """A run that went wrong can be had again."""
    assert planned(seed, 20, 3, 8) == planned(seed, 20, 3, 8)
