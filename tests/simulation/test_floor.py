"""Made-up floors: the same floor lives the same life, and what arrives is what happened."""

import os
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from itertools import islice, pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import LATEST, Reason, decode_event
from schemas.events import EVENT_TYPES, Event, RateSet, SellerAssigned, encode_event, type_of
from simulation.floor import Floor, events, lines, shuffled

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
from simulation.floor import Floor, lines
for raw in lines(Floor(sellers=5, seed=7), date(2026, 3, 2), date(2026, 4, 1)):
    stdout.buffer.write(raw + b"\\n")
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
    here = lines(Floor(sellers=5, seed=7), START, START + timedelta(days=30))
    assert told.stdout.strip() == b"\n".join(here)


def test_a_longer_life_begins_like_a_shorter_one() -> None:
    """So that a demo can be stopped, and its events made again."""
    short = life(Floor(sellers=5), 10)
    assert life(Floor(sellers=5), 30)[: len(short)] == short
    assert list(islice(events(Floor(sellers=5), START), len(short))) == short


def test_a_life_is_told_in_order_but_for_what_turns_out_late() -> None:
    """By time, every event once; only changes of team and rates are told after their time, some of them."""
    told = life(Floor(sellers=60, currencies=("EUR",)), 200)
    assert len({(event.source, event.id) for event in told}) == len(told)
    in_time = [event for event in told if not isinstance(event, SellerAssigned | RateSet)]
    assert all(one.time <= other.time for one, other in pairwise(in_time))
    assert in_time[0].time.date() == START
    assert in_time[-1].time.date() < START + timedelta(days=200)
    for kind in (SellerAssigned, RateSet):
        delays = [delay(told, place) for place, event in enumerate(told) if isinstance(event, kind)]
        assert min(delays) == timedelta(0)
        assert max(delays) > timedelta(days=1)


def delay(told: list[Event], place: int) -> timedelta:
    """How long after its time an event is told: the latest time that was told before says."""
    return max(event.time for event in told[max(0, place - 50) : place + 1]) - told[place].time


@pytest.mark.parametrize(
    "floor",
    [
        Floor(sellers=30, currencies=("EUR", "NOK")),
        Floor(sellers=1, teams=1, country="US", timezone="America/New_York", currency="USD"),
        Floor(sellers=9, teams=9, currency="BRL", currencies=("JPY",), rates="monthly", seed=3),
    ],
)
def test_what_is_told_would_be_let_in(floor: Floor) -> None:
    """By whoever decodes it, on the topic of its type."""
    for raw in lines(floor, START, START + timedelta(days=90)):
        topic = EVENT_TYPES[orjson.loads(raw)["type"]].topic
        event = decode_event(raw, topic)
        assert not isinstance(event, Reason), event.sentence


@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_holds_every_kind_of_event(seed: int) -> None:
    """Corrections and deletions among them."""
    floor = Floor(sellers=12, currencies=("EUR", "USD"), seed=seed)
    kinds = {type_of(event) for event in life(floor, 365)}
    assert kinds == set(EVENT_TYPES)


@pytest.mark.parametrize(
    ("floor", "start"),
    [
        (Floor(country="XX"), START),
        (Floor(timezone="Nowhere"), START),
        (Floor(currencies=("XXX",)), START),
        (Floor(sellers=0), START),
        (Floor(teams=0), START),
        (Floor(), date(1969, 1, 1)),
    ],
)
def test_a_floor_that_cannot_be_is_refused(floor: Floor, start: date) -> None:
    """Before anything is told."""
    with pytest.raises(ValueError, match=r"\w"):
        lines(floor, start)


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


def test_for_ever_ends_where_no_event_may_come_any_more() -> None:
    """A season before, so that what is said of days to come is let in too."""
    told = list(events(Floor(sellers=2, currencies=("EUR",)), date(2199, 8, 1)))
    assert told[-1].time.date() > date(2199, 9, 20)
    assert max(event.time for event in told) < LATEST
