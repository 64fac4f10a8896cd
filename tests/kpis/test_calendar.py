"""Calendar windows: which day, week, month, quarter and year an instant belongs to."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import (
    MICROS_PER_DAY,
    Calendar,
    Grain,
    UnknownTimezoneError,
    Window,
    date_of,
    day_number,
    instant_of,
    micros_of,
    window_end,
    windows_of,
)

STOCKHOLM = Calendar("Europe/Stockholm")
days = st.dates(date(1970, 1, 2), date(2199, 12, 31)).map(day_number)
zones = st.sampled_from(
    ["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Africa/Monrovia"]
)
instants = st.datetimes(datetime(1970, 1, 2), datetime(2150, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_day_begins_at_local_midnight() -> None:
    """A minute before midnight in Stockholm is still the old day, though UTC says otherwise."""
    midnight = micros_of(datetime(2026, 3, 1, 23, tzinfo=UTC))
    assert date_of(STOCKHOLM.day(midnight - 1)) == date(2026, 3, 1)
    assert date_of(STOCKHOLM.day(midnight)) == date(2026, 3, 2)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)])
def test_a_day_has_23_24_or_25_hours(day: str, hours: int) -> None:
    """Counted in steps of an hour, as a clock in Stockholm shows them."""
    number = day_number(date.fromisoformat(day))
    start = micros_of(datetime.fromisoformat(day).replace(tzinfo=UTC)) - MICROS_PER_DAY
    found = [STOCKHOLM.day(start + hour * 3_600_000_000) for hour in range(72)]
    assert found.count(number) == hours


@given(instants, zones)
def test_the_wall_clock_is_the_zones(instant: datetime, zone: str) -> None:
    """It agrees with the standard library's conversion at every instant, cached or not."""
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    assert Calendar(zone).wall_clock(micros_of(instant)) == micros_of(local)


@given(instants)
def test_micros_and_instants_are_the_same(instant: datetime) -> None:
    """Turning one into the other and back loses nothing."""
    assert instant_of(micros_of(instant)) == instant


@given(days)
def test_a_day_lies_in_each_of_its_windows(day: int) -> None:
    """Every window holds the day it was asked for, and all of them are of different grain."""
    windows = windows_of(day)
    assert [window.grain for window in windows] == list(Grain)
    for window in windows:
        end = window_end(*window)
        assert window.start <= day
        assert end is None or day < end


@given(days)
def test_windows_of_a_grain_follow_each_other(day: int) -> None:
    """Where one ends the next begins: no day is in none or in two."""
    for window in windows_of(day):
        end = window_end(*window)
        if end is not None:
            assert window in windows_of(end - 1)
            assert Window(window.grain, end) in windows_of(end)


def test_the_iso_week_crosses_the_year() -> None:
    """New Year's Day 2027 is in the week that began on 28 December 2026."""
    week = windows_of(day_number(date(2027, 1, 1)))[1]
    assert date_of(week.start) == date(2026, 12, 28)


def test_february_of_a_leap_year_ends_on_the_29th() -> None:
    """Its window ends before 1 March."""
    month = windows_of(day_number(date(2028, 2, 29)))[2]
    end = window_end(*month)
    assert end is not None
    assert date_of(end) == date(2028, 3, 1)


def test_noon_to_noon_is_a_day_on_the_wall_clock() -> None:
    """Even where a night had 23 hours in between."""
    before = STOCKHOLM.at(datetime(2026, 3, 28, 12))  # noqa: DTZ001
    after = STOCKHOLM.at(datetime(2026, 3, 29, 12))  # noqa: DTZ001
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=23)
    passed = STOCKHOLM.wall_clock(micros_of(after)) - STOCKHOLM.wall_clock(micros_of(before))
    assert passed == MICROS_PER_DAY


@pytest.mark.parametrize("name", ["Europe/Stockhlm", "", "/etc", "../x"])
def test_an_unknown_timezone_is_named(name: str) -> None:
    """The error says which one it was."""
    with pytest.raises(UnknownTimezoneError, match="timezone"):
        Calendar(name)
