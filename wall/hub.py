"""Tells every wall of what changed: encoded once, and sent to each as fast as it takes it.

Nothing is queued for a wall. It has a position in the view's log and is sent what comes after, from the
latest changes in memory or else from the view; one that is slow skips what has changed again meanwhile.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import takewhile

import msgspec
from msgspec import Struct

from streams import metrics
from wall.database import AwayError
from wall.freshness import Heartbeat
from wall.view import Change, View

HEARTBEAT_S = 3.0
KEPT_CHANGES = 2_000
"""How many of the latest changes are kept encoded, in memory."""
CHUNK_CHANGES = 500
MAX_DIGITS = 18

_encode = msgspec.json.Encoder().encode


class Position(Struct, frozen=True):
    """A place in the log of one life of the view."""

    life: str
    number: int

    def __str__(self) -> str:
        return f"{self.life}-{self.number}"


def position_of(text: str) -> Position | None:
    """The position that a wall says it has come to; none where that is no position."""
    life, _, number = text.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS):
        return None
    return Position(life, int(number))


class Hub:
    """What walls are connected to."""

    def __init__(self, view: View, heartbeat: Callable[[], Heartbeat]) -> None:
        self._view = view
        self._heartbeat = heartbeat
        self._life = view.life
        self._latest: deque[tuple[int, bytes]] = deque(maxlen=KEPT_CHANGES)
        self._complete_from = view.position
        """All changes after this position are among the latest."""
        self._published = view.position
        self._changed = asyncio.Event()
        self.walls = 0

    @property
    def position(self) -> Position:
        """Where the log ends."""
        return Position(self._life, self._published)

    def publish(self, changes: Sequence[Change]) -> None:
        """Tell of what has been written to the view."""
        for change in changes:
            if len(self._latest) == KEPT_CHANGES:
                self._complete_from = self._latest[0][0]
            self._latest.append((change.position, self._event(change)))
        self._published = self._view.position
        metrics.WALL_CHANGES.inc(len(changes))
        self._wake()

    def restarted(self) -> None:
        """Take up what the view is now: it has begun a new life, or holds what nobody was told of yet."""
        self._life = self._view.life
        self._latest.clear()
        self._complete_from = self._published = self._view.position
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _event(self, change: Change) -> bytes:
        place = Position(self._life, change.position)
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (
            str(place).encode(),
            change.kind.encode(),
            change.body,
        )

    def heartbeat(self) -> bytes:
        """The heartbeat, as an event without a position."""
        return b"event: heartbeat\ndata: %b\n\n" % _encode(self._heartbeat())

    async def stream(self, since: Position | None) -> AsyncGenerator[bytes]:
        """All that changes after a position, for as long as somebody listens, with heartbeats between."""
        self.walls += 1
        metrics.WALLS.inc()
        try:
            # How soon a wall whose connection was lost tries again.
            yield b"retry: 1000\n\n"
            at = since or self.position
            beats = 0.0
            while True:
                if at.life != self._life or at.number > self._published:
                    at = self.position
                    yield b"id: %b\nevent: reset\ndata: {}\n\n" % str(at).encode()
                if time.monotonic() >= beats:
                    yield self.heartbeat()
                    beats = time.monotonic() + HEARTBEAT_S
                changed = self._changed
                events, reached = await self._after(at.number)
                if events:
                    yield events
                    at = Position(at.life, reached)
                    continue
                await _wait(changed, beats - time.monotonic())
        finally:
            self.walls -= 1
            metrics.WALLS.dec()

    async def _after(self, position: int) -> tuple[bytes, int]:
        if position >= self._published:
            return b"", position
        if position >= self._complete_from:
            newer = list(takewhile(lambda change: change[0] > position, reversed(self._latest)))
            return b"".join(event for _, event in reversed(newer)), newer[0][0] if newer else position
        try:
            found = await asyncio.to_thread(self._view.since, position, CHUNK_CHANGES)
        except AwayError:
            # The heartbeat says so, and with the next one it is asked again.
            return b"", position
        # What is written but was not told of yet comes when it is.
        changes = [change for change in found if change.position <= self._published]
        events = b"".join(self._event(change) for change in changes)
        return events, changes[-1].position if changes else position


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return
