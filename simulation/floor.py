"""A sales floor that behaves like a real one: seeded, endless if wanted, in order of event time.

Leads come in with the seasons, ripen over days to weeks through calls, meetings and quotes, and are
won or lost by sellers of different skill; what was said is amended, reopened and deleted now and
then; people change teams, leave and are hired. Same floor, same events, byte for byte.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from schemas.events import EVENT_TYPES, Event

NAMES = (
    "anna bo cia david elin fredrik gunilla hanna isak johan karin lars maja nils olivia per"
    " rakel sven tove ulf vera wilma yngve zara astrid birger disa einar frida gustav"
).split()
TEAMS = ["norr", "söder", "öst", "väst", "nyckelkunder", "offentlig"]
ORIGINS = ["web", "fair", "referral", "campaign", "inbound call"]
SEASON = [0.9, 1.0, 1.15, 1.05, 1.05, 0.8, 0.25, 0.8, 1.2, 1.15, 1.1, 0.75]
"""How lively each month is: nobody buys in July, and quarters end with a push."""
FIRST_HOUR, LAST_HOUR = 8, 17


class Floor(Struct, frozen=True, kw_only=True):
    """A sales organisation to make up."""

    sellers: int = 12
    teams: int = 3
    timezone: str = "Europe/Stockholm"
    currency: str | None = None
    """Stated with every value; left out where `None`, which means the reporting currency."""
    leads_per_seller_per_day: float = 2.0
    seed: int = 1


class _Seller(Struct):
    id: str
    team: str
    skill: float
    """How likely a qualified lead becomes a deal won."""
    deal_size: float


def events(floor: Floor, start: date, end: date | None = None) -> Iterator[Event]:
    """What happens on the floor from `start` until before `end`, or for ever, by event time."""
    return _Run(floor, start).events(end)


def shuffled(
    events: Iterable[Event], seed: int, duplicates: float = 0.02, disorder: int = 200
) -> Iterator[Event]:
    """The same events as they may arrive: some twice, each at most some places from where it was."""
    random = Random(seed)
    waiting: list[Event] = []
    for event in events:
        waiting.append(event)
        if random.random() < duplicates:
            waiting.append(event)
        while len(waiting) > disorder:
            yield waiting.pop(random.randrange(len(waiting)))
    random.shuffle(waiting)
    yield from waiting


class _Run:
    """One run of a floor: the people, the customers so far, and what is going to happen."""

    def __init__(self, floor: Floor, start: date) -> None:
        self._floor = floor
        self._random = Random(floor.seed)
        self._zone = ZoneInfo(floor.timezone)
        self._start = start
        self._coming: list[tuple[datetime, int, Event]] = []
        self._counts: dict[str, int] = {}
        self._customers: list[str] = []
        self._hired = 0
        self._sellers = [self._hire(self._morning(start)) for _ in range(floor.sellers)]

    def events(self, end: date | None) -> Iterator[Event]:
        day = self._start
        while end is None or day < end:
            self._plan(day)
            day += timedelta(days=1)
            yield from self._due(self._at(day, time(0)))

    def _due(self, until: datetime) -> Iterator[Event]:
        while self._coming and self._coming[0][0] < until:
            yield heapq.heappop(self._coming)[2]

    def _plan(self, day: date) -> None:
        """What begins on a day: leads, repeat business, changes among the people."""
        random = self._random
        weekday = day.weekday() < 5
        liveliness = SEASON[day.month - 1] * (1.0 if weekday else 0.04)
        for seller in list(self._sellers):
            expected = self._floor.leads_per_seller_per_day * liveliness
            for _ in range(_poisson(random, expected)):
                self._lead(day, seller)
            if self._customers and random.random() < 0.12 * liveliness:
                self._deal(self._hours(day), seller, random.choice(self._customers), None)
        if weekday:
            self._people(day)
            if self._customers and random.random() < 0.02:
                self._say(self._hours(day), "customer.churned", customer=random.choice(self._customers))

    def _people(self, day: date) -> None:
        random = self._random
        if random.random() < 0.01:
            seller = random.choice(self._sellers)
            seller.team = random.choice(TEAMS[: self._floor.teams])
            self._assign(self._morning(day), seller)
        if random.random() < 0.004:
            seller = self._sellers.pop(random.randrange(len(self._sellers)))
            self._say(self._hours(day), "seller.left", seller=seller.id)
            self._sellers.append(self._hire(self._morning(day)))

    def _hire(self, at: datetime) -> _Seller:
        number, self._hired = self._hired, self._hired + 1
        name = NAMES[number % len(NAMES)]
        lap = number // len(NAMES)
        random = self._random
        seller = _Seller(
            id=name if lap == 0 else f"{name}{lap + 1}",
            team=TEAMS[number % min(self._floor.teams, len(TEAMS))],
            skill=min(0.6, max(0.12, random.gauss(0.32, 0.1))),
            deal_size=random.lognormvariate(0.0, 0.3),
        )
        self._assign(at, seller)
        return seller

    def _assign(self, at: datetime, seller: _Seller) -> None:
        self._say(at, "seller.assigned", seller=seller.id, team=seller.team, name=seller.id.title())

    def _lead(self, day: date, seller: _Seller) -> None:
        random = self._random
        at = self._hours(day)
        lead = self._id("lead")
        known = self._customers and random.random() < 0.2
        customer = random.choice(self._customers) if known else self._id("customer")
        about: dict[str, Any] = {"lead": lead}
        self._say(
            at,
            "lead.created",
            **about,
            customer=customer if random.random() < 0.7 else None,
            org_number=f"55{random.randrange(10**8):08d}" if random.random() < 0.4 else None,
            person=f"{lead}-person",
            seller=seller.id,
            origin=random.choice(ORIGINS),
        )
        if random.random() < 0.01:
            self._say(self._later(at, 1.0), "lead.deleted", **about)
            return
        for _ in range(random.choice([1, 1, 2, 3])):
            at = self._later(at, 1.0)
            self._act(at, seller, random.choice(["call", "call", "email"]), lead, customer)
        verdict = random.random()
        if verdict < 0.35:
            self._say(self._later(at, 0.5), "lead.disqualified", **about, reason="no need")
        elif verdict < 0.8:
            at = self._later(at, 2.0)
            self._say(at, "lead.qualified", **about, seller=seller.id, customer=customer)
            self._meet(at, seller, lead, customer)

    def _meet(self, at: datetime, seller: _Seller, lead: str, customer: str) -> None:
        booked = self._later(at, 1.0)
        self._act(booked, seller, "meeting_booked", lead, customer)
        held = self._later(booked, 6.0)
        if self._random.random() < 0.85:
            kind = "visit" if self._random.random() < 0.2 else "meeting_held"
            self._act(held, seller, kind, lead, customer)
            self._deal(self._later(held, 1.0), seller, customer, lead)

    def _deal(self, at: datetime, seller: _Seller, customer: str, lead: str | None) -> None:
        random = self._random
        deal = self._id("deal")
        about = {"deal": deal, "customer": customer}
        money: dict[str, Any] = {"currency": self._floor.currency, "value": self._value(seller)}
        self._say(at, "deal.created", **about, **money, seller=seller.id, lead=lead)
        quoted = self._later(at, 2.0)
        self._act(quoted, seller, "quote_sent", lead, customer, deal)
        if random.random() < 0.01:
            self._say(self._later(quoted, 3.0), "deal.deleted", **about)
            return
        decided = self._later(quoted, random.lognormvariate(2.3, 0.7))
        if random.random() < 0.25:
            money["value"] = self._value(seller)
        self._decide(decided, seller, about, money)
        if random.random() < 0.03:
            again = self._later(decided, 4.0)
            self._say(again, "deal.reopened", **about)
            self._decide(self._later(again, 10.0), seller, about, money)

    def _decide(self, at: datetime, seller: _Seller, about: dict[str, str], money: dict[str, Any]) -> None:
        random = self._random
        if random.random() >= seller.skill:
            self._say(at, "deal.lost", **about, reason=random.choice(["price", "timing", "rival"]))
            return
        self._say(at, "deal.won", **about, **money, seller=seller.id)
        if len(self._customers) < 5_000:
            self._customers.append(about["customer"])
        amended = random.random()
        later = self._later(at, 5.0)
        if amended < 0.04:
            self._say(later, "deal.amended", **about, value=self._value(seller))
        elif amended < 0.05:
            colleague = random.choice(self._sellers)
            self._say(later, "deal.amended", **about, seller=colleague.id)
        elif amended < 0.06:
            self._say(later, "deal.amended", **about, won_at=(at - timedelta(days=1)).isoformat())

    def _act(
        self,
        at: datetime,
        seller: _Seller,
        kind: str,
        lead: str | None,
        customer: str,
        deal: str | None = None,
    ) -> None:
        activity = self._id("activity")
        where = {"activity": activity, "lead": lead, "customer": customer}
        person = f"{lead or customer}-person"
        self._say(at, "activity.logged", **where, kind=kind, seller=seller.id, deal=deal, person=person)
        if self._random.random() < 0.005:
            self._say(self._later(at, 1.0), "activity.deleted", **where)

    def _say(self, at: datetime, kind: str, /, **data: Any) -> None:
        number = self._count("event")
        envelope = {
            "specversion": "1.0",
            "id": f"{self._floor.seed}-{number}",
            "source": "simulation://floor",
            "type": kind,
            "time": at.isoformat(),
            "data": {name: value for name, value in data.items() if value is not None},
        }
        event = msgspec.convert(envelope, EVENT_TYPES[kind])
        heapq.heappush(self._coming, (at, number, event))

    def _value(self, seller: _Seller) -> str:
        hundreds = max(5, round(self._random.lognormvariate(6.2, 0.8) * seller.deal_size))
        return f"{hundreds * 100}.00"

    def _id(self, kind: str) -> str:
        return f"{kind[0]}-{self._count(kind)}"

    def _count(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts[kind]

    def _later(self, at: datetime, mean_days: float) -> datetime:
        """Some days later, in working hours of a working day."""
        ahead = timedelta(days=self._random.expovariate(1 / mean_days))
        day = (at + ahead).date()
        while day.weekday() > 4:
            day += timedelta(days=1)
        return max(self._hours(day), at + timedelta(minutes=self._random.randint(5, 240)))

    def _hours(self, day: date) -> datetime:
        """Some time of a working day, less often around lunch."""
        minute = self._random.randint(FIRST_HOUR * 60, LAST_HOUR * 60 - 1)
        if 12 * 60 <= minute < 13 * 60 and self._random.random() < 0.7:
            minute += self._random.choice([-90, 90])
        second = self._random.randrange(60)
        return self._at(day, time(minute // 60, minute % 60, second))

    def _morning(self, day: date) -> datetime:
        return self._at(day, time(7))

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self._zone)


def _poisson(random: Random, mean: float) -> int:
    """How many happen, where `mean` do on average."""
    count, left = 0, random.expovariate(1.0)
    while left < mean:
        count += 1
        left += random.expovariate(1.0)
    return count
