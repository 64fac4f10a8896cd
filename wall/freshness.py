"""How fresh the figures are: up to when all that came in has been counted, and whether the clock goes.

All that was on the topics at one instant is followed from topic to topic: to the end of what events were
there then, then to the end of what these led to, and so on to the records that the view has read. Once it
is through, the figures hold up to that instant. So a pipeline that is always busy is not taken for one
that lags, nor one that hangs for one with nothing to do.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from schemas.topics import CRM_TOPICS, DEFINITIONS, LINKS, PARTIALS, SCORECARDS

Offsets = Mapping[tuple[str, int], int]
"""Of each topic and partition, an offset."""

STAGES: tuple[tuple[str, ...], ...] = (
    (*(topic.name for topic in CRM_TOPICS), DEFINITIONS.name),
    # What an event leads to may be said to another home, and by that to a third.
    (LINKS.name,),
    (LINKS.name,),
    (PARTIALS.name,),
    (SCORECARDS.name,),
)
"""Where records go, in this order."""

BEHIND_S = 15.0
"""Figures that hold up to longer ago than this are behind."""
MISSED_TICKS = 2
"""A clock that has missed more ticks than this, and a little, stands still: no worker runs."""

State = Literal["fresh", "behind", "still", "unknown", "away", "unreachable"]


class Heartbeat(Struct, frozen=True, kw_only=True):
    """What walls are told each few seconds."""

    state: State
    """`behind`: counting takes longer than it should; `still`: no worker says what time it is; `unknown`:
    that is not known yet; `away`: the view's database does not answer; `unreachable`: Kafka does not."""
    now: datetime
    """What time it is here."""
    clock: datetime | None
    """What time it is to the pipeline: in which windows today is."""
    elsewhere: bool
    """Whether the pipeline lives in another time than we do, as one that counts a simulated floor does."""
    counted_to: datetime | None
    """Up to when, by the time here, all that came in has been counted."""
    timezone: str
    currency: str


class Watermark:
    """Up to when everything has been counted."""

    def __init__(self) -> None:
        self.counted_to: datetime | None = None
        self._since: datetime | None = None
        self._stage = 0
        self._target: dict[tuple[str, int], int] = {}

    def look(self, at: datetime, done: Offsets, ends: Offsets) -> None:
        """How far all has come; `done` was looked up before `ends`, and both after `at`."""
        if _reached(done, ends):
            # Nothing is finished before what it leads to is written, and so nothing is in flight.
            self.counted_to, self._since = at, None
            return
        if self._since is None:
            self._since, self._stage, self._target = at, 0, _ends(0, ends)
        while _reached(done, self._target):
            self._stage += 1
            if self._stage == len(STAGES):
                self.counted_to, self._since = self._since, None
                return
            self._target = _ends(self._stage, ends)


def _reached(done: Offsets, target: Offsets) -> bool:
    return all(done.get(place, 0) >= end for place, end in target.items())


def _ends(stage: int, ends: Offsets) -> dict[tuple[str, int], int]:
    return {place: end for place, end in ends.items() if place[0] in STAGES[stage]}


def state_of(
    *,
    reachable: bool,
    away: bool,
    counted_age_s: float | None,
    tick_age_s: float | None,
    tick_every_s: float,
) -> State:
    """What walls say of the figures; where nobody knows how often the clock ticks, `tick_every_s` is 0."""
    if not reachable:
        return "unreachable"
    if away:
        return "away"
    if counted_age_s is None:
        return "unknown"
    if counted_age_s > BEHIND_S:
        return "behind"
    if tick_every_s and (tick_age_s is None or tick_age_s > MISSED_TICKS * tick_every_s + BEHIND_S):
        return "still"
    return "fresh"
