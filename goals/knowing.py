"""What was known on each day of history: figures a day, open deals, and who was in which team.

Fed in the order of event times, a day at a time, so that an amendment is known when it was made and not
before. It keeps what forecasts read, out of records as subscribers get them.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from goals.outlook import COMPANY, History, Key
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


def is_read(scope: str, window: Window) -> bool:
    """Whether a record is one that `Known` reads."""
    return window.grain is Grain.DAY and scope.startswith(KINDS)


class _Deal(Struct):
    opened: int
    seller: str | None = None
    decided: int | None = None
    won: bool = False


class Known:
    """All that is known so far."""

    def __init__(self, days: Days, calendar: Calendar) -> None:
        self._days = days
        self.first = days.first
        """The first day of which anything is known."""
        self.last = days.last
        """The last day that forecasts can reach to."""
        self._calendar = calendar
        self._deals: dict[str, _Deal] = {}
        self._teams: dict[str, str] = {}
        self._series: dict[Key, list[float]] = {}
        self._measures: dict[str, set[str]] = {}

    def hear(self, events: Iterable[Event]) -> None:
        """Take in events, in the order of their times."""
        for event in events:
            if isinstance(event, SellerAssigned):
                self._teams[event.data.seller] = event.data.team
            elif isinstance(event, SellerLeft):
                self._teams.pop(event.data.seller, None)
            elif isinstance(event, DealEvent):
                self._hear_of_deal(event)

    def read(self, records: Iterable[KpiRecord]) -> None:
        """Take in records that `is_read`, as they read now."""
        for record in records:
            place = day_number(record.start) - self._days.first
            measures = self._measures.setdefault(record.scope, set())
            measures |= record.measures.keys()
            for measure, figure in record.measures.items():
                series = self._series.setdefault((record.scope, measure), [])
                if len(series) <= place:
                    series.extend([0.0] * (place + 1 - len(series)))
                series[place] = float(figure or 0.0)
            # What fell to zero is left out of a record.
            for measure in measures - record.measures.keys():
                series = self._series[record.scope, measure]
                if place < len(series):
                    series[place] = 0.0

    def history(self, today: int) -> History:
        """What is known at the end of a day."""
        deals = [
            Deal(deal.opened, deal.decided, deal.won, self._scopes(deal)) for deal in self._deals.values()
        ]
        return History(self._days, today, self._series, deals)

    def done(self, scope: str, measures: Iterable[str], start: int, end: int) -> Mapping[str, float]:
        """How much of each there is from one day to another, both included."""
        low, high = max(0, start - self._days.first), max(0, end - self._days.first + 1)
        return {measure: sum(self._series.get((scope, measure), [])[low:high]) for measure in measures}

    def scopes(self) -> list[str]:
        """Everybody of whom anything is known."""
        return sorted(self._measures)

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
