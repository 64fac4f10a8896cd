"""What was known on each day of history: figures a day, deals, and who was in which team.

Figures are read off records as subscribers get them; only what forecasts need of them is kept. Deals are
heard of in the order of event times, so that an amendment is known when it was made and not before.
"""

from array import array
from collections.abc import Iterable, Mapping

from msgspec import Struct

from goals.expecting import KPIS, measures_of
from goals.outlook import COMPANY, FEEDS, History, Key
from goals.pipeline import Deal
from goals.seasons import Days
from kpis.calendar import Calendar, Grain, Window, day_number, micros_of
from schemas.events import (
    DealAmended,
    DealCreated,
    DealDeleted,
    DealEvent,
    DealLost,
    DealReopened,
    DealWon,
    Event,
    SellerAssigned,
    SellerLeft,
)
from schemas.records import KpiRecord

KINDS = ("company", "team:", "seller:")
"""Whose figures are kept. Customers have too few for a forecast of each."""


NEEDED = frozenset(
    [measure for kpi in KPIS for measure in measures_of(kpi)]
    + [feed for feeds in FEEDS.values() for feed in feeds]
)
"""The measures that forecasts are made of."""

_NO_REVISION = -1


def is_read(scope: str, window: Window) -> bool:
    """Whether a record is one that `Figures` reads."""
    return window.grain is Grain.DAY and scope.startswith(KINDS)


def is_key_read(key: str) -> bool:
    """The same, by the record's key."""
    scope, grain, _ = key.rsplit("|", 2) if key.count("|") > 1 else ("", "", "")
    return grain == Grain.DAY and scope.startswith(KINDS)


class _Deal(Struct):
    opened: int
    seller: str | None = None
    decided: int | None = None
    won: bool = False


class Figures:
    """Figures a day, of each scope and measure."""

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        """The first day of which anything is kept,"""
        self.last = last
        """and the last."""
        self.records = 0
        """How many records are known: scopes, each on some days."""
        self.series: dict[Key, array[float]] = {}
        self._revisions: dict[str, array[int]] = {}

    def read(self, records: Iterable[KpiRecord]) -> None:
        """Take in records that `is_read`, in any order: of a scope and day the highest revision holds."""
        for record in records:
            day = day_number(record.start)
            if not self.first <= day <= self.last:
                continue
            place = day - self.first
            revisions = self._revisions.setdefault(record.scope, array("q"))
            revisions.extend([_NO_REVISION] * (place + 1 - len(revisions)))
            if record.revision < revisions[place]:
                continue
            self.records += revisions[place] == _NO_REVISION
            revisions[place] = record.revision
            for measure in NEEDED:
                # What fell to zero is left out of a record.
                figure = float(record.measures.get(measure) or 0.0)
                series = self.series.get((record.scope, measure))
                if series is None:
                    if not figure:
                        continue
                    series = self.series[record.scope, measure] = array("d")
                series.extend([0.0] * (place + 1 - len(series)))
                series[place] = figure

    def holds(self, scope: str, day: int) -> bool:
        """Whether a record of a scope and day is known."""
        revisions, place = self._revisions.get(scope, ()), day - self.first
        return 0 <= place < len(revisions) and revisions[place] != _NO_REVISION

    def begin(self) -> None:
        """Let the first day be the first of which there is a record."""
        begun = min(
            (
                next(place for place, revision in enumerate(revisions) if revision != _NO_REVISION)
                for revisions in self._revisions.values()
            ),
            default=0,
        )
        self.first += begun
        for kept in (*self.series.values(), *self._revisions.values()):
            del kept[:begun]

    def done(self, scope: str, measures: Iterable[str], start: int, end: int) -> Mapping[str, float]:
        """How much of each there is from one day to another, both included."""
        low, high = max(0, start - self.first), max(0, end - self.first + 1)
        return {measure: sum(self.series.get((scope, measure), ())[low:high]) for measure in measures}

    def scopes(self) -> list[str]:
        """Everybody of whom anything is known."""
        return sorted(self._revisions)


class Deals:
    """Deals as they are known so far, and who is in which team."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._deals: dict[str, _Deal] = {}
        self._teams: dict[str, str] = {}

    def hear(self, events: Iterable[Event]) -> None:
        """Take in events, in the order of their times."""
        for event in events:
            if isinstance(event, SellerAssigned):
                self._teams[event.data.seller] = event.data.team
            elif isinstance(event, SellerLeft):
                self._teams.pop(event.data.seller, None)
            elif isinstance(event, DealEvent):
                self._hear_of_deal(event)

    def since(self, first: int) -> list[Deal]:
        """Those that were created on a day or later."""
        return [
            Deal(deal.opened, deal.decided, deal.won, self._scopes(deal))
            for deal in self._deals.values()
            if deal.opened >= first
        ]

    def _scopes(self, deal: _Deal) -> tuple[str, ...]:
        if deal.seller is None:
            return (COMPANY,)
        team = self._teams.get(deal.seller)
        return (COMPANY, f"seller:{deal.seller}", *((f"team:{team}",) if team else ()))

    def _hear_of_deal(self, event: DealEvent) -> None:
        day = self._calendar.day(micros_of(event.time))
        if isinstance(event, DealDeleted):
            self._deals.pop(event.data.deal, None)
        elif isinstance(event, DealCreated | DealAmended | DealWon | DealLost | DealReopened):
            deal = self._deals.setdefault(event.data.deal, _Deal(day))
            if isinstance(event, DealCreated | DealAmended | DealWon):
                deal.seller = event.data.seller or deal.seller
            if isinstance(event, DealWon | DealLost):
                deal.decided, deal.won = day, isinstance(event, DealWon)
            elif isinstance(event, DealReopened):
                deal.decided, deal.won = None, False


class Known:
    """All that is known so far."""

    def __init__(self, days: Days, calendar: Calendar) -> None:
        self._days = days
        self.figures = Figures(days.first, days.last)
        self._deals = Deals(calendar)

    def hear(self, events: Iterable[Event]) -> None:
        """Take in events, in the order of their times."""
        self._deals.hear(events)

    def history(self, today: int) -> History:
        """What is known at the end of a day."""
        return History(self._days, today, self.figures.series, self._deals.since(self._days.first))
