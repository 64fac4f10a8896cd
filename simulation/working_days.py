"""Working days of a country, and how an instant of the floor is written.

An instant is an `int`: seconds on the wall clock since year 1, `day * DAY + second` with the day as in
`date.toordinal`. Nothing happens at night, when clocks are changed, so these are in the order of time.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kpis.public_holidays import countries, public_holidays

DAY = 86_400
FIRST_HOUR, LAST_HOUR = 8, 17
WHOLE_WEEK = (True,) * 5
"""Which weekdays somebody works who works them all."""

_MINUTES = [f"{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60)]
_SECONDS = [f"{second:02d}" for second in range(60)]
_DAYS_KEPT = 1_024
"""How many days' answers are kept; leads that ripen for long look a year ahead."""


class Month(NamedTuple):
    """A calendar month."""

    number: int
    """1 is January."""
    first: int
    last: int


class WorkingDays:
    """One country's calendar on one timezone's clock."""

    def __init__(self, country: str, timezone: str) -> None:
        """Raises `ValueError` where the country, or the timezone, is not known."""
        if country not in countries():
            raise ValueError(f"{country!r} is no country whose holidays are known, such as SE, NO or DE")
        self._holidays = public_holidays(country)
        try:
            self._zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(f"{timezone!r} is no timezone, such as Europe/Stockholm") from error
        self.works = lru_cache(_DAYS_KEPT)(self._works)
        self._date = lru_cache(_DAYS_KEPT)(self._date_on)
        self.month = lru_cache(_DAYS_KEPT)(self._month_of)
        self.quarter = lru_cache(_DAYS_KEPT)(self._quarter_of)

    def working(self, day: int, weekdays: tuple[bool, ...] = WHOLE_WEEK) -> int:
        """That day, or the next one on which somebody with these weekdays works."""
        while not (self.works(day) and weekdays[(day - 1) % 7]):
            day += 1
        return day

    def written(self, at: int) -> str:
        """An instant as RFC 3339, with the offset of its day."""
        day, second = divmod(at, DAY)
        text, offset = self._date(day)
        return f"{text}T{_MINUTES[second // 60]}{_SECONDS[second % 60]}{offset}"

    def date(self, day: int) -> str:
        """A day as ISO 8601."""
        return self._date(day)[0]

    def _works(self, day: int) -> bool:
        """Whether a day is one that people work on."""
        return (day - 1) % 7 < 5 and date.fromordinal(day) not in self._holidays

    def _date_on(self, day: int) -> tuple[str, str]:
        on = date.fromordinal(day)
        noon = datetime.combine(on, time(12), self._zone)
        return on.isoformat(), noon.isoformat()[19:]

    def _month_of(self, day: int) -> Month:
        """A day's month."""
        first = date.fromordinal(day).replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1).toordinal() - 1
        return Month(first.month, first.toordinal(), last)

    def _quarter_of(self, day: int) -> tuple[int, int]:
        """The first day of a day's quarter, and the last working day before it."""
        on = date.fromordinal(day)
        first = on.replace(month=(on.month - 1) // 3 * 3 + 1, day=1).toordinal()
        last = first - 1
        while not self.works(last):
            last -= 1
        return first, last


def office_second(random: Random) -> int:
    """Some second of a working day, less often around lunch."""
    minute = FIRST_HOUR * 60 + int(random.random() * (LAST_HOUR - FIRST_HOUR) * 60)
    if 12 * 60 <= minute < 13 * 60 and random.random() < 0.7:
        minute += 90 if random.random() < 0.5 else -90
    return minute * 60 + int(random.random() * 60)


def poisson(random: Random, mean: float) -> int:
    """How many happen, where `mean` do on average."""
    count, left = 0, random.expovariate(1.0)
    while left < mean:
        count += 1
        left += random.expovariate(1.0)
    return count
