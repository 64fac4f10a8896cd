"""Floors behave like real ones: when people work, how leads ripen, what it costs, how it ends."""

import gc
import sys
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import islice
from statistics import mean, median
from zoneinfo import ZoneInfo

import holidays
import pytest

from kpis.calendar import Calendar
from kpis.contributions import Business
from kpis.replay import Replay
from schemas.events import (
    ActivityEvent,
    ActivityLogged,
    CostAmended,
    CostLogged,
    CustomerChurned,
    DealAmended,
    DealCreated,
    DealEvent,
    DealWon,
    Event,
    LeadCreated,
    LeadQualified,
    RateSet,
    SellerAssigned,
    SellerLeft,
)
from simulation.floor import Floor, events, leads_for, lines, told
from simulation.people import NAMES

START = date(2026, 1, 1)
ZONE = ZoneInfo("Europe/Stockholm")


@cache
def years() -> tuple[Event, ...]:
    """Two years of a floor of 20 sellers; what is learned of the first is that a floor must get going."""
    floor = Floor(sellers=20, currencies=("EUR", "USD"), seed=4)
    return tuple(events(floor, START, date(2028, 1, 1)))


def second_year(kind: type[Event]) -> list[Event]:
    return [event for event in years() if isinstance(event, kind) and event.time.year == 2027]


def test_deals_and_activities_are_told_in_working_hours_of_working_days() -> None:
    """Not on weekends, nor on holidays such as Epiphany or Midsummer's Eve; lunch is quieter."""
    free = holidays.country_holidays("SE", categories={"public", "de_facto"})
    assert {date(2026, 1, 6), date(2026, 6, 19), date(2026, 12, 24)} <= {
        day for day in map(START.__add__, map(timedelta, range(365))) if day in free
    }
    hours = Counter[int]()
    for event in years():
        if isinstance(event, ActivityEvent | DealEvent | LeadQualified):
            local = event.time.astimezone(ZONE)
            assert local.weekday() < 5
            assert local.date() not in free
            assert time(8) <= local.time() < time(17)
            hours[local.hour] += 1
    assert hours[12] < hours[10]


def test_another_country_has_other_holidays() -> None:
    """Norwegians work on the sixth of June where it is a weekday, and not on the 17th of May."""
    floor = Floor(sellers=20, country="NO", timezone="Europe/Oslo", currency="NOK")
    days = {e.time.date() for e in events(floor, START, date(2029, 1, 1)) if isinstance(e, ActivityLogged)}
    assert date(2028, 6, 6) in days
    assert date(2028, 5, 17) not in days


def test_leads_come_on_the_web_when_nobody_works() -> None:
    """A few at the weekend, and from nowhere else."""
    weekend = [e for e in second_year(LeadCreated) if e.time.astimezone(ZONE).weekday() > 4]
    assert 0 < len(weekend) < 0.05 * len(second_year(LeadCreated))
    assert {e.data.origin for e in weekend if isinstance(e, LeadCreated)} == {"web"}


def test_what_was_said_is_said_anew() -> None:
    """Leads change sellers, activities and deals their times, campaigns their ends."""
    again: defaultdict[str, list[Event]] = defaultdict(list)
    for event in years():
        if isinstance(event, LeadCreated):
            again[event.data.lead].append(event)
        elif isinstance(event, ActivityLogged):
            again[event.data.activity].append(event)
    twice = [told for told in again.values() if len(told) == 2]
    assert max(map(len, again.values())) == 2
    assert {type(told[0]) for told in twice} == {LeadCreated, ActivityLogged}
    assert 0.005 < len(twice) / len(again) < 0.02
    amended = [e for e in years() if isinstance(e, DealAmended)]
    for name in ("value", "currency", "seller", "won_at", "lost_at"):
        assert any(getattr(event.data, name) for event in amended)
    costs = [e for e in years() if isinstance(e, CostAmended)]
    for name in ("amount", "seller", "to"):
        assert any(getattr(event.data, name) for event in costs)


def test_leads_follow_the_seasons() -> None:
    """July is quiet, September busy."""
    months = Counter(event.time.astimezone(ZONE).month for event in second_year(LeadCreated))
    assert months[7] < 0.4 * months[9]
    assert months[6] < months[9]


def test_quarters_end_with_a_push() -> None:
    """More is won in their last five days than in the first five of the next."""
    won = second_year(DealWon)
    days = Counter(event.time.astimezone(ZONE).date() for event in won)
    ends = [date(2027, 3, 31), date(2027, 6, 30), date(2027, 9, 30)]
    last = sum(days[end - timedelta(days=back)] for end in ends for back in range(5))
    first = sum(days[end + timedelta(days=1 + on)] for end in ends for on in range(5))
    assert last > 1.3 * first


def test_leads_ripen_for_days_to_months() -> None:
    """From coming in to a deal."""
    came = {e.data.lead: e.time for e in years() if isinstance(e, LeadCreated)}
    ripened = [
        (e.time - came[e.data.lead]).days
        for e in second_year(DealCreated)
        if isinstance(e, DealCreated) and e.data.lead
    ]
    assert 5 < median(ripened) < 40
    assert max(ripened) > 100
    assert min(ripened) < 5


def test_the_figures_are_those_of_a_sales_organisation() -> None:
    """Hit rate, win rate, cycle, value and what a customer costs, as the KPIs count them."""
    replay = Replay(Business(Calendar("Europe/Stockholm"), "SEK"))
    replay.feed(iter(events(Floor(sellers=12), START, date(2027, 7, 1))))
    records = {record.key: record for record in replay.records(datetime(2027, 7, 1, tzinfo=ZONE))}
    year = records["company|year|2026-01-01"].kpis
    assert 0.04 < float(year["hit_rate"] or 0) < 0.2
    assert 0.25 < float(year["win_rate"] or 0) < 0.5
    assert 15 < float(year["sales_cycle_days"] or 0) < 60
    assert 40_000 < float(year["average_deal_value"] or 0) < 120_000
    assert 10_000 < float(year["cac"] or 0) < 60_000
    assert float(records["company|month|2026-05-01"].kpis["cac"] or 0) > 10_000
    rates = [
        float(record.kpis["win_rate"] or 0)
        for record in records.values()
        if record.scope.startswith("seller:") and record.grain == "year" and record.start == START
    ]
    assert max(rates) - min(rates) > 0.1


def test_some_sellers_work_part_time() -> None:
    """They do nothing on the weekdays they have off, and earn less."""
    weekdays: defaultdict[str, set[int]] = defaultdict(set)
    for event in years():
        if isinstance(event, LeadCreated) and event.data.seller and event.data.origin == "cold call":
            weekdays[event.data.seller].add(event.time.astimezone(ZONE).weekday())
    usual = {seller: days for seller, days in weekdays.items() if seller in NAMES[:20]}
    assert any(4 not in days for days in usual.values())
    assert sum(days == {0, 1, 2, 3, 4} for days in usual.values()) >= 10


def test_sellers_come_change_teams_and_leave() -> None:
    """Whoever comes gets a team, and whoever left sells no more."""
    assigned = [e for e in years() if isinstance(e, SellerAssigned)]
    teams: defaultdict[str, set[str]] = defaultdict(set)
    for event in assigned:
        teams[event.data.seller].add(event.data.team)
    left = {e.data.seller: e.time for e in years() if isinstance(e, SellerLeft)}
    assert len(teams) > 20
    assert any(len(names) > 1 for names in teams.values())
    assert left
    for event in years():
        if isinstance(event, ActivityLogged) and event.data.seller in left:
            assert event.time < left[event.data.seller]


def test_costs_are_of_every_category_and_mostly_salaries() -> None:
    """A salary for each seller and month, marketing over weeks, and a sensible sum of all."""
    costs = [e for e in second_year(CostLogged) if isinstance(e, CostLogged)]
    in_own = [e for e in costs if e.data.currency == "SEK"]
    sums: Counter[str] = Counter()
    for event in in_own:
        sums[event.data.category] += int(float(event.data.amount))
    assert set(sums) == {"salary", "time", "marketing", "meeting_booking", "event", "other"}
    assert 0.4 < sums["salary"] / sums.total() < 0.9
    salaries = [e for e in costs if e.data.category == "salary"]
    assert 20 * 11 <= len(salaries) <= 20 * 13
    assert all(e.data.seller and e.data.from_ and e.data.to for e in salaries)
    spans = [
        (e.data.to - e.data.from_).days
        for e in costs
        if e.data.category == "marketing" and e.data.from_ and e.data.to
    ]
    assert mean(spans) > 13
    assert {e.data.team is None for e in costs if e.data.category == "marketing"} == {True, False}
    assert all(e.data.customer for e in costs if e.data.category == "meeting_booking")
    assert {"EUR", "USD"} <= {e.data.currency for e in costs}


def test_leads_and_activities_say_which_campaign_they_are_from() -> None:
    """One that has been paid for; for activities that is a field of its own, which we do not know."""
    known = {e.data.campaign for e in years() if isinstance(e, CostLogged)}
    leads = Counter(e.data.campaign for e in second_year(LeadCreated) if isinstance(e, LeadCreated))
    assert leads.total() * 0.1 < leads.total() - leads[None] < leads.total() * 0.6
    assert set(leads) <= known
    some = islice(told(Floor(), START), 6_000)
    raw = [r.raw for r in some if isinstance(r.event, ActivityLogged)]
    assert 0 < sum(b'"campaign":"' in line for line in raw) < len(raw)


def test_customers_buy_again_leave_and_come_back() -> None:
    """Some are more loyal than others."""
    bought: defaultdict[str, list[datetime]] = defaultdict(list)
    for event in years():
        if isinstance(event, DealWon):
            bought[event.data.customer].append(event.time)
    churned = {e.data.customer: e.time for e in years() if isinstance(e, CustomerChurned)}
    times = Counter(len(when) for when in bought.values())
    assert times[1] > times[2] > times[4] > 0
    assert set(churned) <= set(bought)
    assert any(bought[customer][-1] > when for customer, when in churned.items())
    assert sum(bought[customer][-1] < when for customer, when in churned.items()) > len(churned) / 2


def test_org_numbers_are_of_one_customer_each() -> None:
    """Whoever states it."""
    stated: defaultdict[str, set[str]] = defaultdict(set)
    for event in years():
        if isinstance(event, LeadCreated | LeadQualified) and event.data.org_number and event.data.customer:
            stated[event.data.customer].add(event.data.org_number)
    assert all(len(numbers) == 1 for numbers in stated.values())
    assert len({number for [number] in stated.values()}) == len(stated)


@pytest.mark.parametrize(("rates", "least", "most"), [("daily", 225, 255), ("monthly", 12, 12)])
def test_rates_wander(rates: str, least: int, most: int) -> None:
    """By a little each time; the first holds from the floor's first morning on, told when it is told."""
    floor = Floor(sellers=3, currencies=("EUR", "NOK"), rates="daily" if rates == "daily" else "monthly")
    life = list(events(floor, START, date(2027, 1, 1)))
    for currency, usual in (("EUR", 11.1), ("NOK", 0.96)):
        set_ = [e for e in life if isinstance(e, RateSet) and e.data.currency == currency]
        assert least <= len(set_) <= most + 1
        values = [float(event.data.rate) for event in set_]
        assert len(set(values)) > 0.9 * len(values)
        assert all(0.7 * usual < value < 1.4 * usual for value in values)
        assert min(event.time.astimezone(ZONE).date() for event in set_) == START


def test_a_share_of_deals_is_in_other_currencies() -> None:
    """Of those asked for; none where none is."""
    currencies = Counter(e.data.currency for e in second_year(DealWon) if isinstance(e, DealWon))
    assert set(currencies) == {None, "EUR", "USD"}
    assert 0.15 < 1 - currencies[None] / currencies.total() < 0.45
    plain = events(Floor(), START, date(2026, 7, 1))
    assert not [e for e in plain if isinstance(e, DealCreated | DealAmended) and e.data.currency]


@pytest.mark.parametrize(("sellers", "per_day"), [(5, 30.0), (40, 300.0), (10, 400.0)])
def test_a_floor_is_about_as_busy_as_asked_for(sellers: int, per_day: float) -> None:
    """On calendar days, in its second year."""
    floor = Floor(sellers=sellers, leads_per_seller_per_day=leads_for(per_day, sellers))
    year = sum(b'"time":"2027-' in raw for raw in lines(floor, START, date(2028, 1, 1)))
    assert year / 365 == pytest.approx(per_day, rel=0.25)


def in_memory() -> tuple[int, int]:
    """How many blocks of memory are in use, and how many bytes the containers of others take.

    To trace every allocation, as `tracemalloc` does, takes twenty times as long.
    """
    gc.collect()
    return sys.getallocatedblocks(), sum(sys.getsizeof(each) for each in gc.get_objects())


def test_a_long_life_takes_no_more_memory_than_a_shorter_one() -> None:
    """What is held depends on how busy a floor is, not on how long it lives."""
    floor = Floor(sellers=3, teams=2, currencies=("EUR",))
    life = lines(floor, START, date(2035, 1, 1))
    held: dict[int, tuple[int, int]] = {}
    before = in_memory()
    for raw in life:
        year = int(raw.partition(b'"time":"')[2][:4])
        if year not in held:
            held[year] = in_memory()
    for unit in range(2):
        early, late = (
            max(held[year][unit] for year in some) - before[unit]
            for some in (range(2028, 2031), range(2032, 2035))
        )
        assert late < 1.15 * early
