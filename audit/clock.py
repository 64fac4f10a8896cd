"""The business timezone as rows: how far local clocks are ahead of UTC, in pieces of UTC days.

So that SQL places instants by the timezone database of Python, as whoever publishes does, and not by
DuckDB's own, which may be of another year.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR = 3_600_000_000
DAY = 24 * HOUR
"""In microseconds, as all instants here, counted from 1970-01-01T00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Piece(NamedTuple):
    """A part of a UTC day in which local clocks are so far ahead."""

    utc_day: int
    since: int
    until: int
    ahead: int


def pieces(zone: ZoneInfo, first: int, last: int) -> Iterator[Piece]:
    """The pieces of all UTC days from that of one instant to that of another.

    Clocks that change twice within an hour would be missed; none ever did.
    """
    for utc_day in range(first // DAY, last // DAY + 1):
        since = utc_day * DAY
        ahead = _ahead(zone, since)
        for hour in range(since + HOUR, since + DAY + 1, HOUR):
            after = _ahead(zone, hour)
            if after != ahead:
                change = _change(zone, hour - HOUR, hour)
                if change > since:
                    yield Piece(utc_day, since, change, ahead)
                since, ahead = change, after
        if since < (utc_day + 1) * DAY:
            yield Piece(utc_day, since, (utc_day + 1) * DAY, ahead)


def day_begins(zone: ZoneInfo, day: date) -> int:
    """The instant at which a local day begins; where clocks skip midnight, the one they skip it at."""
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001
    offset = midnight.replace(tzinfo=zone).utcoffset()
    assert offset is not None
    return (midnight - _EPOCH.replace(tzinfo=None) - offset) // MICROSECOND


def instant_of(micros: int) -> datetime:
    """The instant, in UTC, that lies so many microseconds after the epoch."""
    return _EPOCH + timedelta(microseconds=micros)


def _ahead(zone: ZoneInfo, micros: int) -> int:
    offset = instant_of(micros).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // MICROSECOND


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first instant that has the offset of `after`; the one at `before` is another."""
    ahead = _ahead(zone, after)
    while after - before > 1:
        middle = (before + after) // 2
        if _ahead(zone, middle) == ahead:
            after = middle
        else:
            before = middle
    return after
