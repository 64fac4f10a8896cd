"""What the ledger and the scorecards make of a story, one behaviour at a time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kpis.ledger import Ledger
from kpis.scorecards import Scorecards
from kpis.versions import VERSIONS_PER_TERM
from schemas.events import Event
from schemas.internal import Cell, LeadNamed, LeadOrigin, Partial, ScorecardRow
from schemas.records import KpiRecord
from schemas.rows import Row
from tests.kpis.test_fold import event
from tests.kpis.test_replay import business, replayed

D: dict[str, Any] = {"deal": "d1", "customer": "c1"}
A: dict[str, Any] = {"activity": "a1", "customer": "c1", "seller": "anna"}
NORTH = event("seller.assigned", -9, "org1", seller="anna", team="north")


def told(*events: Event) -> dict[str, KpiRecord]:
    return {record.key: record for record in replayed(list(events), business())}


def measures(records: dict[str, KpiRecord], scope: str, grain: str = "ever") -> dict[str, Any]:
    found = [r for r in records.values() if (r.scope, r.grain) == (scope, grain)]
    return dict(found[0].measures) if found else {}


def test_a_deal_won_counts_for_seller_team_customer_and_company() -> None:
    """In each with its value, in the window of the day it was won."""
    records = told(NORTH, event("deal.won", 1, **D, seller="anna", value="100.50"))
    for scope in ("company", "team:north", "seller:anna", "customer:c1"):
        assert measures(records, scope, "day") == {"deals_won": 1, "revenue": "100.50"}
    assert {r.start.isoformat() for r in records.values() if r.grain == "day"} == {"2026-03-03"}


def test_a_deal_won_twice_counts_once() -> None:
    """With the value stated last."""
    records = told(event("deal.won", 1, "a", **D, value="100"), event("deal.won", 2, "b", **D, value="70"))
    assert measures(records, "company") == {"deals_won": 1, "revenue": "70.00", "cycle_days_sum": 1.0}


def test_an_amended_seller_takes_the_deal_along() -> None:
    """The one who had it before has nothing."""
    won = event("deal.won", 1, "a", **D, seller="anna", value="100")
    records = told(won, event("deal.amended", 5, "b", **D, seller="bo"))
    assert measures(records, "seller:anna") == {}
    assert measures(records, "seller:bo")["deals_won"] == 1


def test_an_amended_date_moves_the_deal_to_another_window() -> None:
    """It counts where it was really won."""
    won = event("deal.won", 1, "a", **D, value="100")
    amended = event("deal.amended", 5, "b", **D, won_at="2026-01-31T12:00:00+01:00")
    records = told(won, amended)
    assert {r.start.isoformat() for r in records.values() if r.grain == "month"} == {"2026-01-01"}


def test_a_reopened_deal_counts_nowhere() -> None:
    """Until it is decided again."""
    won, reopened = event("deal.won", 1, "a", **D), event("deal.reopened", 2, "b", **D)
    assert told(won, reopened) == {}
    again = told(won, reopened, event("deal.lost", 3, "c", **D))
    assert measures(again, "company") == {"deals_lost": 1}


def test_a_deleted_deal_counts_nowhere() -> None:
    """Whatever else is said of it."""
    assert told(event("deal.won", 5, "a", **D), event("deal.deleted", 1, "b", **D)) == {}


def test_a_team_has_the_figures_of_who_was_in_it_then() -> None:
    """A change of team from a date back in time moves what happened since, and nothing before."""
    first = event("deal.won", 1, "a", **D, seller="anna", value="1")
    later = event("deal.won", 8, "b", deal="d2", customer="c1", seller="anna", value="10")
    moved = event("seller.assigned", 4, "org2", seller="anna", team="south")
    records = told(NORTH, first, later, moved)
    assert measures(records, "team:north")["revenue"] == "1.00"
    assert measures(records, "team:south")["revenue"] == "10.00"


def test_who_left_counts_for_no_team() -> None:
    """But for the seller and the company."""
    left = event("seller.left", 0, "org2", seller="anna")
    records = told(NORTH, left, event("deal.won", 1, **D, seller="anna"))
    assert measures(records, "team:north") == {}
    assert measures(records, "seller:anna")["deals_won"] == 1


def test_a_disqualified_lead_is_not_qualified() -> None:
    """Its latest verdict decides; it stays a lead."""
    lead = {"lead": "l1"}
    yes, no = event("lead.qualified", 1, "a", **lead), event("lead.disqualified", 2, "b", **lead)
    assert measures(told(yes, no), "company") == {"leads_new": 1}
    again = event("lead.qualified", 3, "c", **lead)
    assert measures(told(yes, no, again), "company") == {"leads_new": 1, "leads_qualified": 1}


def test_qualifying_counts_for_who_did_it() -> None:
    """The lead for its seller, its qualification for the seller on that event."""
    created = event("lead.created", 0, "a", lead="l1", seller="anna")
    qualified = event("lead.qualified", 1, "b", lead="l1", seller="bo")
    disowned = event("lead.created", 2, "c", lead="l1", seller="anna")
    records = told(created, qualified, disowned)
    assert measures(records, "seller:bo") == {"leads_qualified": 1}
    assert measures(records, "seller:anna") == {"leads_new": 1}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("call", {"calls": 1, "contacts": 1}),
        ("email", {"emails": 1, "contacts": 1}),
        ("visit", {"visits": 1, "contacts": 1}),
        ("meeting_held", {"meetings_held": 1, "contacts": 1}),
        ("meeting_booked", {"meetings_booked": 1}),
        ("quote_sent", {"quotes_sent": 1}),
        ("other", {}),
    ],
)
def test_activities_count_by_kind(kind: str, expected: dict[str, int]) -> None:
    """And some kinds contact a person."""
    assert measures(told(event("activity.logged", 0, **A, kind=kind)), "company") == expected


def test_an_activity_that_names_nobody_is_no_contact() -> None:
    """A call to nobody knows whom is a call."""
    call = event("activity.logged", 0, activity="a1", kind="call", seller="anna")
    assert measures(told(call), "company") == {"calls": 1}


def test_the_cycle_begins_with_the_first_contact_anywhere() -> None:
    """The lead's first event and the activities that name it count, though they live elsewhere."""
    won = event("deal.won", 10, "w", **D, lead="l1", value="1")
    where = {"lead": "l1", "customer": "c9"}
    assert "cycle_days_sum" not in measures(told(won), "company")
    lead = event("lead.created", 4, "l", lead="l1")
    assert measures(told(won, lead), "company")["cycle_days_sum"] == 6.0
    call = event("activity.logged", 2, "a", activity="a9", kind="call", seller="bo", **where)
    assert measures(told(won, lead, call), "company")["cycle_days_sum"] == 8.0
    deleted = event("activity.deleted", 11, "x", activity="a9", **where)
    assert measures(told(won, lead, call, deleted), "company")["cycle_days_sum"] == 6.0


def test_the_cycle_is_never_negative() -> None:
    """A first contact stated later than the win counts as none."""
    created = event("deal.created", 0, "a", **D, first_contact="2026-05-01T09:00:00+02:00")
    records = told(created, event("deal.won", 1, "b", **D))
    assert measures(records, "company") == {"deals_won": 1}


def test_an_amount_in_an_unknown_currency_waits_whole() -> None:
    """Neither its value nor the deal counts until a rate is known."""
    assert told(event("deal.won", 1, **D, value="100", currency="USD")) == {}


def test_an_event_known_already_is_said_again() -> None:
    """A replay after a crash cannot know what was heard, so the same cells go out once more."""
    rows: dict[str, Row] = {}
    ledger = Ledger(0, business(), rows)
    won = event("deal.won", 1, **D, value="100")
    first = ledger.apply([won])
    rows.update(first.rows)
    second = ledger.apply([won])
    assert not second.rows
    assert [p.cells for p in second.partials] == [p.cells for p in first.partials]
    assert second.partials[0].version > first.partials[0].version


def test_a_ledger_rebuilt_from_its_rows_goes_on_the_same() -> None:
    """Tallies are a view: nothing is lost with the process."""
    won = event("deal.won", 1, "a", **D, seller="anna", value="1")
    rows = Ledger(0, business(), {}).apply([NORTH, won]).rows
    rebuilt = Ledger(0, business(), rows, term=2)
    for key, row in rows.items():
        rebuilt.learn(key, row)
    effects = rebuilt.apply([event("deal.won", 1, "b", deal="d2", customer="c1", seller="anna", value="2")])
    company = next(p for p in effects.partials if p.scope == "company")
    assert company.version > 2 * VERSIONS_PER_TERM
    assert company.cells[0].measures["revenue"] == 3_000_000


def test_a_formers_sellers_cells_are_told_zero() -> None:
    """So that whoever heard of them takes it back."""
    rows: dict[str, Row] = {}
    ledger = Ledger(0, business(), rows)
    rows.update(ledger.apply([event("deal.won", 1, "a", **D, seller="anna", value="1")]).rows)
    effects = ledger.apply([event("deal.amended", 2, "b", **D, seller="bo")])
    cells = {p.scope: p.cells[0].measures for p in effects.partials}
    assert cells["seller:anna"] == {}
    assert cells["seller:bo"]["deals_won"] == 1


def test_a_lead_tells_those_it_no_longer_concerns() -> None:
    """A partition that took its deal back hears that there is nothing to know."""
    rows: dict[str, Row] = {}
    ledger = Ledger(0, business(), rows)
    rows.update(ledger.apply([event("lead.created", 0, lead="l1")]).rows)
    named = ledger.apply([LeadNamed("l1", 3, 1, named=True, since=None)])
    rows.update(named.rows)
    told = [(link.to, link.first is None) for link in named.links if isinstance(link, LeadOrigin)]
    assert told == [(3, False)]
    gone = ledger.apply([LeadNamed("l1", 3, 2, named=False, since=None)]).links
    assert [(link.to, link.first) for link in gone if isinstance(link, LeadOrigin)] == [(3, None)]


def partial(version: int, won: int, source: int = 0) -> Partial:
    as_of = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000
    return Partial("company", source, version, as_of, [Cell(20_514, {"deals_won": won})])


class Kept:
    """Scorecards over rows that are kept as a worker keeps them."""

    def __init__(self, term: int = 1, rows: dict[str, ScorecardRow] | None = None) -> None:
        self.rows = {} if rows is None else rows
        self.scorecards = Scorecards(business(), self.rows, term)
        for key, row in self.rows.items():
            self.scorecards.learn(key, row)

    def take(self, *partials: Partial) -> list[KpiRecord]:
        taken = self.scorecards.take(partials)
        self.rows.update(taken.rows)
        return [record for _, record in self.scorecards.records(taken.touched)]

    def counted(self, *partials: Partial) -> set[int]:
        return {int(record.measures.get("deals_won") or 0) for record in self.take(*partials)}


def test_a_partial_received_twice_or_late_does_no_harm() -> None:
    """Of one source only the latest counts; those of several add up."""
    kept = Kept()
    assert kept.counted(partial(2, 5)) == {5}
    assert kept.counted(partial(1, 4)) == set()
    assert kept.counted(partial(2, 5)) == {5}, "a replay says again what may not have been heard"
    assert kept.counted(partial(3, 5)) == set(), "said again by the ledger, and nothing new"
    assert kept.counted(partial(1, 10, source=1)) == {15}


def test_scorecards_rebuilt_from_their_rows_go_on_the_same() -> None:
    """Sums are a view: nothing is lost with the process."""
    kept = Kept()
    kept.take(partial(1, 5), partial(1, 2, source=1))
    assert Kept(term=2, rows=kept.rows).counted(partial(2, 6)) == {8}


def test_revisions_grow() -> None:
    """With every batch, and over a change of owner."""
    kept = Kept()
    one = kept.take(partial(1, 1))[0].revision
    two = kept.take(partial(2, 2))[0].revision
    three = Kept(term=2, rows=kept.rows).take(partial(3, 3))[0].revision
    assert one < two < three
