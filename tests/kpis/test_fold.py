"""The fold of one object: the latest event that states a field decides, in whatever order they come."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import micros_of
from kpis.fold import fold, fold_seller, identify, known, new_object, object_key, team_at
from schemas.events import EVENT_TYPES, Event, SellerAssigned, SellerLeft
from schemas.rows import ObjectRow, SellerRow
from tests.kpis.histories import histories

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def event(kind: str, day: int = 0, identifier: str = "e1", /, **data: Any) -> Any:
    envelope = {
        "specversion": "1.0",
        "id": identifier,
        "source": "crm://test",
        "type": kind,
        "time": (MONDAY + timedelta(days=day)).isoformat(),
        "data": data,
    }
    return msgspec.convert(envelope, EVENT_TYPES[kind])


def deal(*events: Event) -> ObjectRow:
    row = new_object("deal", "c1", "d1")
    for each in events:
        fold(row, each, micros_of(each.time))
    return row


D: dict[str, Any] = {"deal": "d1", "customer": "c1"}


def test_the_latest_statement_of_a_field_holds() -> None:
    """Fields are decided one by one: the later event need not repeat the seller."""
    row = deal(
        event("deal.amended", 2, **D, value="200"),
        event("deal.created", 0, **D, value="100", seller="anna"),
    )
    assert known(row)["value"] == "200"
    assert known(row)["seller"] == "anna"


def test_between_events_of_the_same_time_the_id_decides() -> None:
    """So that no tie is left to the order of arrival."""
    one = event("deal.amended", 0, "a", **D, value="1")
    two = event("deal.amended", 0, "b", **D, value="2")
    assert deal(one, two) == deal(two, one)
    assert known(deal(one, two))["value"] == "2"


def test_the_outcome_is_that_of_the_latest_decision() -> None:
    """Won, reopened, lost: lost; and reopened after that: open."""
    won, reopened = event("deal.won", 1, **D), event("deal.reopened", 2, **D)
    lost, again = event("deal.lost", 3, **D), event("deal.reopened", 4, **D)
    assert known(deal(lost, won, reopened))["outcome"] == "lost"
    assert known(deal(again, lost, won, reopened))["outcome"] == "open"


def test_deleted_is_for_good() -> None:
    """Even where the deletion is older than what follows."""
    assert deal(event("deal.deleted", 0, **D), event("deal.won", 5, **D)).deleted


@given(histories, st.randoms(use_true_random=False))
def test_any_order_and_any_duplicates_give_the_same_row(events: list[Event], random: Any) -> None:
    """Folding is commutative and idempotent."""
    mine = [e for e in events if e.topic == "crm.deals" and identify(e) == ("deal", "c1", "d1")]
    mixed = mine + random.choices(mine, k=3) if mine else []
    random.shuffle(mixed)
    assert deal(*mixed) == deal(*mine)


@given(histories)
def test_folding_says_whether_it_changed_anything(events: list[Event]) -> None:
    """The first time it may; the second time it never does, whatever came in between."""
    row = new_object("deal", "c1", "d1")
    mine = [e for e in events if e.topic == "crm.deals" and identify(e) == ("deal", "c1", "d1")]
    for each in mine:
        before = msgspec.json.encode(row)
        assert fold(row, each, micros_of(each.time)) == (msgspec.json.encode(row) != before)
    assert not any(fold(row, each, micros_of(each.time)) for each in mine)


def test_two_objects_never_share_a_key() -> None:
    """However their ids are made."""
    assert object_key("deal", "a:b", "c") != object_key("deal", "a", "b:c")
    assert object_key("deal", "1:a", "b") != object_key("deal", "1", "a:b")


def seller(*events: SellerAssigned | SellerLeft) -> SellerRow:
    row = SellerRow([], {})
    for each in events:
        fold_seller(row, each)
    return row


def test_a_seller_is_in_the_team_of_the_latest_assignment_up_to_then() -> None:
    """Also where an earlier assignment arrives later; and in none before the first, or after leaving."""
    row = seller(
        event("seller.assigned", 10, "b", seller="anna", team="south"),
        event("seller.left", 20, "c", seller="anna"),
        event("seller.assigned", 0, "a", seller="anna", team="north"),
    )
    found = [team_at(row, micros_of(MONDAY + timedelta(days=day))) for day in (-1, 0, 9, 10, 19, 20, 99)]
    assert found == [None, "north", "north", "south", "south", None, None]


def test_an_unknown_seller_is_in_no_team() -> None:
    """Nothing was ever said of them."""
    assert team_at(None, 0) is None
