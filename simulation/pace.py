"""Pace: when to tell each event, so that a floor is alive through simulated nights and weekends."""

from collections.abc import Iterable, Iterator

from schemas.events import Recorded


def paced(
    events: Iterable[Recorded], speed: float, quiet_s: float = 1.5
) -> Iterator[tuple[float, Recorded]]:
    """Each event with the seconds to wait before it.

    Simulated time runs `speed` times as fast as ours; where nothing happens for longer than
    `quiet_s` of our seconds, the wait is cut to that. An event of an earlier time than those before
    it comes at once.
    """
    latest = None
    for recorded in events:
        time = recorded.event.time
        if latest is None or time <= latest:
            yield 0.0, recorded
            latest = latest or time
            continue
        yield min((time - latest).total_seconds() / speed, quiet_s), recorded
        latest = time


def bursts(
    paced: Iterable[tuple[float, Recorded]], shortest_s: float
) -> Iterator[tuple[float, list[Recorded]]]:
    """Those of less than `shortest_s` of our seconds together, with the seconds to wait before them.

    For speeds at which it takes longer to tell an event by itself than to wait for the next.
    """
    burst: list[Recorded] = []
    wait, lasting = 0.0, 0.0
    for before, recorded in paced:
        lasting += before
        if burst and lasting >= shortest_s:
            yield wait, burst
            burst = []
        if not burst:
            wait, lasting = lasting, 0.0
        burst.append(recorded)
    if burst:
        yield wait, burst
