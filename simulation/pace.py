"""Pace: when to tell each event, so that a demo is alive through simulated nights and weekends."""

from collections.abc import Iterable, Iterator

from schemas.events import Event


def paced(events: Iterable[Event], speed: float, quiet_s: float = 1.5) -> Iterator[tuple[float, Event]]:
    """Each event with the seconds to wait before it.

    Simulated time runs `speed` times as fast as ours; where nothing happens for longer than
    `quiet_s` of our seconds, the wait is cut to that.
    """
    before = None
    for event in events:
        gap = 0.0 if before is None else (event.time - before).total_seconds() / speed
        before = event.time
        yield min(max(gap, 0.0), quiet_s), event
