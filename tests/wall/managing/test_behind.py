"""What is behind a figure, over the real application and the second opinion's own counting."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.records import decode_record
from tests.wall.office import Office
from tests.wall.visiting import Client, paired, reason
from wall.accounts.door import Door

MARCH = {"scope": "company", "grain": "month", "start": "2026-03-01"}


def told(client: Client, **asked: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of an answer."""
    answer = client.get("/api/manage/behind", params={**MARCH, **asked})
    assert answer.status_code == 200
    for block in answer.text.split("\n\n"):
        if block:
            name, _, data = block.partition("\ndata: ")
            yield name.removeprefix("event: "), json.loads(data)


def answered(client: Client, **asked: str) -> dict[str, Any]:
    *stages, (name, answer) = told(client, **asked)
    assert {name for name, _ in stages} <= {"stage"}
    assert name == "answer", answer
    return answer


def test_the_deals_behind_a_months_revenue_add_up_to_it(office: Office, manager: Client) -> None:
    """The largest first, each with who won it; beside what the record says."""
    answer = answered(manager, kpi="revenue")
    body = office.view.entry("record", "company|month|2026-03-01")
    assert body is not None
    record = decode_record(body)
    assert answer["value"] == answer["published"]["value"] == record.kpis["revenue"]
    [revenue] = answer["sums"]
    assert revenue["total"] == record.kpis["revenue"]
    shares = [float(item["share"]) for item in revenue["items"]]
    assert shares == sorted(shares, reverse=True)
    assert f"{sum(shares):.2f}" == revenue["total"]
    assert len(shares) == revenue["count"] == record.measures["deals_won"]
    assert all(item["seller"] and item["team"] and item["customer"] for item in revenue["items"])


def test_what_is_divided_shows_both_parts(manager: Client) -> None:
    """And how they are put together."""
    answer = answered(manager, kpi="average_deal_value", scope="team:norr")
    assert answer["formula"] == "revenue / deals_won"
    assert [each["name"] for each in answer["sums"]] == ["revenue", "deals_won"]


def test_a_page_shows_no_more_than_it_can_and_counts_the_rest(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are left out are part of the total."""
    everything = answered(manager, kpi="calls")["sums"][0]
    monkeypatch.setattr("wall.managing.behind.MAX_ITEMS", 3)
    some = answered(manager, kpi="calls")["sums"][0]
    assert len(some["items"]) == 3
    assert (some["count"], some["total"]) == (everything["count"], everything["total"])


def test_what_makes_no_sense_is_refused(office: Office, manager: Client) -> None:
    """A window that is none and a scope that is none at once; a figure that is none as an event,
    with those that there are."""
    asked = {**MARCH, "kpi": "revenue"}
    for wrong in ({"start": "2026-03-02"}, {"scope": "floor:1"}, {"grain": "hour"}):
        assert manager.get("/api/manage/behind", params={**asked, **wrong}).status_code == 400
    refused = manager.get("/api/manage/behind", params={**asked, "start": "2026-03-02"})
    assert reason(refused) == "window"
    *_, (name, why) = told(manager, kpi="hires")
    assert (name, why["reason"]) == ("refused", "figure")
    assert {"revenue", "calls"} <= set(why["figures"])
    office.events.clear()
    *_, (name, why) = told(manager, kpi="revenue", start="2020-03-01")
    assert (name, why) == ("refused", {"reason": "events", "figures": []})


def test_a_television_asks_for_nothing_of_it(office: Office, door: Door, manager: Client) -> None:
    """It is work, and of people."""
    tv, _, _ = paired(office, door, manager)
    assert tv.get("/api/manage/behind", params={**MARCH, "kpi": "revenue"}).status_code == 401
