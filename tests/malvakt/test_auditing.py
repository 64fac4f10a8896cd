"""What is in flight is told apart from what differs."""

import asyncio
from datetime import date
from typing import Any

import pytest

from audit.comparing import Difference
from malvakt.auditing import LOOKS, Installation


def difference(figure: str, published: int, recounted: int = 5, revision: int = 1) -> Difference:
    return Difference("company", "day", date(2026, 3, 2), figure, published, recounted, revision)


class Looks(Installation):
    """An installation of which one look after another is known."""

    def __init__(self, *looks: list[Difference]) -> None:
        self.undecided = 0
        self.looks = iter(looks)
        self.taken = 0

    async def _look(self, patience_s: float) -> dict[Any, Difference]:
        self.taken += 1
        return {d.figure: d for d in next(self.looks)}


A, B = difference("measures.calls", 4), difference("measures.visits", 6)
MOVING = [[difference("measures.calls", n, n + 1, n)] for n in range(LOOKS)]


@pytest.mark.parametrize(
    ("looks", "standing", "taken", "undecided"),
    [
        ([[]], [], 1, 0),
        ([[A], []], [], 2, 0),
        ([[A, B], [A]], [A], 2, 0),
        ([[A], [A, B]], [A], 2, 0),
        ([[MOVING[0][0], B], [MOVING[1][0], B], [B]], [B], 3, 0),
        ([MOVING[0], MOVING[1], MOVING[1]], MOVING[1], 3, 0),
        (MOVING, [], LOOKS, 1),
    ],
    ids=[
        "nothing differs",
        "it was in flight",
        "one stands",
        "one is in flight by now",
        "one stands while another moves",
        "it came to rest",
        "it never rests",
    ],
)
def test_a_difference_stands_once_it_has_not_moved_between_two_looks(
    looks: list[list[Difference]], standing: list[Difference], taken: int, undecided: int
) -> None:
    """And nobody looks oftener than that takes, or than is worth it."""
    installation = Looks(*looks)
    assert asyncio.run(installation.standing_differences(0, 0)) == standing
    assert (installation.taken, installation.undecided) == (taken, undecided)
