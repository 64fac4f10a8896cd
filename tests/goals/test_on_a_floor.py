"""A sales floor's goals, from its events: what people hear depends neither on order nor on doublets."""

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from random import Random

import pytest

from goals.figures import value_of
from goals.judging import Scene
from goals.known import known_kpis
from goals.pace import Pace
from goals.periods import Span
from goals.standing import StandingRow, look
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, day_number, micros_of
from kpis.contributions import Business
from kpis.replay import Replay
from schemas.events import Event
from schemas.goals import Absolute, Acceptance, Alert, Better, Goal, Once
from schemas.records import KpiRecord
from simulation.floor import Floor, events
from tests.goals.test_standing import figured

STOCKHOLM = Calendar("Europe/Stockholm")
BUSINESS = Business(STOCKHOLM, "SEK")
KNOWN = known_kpis("SEK")
WORKING = WorkingTime(STOCKHOLM, Plan())
SCENE = Scene(KNOWN, STOCKHOLM, WORKING, Pace(STOCKHOLM, WORKING))
START, DAYS = date(2026, 2, 2), 26
PERIOD = Once(start=date(2026, 2, 4), end=date(2026, 2, 20))
SPAN = Span(day_number(PERIOD.start), day_number(PERIOD.end))


def goal_of(name: str, scope: str, kpi: str, target: str, better: Better = "at_least") -> Goal:
    return Goal(
        id=name,
        version=1,
        scope=scope,
        kpi=kpi,
        better=better,
        target=Absolute(value=target),
        period=PERIOD,
        accepted=Acceptance(by="anna", at=datetime(2026, 1, 1, tzinfo=UTC)),
    )


GOALS = [
    goal_of("leads", "company", "new_leads", "1000"),
    goal_of("few", "company", "new_leads", "5"),
    goal_of("meetings", "company", "meetings_booked", "60"),
    goal_of("win", "company", "win_rate", "0.9"),
    goal_of("cycle", "company", "sales_cycle_days", "4", "at_most"),
    goal_of("revenue", "company", "revenue", "400000"),
]


Days = list[tuple[date, list[Event]]]


@pytest.fixture(scope="module")
def by_day() -> Days:
    life = list(events(Floor(sellers=4), START, START + timedelta(days=DAYS)))
    return [(day, list(each)) for day, each in groupby(life, key=lambda event: event.time.date())]


def lived(by_day: Days, random: Random | None) -> tuple[list[Alert], list[KpiRecord]]:
    """All alerts, looking at the end of each day; the day's events in any order, and some of them twice."""
    replay = Replay(BUSINESS)
    rows: dict[str, StandingRow] = {}
    alerts: list[Alert] = []
    records: list[KpiRecord] = []
    for day, told in by_day:
        doublets = [*told, *told[::3]]
        replay.feed(told if random is None else random.sample(doublets, len(doublets)))
        now = STOCKHOLM.at(datetime(day.year, day.month, day.day, 23, 30))  # noqa: DTZ001
        records = list(replay.records(now))
        by_key = {record.key: record for record in records}
        for goal in GOALS:
            looked = look(
                goal,
                SPAN,
                figured(goal, SPAN, by_key, SCENE, micros_of(now)),
                SCENE,
                micros_of(now),
                None,
                rows.get(goal.id),
                revision=1,
            )
            rows[goal.id] = looked.row
            alerts += looked.alerts
    return alerts, records


def test_what_people_hear_does_not_depend_on_the_order_of_events(
    by_day: Days,
) -> None:
    """Nor on how often each comes; and there is something to hear."""
    alerts, _ = lived(by_day, None)
    heard = {(alert.status.goal, alert.kind) for alert in alerts}
    assert {("leads", "slipped"), ("leads", "missed"), ("few", "achieved")} <= heard
    for seed in (1, 2):
        again, _ = lived(by_day, Random(seed))
        assert again == alerts


def test_a_period_is_the_sum_of_its_days(by_day: Days) -> None:
    """However it is put together."""
    _, records = lived(by_day, None)
    by_key = {record.key: record for record in records}
    for first in range(SPAN.first, SPAN.last, 5):
        for last in range(first, SPAN.last, 3):
            of = [
                by_key.get(f"company|day|{date(1970, 1, 1) + timedelta(day)}")
                for day in range(first, last + 1)
            ]
            leads = sum(int(record.measures.get("leads_new") or 0) for record in of if record)
            assert value_of(KNOWN.kpis["new_leads"], KNOWN, "company", Span(first, last), by_key) == leads
