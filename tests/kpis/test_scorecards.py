"""The clock: windows close, what changes afterwards is called corrected, and growth turns with the day.

And definitions: which are in use, and what is written when that is another.
"""

from datetime import datetime
from typing import Any

import pytest

from kpis.calendar import micros_of
from kpis.ledger import Ledger
from kpis.scorecards import Scorecards
from kpis.versions import first_version
from schemas.definitions import KpiDefinition
from schemas.events import Event
from schemas.internal import Ready, Reported, ScorecardRow, TermBegun, Tick
from schemas.records import KpiRecord
from schemas.rows import Row
from tests.kpis.test_fold import event
from tests.kpis.test_replay import business

D: dict[str, Any] = {"deal": "d1", "customer": "c1"}


class Floor:
    """A ledger and scorecards, told of events and of the time, and the records that hold."""

    def __init__(self, sources: int = 1) -> None:
        self.rows: dict[str, ScorecardRow] = {}
        self.sources = sources
        self.objects: dict[str, Row] = {}
        self.ledger = Ledger(0, business(), self.objects)
        self.scorecards = Scorecards(business(), self.rows, sources=sources)
        self.records: dict[str, KpiRecord] = {}

    def tell(self, *events: Event) -> set[str]:
        effects = self.ledger.apply(events)
        self.objects.update(effects.rows)
        return self.hear(*effects.partials)

    def clock(self, now: str) -> set[str]:
        return self.hear(Tick(micros_of(datetime.fromisoformat(now))))

    def hear(self, *items: Reported | Tick) -> set[str]:
        taken = self.scorecards.take(items)
        written = dict(self.scorecards.records(taken.touched))
        self.rows.update(taken.rows)
        self.records.update(written)
        return set(written)

    def restart(self) -> None:
        self.scorecards = Scorecards(business(), self.rows, 2, sources=self.sources)
        for key, row in self.rows.items():
            self.scorecards.learn(key, row)

    def company(self, grain: str, start: str) -> KpiRecord:
        return self.records[f"company|{grain}|{start}"]


@pytest.fixture
def floor() -> Floor:
    """A floor on which the clock ticks since 2 March 2026, a Monday."""
    floor = Floor()
    floor.clock("2026-03-02T08:00:00+01:00")
    return floor


def test_a_window_closes_when_the_clock_passes_its_end(floor: Floor) -> None:
    """And not with the next event, nor before; its record is written anew."""
    floor.tell(event("deal.won", 0, **D, value="100"))
    assert floor.company("day", "2026-03-02").state == "open"
    assert floor.clock("2026-03-02T23:59:59+01:00") == set()
    written = floor.clock("2026-03-03T00:00:00+01:00")
    assert "company|day|2026-03-02" in written
    assert floor.company("day", "2026-03-02").state == "closed"
    assert floor.company("week", "2026-03-02").state == "open"
    floor.clock("2026-03-09T00:00:00+01:00")
    assert floor.company("week", "2026-03-02").state == "closed"
    assert floor.company("month", "2026-03-01").state == "open"


def test_what_changes_a_closed_window_corrects_it(floor: Floor) -> None:
    """The record says how the KPIs were at closing, whatever else changes after that."""
    floor.tell(event("deal.won", 0, "a", **D, value="100"))
    floor.clock("2026-03-03T00:30:00+01:00")
    floor.tell(event("deal.amended", 1, "b", **D, value="70"))
    floor.tell(event("deal.amended", 2, "c", **D, value="50"))
    record = floor.company("day", "2026-03-02")
    assert record.state == "corrected"
    assert record.kpis["revenue"] == "50.00"
    assert record.previous is not None
    assert record.previous["revenue"] == "100.00"
    assert floor.company("month", "2026-03-01").previous is None
    floor.restart()
    floor.tell(event("deal.amended", 3, "d", **D, value="100"))
    assert floor.company("day", "2026-03-02").state == "closed", "it is as it was"


def test_what_a_correction_does_to_growth_corrects_the_window_after(floor: Floor) -> None:
    """Its own measures are what they were."""
    floor.tell(event("deal.won", 0, "a", **D, value="100"))
    floor.tell(event("deal.won", 1, "b", deal="d2", customer="c1", value="150"))
    floor.clock("2026-03-04T00:30:00+01:00")
    assert floor.company("day", "2026-03-03").kpis["sales_growth"] == 0.5
    floor.tell(event("deal.amended", 3, "c", **D, value="75"))
    record = floor.company("day", "2026-03-03")
    assert (record.state, record.kpis["sales_growth"]) == ("corrected", 1.0)
    assert record.previous is not None
    assert record.previous["sales_growth"] == 0.5


def test_what_happened_last_may_come_in_a_little_late(floor: Floor) -> None:
    """Nobody calls a day corrected because its last deal took a minute."""
    floor.clock("2026-03-03T00:01:00+01:00")
    floor.tell(event("deal.won", 0, **D, value="100"))
    assert floor.company("day", "2026-03-02").state == "closed"


def test_history_is_closed_and_never_corrected(floor: Floor) -> None:
    """It was over before the clock began to tick: importing it corrects nothing."""
    floor.tell(event("deal.won", -30, "a", **D, value="100"))
    floor.clock("2026-03-05T00:00:00+01:00")
    floor.tell(event("deal.amended", -29, "b", **D, value="70"))
    record = floor.company("day", "2026-01-31")
    assert (record.state, record.previous) == ("closed", None)


def test_growth_of_an_open_window_turns_with_the_day(floor: Floor) -> None:
    """It is compared with as many days of the one before."""
    floor.tell(event("deal.won", -28, "a", **D, value="100"))
    floor.tell(event("deal.won", -26, "b", deal="d2", customer="c1", value="100"))
    floor.tell(event("deal.won", 0, "c", deal="d3", customer="c1", value="150"))
    assert floor.company("month", "2026-03-01").kpis["sales_growth"] == 0.5
    written = floor.clock("2026-03-04T00:00:00+01:00")
    assert "company|month|2026-03-01" in written
    assert floor.company("month", "2026-03-01").kpis["sales_growth"] == -0.25
    floor.tell(event("deal.amended", 2, "d", deal="d2", customer="c1", value="0"))
    assert floor.company("month", "2026-03-01").kpis["sales_growth"] == 0.5


def test_the_week_over_new_year_turns_for_who_has_nothing_in_the_new_one(floor: Floor) -> None:
    """Growth is of a day more each day, and the week is over when it is over."""
    floor.clock("2026-12-28T08:00:00+01:00")
    floor.tell(event("deal.won", 295, "a", **D, value="100"))
    floor.tell(event("deal.won", 302, "b", deal="d2", customer="c1", value="100"))
    week = "customer:c1|week|2026-12-28"
    for now, state in [
        ("2027-01-02T00:00:00+01:00", "open"),
        ("2027-01-03T00:00:00+01:00", "open"),
        ("2027-01-04T08:00:00+01:00", "closed"),
    ]:
        assert week in floor.clock(now)
        assert floor.records[week].state == state


def test_a_customer_who_stays_does_so_a_day_longer_each_day(floor: Floor) -> None:
    """Also in a year in which nothing of theirs is counted; one who left is written no more."""
    floor.tell(event("deal.won", 0, "a", **D, value="100"))
    floor.tell(event("deal.won", 0, "b", deal="d2", customer="c2", value="100"))
    floor.tell(event("customer.churned", 1, "c", customer="c2"))
    floor.clock("2027-05-02T08:00:00+01:00")
    days = floor.records["customer:c1|ever|1970-01-01"].kpis["customer_lifetime_days"]
    written = floor.clock("2027-05-03T08:00:00+01:00")
    after = floor.records["customer:c1|ever|1970-01-01"].kpis["customer_lifetime_days"]
    assert isinstance(days, float)
    assert after == days + 1
    assert {"company|ever|1970-01-01", "customer:c1|ever|1970-01-01"} <= written
    assert "customer:c2|ever|1970-01-01" not in written


def test_a_tick_known_already_writes_again_what_it_changed(floor: Floor) -> None:
    """After a crash nobody knows what was written."""
    floor.tell(event("deal.won", 0, **D, value="100"))
    first = floor.clock("2026-03-03T00:00:00+01:00")
    floor.restart()
    assert floor.clock("2026-03-03T00:00:00+01:00") == first
    assert floor.clock("2026-03-02T12:00:00+01:00") == set()


def test_a_clock_that_stood_still_for_years_goes_on(floor: Floor) -> None:
    """Everything is written anew."""
    floor.tell(event("deal.won", 0, **D, value="100"))
    written = floor.clock("2029-01-01T00:00:00+01:00")
    assert written == set(floor.records)
    assert {r.state for r in floor.records.values() if r.grain != "ever"} == {"closed"}


@pytest.fixture
def two() -> Floor:
    """A floor with two sources, on which a deal is won and the first says what it counts."""
    floor = Floor(sources=2)
    floor.clock("2026-03-02T08:00:00+01:00")
    floor.tell(event("deal.won", 0, **D, value="100"))
    return floor


def counts(source: int, term: int, number: int = 1, formula: str | None = "deals_won / calls") -> Ready:
    """What a source says in a term of the KPI `ours`, which is gone where there is no formula."""
    own = formula and KpiDefinition(formula=formula, unit="ratio", better="higher", name={"en": "Ours"})
    return Ready(source, first_version(term) + number, "kpis/ours", number, own or None)


def test_a_definition_is_in_use_once_all_sources_count_under_it(two: Floor) -> None:
    """And as long as none says that it is gone; all records are written when that turns, and only then."""
    assert two.hear(counts(0, 1)) == set()
    assert "ours" not in two.company("day", "2026-03-02").kpis
    assert two.hear(counts(1, 1)) == set(two.records)
    assert "ours" in two.company("day", "2026-03-02").kpis
    assert two.hear(counts(0, 1, 2, "deals_won / contacts")) == set()
    assert two.hear(counts(1, 1, 2, "deals_won / contacts")) == set(two.records)
    assert two.hear(counts(1, 1, 3, None)) == set(two.records)
    assert "ours" not in two.company("day", "2026-03-02").kpis
    assert two.hear(counts(0, 1, 3, None)) == set()


def test_a_new_owner_that_says_the_same_has_nothing_written(two: Floor) -> None:
    """A partition moves with each worker that comes or goes: that changes no figure."""
    two.hear(counts(0, 1), counts(1, 1))
    assert two.hear(TermBegun(0, first_version(2)), counts(0, 2)) == set()


def test_a_definition_known_already_is_written_again(two: Floor) -> None:
    """After a crash nobody knows what was written, by whoever has the source meanwhile."""
    two.hear(counts(0, 1))
    last = counts(1, 1)
    assert two.hear(last) == set(two.records)
    two.restart()
    assert two.hear(last) == set(two.records)
    two.hear(TermBegun(1, first_version(2)))
    two.restart()
    assert two.hear(last, counts(1, 2)) == set(two.records)
    assert "ours" in two.company("day", "2026-03-02").kpis


def test_an_owner_whose_time_is_over_changes_no_definition(two: Floor) -> None:
    """It may have been paused, and know nothing of what its successor counts."""
    two.hear(counts(0, 1), counts(1, 1), TermBegun(1, first_version(2)))
    two.hear(counts(1, 1, 2, None))
    assert "ours" in two.company("day", "2026-03-02").kpis
