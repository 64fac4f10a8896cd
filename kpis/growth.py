"""Growth: what a window's revenue is compared with, which is read off other windows' sums.

A window that is over is compared with the one before it. One that is not is compared with as many days of
the one before as it has begun; the sum over these is kept until the day turns or one of them changes.
"""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import NamedTuple

from kpis.calendar import Grain, Window, date_of, day_number, window_end, windows_of
from kpis.formulas import Compared
from kpis.money import above, below, parts_in
from schemas.internal import Measures

REVENUE = "revenue"
REVENUES = frozenset({REVENUE, above(REVENUE), below(REVENUE)})
"""The measures in which revenue travels."""
WINS = "deals_won"
_YEAR = list(Grain).index(Grain.YEAR)
KEPT = 200_000
"""Of how many open windows the sums over days are kept."""


class Compare(NamedTuple):
    """What a record's growth is worked out from."""

    growth: Compared
    accumulated: Compared | None


class _Days(NamedTuple):
    """Sums over days, as they were on a day."""

    today: int
    before: int
    """Of the window before: as many days as have begun."""
    accumulated: int
    """Of the year before: up to the same date."""
    ahead: int
    """Of the year: after today."""


class Growth:
    """Comparisons of revenue, from the sums by record key."""

    def __init__(self, sums: Mapping[str, Measures]) -> None:
        self._sums = sums
        self._days: dict[str, _Days] = {}
        self._today = 0

    def forget(self) -> None:
        """The sums changed in other ways than were told."""
        self._days.clear()

    def of(
        self, key: str, scope: str, window: Window, measures: Measures, today: int, last_day: int
    ) -> Compare | None:
        """What a window is compared with today; `None` where no deal was won in either."""
        earlier, suffix = _before(window)
        before = self._sums.get(scope + suffix)
        if before is None or WINS not in before:
            if WINS not in measures:
                return None
            before = {}
        now = parts_in(measures, REVENUE)
        end = window_end(*window)
        assert end is not None
        if end <= today:
            growth = Compared(now, parts_in(before, REVENUE))
            return Compare(growth, growth if window.grain is Grain.YEAR else None)
        self._today = today
        days = self._days.get(key)
        if days is None or days.today != today:
            if len(self._days) > KEPT:
                self._days.clear()
            days = self._days[key] = self._summed(scope, window, earlier, before, today, last_day)
        growth = Compared(now, days.before)
        if window.grain is not Grain.YEAR:
            return Compare(growth, None)
        return Compare(growth, Compared(now - days.ahead, days.accumulated))

    def changed(self, scope: str, day: int, last_day: int, touched: dict[str, tuple[str, Window]]) -> None:
        """Something changed on a day: so did what the windows after its own are compared with."""
        if day > self._today:
            self._days.pop(scope + _suffix(windows_of(day)[_YEAR]), None)
        for window, suffix in _after(day):
            if window.start <= last_day:
                key = scope + suffix
                self._days.pop(key, None)
                if key in self._sums:
                    touched[key] = (scope, window)

    def _summed(
        self, scope: str, window: Window, earlier: Window, before: Measures, today: int, last_day: int
    ) -> _Days:
        begun = max(0, min(today - window.start + 1, window.start - earlier.start))
        of_year = ahead = 0
        if window.grain is Grain.YEAR:
            end = window_end(*window)
            assert end is not None
            if before:
                of_year = self._sum(scope, earlier.start, _same_date_last_year(window, today) + 1)
            ahead = self._sum(scope, max(today + 1, window.start), min(last_day + 1, end))
        return _Days(
            today, self._sum(scope, earlier.start, earlier.start + begun) if before else 0, of_year, ahead
        )

    def _sum(self, scope: str, start: int, end: int) -> int:
        """Revenue from a day until before another."""
        total = 0
        for day in range(start, end):
            measures = self._sums.get(scope + _day_suffix(day))
            if measures is not None:
                total += parts_in(measures, REVENUE)
        return total


@cache
def window_before(window: Window) -> Window:
    """The window of the same grain that ends where this one starts."""
    return next(each for each in windows_of(window.start - 1) if each.grain is window.grain)


@cache
def window_after(window: Window) -> Window:
    """The window of the same grain that starts where this one ends."""
    end = window_end(*window)
    assert end is not None, "ever has no end"
    return Window(window.grain, end)


@cache
def _before(window: Window) -> tuple[Window, str]:
    earlier = window_before(window)
    return earlier, _suffix(earlier)


@cache
def _after(day: int) -> tuple[tuple[Window, str], ...]:
    """The windows after those that hold a day, and how the keys of their records end."""
    after = [window_after(window) for window in windows_of(day) if window.grain is not Grain.EVER]
    return tuple((window, _suffix(window)) for window in after)


def _suffix(window: Window) -> str:
    return f"|{window.grain}|{date_of(window.start)}"


@cache
def _day_suffix(day: int) -> str:
    return _suffix(Window(Grain.DAY, day))


def _same_date_last_year(year: Window, today: int) -> int:
    """Today's date a year before; where the year has not begun, the day before that one."""
    if today < year.start:
        return window_before(year).start - 1
    local = date_of(today)
    if (local.month, local.day) == (2, 29):
        return day_number(date(local.year - 1, 2, 28))
    return day_number(local.replace(year=local.year - 1))
