"""Working time is read as people write it, or says what is wrong."""

from datetime import date, datetime

import pytest

from goals.working_plan import WorkingPlan, read_plan
from goals.working_time import OFFICE_WEEK, Hours, Person, Plan, WorkingTimeError
from kpis.calendar import Calendar, micros_of

STOCKHOLM = Calendar("Europe/Stockholm")

PLAN = """\
country = "NO"
days_off = [2026-05-15]
half_days = [2026-12-23]

[hours]
monday = ["8:00-12:00", "12:30 - 16:00"]
saturday = ["10:00-24:00"]

[sellers.anna]
percent = 60
weekdays = ["monday", "tuesday"]
days_off = [2026-07-01]
"""


def test_a_plan_is_read() -> None:
    """What is left out is as usual."""
    plan = read_plan(PLAN.encode())
    assert plan.plan.country == "NO"
    assert plan.plan.days_off == {date(2026, 5, 15)}
    assert plan.plan.half_days == {date(2026, 12, 23)}
    assert plan.plan.week[0] == (Hours(480, 720), Hours(750, 960))
    assert plan.plan.week[1] == ()
    assert plan.plan.week[5] == (Hours(600, 1440),)
    assert plan.sellers == {
        "anna": Person(percent=60, weekdays=frozenset({0, 1}), days_off=frozenset({date(2026, 7, 1)}))
    }
    assert read_plan(b"") == WorkingPlan(Plan(), {})
    assert read_plan(b"").plan.week == OFFICE_WEEK
    assert read_plan(b'country = ""').plan.country is None


def test_each_scope_has_its_working_time() -> None:
    """A seller's own; a team that is called as a seller has the organisation's."""
    plan = read_plan(b"[sellers.anna]\npercent = 50\n")
    start, end = (micros_of(STOCKHOLM.at(datetime(2026, 3, day))) for day in (2, 3))  # noqa: DTZ001
    hours = {scope: plan.of(scope, STOCKHOLM).between(start, end) / 3600 for scope in SCOPES}
    assert hours == {"seller:anna": 4, "seller:bo": 8, "team:anna": 8, "company": 8}


SCOPES = ("seller:anna", "seller:bo", "team:anna", "company")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("country =", "no valid TOML"),
        ("country = 5", r"\$\.country"),
        ("contry = 'SE'", "contry"),
        ("country = 'Sweden'", "'Sweden' is no country"),
        ("hours.monday = ['8 to 5']", "`8 to 5` are no hours"),
        ("hours.monday = ['17:00-8:00']", "17:00 to 8:00 does not fit"),
        ("sellers.anna.weekdays = ['mon']", "anna: `mon` is no weekday"),
        ("sellers.anna.weekdays = ['saturday']", "anna: somebody who works on none"),
        ("sellers.anna.percent = 0", "anna: a share of full time is 1 to 100 percent"),
    ],
)
def test_what_is_no_plan_says_why(text: str, said: str) -> None:
    """In a sentence."""
    with pytest.raises(WorkingTimeError, match=said):
        read_plan(text.encode())


def test_what_is_no_text_says_so() -> None:
    """Rather than fail."""
    with pytest.raises(WorkingTimeError, match="no valid TOML"):
        read_plan(b"\xff")
