"""What the ledger and the scorecards make of a story, one behaviour at a time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kpis.ledger import AMOUNTS_A_PARTIAL, Ledger
from kpis.scorecards import Scorecards
from kpis.versions import VERSIONS_PER_TERM
from schemas.events import Event
from schemas.internal import (
    Cell,
    Contribution,
    DayRow,
    LeadNamed,
    LeadOf,
    LeadOrigin,
    Partial,
    ScorecardRow,
    TermBegun,
    encode_reported,
)
from schemas.records import KpiRecord
from schemas.rows import ROWS, Row, Said
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
        assert measures(records, scope, "day") == {"deals_won": 1, "revenue": "100.50", "customers_new": 1}
    assert {r.start.isoformat() for r in records.values() if r.grain == "day"} == {"2026-03-03"}


def test_a_deal_won_twice_counts_once() -> None:
    """With the value stated last."""
    records = told(event("deal.won", 1, "a", **D, value="100"), event("deal.won", 2, "b", **D, value="70"))
    once = {"deals_won": 1, "revenue": "70.00", "cycle_days_sum": 1.0, "customers_new": 1}
    assert measures(records, "company") == once


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


@pytest.mark.parametrize("person", ["a\x1fb", "x/abc\x1fb", "\x1f", "m#1\x1fp"])
def test_a_person_may_be_called_anything(person: str) -> None:
    """Also what looks as if it was of another measure: called twice they are one contact."""
    calls = [
        event("activity.logged", 0, f"e{n}", **A | {"activity": f"a{n}"}, kind="call", person=person)
        for n in range(2)
    ]
    assert measures(told(*calls), "company") == {"calls": 2, "contacts": 1}


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
    assert measures(records, "company") == {"deals_won": 1, "customers_new": 1}


def test_an_amount_in_an_unknown_currency_waits_whole() -> None:
    """Neither its value nor the deal counts until a rate is known."""
    assert told(event("deal.won", 1, **D, value="100", currency="USD")) == {}


def test_an_amount_that_waited_counts_once_its_rate_is_known() -> None:
    """At the rate valid when the deal was won, and exact to its last decimal."""
    won = event("deal.won", 5, "w", **D, value="100.01", currency="USD")
    early = event("rate.set", 4, "r1", currency="USD", rate="9.5")
    later = event("rate.set", 6, "r2", currency="USD", rate="20")
    assert measures(told(won, later), "company") == {}
    assert measures(told(won, later, early), "company")["revenue"] == "950.10"
    corrected = event("rate.set", 4.5, "r3", currency="USD", rate="0.5")
    assert measures(told(won, later, early, corrected), "company")["revenue"] == "50.00"


def test_a_cost_is_spread_over_its_days() -> None:
    """Its parts are the whole, for the seller, the team they were in that day, and the company."""
    salary = event(
        "cost.logged",
        0,
        "k",
        cost="k1",
        category="salary",
        amount="100.00",
        currency="SEK",
        seller="anna",
        **{"from": "2026-03-30", "to": "2026-04-01"},
    )
    moved = event("seller.assigned", 28, "org2", seller="anna", team="south")
    records = told(NORTH, moved, salary)
    assert measures(records, "company") == {"cost": "100.00", "cost_salary": "100.00"}
    months = {(r.scope, r.start.month): r.measures["cost"] for r in records.values() if r.grain == "month"}
    assert months["company", 3] == "66.67"
    assert months["company", 4] == "33.33"
    assert months["team:north", 3] == "33.33"
    assert months["team:south", 3] == "33.33"


def test_a_cost_whose_days_have_no_rate_waits_whole() -> None:
    """Until the last of them has one."""
    cost = {"cost": "k1", "category": "event", "amount": "10", "currency": "EUR"}
    days = {"from": "2026-03-04", "to": "2026-03-05"}
    spent = event("cost.logged", 0, "k", **cost, **days)
    assert told(spent, event("rate.set", 2.5, "r1", currency="EUR", rate="10")) == {}
    both = told(spent, event("rate.set", 1, "r2", currency="EUR", rate="11"))
    assert measures(both, "company")["cost"] == "110.00"


def test_what_a_cost_of_ten_years_says_fits_into_records() -> None:
    """In several partials, each of which a broker takes, though the company counts a lot on every day."""
    spread = [
        event(
            "cost.logged",
            0,
            f"k{number}",
            cost=f"k{number}",
            category=category,
            amount="3660.01",
            currency="SEK",
            **{"from": f"2026-03-0{2 + number}", "to": f"2036-03-0{7 + number}"},
        )
        for number, category in enumerate(("salary", "time", "marketing"))
    ]
    effects = Ledger(0, business(), {}).apply(spread)
    partials = effects.partials
    assert {partial.scope for partial in partials} == {"company"}
    amounts = [sum(len(cell.measures) for cell in partial.cells) for partial in partials]
    assert sum(amounts) > 2 * AMOUNTS_A_PARTIAL
    assert max(len(encode_reported(partial)) for partial in partials) < 512 * 1024
    days = [cell.day for partial in partials for cell in partial.cells]
    assert len(days) == len(set(days)) > 3_660
    scorecards = Scorecards(business(), {})
    taken = scorecards.take(partials)
    ever = dict(scorecards.records(taken.touched))["company|ever|1970-01-01"]
    assert ever.measures["cost"] == "10980.03"


def test_a_customer_is_new_once_and_for_who_won_them() -> None:
    """With the first deal; when that is lost after all, with the next."""
    first = event("deal.won", 1, "a", **D, seller="anna", value="1")
    second = event("deal.won", 2, "b", deal="d2", customer="c1", seller="bo", value="1")
    assert measures(told(second, first), "seller:anna")["customers_new"] == 1
    assert "customers_new" not in measures(told(second, first), "seller:bo")
    lost = event("deal.lost", 3, "c", **D)
    assert measures(told(first, second, lost), "seller:bo")["customers_new"] == 1


def test_a_customer_who_left_and_buys_again_has_not_churned() -> None:
    """And counts, while gone, for the seller of their latest deal."""
    first = event("deal.won", 1, "a", **D, seller="anna", value="1")
    second = event("deal.won", 2, "b", deal="d2", customer="c1", seller="bo", value="1")
    left = event("customer.churned", 3, "c", customer="c1")
    records = told(first, second, left)
    assert measures(records, "seller:bo")["customers_churned"] == 1
    assert "customers_churned" not in measures(records, "seller:anna")
    assert records["company|ever|1970-01-01"].kpis["customer_lifetime_days"] == 2.0
    again = event("deal.won", 4, "d", deal="d3", customer="c1", seller="anna", value="1")
    assert "customers_churned" not in measures(told(first, second, left, again), "company")


def test_an_organisation_is_new_when_first_heard_of() -> None:
    """For the seller whom that very event names, wherever the number was stated."""
    call = event("activity.logged", 0, "a", **A, kind="call")
    lead = event("lead.created", 1, "b", lead="l1", customer="c1", org_number="556677-8899", seller="bo")
    assert "organisations_new" not in measures(told(call), "seller:anna")
    records = told(call, lead)
    assert measures(records, "seller:anna")["organisations_new"] == 1
    assert "organisations_new" not in measures(records, "seller:bo")
    gone = event("activity.deleted", 2, "c", activity="a1", customer="c1")
    assert measures(told(call, lead, gone), "seller:bo")["organisations_new"] == 1
    elsewhere = event("lead.qualified", 3, "d", lead="l1", customer="c2")
    assert "organisations_new" not in measures(told(call, lead, elsewhere), "customer:c1")


def test_an_organisation_is_not_heard_of_in_a_lead_that_became_anothers() -> None:
    """Also where the lead's own row lies beside its former customer's."""
    first = event("lead.created", 0, "a", lead="l1", customer="c1", seller="anna")
    second = event("lead.created", 1, "b", lead="l2", customer="c1", org_number="556677-8899", seller="bo")
    moved = event("lead.qualified", 2, "c", lead="l1", customer="c2")
    records = {each.key: each for each in replayed([first, second, moved], business(), batch=1)}
    assert "organisations_new" not in measures(records, "seller:anna")
    assert measures(records, "seller:bo")["organisations_new"] == 1


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


def test_a_row_that_another_wrote_is_learnt_in_the_place_of_the_own() -> None:
    """As after a while in which another had the partition: what it took back no longer counts."""
    won = event("deal.won", 1, "a", **D, seller="anna", value="1")
    mine = Ledger(0, business(), {}).apply([NORTH, won]).rows
    packed = {key: ROWS.pack(row, 1) for key, row in mine.items()}
    theirs = {key: ROWS.unpack(row) for key, row in packed.items()}
    other = Ledger(0, business(), theirs, term=2)
    for key, row in theirs.items():
        other.learn(key, row)
    changed = other.apply([event("deal.amended", 2, "b", **D, seller="bo", value="5")]).rows
    rows = mine | changed
    ledger = Ledger(0, business(), rows, term=3)
    for key, row in packed.items():
        ledger.learn(key, ROWS.unpack(row))
    for key, row in changed.items():
        ledger.relearn(key, ROWS.unpack(packed[key]), row)
    third = event("deal.won", 1, "c", deal="d3", customer="c1", seller="bo", value="2")
    effects = ledger.apply([third])
    rows |= effects.rows
    cells = {p.scope: p.cells[0].measures for p in effects.partials}
    assert cells["company"]["revenue"] == cells["seller:bo"]["revenue"] == 7_000_000
    team_of_bo = event("seller.assigned", -9, "org2", seller="bo", team="south")
    cells = {p.scope: p.cells[0].measures for p in ledger.apply([team_of_bo]).partials}
    assert cells["team:south"]["deals_won"] == 2, "whom a row names is learnt too"


def test_rows_that_another_wrote_are_looked_at_as_they_are_and_not_as_the_last_batch_read_them() -> None:
    """Who was first heard of a customer in is looked for among all that is theirs."""
    calls = [
        event("activity.logged", day, name, activity=name, customer="c1", seller=seller, kind="call")
        for day, name, seller in [(0, "a1", "anna"), (1, "a2", "bo")]
    ]
    of = LeadOf("l1", "c1", 3, 500, Said("cia", 1_772_704_800_000_000, "e1", "crm"), organisation=True)
    rows: dict[str, Row] = {}
    ledger = Ledger(0, business(), rows)
    rows.update(ledger.apply([*calls, of]).rows)
    packed = {key: ROWS.pack(row, 1) for key, row in rows.items()}
    other = Ledger(0, business(), {key: ROWS.unpack(row) for key, row in packed.items()}, term=2)
    for key, row in packed.items():
        other.learn(key, ROWS.unpack(row))
    gone = [
        event("activity.deleted", 9, f"{name} gone", activity=name, customer="c1") for name in ["a1", "a2"]
    ]
    changed = other.apply(gone).rows
    for key in ["activity:2:c1:a2", "activity:2:c1:a1"]:
        ledger.relearn(key, ROWS.unpack(packed[key]), changed[key])
        rows[key] = changed[key]
    cells = {partial.scope: partial.cells for partial in ledger.apply([of]).partials}
    assert cells["seller:cia"][0].measures == {"organisations_new": 1}


def test_a_new_term_says_again_what_was_said_of_leads() -> None:
    """Whoever had the partition in between may have said something else."""
    rows: dict[str, Row] = {}
    ledger = Ledger(0, business(), rows)
    deal = event("deal.created", 0, **D, lead="l1")
    first = ledger.apply([deal])
    rows.update(first.rows)
    assert len(first.links) == 1
    assert not ledger.apply([deal]).links
    ledger.begin_term(2)
    assert len(ledger.apply([deal]).links) == 1


def test_an_announcement_that_comes_late_does_not_bring_a_term_back() -> None:
    """Of an owner who was paused while it announced itself, when its successor had long begun."""
    rows: dict[str, Row] = {}
    ledger = Ledger(0, business(), rows)
    rows.update(ledger.apply([event("lead.created", 0, lead="l1")]).rows)
    rows.update(ledger.apply([TermBegun(3, 600), TermBegun(3, 500)]).rows)
    void = ledger.apply([LeadNamed("l1", 3, 550, named=True, since=None)])
    assert "mentions:l1" not in void.rows


def test_what_is_void_by_now_is_said_again_where_it_was_heard_in_time() -> None:
    """It came before the announcement, was counted, and a crash came before anybody was told."""
    rows: dict[str, Row] = {}
    of = LeadOf("l1", "c1", 3, 500, Said("anna", 1_772_445_600_000_000, "e1", "crm"), organisation=True)
    rows.update(Ledger(0, business(), rows).apply([of, TermBegun(3, 600)]).rows)
    successor = Ledger(0, business(), rows, term=2)
    for key, row in rows.items():
        successor.learn(key, row)
    told = {partial.scope: partial.cells[0].measures for partial in successor.apply([of]).partials}
    assert told["seller:anna"] == {"organisations_new": 1}


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


def test_scorecards_that_another_wrote_are_summed_in_the_place_of_the_own() -> None:
    """Also where the other had not heard of a source."""
    kept = Kept()
    kept.take(partial(1, 5), partial(1, 2, source=1))
    [(key, mine)] = kept.rows.items()
    theirs = DayRow(mine.scope, mine.day, {0: Contribution(2, 0, {"deals_won": 7})})
    kept.scorecards.relearn(key, mine, theirs)
    kept.rows[key] = theirs
    assert kept.counted(partial(3, 1, source=2)) == {8}


def test_revisions_grow() -> None:
    """With every batch, and over a change of owner."""
    kept = Kept()
    one = kept.take(partial(1, 1))[0].revision
    two = kept.take(partial(2, 2))[0].revision
    three = Kept(term=2, rows=kept.rows).take(partial(3, 3))[0].revision
    assert one < two < three
