"""Made-up floors: the same floor lives the same life, and what arrives is what happened."""

import os
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import decode_event
from schemas.events import EVENT_TYPES, Event, encode_event, type_of
from simulation.floor import Floor, events, shuffled
from simulation.pace import paced

START = date(2026, 3, 2)


def life(floor: Floor, days: int = 30) -> list[Event]:
    return list(events(floor, START, START + timedelta(days=days)))


def written(told: list[Event]) -> bytes:
    return b"\n".join(encode_event(event) for event in told)


def test_the_same_floor_lives_the_same_life() -> None:
    """Byte for byte; another seed is another life."""
    floor = Floor(sellers=5, seed=7)
    assert written(life(floor)) == written(life(Floor(sellers=5, seed=7)))
    assert written(life(floor)) != written(life(Floor(sellers=5, seed=8)))


TELL = """
from datetime import date
from sys import stdout
from schemas.events import encode_event
from simulation.floor import Floor, events
for event in events(Floor(sellers=5, seed=7), date(2026, 3, 2), date(2026, 4, 1)):
    stdout.buffer.write(encode_event(event) + b"\\n")
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_floor_lives_the_same_life_elsewhere(hash_seed: str) -> None:
    """In another process, in which sets and dicts of texts have another order."""
    told = subprocess.run(
        [sys.executable, "-c", TELL],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert told.stdout.strip() == written(life(Floor(sellers=5, seed=7)))


def test_a_longer_life_begins_like_a_shorter_one() -> None:
    """So that a demo can be stopped, and its events made again."""
    short = life(Floor(sellers=5), 10)
    assert life(Floor(sellers=5), 30)[: len(short)] == short
    assert list(islice(events(Floor(sellers=5), START), len(short))) == short


def test_a_life_is_told_in_order_within_its_days() -> None:
    """By time, every event once, each of them one that would be let in."""
    told = life(Floor(sellers=8), 60)
    assert all(one.time <= other.time for one, other in pairwise(told))
    assert told[0].time.date() == START
    assert told[-1].time.date() < START + timedelta(days=60)
    assert len({(event.source, event.id) for event in told}) == len(told)
    assert all(decode_event(encode_event(event), event.topic) == event for event in told)


def test_a_life_holds_every_kind_of_event_that_a_floor_tells() -> None:
    """Corrections among them; costs and rates are no floor's."""
    kinds = {type_of(event) for event in life(Floor(sellers=30), 200)}
    untold = {"cost.logged", "cost.amended", "cost.deleted", "rate.set"}
    assert kinds == set(EVENT_TYPES) - untold


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.02, 1.0]), st.sampled_from([0, 1, 50, 10_000]))
def test_shuffled_keeps_all_events(seed: int, duplicates: float, disorder: int) -> None:
    """Each once or twice, none that did not happen."""
    told = [encode_event(event) for event in life(Floor(sellers=2), 4)]
    arrived = Counter(map(encode_event, shuffled(life(Floor(sellers=2), 4), seed, duplicates, disorder)))
    assert set(arrived) == set(told)
    assert set(arrived.values()) <= ({1} if duplicates == 0.0 else {2} if duplicates == 1.0 else {1, 2})


def test_shuffled_is_out_of_order_and_the_same_each_time() -> None:
    """Or it would test nothing, or not the same twice."""
    told = life(Floor(sellers=3), 10)
    once, again = (list(shuffled(told, 3)) for _ in range(2))
    assert once == again
    assert [event.time for event in once] != sorted(event.time for event in once)


@pytest.mark.parametrize("speed", [1.0, 600.0])
def test_paced_waits_as_long_as_it_took_but_not_through_the_night(speed: float) -> None:
    """Divided by the speed, and never longer than a person wants to look at nothing."""
    told = life(Floor(sellers=3), 3)
    paces = list(paced(told, speed, quiet_s=1.5))
    assert [event for _, event in paces] == told
    assert paces[0][0] == 0.0
    for (one, other), (wait, _) in zip(pairwise(told), paces[1:], strict=True):
        assert wait == min((other.time - one.time).total_seconds() / speed, 1.5)
