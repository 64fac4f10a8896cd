"""The machine as a whole, against the oracle and against itself."""

import zlib
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import MICROS_PER_DAY, Calendar
from kpis.contributions import Business
from kpis.formulas import minor_digits
from kpis.replay import Replay
from schemas.events import EVENT_TYPES, Event
from schemas.records import KpiRecord
from tests.examples import examples
from tests.kpis.histories import histories, times
from tests.kpis.oracle import Oracle, shown

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLOCKED = ["customer_lifetime_days", "sales_growth", "growth_accumulated"]
timezones = st.sampled_from(
    ["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut"]
)


def business(timezone_name: str = "Europe/Stockholm", currency: str = "SEK") -> Business:
    return Business(Calendar(timezone_name), currency)


def replayed(
    events: list[Event], rules: Business, batch: int = 5000, partitions: int = 1, as_of: datetime = NOW
) -> list[KpiRecord]:
    replay = Replay(rules, partitions, lambda key: zlib.crc32(key.encode()) % partitions)
    replay.feed(events, batch)
    return list(replay.records(as_of))


def without_revision(records: list[KpiRecord]) -> list[tuple[Any, ...]]:
    return [(r.key, r.end, r.state, r.measures, r.kpis, r.as_of) for r in records]


@examples(300)
@given(histories, timezones, st.sampled_from(["SEK", "JPY", "KWD"]))
def test_measures_are_what_the_definitions_say(events: list[Event], zone: str, currency: str) -> None:
    """Every measure of every scope and window equals the oracle's, and no other record exists."""
    digits = minor_digits(currency)
    expected = {
        f"{scope}|{grain}|{start}": shown(measures, digits)
        for (scope, grain, start), measures in Oracle(events, zone, currency).measures().items()
    }
    found = {r.key: r.measures for r in replayed(events, business(zone, currency))}
    assert found == expected


def cost_of_a_month(name: str, first: str, last: str) -> Event:
    data = {
        "cost": name,
        "amount": "0.05",
        "currency": "SEK",
        "category": "other",
        "from": first,
        "to": last,
    }
    envelope = {"specversion": "1.0", "id": name, "source": "crm://test", "type": "cost.logged"}
    told = {**envelope, "time": "2026-03-01T10:00:00Z", "data": data}
    return msgspec.convert(told, EVENT_TYPES["cost.logged"])


def test_thirds_that_meet_again_are_a_whole() -> None:
    """Nine thirtieths of 0.05 are 0.015, right between 0.01 and 0.02, though no thirtieth has an end."""
    costs = [
        cost_of_a_month("of February", "2026-02-27", "2026-03-28"),
        cost_of_a_month("of March", "2026-03-07", "2026-04-05"),
    ]
    records = {record.key: record.measures for record in replayed(costs, business())}
    assert records["company|week|2026-03-02"]["cost"] == "0.02"
    assert records["company|year|2026-01-01"]["cost"] == "0.10"


@examples(300)
@given(histories, timezones, times)
def test_what_depends_on_the_clock_is_what_the_definitions_say(
    events: list[Event], zone: str, as_of: datetime
) -> None:
    """Growth and lifetimes, as of any instant, before, amid and after what happened."""
    oracle = Oracle(events, zone, "SEK")
    for record in replayed(events, business(zone), as_of=as_of):
        key = (record.scope, record.grain, record.start)
        found = {name: record.kpis[name] for name in CLOCKED if name in record.kpis}
        expected: dict[str, Fraction | None] = {}
        if record.grain == "ever":
            days = oracle.lifetime(key, as_of)
            expected["customer_lifetime_days"] = None if days is None else days / MICROS_PER_DAY
        else:
            expected["sales_growth"] = oracle.growth(key, as_of)
        if record.grain == "year":
            expected["growth_accumulated"] = oracle.growth_accumulated(record.scope, record.start, as_of)
        assert found == {name: None if exact is None else float(exact) for name, exact in expected.items()}


@examples(200)
@given(histories, st.data())
def test_order_duplicates_batches_and_partitions_change_nothing(
    events: list[Event], data: st.DataObject
) -> None:
    """Any order, some events twice, in any batches and partitions: the same records."""
    twice = data.draw(st.lists(st.sampled_from(events), max_size=5))
    mixed = data.draw(st.permutations(events + twice))
    batch = data.draw(st.integers(1, 10))
    partitions = data.draw(st.integers(1, 5))
    expected = without_revision(replayed(events, business()))
    assert without_revision(replayed(mixed, business(), batch, partitions)) == expected


@examples(100)
@given(histories)
def test_sellers_and_unassigned_add_up_to_the_company(events: list[Event]) -> None:
    """No seller's figure exceeds the company's, and sellers add up to at most the company's."""
    records = replayed(events, business())
    company = {(r.grain, r.start): r.measures for r in records if r.scope == "company"}
    sums: dict[Any, int] = {}
    for record in records:
        if record.scope.startswith("seller:"):
            key = (record.grain, record.start)
            sums[key] = sums.get(key, 0) + int(record.measures.get("deals_won") or 0)
    for key, won in sums.items():
        assert won <= int(company[key].get("deals_won") or 0)


@examples(100)
@given(histories, st.integers(1, 20))
def test_what_changed_adds_up_to_all_records(events: list[Event], batch: int) -> None:
    """Asked after each batch; and what was not wanted is not told."""
    replay, latest = Replay(business()), dict[str, KpiRecord]()
    for start in range(0, len(events), batch):
        replay.feed(events[start : start + batch])
        latest |= {
            record.key: record for record in replay.changed(NOW, lambda _, window: window.grain == "day")
        }
    assert list(replay.changed(NOW, lambda *_: True)) == []
    assert {record.grain for record in latest.values()} <= {"day"}
    days = [record for record in replay.records(NOW) if record.grain == "day"]
    # The growth of a day is that beside the day before, which may have changed since.
    assert {record.key: record.measures for record in days} == {
        key: record.measures for key, record in latest.items() if record.measures
    }
