"""The standard job: what the benchmark's figures are figures of."""

from collections import Counter
from itertools import pairwise

from schemas.decoding import Reason, decode_event
from schemas.events import DealWon, SellerAssigned
from simulation.standard import DAYS, FIRST_DAY, standard_job


def test_the_standard_job_is_what_it_says() -> None:
    """200 sellers in 20 teams, then deals won by them with 5,000 customers over 250 days, in order."""
    told = [decode_event(raw) for raw in standard_job(50_000)]
    assert not [event for event in told if isinstance(event, Reason)]
    assigned = [event for event in told if isinstance(event, SellerAssigned)]
    won = [event for event in told if isinstance(event, DealWon)]
    assert told == [*assigned, *won]
    assert len(won) == 50_000
    assert len({event.data.seller for event in assigned}) == len(assigned) == 200
    assert set(Counter(event.data.team for event in assigned).values()) == {10}
    assert all(event.time < FIRST_DAY for event in assigned)
    assert {event.data.seller for event in won} == {event.data.seller for event in assigned}
    assert len({event.data.customer for event in won}) == 5_000
    assert len({event.data.deal for event in won}) == 50_000
    assert {(event.time - FIRST_DAY).days for event in won} == set(range(DAYS))
    assert all(one.time <= other.time for one, other in pairwise(won))
    assert all(1_000 <= float(event.data.value or 0) < 100_000 for event in won)


def test_the_same_job_is_the_same_bytes() -> None:
    """Another seed is another job of the same size."""
    assert list(standard_job(100)) == list(standard_job(100))
    assert list(standard_job(100)) != list(standard_job(100, seed=2))
    assert len(list(standard_job(0, sellers=3))) == 3
