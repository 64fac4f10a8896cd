"""A simulated floor lived through: forecasts beat linear pacing on it, and know nothing of the future."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache

import msgspec
import pytest

from goals.backtest import Judgement, Lived, Set, from_history, given, live_through
from goals.knowing import Figures
from goals.outlook import History, learn, to_come
from goals.scoring import FORECAST, NAIVE, PACING, Report, report
from goals.seasons import Days
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, date_of, day_number
from kpis.contributions import Business
from schemas.events import Event
from schemas.goals import Goal
from simulation.floor import Floor, events

START, END = date(2024, 6, 1), date(2026, 5, 1)
BUSINESS = Business(Calendar("Europe/Stockholm"), "SEK")
works = WorkingTime(BUSINESS.calendar, Plan()).works
USUAL = from_history(["revenue", "meetings_booked", "win_rate"], ["company", "team", "seller"])


@cache
def life() -> tuple[Event, ...]:
    return tuple(events(Floor(sellers=5, teams=2, seed=7), START, END))


@cache
def lived() -> Lived:
    return live_through(life(), BUSINESS, works, USUAL)


@cache
def found() -> Report:
    scored = report(lived(), lambda day: date_of(day).isoformat())
    assert scored is not None
    return scored


def test_forecasts_beat_linear_pacing() -> None:
    """By their Brier score and log loss, clearly, of goals they were not fitted on."""
    scores = found().scores[0]
    assert scores.judgements > 1_000
    assert scores.brier[FORECAST] < 0.9 * scores.brier[PACING]
    assert scores.brier[FORECAST] < 0.8 * scores.brier[NAIVE]
    assert scores.log_loss[FORECAST] < scores.log_loss[PACING]


def test_forecasts_are_calibrated() -> None:
    """As many goals are reached as is said; and four of five results are within the interval."""
    table = found().calibration[FORECAST]
    judged = sum(decile.judged for decile in table)
    assert sum(decile.reached * decile.judged for decile in table) / judged == pytest.approx(
        sum(decile.predicted * decile.judged for decile in table) / judged, abs=0.1
    )
    assert table[0].reached < 0.1
    assert table[-1].reached > 0.9
    assert found().scores[0].within == pytest.approx(0.8, abs=0.12)


def test_nothing_is_known_before_it_was_said() -> None:
    """A history that ends earlier leads to the same forecasts, up to its end."""
    end = datetime(2025, 2, 1, tzinfo=UTC)
    earlier = live_through([event for event in life() if event.time < end], BUSINESS, works, USUAL)

    def said(judgements: Sequence[Judgement]) -> list[Judgement]:
        last = day_number(date(2024, 12, 31))
        return [judgement for judgement in judgements if judgement.goal.end <= last]

    assert said(earlier.judgements)
    assert said(earlier.judgements) == said(lived().judgements)


def goal(**fields: object) -> Goal:
    usual = {"id": "g", "version": 1, "scope": "company", "kpi": "revenue", "better": "at_least"}
    return msgspec.convert({**usual, **fields}, Goal)


def test_goals_may_be_given() -> None:
    """As on their topic: once or recurring, absolute or relative to what was before."""
    known = Figures(day_number(date(2025, 1, 1)), day_number(date(2027, 1, 1)))
    recurring = {"kind": "recurring", "grain": "quarter", "start": "2025-02-01"}
    setting = given([goal(target={"kind": "absolute", "value": "100.50"}, period=recurring)])
    assert setting(day_number(date(2025, 1, 1)), known) == []
    april = day_number(date(2025, 4, 1))
    assert setting(april + 1, known) == []
    june = day_number(date(2025, 6, 30))
    assert setting(april, known) == [Set("revenue", "company", april, june, 100.5, "at_least")]
    once = {"kind": "once", "start": "2025-04-01", "end": "2025-04-30"}
    relative = {"kind": "relative", "change": "0.5", "baseline": "span_before"}
    [one] = given([goal(target=relative, period=once)])(april, known)
    assert one.target == 0.0


def history(figures: Sequence[float], deals: Sequence[float]) -> History:
    first = day_number(date(2026, 1, 1))
    days = Days(first, first + len(figures) + 60, works)
    series = {("company", "revenue"): figures, ("company", "deals_won"): deals}
    return History(days, first + len(figures) - 1, series)


def test_an_even_history_goes_on() -> None:
    """Two deals each working day: two for each that is left, and none at weekends."""
    first = day_number(date(2026, 1, 1))
    deals = [2.0 * works(first + place) for place in range(200)]
    past = history(deals, deals)
    learned = learn(past, "deals_won")
    until = past.today + 28
    left = sum(works(day) for day in range(past.today + 1, until + 1))
    rest = to_come(learned, "company", past.today, until)
    assert rest.mean == pytest.approx(2.0 * left, rel=0.05)
    saturday = next(day for day in range(past.today + 1, until) if date_of(day).weekday() == 5)
    assert to_come(learned, "company", saturday - 1, saturday).mean < 0.3
    parts = (to_come(learned, "company", day, day + 1).mean for day in range(past.today, until))
    assert sum(parts) == pytest.approx(rest.mean, rel=0.1)


def test_nobody_known_is_expected_to_do_nothing() -> None:
    """A seller of whom nothing was ever heard."""
    past = history([1.0] * 90, [1.0] * 90)
    assert to_come(learn(past, "deals_won"), "seller:new", past.today, past.today + 9).mean == 0.0
