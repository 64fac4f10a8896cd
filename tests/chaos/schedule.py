"""The schedule: which fault comes when, a pure function of the seed, so that any run can be had again.

It knows how many workers there are after each fault, and nothing of how a fault is done.
"""

from collections.abc import Iterator
from enum import StrEnum
from random import Random

from msgspec import Struct

SHORTEST_WAIT_S = 1.0
LONGEST_PAUSE_S = 6.0
BROKER_START_S = 6.0
"""About how long a broker takes to stop and start."""


class Kind(StrEnum):
    """What is done to the pipeline; the value is what the report calls it."""

    KILL = "worker killed, another started"
    TERM = "worker terminated, another started"
    PAUSE = "worker paused past its session, and woken"
    ADD = "worker added"
    REMOVE = "worker removed"
    BROKER_RESTART = "broker restarted"
    BROKER_KILL = "broker killed, and started"


BROKER = frozenset({Kind.BROKER_RESTART, Kind.BROKER_KILL})
TAKES_ONE = frozenset({Kind.KILL, Kind.TERM, Kind.PAUSE, Kind.REMOVE})
"""A worker fewer for a while, or for good: there must be another."""


class Step(Struct, frozen=True):
    """One fault, and the time around it."""

    kind: Kind
    wait_s: float
    """How long to leave the pipeline alone before it."""
    victim: float
    """Which of the workers, from 0 to 1."""
    hold_s: float
    """How long the broker stays away, or a worker is paused beyond its session."""

    def planned_s(self, session_timeout_s: float) -> float:
        """About how long the fault takes, the wait before it included; what load is paced by."""
        match self.kind:
            case Kind.PAUSE:
                return self.wait_s + session_timeout_s + self.hold_s
            case Kind.BROKER_RESTART | Kind.BROKER_KILL:
                return self.wait_s + self.hold_s + BROKER_START_S
            case Kind.TERM | Kind.REMOVE:
                return self.wait_s + 2.0
            case Kind.KILL | Kind.ADD:
                return self.wait_s


def workers_after(kind: Kind, workers: int) -> int:
    """How many workers there are once a fault is over."""
    return workers + {Kind.ADD: 1, Kind.REMOVE: -1}.get(kind, 0)


def schedule(
    seed: int,
    faults: int,
    *,
    workers: int,
    partitions: int,
    longest_wait_s: float,
    longest_outage_s: float,
) -> Iterator[Step]:
    """So many faults, every kind among them, in an order and at distances that the seed gives.

    One worker at least is always alive, and there are never more than partitions.
    """
    assert faults >= len(Kind), "every kind must occur"
    assert 2 <= workers <= partitions, "one worker must be left when another is taken"
    random = Random(seed)
    missing = set(Kind)
    for _ in range(faults):
        possible = [kind for kind in Kind if _is_possible(kind, workers, partitions)]
        wanted = [kind for kind in possible if kind in missing]
        # Each kind once before any comes twice, so that a short schedule has them all; where none of
        # those is possible now, what makes one possible.
        kind = random.choice(wanted or possible)
        missing.discard(kind)
        workers = workers_after(kind, workers)
        wait_s, victim = random.uniform(SHORTEST_WAIT_S, longest_wait_s), random.random()
        # Outages are short, and now and then long.
        held = random.random()
        hold_s = held**3 * longest_outage_s if kind in BROKER else held * LONGEST_PAUSE_S
        yield Step(kind, wait_s, victim, hold_s)


def _is_possible(kind: Kind, workers: int, partitions: int) -> bool:
    if kind in TAKES_ONE:
        return workers > 1
    return kind is not Kind.ADD or workers < partitions
