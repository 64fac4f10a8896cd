"""The measuring stick: when a run is over, and when it was broken off."""

from collections.abc import Iterator
from typing import Any

from bench.measuring import measure


class Heard:
    """A group that is asked, and says what it is told to say; at last the same again and again."""

    def __init__(self, done: list[int], settled: list[bool]) -> None:
        self._done, self._settled = answers(done), answers(settled)

    def begun(self) -> bool:
        return True

    def done(self) -> int:
        return next(self._done)

    def settled(self) -> bool:
        return next(self._settled)


def answers(given: list[Any]) -> Iterator[Any]:
    yield from given
    while True:
        yield given[-1]


def test_a_run_is_over_once_nothing_is_left() -> None:
    """Not when the input is read: what follows from it is still on its way."""
    group: Any = Heard([2, 5, 9, 9], [False, False, True])
    measured = measure(group, [], 9)
    assert measured.settled
    assert (measured.first_done, [sample.done for sample in measured.samples]) == (2, [2, 5, 9])


def test_a_sitting_is_broken_off_in_time() -> None:
    """Though all of the input is read, it is not over."""
    group: Any = Heard([9], [False])
    assert not measure(group, [], 9, enough_s=0.1).settled
