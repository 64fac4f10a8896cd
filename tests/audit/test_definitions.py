"""Figures worked out by hand from the definitions, one small history each."""

from datetime import date, datetime
from fractions import Fraction
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from audit.books import Books, Rules
from audit.explaining import Asked, Waiting, ask_for, explain, waiting
from schemas.events import EVENT_TYPES, Event
from schemas.records import Figure

STOCKHOLM = ZoneInfo("Europe/Stockholm")
EVER = date(1970, 1, 1)
NUMBERS = count()


def at(text: str) -> datetime:
    """A time on the office wall, noon where only a date is given."""
    return datetime.fromisoformat(text if "T" in text else f"{text}T12:00").replace(tzinfo=STOCKHOLM)


def said(event_type: str, time: str, **data: Any) -> Event:
    if "from_" in data:
        data["from"] = data.pop("from_")
    envelope = {
        "specversion": "1.0",
        "id": f"e{next(NUMBERS):06}",
        "source": "crm://test",
        "type": event_type,
        "time": at(time),
        "data": data,
    }
    return msgspec.convert(envelope, EVENT_TYPES[event_type])


def figures(
    told: list[Event], scope: str, grain: str, start: str | date, *names: str, as_of: str = "2026-12-31"
) -> list[Figure]:
    """Figures of one record."""
    first = start if isinstance(start, date) else date.fromisoformat(start)
    asked = Asked(scope, grain, first, at(as_of))
    with Books(Rules("Europe/Stockholm", "SEK", 2)) as books:
        books.take(told)
        books.balance()
        ask_for(books, asked)
        return [explain(books, asked, name).value for name in names]


def waits(told: list[Event]) -> list[Waiting]:
    with Books(Rules("Europe/Stockholm", "SEK", 2)) as books:
        books.take(told)
        books.balance()
        return waiting(books)


def won(deal: str, time: str, value: str = "100", customer: str = "c1", **more: Any) -> Event:
    return said("deal.won", time, deal=deal, customer=customer, value=value, **more)


def cost(amount: str, time: str = "2026-03-01", currency: str = "SEK", **more: Any) -> Event:
    said_of = {"cost": "k1", "category": "salary", "amount": amount, "currency": currency}
    return said("cost.logged", time, **(said_of | more))


TEAMS = [
    said("seller.assigned", "2026-01-01", seller="anna", team="north"),
    said("seller.assigned", "2026-04-01T00:00", seller="anna", team="south"),
]


@pytest.mark.parametrize(
    ("scope", "grain", "start", "expected"),
    [
        ("company", "month", "2026-03-01", "666.67"),
        ("company", "month", "2026-04-01", "333.33"),
        ("company", "day", "2026-03-31", "333.33"),
        ("company", "week", "2026-03-30", "1000.00"),
        ("company", "ever", EVER, "1000.00"),
        ("seller:anna", "year", "2026-01-01", "1000.00"),
        ("team:north", "ever", EVER, "666.67"),
        ("team:south", "ever", EVER, "333.33"),
        ("customer:c1", "month", "2026-04-01", "333.33"),
        ("company", "month", "2026-05-01", "0.00"),
    ],
)
def test_a_cost_is_spread_evenly_over_its_days(scope: str, grain: str, start: str, expected: str) -> None:
    """Each day for the team its seller is in when it begins; three thirds are one again."""
    turned = said("cost.amended", "2026-03-02", cost="k1", to="2026-03-30")
    told = [*TEAMS, cost("1000", seller="anna", customer="c1", from_="2026-04-01"), turned]
    assert figures(told, scope, grain, start, "cost", "cost_salary", "cost_event") == [
        expected,
        expected,
        "0.00",
    ]


def test_days_of_spring_and_autumn_are_days_like_others() -> None:
    """A day of 23 hours has the share of a day."""
    told = [cost("30", from_="2026-03-28", to="2026-03-30")]
    for day in ("2026-03-28", "2026-03-29", "2026-03-30"):
        assert figures(told, "company", "day", day, "cost") == ["10.00"]


@pytest.mark.parametrize(
    ("dates", "day"),
    [
        ({}, "2026-03-01"),
        ({"from_": "2026-02-10"}, "2026-02-10"),
        ({"to": "2026-02-11"}, "2026-02-11"),
    ],
)
def test_a_cost_that_is_not_spread_counts_on_one_day(dates: dict[str, str], day: str) -> None:
    """On the only date it has, else at its event's."""
    assert figures([cost("500", **dates)], "company", "day", day, "cost") == ["500.00"]
    assert figures([cost("500", **dates)], "company", "ever", EVER, "cost") == ["500.00"]


def test_a_cost_over_too_many_days_counts_on_the_first_of_them() -> None:
    """Which one event cannot say, but two can."""
    late = said("cost.amended", "2026-03-02", cost="k1", to="2026-01-09")
    told = [cost("500", from_="2016-01-01"), late]
    assert figures(told, "company", "day", "2016-01-01", "cost") == ["500.00"]
    assert figures(told, "company", "ever", EVER, "cost") == ["500.00"]


def test_a_span_of_3660_days_is_spread() -> None:
    """That is the longest."""
    told = [cost("3660", from_="2016-01-01", to="2026-01-07")]
    assert figures(told, "company", "year", "2016-01-01", "cost") == ["366.00"]
    assert figures(told, "company", "day", "2026-01-07", "cost") == ["1.00"]


def test_a_cost_is_amended_field_by_field_and_needs_to_be_logged() -> None:
    """The latest of each field counts, at the latest logging; an amendment alone is no cost."""
    told = [
        cost("500", "2026-03-01"),
        said("cost.amended", "2026-03-05", cost="k1", amount="70", category="event"),
        said("cost.amended", "2026-03-05", cost="k2", amount="9", category="event", currency="SEK"),
    ]
    assert figures(told, "company", "month", "2026-03-01", "cost", "cost_event", "cost_salary") == [
        "70.00",
        "70.00",
        "0.00",
    ]
    assert figures(told, "company", "day", "2026-03-01", "cost") == ["70.00"]
    deleted = [*told, said("cost.deleted", "2026-01-01", cost="k1")]
    assert figures(deleted, "company", "ever", EVER, "cost") == ["0.00"]


def test_a_cost_without_a_seller_is_the_named_teams() -> None:
    """With one it is that of the team they are in, or of none."""
    assert figures([*TEAMS, cost("5", team="west")], "team:west", "ever", EVER, "cost") == ["5.00"]
    both = [*TEAMS, cost("5", seller="anna", team="west")]
    assert figures(both, "team:west", "ever", EVER, "cost") == ["0.00"]
    assert figures(both, "team:north", "ever", EVER, "cost") == ["5.00"]
    teamless = [*TEAMS, cost("5", seller="bo", team="west")]
    assert figures(teamless, "team:west", "ever", EVER, "cost") == ["0.00"]
    assert figures(teamless, "seller:bo", "ever", EVER, "cost") == ["5.00"]


RATES = [
    said("rate.set", "2026-03-01", currency="EUR", rate="10"),
    said("rate.set", "2026-04-01T00:00", currency="EUR", rate="11.5"),
]


def test_each_day_of_a_cost_has_its_own_rate() -> None:
    """50 at 10 and 50 at 11.5."""
    told = [*RATES, cost("100", currency="EUR", from_="2026-03-31", to="2026-04-01")]
    assert figures(told, "company", "ever", EVER, "cost") == ["1075.00"]
    assert figures(told, "company", "day", "2026-04-01", "cost") == ["575.00"]


def test_a_cost_waits_whole_for_the_rate_of_any_of_its_days() -> None:
    """1 March begins before the rate does, at noon."""
    told = [*RATES, cost("100", currency="EUR", from_="2026-03-01", to="2026-03-02", seller="anna")]
    assert figures(told, "company", "ever", EVER, "cost") == ["0.00"]
    [waiting] = waits(told)
    assert waiting == Waiting("cost", "k1", None, "anna", Fraction(100), "EUR", at("2026-03-01T00:00"))
    assert waits([*told, said("rate.set", "2026-03-01T00:00", currency="EUR", rate="9")]) == []


def test_a_won_deal_is_worth_its_value_at_the_rate_of_when_it_was_won() -> None:
    """The latest rate up to then; without one it is nothing at all, nor its customer new."""
    told = [*RATES, won("d1", "2026-04-02", "200.50", currency="EUR")]
    names = ("revenue", "deals_won", "customers_new")
    assert figures(told, "company", "ever", EVER, *names) == ["2305.75", 1, 1]
    amended = [*told, said("deal.amended", "2026-04-03", deal="d1", customer="c1", won_at=at("2026-03-31"))]
    assert figures(amended, "company", "ever", EVER, *names) == ["2005.00", 1, 1]
    early = [*told, said("deal.amended", "2026-04-03", deal="d1", customer="c1", won_at=at("2026-02-28"))]
    assert figures(early, "company", "ever", EVER, *names) == ["0.00", 0, 0]
    [waiting] = waits(early)
    assert (waiting.kind, waiting.object, waiting.amount) == ("deal", "d1", Fraction("200.5"))


def test_the_rate_set_last_by_time_and_id_holds() -> None:
    """Two at one time: the one with the greater id."""
    told = [*RATES, said("rate.set", "2026-03-01", currency="EUR", rate="12")]
    mixed = [*reversed(told), won("d1", "2026-03-02", "1", currency="EUR")]
    assert figures(mixed, "company", "ever", EVER, "revenue") == ["12.00"]


def test_a_customer_is_new_with_its_earliest_won_deal_and_gone_after_its_latest() -> None:
    """Earliest by time and deal id, for its seller; churned for the seller of the latest won deal."""
    told = [
        won("d2", "2026-01-10", "100", seller="anna"),
        won("d1", "2026-01-10", "50", seller="bo"),
        won("d3", "2026-02-01", "30.01", customer="c2", seller="cia"),
        said("customer.churned", "2026-03-11", customer="c1"),
        said("customer.churned", "2026-01-15", customer="c2"),
        said("customer.churned", "2026-03-11", customer="c3"),
    ]
    names = ("customers_new", "customers_churned")
    assert figures(told, "company", "ever", EVER, *names) == [2, 1]
    assert figures(told, "seller:bo", "month", "2026-01-01", *names) == [1, 0]
    assert figures(told, "seller:anna", "month", "2026-03-01", *names) == [0, 1]
    assert figures(told, "seller:cia", "ever", EVER, *names) == [1, 0]
    assert figures(told, "customer:c1", "month", "2026-03-01", *names) == [0, 1]
    # c1 stayed 60 days, c2 30 so far.
    lasting = figures(
        told,
        "company",
        "ever",
        EVER,
        *("customer_lifetime_days", "deals_per_customer", "clv"),
        as_of="2026-03-03",
    )
    assert lasting == [45.0, 1.5, "90.00"]
    month = figures(told, "company", "month", "2026-01-01", "customer_lifetime_days", "clv")
    assert month == [None, None]


def test_a_customer_who_buys_again_has_not_churned() -> None:
    """Its churn is not later than its latest deal."""
    told = [
        won("d1", "2026-01-10"),
        said("customer.churned", "2026-03-11", customer="c1"),
        won("d2", "2026-03-11"),
    ]
    assert figures(told, "company", "ever", EVER, "customers_churned") == [0]


def test_an_organisation_counts_once_at_its_earliest_event() -> None:
    """For the seller that very event names; of leads whose latest customer it is, deals, and activities."""
    told = [
        said("lead.created", "2026-01-02", lead="l1", seller="anna"),
        said("lead.qualified", "2026-01-05", lead="l1", seller="bo", customer="c1", org_number="55-1"),
        said("lead.created", "2026-01-06", lead="l2", seller="bo", customer="c1", org_number="55-1"),
        said("lead.created", "2026-01-01", lead="l3", seller="bo", customer="c2"),
    ]
    name = "organisations_new"
    assert figures(told, "company", "ever", EVER, name) == [1]
    assert figures(told, "seller:anna", "day", "2026-01-02", name) == [1]
    assert figures(told, "seller:bo", "ever", EVER, name) == [0]
    assert figures(told, "customer:c1", "day", "2026-01-02", name) == [1]
    call = {"activity": "a1", "customer": "c1", "kind": "call", "seller": "cia"}
    called = [*told, said("activity.logged", "2026-01-01", **call)]
    assert figures(called, "seller:cia", "day", "2026-01-01", name) == [1]
    assert figures(called, "seller:anna", "ever", EVER, name) == [0]
    undone = [*called, said("activity.deleted", "2026-02-01", activity="a1", customer="c1")]
    assert figures(undone, "seller:anna", "ever", EVER, name) == [1]
    nameless = [*told, said("deal.created", "2025-12-01", deal="d1", customer="c1")]
    assert figures(nameless, "company", "day", "2025-12-01", name) == [1]
    assert figures(nameless, "seller:anna", "ever", EVER, name) == [0]
    moved = [*told, said("lead.created", "2026-02-01", lead="l1", customer="c9")]
    assert figures(moved, "customer:c9", "day", "2026-01-02", name) == [1]
    assert figures(moved, "customer:c1", "day", "2026-01-06", name) == [1]


GROWING = [
    won("d1", "2026-02-03", "100"),
    won("d2", "2026-02-20", "300"),
    won("d3", "2026-03-05", "150"),
    won("d4", "2025-03-10", "200"),
    won("d5", "2025-03-11", "300"),
]


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        ("2026-03-10T00:00", 0.5),  # the first 10 days of February: 100
        ("2026-03-20T23:59", -0.625),  # the first 20: 400
        ("2026-03-31", -0.625),  # all 28
        ("2026-04-01T00:00", -0.625),
        ("2026-03-02T12:00", None),  # the first 2: nothing
        ("2026-02-27T12:00", None),  # not begun
    ],
)
def test_an_open_window_is_compared_with_as_many_days_of_the_one_before(
    as_of: str, expected: float | None
) -> None:
    """Those that have begun, on the office wall."""
    assert figures(GROWING, "company", "month", "2026-03-01", "sales_growth", as_of=as_of) == [expected]


def test_a_year_is_compared_with_the_same_dates_of_the_year_before() -> None:
    """Up to now: 550 against 200; or up to its end, 550 against 500."""
    record = ("company", "year", "2026-01-01", "growth_accumulated")
    assert figures(GROWING, *record, as_of="2026-03-10") == [1.75]
    assert figures(GROWING, *record, as_of="2027-03-10") == [pytest.approx(0.1)]
    assert figures(GROWING, *record, as_of="2025-03-10") == [None]
    assert figures(GROWING, "company", "month", "2026-03-01", "growth_accumulated") == [None]
    leap = [won("d1", "2023-02-28", "100"), won("d2", "2023-03-01", "999"), won("d3", "2024-02-29", "150")]
    of_2024 = ("company", "year", "2024-01-01", "growth_accumulated")
    assert figures(leap, *of_2024, as_of="2024-02-29") == [0.5]


@pytest.mark.parametrize(
    ("amount", "customers", "expected"),
    [
        ("1000", 3, "333.33"),
        ("1", 8, "0.12"),
        ("3", 8, "0.38"),
        ("-1", 8, "-0.12"),
        ("-3", 8, "-0.38"),
        ("-0.03", 8, "0.00"),
        ("5", 0, None),
    ],
)
def test_money_is_rounded_half_to_even_once(amount: str, customers: int, expected: str | None) -> None:
    """From the exact quotient; nothing below zero is zero."""
    told = [cost(amount), *(won(f"d{n}", "2026-03-02", customer=f"c{n}") for n in range(customers))]
    assert figures(told, "company", "month", "2026-03-01", "cac") == [expected]


def test_a_half_that_only_adds_up_from_parts_is_rounded_to_even() -> None:
    """0.02 / 2 and 0.03 / 6 on a day are 0.015; with another third of 0.03, 0.025."""
    told = [
        cost("0.02", cost="k1", from_="2026-03-01", to="2026-03-02"),
        cost("0.03", cost="k2", from_="2026-03-01", to="2026-03-06"),
    ]
    assert figures(told, "company", "day", "2026-03-01", "cost") == ["0.02"]
    more = [*told, cost("0.03", cost="k3", from_="2026-03-01", to="2026-03-03")]
    assert figures(more, "company", "day", "2026-03-01", "cost") == ["0.02"]
    thirds = [
        cost("0.01", cost="k1", from_="2026-03-01", to="2026-03-03"),
        cost("0.01", cost="k2", from_="2026-03-01", to="2026-03-06"),
    ]
    assert figures(thirds, "company", "day", "2026-03-01", "cost") == ["0.00"]
