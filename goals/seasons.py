"""When things happen: how lively a day is, by weekday, month and how near the end of the quarter it is.

Learned from the whole company's days, since no seller has enough of them, and drawn towards "as any other
day" where there is little to learn from.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from kpis.calendar import Grain, date_of, window_end, windows_of

Works = Callable[[int], bool]
"""Whether a day, by its number, is a working day."""

_YEAR = 364
_FEW = 30.0
"""Of so few things nothing is learned: half of what they say is believed."""
_LIKE_ANY = 0.3
"""A month is as any other, says so large a share of what it counts: one July is no rule yet."""
_NEAR = (3, 6, 11)
"""Working days to the end of the quarter, at which it becomes another part of it."""
_HALF_A_YEAR = 183
_ENOUGH_DAYS = 400


class Season(NamedTuple):
    """How lively days are; 1 is a usual working day."""

    weekdays: tuple[float, ...]
    """Monday to Friday where they are worked on, and then any day that is not."""
    months: tuple[float, ...]
    """January to December."""
    quarter_end: tuple[float, ...]
    """How near the quarter's end is, from its last days on."""


EVEN = Season((1.0,) * 5 + (0.0,), (1.0,) * 12, (1.0,) * (len(_NEAR) + 1))


class Days:
    """The days from one on: which are worked on, and how lively each is under a season."""

    def __init__(self, first: int, last: int, works: Works) -> None:
        self.first = first
        self.last = last
        self.works = [works(day) for day in range(first, last + 1)]
        self.worked = [0]
        """How many working days there are before each."""
        for working in self.works:
            self.worked.append(self.worked[-1] + working)
        dates = [date_of(day) for day in range(first, last + 1)]
        self.kinds = [
            day.weekday() if working and day.weekday() < 5 else 5
            for day, working in zip(dates, self.works, strict=True)
        ]
        self.months = [day.month - 1 for day in dates]
        self.parts = [_part(day, works) for day in range(first, last + 1)]

    def lively(self, season: Season) -> list[float]:
        """How lively each day is expected to be."""
        return [
            season.weekdays[kind] * season.months[month] * season.quarter_end[part]
            for kind, month, part in zip(self.kinds, self.months, self.parts, strict=True)
        ]


def learn_season(counts: Sequence[float], days: Days) -> Season:
    """From a company's days, up to the last of `counts`; before the first of these there was no company."""
    known = len(counts)
    begun = begin_of(counts)
    since = max(begun, known - _YEAR)
    worked = [counts[i] for i in range(since, known) if days.kinds[i] < 5]
    usual = sum(worked) / max(1, len(worked))
    weekdays = tuple(
        _drawn(
            [counts[i] for i in range(since, known) if days.kinds[i] == kind],
            usual,
            1.0 if kind < 5 else 0.0,
        )
        for kind in range(6)
    )
    season = Season(weekdays, EVEN.months, EVEN.quarter_end)
    if known - begun < _ENOUGH_DAYS:
        return season
    season = season._replace(months=_months(counts, days, days.lively(season), begun))
    return season._replace(quarter_end=_quarter_end(counts, days, days.lively(season), begun))


def begin_of(counts: Sequence[float]) -> int:
    """The place of the first day on which there was any."""
    return next((place for place, count in enumerate(counts) if count), len(counts))


def _drawn(found: Sequence[float], usual: float, before: float) -> float:
    return (sum(found) + _FEW * before) / (usual * len(found) + _FEW)


def _months(counts: Sequence[float], days: Days, lively: list[float], begun: int) -> tuple[float, ...]:
    """Each month beside the year around it, so that growth is not taken for a season."""
    known = len(counts)
    so_many, so_lively = running_sums(counts), running_sums(lively[:known])
    found, expected = [0.0] * 12, [0.0] * 12
    start = begun
    while start < known:
        end = start
        while end < known and days.months[end] == days.months[start]:
            end += 1
        middle = (start + end) // 2
        low, high = max(begun, middle - _HALF_A_YEAR), min(known, middle + _HALF_A_YEAR)
        # What lies at either end is compared with the nearest whole year.
        low, high = (
            max(begun, min(low, high - 2 * _HALF_A_YEAR)),
            min(known, max(high, low + 2 * _HALF_A_YEAR)),
        )
        around = so_lively[high] - so_lively[low]
        if around > 0.0 and end < known:
            rate = (so_many[high] - so_many[low]) / around
            found[days.months[start]] += so_many[end] - so_many[start]
            expected[days.months[start]] += rate * (so_lively[end] - so_lively[start])
        start = end
    usual = sum(expected) / 12
    drawn = _FEW + _LIKE_ANY * usual
    return tuple((f + drawn) / (e + drawn) for f, e in zip(found, expected, strict=True))


def _quarter_end(counts: Sequence[float], days: Days, lively: list[float], begun: int) -> tuple[float, ...]:
    """Each part of a quarter beside all of it."""
    known = len(counts)
    so_many, so_lively = sum(counts), sum(lively[begun:known])
    rate = so_many / so_lively if so_lively else 0.0
    parts = len(_NEAR) + 1
    found, expected = [0.0] * parts, [0.0] * parts
    for part, many, usual in zip(days.parts[begun:], counts[begun:], lively[begun:], strict=False):
        found[part] += many
        expected[part] += rate * usual
    return tuple((f + _FEW) / (e + _FEW) for f, e in zip(found, expected, strict=True))


def _part(day: int, works: Works) -> int:
    """How near the end of its quarter a day is: 0 for its last working days."""
    start = next(window.start for window in windows_of(day) if window.grain is Grain.QUARTER)
    end = window_end(Grain.QUARTER, start)
    assert end is not None
    if end - day > 2 * _NEAR[-1] + 14:
        return len(_NEAR)
    left = sum(works(each) for each in range(day, end))
    return sum(left > near for near in _NEAR)


def running_sums(numbers: Sequence[float]) -> list[float]:
    """How much there is before each, and in all."""
    sums = [0.0]
    for number in numbers:
        sums.append(sums[-1] + number)
    return sums
