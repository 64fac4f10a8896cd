"""A pace is learned from history where there is enough of it, and divides a period as that did."""

from datetime import date, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from goals.pace import EVEN, LEAST_MOMENTS, Pace, Profile, learned
from goals.periods import Span
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, day_number, micros_of

STOCKHOLM = Calendar("Europe/Stockholm")
WORKING = WorkingTime(STOCKHOLM, Plan())
YEAR = Span(day_number(date(2025, 1, 1)), day_number(date(2025, 12, 31)))


def at(text: str) -> int:
    return micros_of(STOCKHOLM.at(datetime.fromisoformat(text)))


INSTANTS = st.integers(at("2026-03-20T00:00"), at("2026-05-10T00:00"))
WEIGHTS = st.integers(1, 5_000)
PROFILES = st.builds(Profile, st.tuples(*[WEIGHTS] * 10), st.tuples(*[WEIGHTS] * 8)) | st.just(EVEN)


@given(PROFILES, INSTANTS, INSTANTS, INSTANTS)
def test_what_is_due_adds_up_and_grows_from_nothing_to_one(
    profile: Profile, one: int, two: int, three: int
) -> None:
    """Whatever the profile."""
    pace = Pace(STOCKHOLM, WORKING, profile)
    assert pace.between(one, two) + pace.between(two, three) == pace.between(one, three)
    start, end = at("2026-04-01T00:00"), at("2026-05-01T00:00")
    early, late = sorted([one, two])
    assert 0 <= pace.due(start, end, early) <= pace.due(start, end, late) <= 1
    assert pace.due(start, end, start) == 0
    assert pace.due(start, end, end) == 1


def test_too_little_history_teaches_nothing() -> None:
    """Five whole months, or a handful of days, are too little; a month that is not wholly known is none."""
    every = {day: Fraction(1) for day in range(YEAR.first, YEAR.end)}
    some = Span(YEAR.first, day_number(date(2025, 5, 31)))
    assert learned(every, [], STOCKHOLM, WORKING, some) is None
    assert learned(every, [], STOCKHOLM, WORKING, Span(YEAR.first + 1, some.last + 1)) is None
    assert (
        learned({day: Fraction(1) for day in range(YEAR.first, YEAR.end, 20)}, [], STOCKHOLM, WORKING, YEAR)
        is None
    )


def test_a_month_that_always_comes_in_late_is_expected_late() -> None:
    """Half of it in the last days: half way through the month, less than a third is due."""
    days = {
        day: Fraction(10 if date.fromordinal(day + date(1970, 1, 1).toordinal()).day > 25 else 1)
        for day in range(YEAR.first, YEAR.end)
    }
    profile = learned(days, [], STOCKHOLM, WORKING, YEAR)
    assert profile is not None
    start, end, half = at("2026-04-01T00:00"), at("2026-05-01T00:00"), at("2026-04-16T00:00")
    assert Pace(STOCKHOLM, WORKING).due(start, end, half) == Fraction(45, 100)
    assert Pace(STOCKHOLM, WORKING, profile).due(start, end, half) < Fraction(1, 3)


def test_afternoons_in_which_everything_happens_are_expected() -> None:
    """Learned from moments, where there are enough of them."""
    days = {day: Fraction(1) for day in range(YEAR.first, YEAR.end)}
    moments = [at(f"2025-03-{day:02d}T16:{minute:02d}") for day in range(3, 8) for minute in range(40)]
    profile = learned(days, moments, STOCKHOLM, WORKING, YEAR)
    assert profile is not None
    start, end, noon = at("2026-04-01T00:00"), at("2026-04-02T00:00"), at("2026-04-01T13:00")
    assert Pace(STOCKHOLM, WORKING, profile).due(start, end, noon) < Fraction(1, 10)
    few = learned(days, moments[: LEAST_MOMENTS - 1], STOCKHOLM, WORKING, YEAR)
    assert few is not None
    assert Pace(STOCKHOLM, WORKING, few).due(start, end, noon) == Fraction(1, 2)


def test_a_moment_at_which_nobody_works_says_nothing_of_hours() -> None:
    """Midnight is what a CRM makes of a date; and noon and evenings are no working time."""
    days = {day: Fraction(1) for day in range(YEAR.first, YEAR.end)}
    hours = ("00:00", "12:00", "20:30")
    moments = [at(f"2025-03-{day:02d}T{hour}") for day in range(1, 29) for hour in hours] * 10
    found = learned(days, moments, STOCKHOLM, WORKING, YEAR)
    assert found == learned(days, [], STOCKHOLM, WORKING, YEAR)


def test_history_at_an_even_pace_teaches_an_even_pace() -> None:
    """As much on each working day."""
    days = {day: Fraction(1) for day in range(YEAR.first, YEAR.end) if WORKING.on(day)}
    profile = learned(days, [], STOCKHOLM, WORKING, YEAR)
    assert profile is not None
    start, end, half = at("2026-04-01T00:00"), at("2026-05-01T00:00"), at("2026-04-16T00:00")
    even = Pace(STOCKHOLM, WORKING).due(start, end, half)
    assert abs(Pace(STOCKHOLM, WORKING, profile).due(start, end, half) - even) < Fraction(5, 100)
