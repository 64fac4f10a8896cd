"""Outlooks as ticks ask for them: those of the backtest's code, kept and renewed."""

import pickle
from collections.abc import Iterable
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any

import msgspec
import pytest

from goals.expecting import KPIS, Ask, Expecting, learn_all, measures_of
from goals.forecast import Forecast
from goals.foreseeing import AHEAD_DAYS, HISTORY_DAYS, KEPT_MICROS, Dawn, Foreseeing, dawn, figures_for
from goals.knowing import NEEDED, Known, is_read
from goals.periods import Span
from goals.seasons import Days
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, day_number
from kpis.contributions import Business
from kpis.replay import Replay
from schemas.events import DealCreated, Event
from schemas.goals import Absolute, Goal, Once, Relative
from schemas.records import KpiRecord
from simulation.floor import Floor, events

START, TODAY = date(2025, 6, 1), date(2026, 3, 18)
CALENDAR = Calendar("Europe/Stockholm")
WORKING = WorkingTime(CALENDAR, Plan())
MONTH = Span(day_number(date(2026, 3, 1)), day_number(date(2026, 3, 31)))
HOUR = 3_600_000_000
DAWN = CALENDAR.start_of(day_number(TODAY))
NOON = DAWN + 12 * HOUR

SELLERS = ("seller:anna", "seller:bo", "seller:cia")


@cache
def happened(start: date = START) -> list[Event]:
    return list(events(Floor(sellers=3, teams=1, seed=5), start, TODAY))


@cache
def records(start: date = START) -> list[KpiRecord]:
    replay = Replay(Business(CALENDAR, "SEK"))
    replay.feed(happened(start))
    return list(replay.changed(CALENDAR.local(DAWN), is_read))


@cache
def known() -> Known:
    """As the backtest has it."""
    known = Known(Days(day_number(START), day_number(TODAY) + AHEAD_DAYS, WORKING.works), CALENDAR)
    known.hear(happened())
    known.figures.read(records())
    return known


def begun(records: Iterable[KpiRecord], events: Iterable[Event]) -> Dawn | None:
    """As a worker has it."""
    figures = figures_for(day_number(TODAY))
    figures.read(records)
    return dawn(figures, events, day_number(TODAY), CALENDAR, WORKING)


@cache
def today() -> Dawn:
    found = begun(records(), happened())
    assert found is not None
    return found


def foreseeing() -> Foreseeing:
    return Foreseeing(today(), WORKING)


def outlooks(of: Dawn) -> list[Forecast | None]:
    """Of all whom goals can be for, and all that they can be about."""
    day = Foreseeing(of, WORKING)
    scopes = of.figures.scopes()
    return [day.outlook(goal(kpi=kpi, scope=scope), MONTH, NOON) for scope in scopes for kpi in KPIS]


def goal(**changed: Any) -> Goal:
    once = Once(start=date(2026, 3, 1), end=date(2026, 3, 31))
    usual: dict[str, Any] = {
        "id": "g",
        "version": 1,
        "scope": "company",
        "kpi": "revenue",
        "better": "at_least",
        "target": Absolute(value=Decimal(900_000)),
        "period": once,
    }
    return Goal(**(usual | changed))


@pytest.mark.parametrize("kpi", ["revenue", "win_rate", "cac"])
@pytest.mark.parametrize("scope", ["company", *SELLERS])
def test_it_is_what_the_backtest_would_say(kpi: str, scope: str) -> None:
    """At dawn all of today is left."""
    assert {name for name in known().figures.scopes() if "seller" in name} == set(SELLERS)
    day = day_number(TODAY)
    history = known().history(day - 1)
    expecting = Expecting(history, learn_all(history, {kpi}), day)
    done = known().figures.done(scope, measures_of(kpi), MONTH.first, day)
    said = expecting.forecast(Ask(kpi, scope, MONTH.last, 900_000.0, "at_least"), done, 1.0)
    assert foreseeing().outlook(goal(kpi=kpi, scope=scope), MONTH, DAWN) == said


def test_a_forecast_is_kept_and_renewed_once_within_minutes() -> None:
    """In a working hour, at one moment of each stretch of minutes."""
    day, asked = foreseeing(), goal()
    start = DAWN + 9 * HOUR
    seen = [day.outlook(asked, MONTH, start + step * KEPT_MICROS // 10) for step in range(31)]
    renewed = [step for step in range(1, 31) if seen[step] != seen[step - 1]]
    assert len(renewed) == 3
    assert {later - sooner for sooner, later in pairwise(renewed)} == {10}


def test_goals_have_their_turns_at_different_moments() -> None:
    """So that no tick renews all of them."""
    day, start = foreseeing(), DAWN + 9 * HOUR
    goals = [goal(id=f"g{number}") for number in range(100)]
    before = [day.outlook(each, MONTH, start) for each in goals]
    after = [day.outlook(each, MONTH, start + KEPT_MICROS // 2) for each in goals]
    assert 25 < sum(one != other for one, other in zip(before, after, strict=True)) < 75


def test_figures_and_targets_that_move_count_at_once() -> None:
    """Without waiting for the goal's turn."""
    mine = deepcopy(today())
    day = Foreseeing(mine, WORKING)
    before = day.outlook(goal(), MONTH, NOON)
    harder = day.outlook(goal(target=Absolute(value=Decimal(9_000_000))), MONTH, NOON)
    assert before is not None
    assert harder is not None
    assert harder.probability < before.probability
    more = Replay(Business(CALENDAR, "SEK"))
    more.feed(events(Floor(sellers=3, teams=1, seed=6), START, TODAY))
    later = max(record.revision for record in records())
    mine.figures.read(
        msgspec.structs.replace(record, revision=record.revision + later)
        for record in more.changed(CALENDAR.local(DAWN), is_read)
    )
    assert day.outlook(goal(), MONTH, NOON) != before


def test_a_relative_target_is_read_off_what_was() -> None:
    """The month before and a tenth: February is known, the March of a year ago is not."""
    february = today().figures.done("company", ["revenue"], MONTH.first - 28, MONTH.first - 1)["revenue"]
    more = goal(target=Relative(change=Decimal("0.1"), baseline="span_before"))
    absolute = goal(target=Absolute(value=Decimal(str(february * 1.1))))
    said, same = foreseeing().outlook(more, MONTH, NOON), foreseeing().outlook(absolute, MONTH, NOON)
    assert said is not None
    assert same is not None
    assert said.probability == pytest.approx(same.probability, abs=1e-6)
    last_year = goal(target=Relative(change=Decimal("0.1"), baseline="last_year"))
    assert foreseeing().outlook(last_year, MONTH, NOON) is None


def test_where_there_is_no_telling_there_is_no_outlook() -> None:
    """Other KPIs, customers, strangers, periods not now or too far ahead, and a young history."""
    day = foreseeing()
    assert day.outlook(goal(kpi="hit_rate"), MONTH, NOON) is None
    assert day.outlook(goal(scope="customer:c"), MONTH, NOON) is None
    assert day.outlook(goal(scope="seller:nobody"), MONTH, NOON) is None
    assert day.outlook(goal(), Span(MONTH.first + 31, MONTH.last + 30), NOON) is None
    assert day.outlook(goal(), Span(MONTH.first, MONTH.last + 400), NOON) is None
    start = date(2026, 2, 1)
    assert begun(records(start), happened(start)) is None
    assert begun([], []) is None


def test_a_day_begins_the_same_in_whatever_order_things_come() -> None:
    """And where they come more than once, records with others of them that held before."""
    old = [msgspec.structs.replace(record, revision=0, measures={}) for record in records()]
    shuffled, mixed = happened() * 2, old + records() * 2
    Random(1).shuffle(shuffled)
    Random(2).shuffle(mixed)
    found = begun(mixed, shuffled)
    assert found is not None
    for scope in today().figures.scopes():
        for day in range(MONTH.first - 200, MONTH.first):
            mine = found.figures.done(scope, NEEDED, day, day)
            assert mine == today().figures.done(scope, NEEDED, day, day)
    assert found.figures.records == today().figures.records
    assert outlooks(found) == outlooks(today())


def test_what_happens_later_is_not_known_yet() -> None:
    """Neither what a CRM says of tomorrow nor what happened today while all was learned."""
    later = [
        msgspec.structs.replace(
            event, time=event.time + timedelta(days=HISTORY_DAYS), id=f"later {event.id}"
        )
        for event in happened()
    ]
    found = begun(records(), [*later, *happened()])
    assert found is not None
    assert outlooks(found) == outlooks(today())


def test_what_is_older_than_what_is_looked_back_at_counts_nothing() -> None:
    """A record and a deal of another century, as a CRM has them by mistake."""
    old = date(1999, 12, 31)
    record = msgspec.structs.replace(records()[0], start=old, end=date(2000, 1, 1))
    created = next(event for event in happened() if isinstance(event, DealCreated))
    deal = msgspec.structs.replace(
        created,
        time=CALENDAR.local(CALENDAR.start_of(day_number(old))),
        data=msgspec.structs.replace(created.data, deal="old"),
    )
    found = begun([record, *records()], [deal, *happened()])
    assert found is not None
    assert found.figures.first == today().figures.first
    assert outlooks(found) == outlooks(today())


def test_a_day_is_the_same_in_another_process() -> None:
    """Whatever was learned and known goes there."""
    there: Dawn = pickle.loads(pickle.dumps(today()))
    assert outlooks(there) == outlooks(today())
