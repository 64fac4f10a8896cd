"""Calendar windows in the business timezone: which day an instant belongs to, which windows hold a day.

Instants are integers, microseconds since 1970-01-01T00:00Z. Days are integers too, local dates
counted from 1970-01-01, so that the rest of the domain compares and hashes plain numbers.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MICROS_PER_DAY = 86_400_000_000
_MICROS_PER_HOUR = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_KEPT_HOURS = 200_000
"""Hours of which a calendar remembers the offset: some 22 years, in a few MB."""


class UnknownTimezoneError(ValueError):
    """The timezone has no entry in the IANA database; the message names it."""


class Grain(StrEnum):
    """How long a window is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    EVER = "ever"


class Window(NamedTuple):
    """A calendar window: its grain and its first day. It is half open and ends before `window_end`."""

    grain: Grain
    start: int


def micros_of(instant: datetime) -> int:
    """Microseconds since the epoch of an instant that knows its offset."""
    return (instant - _EPOCH) // _MICROSECOND


def instant_of(micros: int) -> datetime:
    """The instant, in UTC, that lies so many microseconds after the epoch."""
    return _EPOCH + timedelta(microseconds=micros)


def date_of(day: int) -> date:
    """The local date of a day number."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def day_number(local: date) -> int:
    """The day number of a local date."""
    return local.toordinal() - _EPOCH_ORDINAL


@cache
def windows_of(day: int) -> tuple[Window, ...]:
    """The windows that hold a day, one of each grain, the shortest first."""
    local = date_of(day)
    return (
        Window(Grain.DAY, day),
        Window(Grain.WEEK, day - local.weekday()),
        Window(Grain.MONTH, day - local.day + 1),
        Window(Grain.QUARTER, day_number(date(local.year, (local.month - 1) // 3 * 3 + 1, 1))),
        Window(Grain.YEAR, day_number(date(local.year, 1, 1))),
        Window(Grain.EVER, 0),
    )


@cache
def labels_of(day: int) -> tuple[str, ...]:
    """The names, `grain|start`, of the windows that hold a day, in the order of `windows_of`."""
    return tuple(f"{window.grain}|{date_of(window.start)}" for window in windows_of(day))


@cache
def window_end(grain: Grain, start: int) -> int | None:
    """The first day after a window; `None` for `ever`, which has no end."""
    match grain:
        case Grain.EVER:
            return None
        case Grain.DAY:
            return start + 1
        case Grain.WEEK:
            return start + 7
        case Grain.MONTH:
            return _first_of_month_after(start, 1)
        case Grain.QUARTER:
            return _first_of_month_after(start, 3)
        case Grain.YEAR:
            return _first_of_month_after(start, 12)


def _first_of_month_after(start: int, months: int) -> int:
    local = date_of(start)
    count = local.year * 12 + local.month - 1 + months
    return day_number(date(count // 12, count % 12 + 1, 1))


class Calendar:
    """The business timezone: turns instants into local days and wall-clock times.

    A day has 23, 24 or 25 hours where daylight-saving time begins and ends, and whatever else a
    country once decided.
    """

    def __init__(self, timezone_name: str) -> None:
        try:
            self.zone = ZoneInfo(timezone_name)
        except (ZoneInfoNotFoundError, ValueError, IsADirectoryError) as error:
            raise UnknownTimezoneError(
                f"{timezone_name!r} is no timezone; name one such as Europe/Stockholm."
            ) from error
        self._offsets: dict[int, int | None] = {}
        self._starts: dict[int, int] = {}

    def wall_clock(self, micros: int) -> int:
        """What a clock on the office wall shows, as microseconds since midnight of 1970-01-01."""
        hour = micros // _MICROS_PER_HOUR
        offset = self._offsets.get(hour)
        if offset is None:
            offset = self._remember(hour)
            if offset is None:
                offset = self._offset(micros)
        return micros + offset

    def day(self, micros: int) -> int:
        """The local day that holds an instant."""
        return self.wall_clock(micros) // MICROS_PER_DAY

    def start_of(self, day: int) -> int:
        """The instant at which a local day begins."""
        start = self._starts.get(day)
        if start is None:
            start = self._starts[day] = micros_of(self.at(datetime.combine(date_of(day), time())))
        return start

    def local(self, micros: int) -> datetime:
        """An instant as a time of the business timezone."""
        return instant_of(micros).astimezone(self.zone)

    def at(self, local: datetime) -> datetime:
        """The instant at which the clock on the wall shows `local`; the earlier one of two."""
        return local.replace(tzinfo=self.zone, fold=0)

    def _offset(self, micros: int) -> int:
        offset = instant_of(micros).astimezone(self.zone).utcoffset()
        assert offset is not None
        return offset // _MICROSECOND

    def _remember(self, hour: int) -> int | None:
        """The offset in force all through an hour; `None` where it changes within it."""
        if len(self._offsets) > _KEPT_HOURS:
            self._offsets.clear()
        first = self._offset(hour * _MICROS_PER_HOUR)
        last = self._offset((hour + 1) * _MICROS_PER_HOUR - 1)
        offset = first if first == last else None
        self._offsets[hour] = offset
        return offset
