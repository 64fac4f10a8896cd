"""Goals that the people of a floor could set: a little more than they have been used to."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from kpis.contributions import Business
from kpis.replay import Replay
from schemas.events import Event
from schemas.goals import Absolute, Acceptance, Goal, Grain, Recurring
from schemas.records import KpiRecord

LEAD = "sales-lead"
"""Who accepts what is not one seller's own."""
PERIODS = 6
"""How many periods that are over, at most, say what people are used to."""


class _Wish(NamedTuple):
    kind: str
    kpi: str
    grain: Grain
    percent: int
    """Of what people are used to."""


WISHES = [
    _Wish("company", "revenue", "month", 110),
    _Wish("company", "new_leads", "month", 105),
    _Wish("company", "revenue", "quarter", 115),
    _Wish("team", "revenue", "month", 110),
    _Wish("seller", "meetings_booked", "week", 120),
]


def goals_after(events: Iterable[Event], business: Business, now: datetime) -> list[Goal]:
    """Goals for the company, its teams and its sellers by what was until now; accepted, and in force."""
    replay = Replay(business)
    replay.feed(events)
    histories: dict[tuple[str, str], list[KpiRecord]] = {}
    for record in replay.records(now):
        histories.setdefault((record.scope, record.grain), []).append(record)
    return [
        _goal(scope, wish, used_to, current, now)
        for (scope, grain), history in sorted(histories.items())
        for wish in WISHES
        if (scope.partition(":")[0], grain) == (wish.kind, wish.grain)
        for used_to, current in _used_to(history, wish.kpi, now.date())
    ]


def _used_to(history: list[KpiRecord], kpi: str, today: date) -> Iterator[tuple[float, date]]:
    """What was reached in a period on average, and when the one that has begun did, where there are both.

    The first period is left out where there are others: the floor began somewhere in it.
    """
    began = sorted((record for record in history if record.start <= today), key=lambda record: record.start)
    over, current = began[:-1], began[-1:]
    known = [float(record.kpis[kpi] or 0) for record in (over[1:] or over)[-PERIODS:]]
    if known and sum(known) > 0:
        yield sum(known) / len(known), current[0].start


def _goal(scope: str, wish: _Wish, used_to: float, start: date, now: datetime) -> Goal:
    seller = scope.removeprefix("seller:") if wish.kind == "seller" else LEAD
    return Goal(
        id=f"{scope.replace(':', '-')}-{wish.kpi}-{wish.grain}",
        version=1,
        scope=scope,
        kpi=wish.kpi,
        better="at_least",
        target=Absolute(value=str(_round(used_to * wish.percent / 100))),
        period=Recurring(grain=wish.grain, start=start),
        owner=seller,
        accepted=Acceptance(by=seller, at=now),
    )


def _round(amount: float) -> int:
    """To two digits, as people set goals."""
    unit: int = 10 ** max(len(str(int(amount))) - 2, 0)
    return max(round(amount / unit) * unit, 1)
