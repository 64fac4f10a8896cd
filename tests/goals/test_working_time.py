"""Working time is what an organisation's calendar says, to the second."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.working_time import MINUTES, Hours, Person, Plan, WorkingTime, WorkingTimeError
from kpis.calendar import Calendar, day_number, micros_of

STOCKHOLM = Calendar("Europe/Stockholm")
HOUR = 3600
NIGHT_AND_DAY = ((Hours(0, MINUTES),),) * 7


def at(text: str) -> int:
    return micros_of(STOCKHOLM.at(datetime.fromisoformat(text)))


def worked(start: str, end: str, plan: Plan | None = None, person: Person | None = None) -> int:
    working = WorkingTime(STOCKHOLM, plan or Plan(), person or Person())
    return working.between(at(start), at(end))


def test_a_day_of_which_nothing_is_worked_is_no_working_day() -> None:
    """A Thursday, the Midsummer's Eve after it, and the weekend."""
    working = WorkingTime(STOCKHOLM, Plan())
    thursday = day_number(date(2026, 6, 18))
    assert [working.works(thursday + on) for on in range(5)] == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-02T00:00", "2026-03-03T00:00", 8),
        ("2026-03-02T09:00", "2026-03-02T14:00", 4),
        ("2026-03-02T12:15", "2026-03-02T12:45", 0),
        ("2026-03-06T16:00", "2026-03-09T09:00", 2),
        ("2026-04-03T00:00", "2026-04-07T00:00", 0),
        ("2026-06-19T00:00", "2026-06-20T00:00", 0),
        ("2026-03-01T00:00", "2026-04-01T00:00", 22 * 8),
    ],
    ids=["day", "over lunch", "lunch", "weekend", "Easter", "Midsummer's Eve", "March"],
)
def test_business_hours_and_public_holidays(start: str, end: str, hours: int) -> None:
    """Weekends, lunch and what is off in Sweden are no working time."""
    assert worked(start, end) == hours * HOUR


def test_days_off_and_half_days() -> None:
    """A half day ends when half of its work is done."""
    plan = Plan(days_off=frozenset({date(2026, 3, 3)}), half_days=frozenset({date(2026, 3, 4)}))
    assert worked("2026-03-02T00:00", "2026-03-05T00:00", plan) == 12 * HOUR
    assert worked("2026-03-04T08:00", "2026-03-04T12:00", plan) == 4 * HOUR
    assert worked("2026-03-04T12:00", "2026-03-04T17:00", plan) == 0


def test_part_time() -> None:
    """60 % on three days are whole days, 50 % on five are half of each."""
    three = Person(percent=60, weekdays=frozenset({0, 1, 2}))
    assert worked("2026-03-02T00:00", "2026-03-09T00:00", person=three) == 24 * HOUR
    assert worked("2026-03-05T00:00", "2026-03-06T00:00", person=three) == 0
    assert worked("2026-03-02T00:00", "2026-03-03T00:00", person=Person(percent=50)) == 4 * HOUR


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_days_on_which_the_clock_is_moved(day: str, hours: int) -> None:
    """Who works around the clock works the hours that the day has."""
    plan = Plan(week=NIGHT_AND_DAY, country=None)
    after = date.fromisoformat(day).toordinal() + 1
    assert worked(f"{day}T00:00", f"{date.fromordinal(after)}T00:00", plan) == hours * HOUR


def test_hours_within_the_hour_that_is_missing_are_not_counted_twice() -> None:
    """Stretches on both sides of the leap do not overlap."""
    week = ((Hours(0, 165), Hours(180, 240)),) * 7
    plan = Plan(week=week, country=None)
    assert worked("2026-03-29T00:00", "2026-03-29T04:00", plan) == 3 * HOUR


INSTANTS = st.integers(at("2026-03-20T00:00"), at("2026-04-20T00:00"))
PLANS = st.sampled_from(
    [
        Plan(),
        Plan(week=NIGHT_AND_DAY, country=None),
        Plan(half_days=frozenset({date(2026, 4, 2)}), days_off=frozenset({date(2026, 4, 7)})),
    ]
)
PEOPLE = st.sampled_from([Person(), Person(percent=37), Person(percent=60, weekdays=frozenset({0, 2, 4}))])


@given(PLANS, PEOPLE, INSTANTS, INSTANTS, INSTANTS)
def test_working_time_adds_up(plan: Plan, person: Person, one: int, two: int, three: int) -> None:
    """Over adjacent spans, in whichever order; and is never more than the time on the clock."""
    working = WorkingTime(STOCKHOLM, plan, person)
    assert working.between(one, two) + working.between(two, three) == working.between(one, three)
    assert abs(working.between(one, two)) <= abs(two // 1_000_000 - one // 1_000_000)
    assert (working.between(one, two) >= 0) == (two >= one or working.between(one, two) == 0)


@given(PLANS, PEOPLE, INSTANTS, INSTANTS)
def test_the_share_of_a_period_grows_from_nothing_to_one(
    plan: Plan, person: Person, one: int, two: int
) -> None:
    """A weekend alone passes by the clock."""
    working = WorkingTime(STOCKHOLM, plan, person)
    start, end = at("2026-03-28T00:00"), at("2026-04-11T00:00")
    early, late = sorted([one, two])
    assert 0 <= working.share(start, end, early) <= working.share(start, end, late) <= 1
    assert working.share(start, end, start) == 0
    assert working.share(start, end, end) == 1
    weekend = at("2026-03-30T00:00")
    if start < one < weekend and plan.country is not None:
        assert 0 < working.share(start, weekend, one) < 1


def test_working_days_left() -> None:
    """Today is one as long as any of its work is left; a half day is half."""
    plan = Plan(half_days=frozenset({date(2026, 3, 5)}))
    working = WorkingTime(STOCKHOLM, plan)
    sunday = day_number(date(2026, 3, 8))
    assert working.days_left(at("2026-03-02T07:00"), sunday) == 4.5
    assert working.days_left(at("2026-03-02T16:59"), sunday) == 4.5
    assert working.days_left(at("2026-03-02T17:00"), sunday) == 3.5
    assert working.days_left(at("2026-03-05T12:00"), sunday) == 1
    assert working.days_left(at("2026-03-07T00:00"), sunday) == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Plan(week=((),)), "a week has 7 days"),
        (lambda: Plan(week=((Hours(60, 30),),) * 7), "1:00 to 0:30 does not fit"),
        (lambda: Plan(country="Atlantis"), "no country"),
        (lambda: Person(percent=0), "1 to 100 percent"),
        (lambda: Person(weekdays=frozenset({7})), "weekdays are 0"),
        (
            lambda: WorkingTime(STOCKHOLM, Plan(), Person(weekdays=frozenset({6}))),
            "none of the organisation",
        ),
    ],
)
def test_what_cannot_be_is_refused(wrong: object, said: str) -> None:
    """With a sentence."""
    assert callable(wrong)
    with pytest.raises(WorkingTimeError, match=said):
        wrong()
