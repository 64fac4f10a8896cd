"""What the KPIs must be, computed the slow and plain way, straight from the definitions.

It shares no code with `kpis/` but the event structs: it sorts all events, walks over every object
for every window, and uses datetimes and fractions throughout.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from schemas.events import Event

Key = tuple[str, str, date]
_KIND_MEASURE = {
    "call": "calls",
    "email": "emails",
    "meeting_booked": "meetings_booked",
    "meeting_held": "meetings_held",
    "quote_sent": "quotes_sent",
    "visit": "visits",
}


def type_of(event: Event) -> str:
    return str(event.__struct_config__.tag)


class Oracle:
    def __init__(self, events: Iterable[Event], timezone: str, currency: str) -> None:
        unique = {(e.source, e.id): e for e in events}
        self.events = sorted(unique.values(), key=lambda e: (e.time, e.id, e.source))
        self.zone = ZoneInfo(timezone)
        self.currency = currency
        self.sums: dict[Key, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        self.persons: dict[Key, set[tuple[str, str]]] = defaultdict(set)
        self.won: dict[str, list[tuple[datetime, str, str | None]]] = defaultdict(list)
        self.customers: dict[Key, list[str]] = defaultdict(list)
        self.nobodys: dict[Key, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        """What is no seller's, and what is no team's: under `seller:` and `team:`."""
        self._leads()
        self._activities()
        self._deals()
        self._costs()
        self._customers()

    def measures(self) -> dict[Key, dict[str, Fraction]]:
        found: dict[Key, dict[str, Fraction]] = defaultdict(dict)
        for key, sums in self.sums.items():
            found[key].update({name: amount for name, amount in sums.items() if amount})
        for key, persons in self.persons.items():
            found[key]["contacts"] = Fraction(len(persons))
        return {key: measures for key, measures in found.items() if measures}

    def _of(self, *prefixes: str) -> list[Event]:
        return [e for e in self.events if type_of(e).split(".")[0] in prefixes]

    def _team(self, seller: str, at: datetime) -> str | None:
        team = None
        for event in self._of("seller"):
            if event.data.seller == seller and event.time <= at:
                team = event.data.team if type_of(event) == "seller.assigned" else None
        return team

    def _count(
        self,
        at: datetime,
        seller: str | None,
        customer: str | None,
        measures: dict[str, Fraction],
        person: tuple[str, str] | None = None,
        team: str | None = None,
        new_customer: str | None = None,
    ) -> None:
        day = at.astimezone(self.zone).date()
        scopes = ["company"]
        if seller is not None:
            scopes.append(f"seller:{seller}")
            team = self._team(seller, at)
        if team is not None:
            scopes.append(f"team:{team}")
        if customer is not None:
            scopes.append(f"customer:{customer}")
        quarter = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        starts = {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
            "quarter": quarter,
            "year": date(day.year, 1, 1),
            "ever": date(1970, 1, 1),
        }
        nobodys = [
            kind for kind in ("seller:", "team:") if not any(scope.startswith(kind) for scope in scopes)
        ]
        for kind in nobodys:
            for grain, start in starts.items():
                for name, amount in measures.items():
                    self.nobodys[kind, grain, start][name] += amount
        for scope in scopes:
            for grain, start in starts.items():
                for name, amount in measures.items():
                    self.sums[scope, grain, start][name] += amount
                if person is not None:
                    self.persons[scope, grain, start].add(person)
                if new_customer is not None:
                    self.customers[scope, grain, start].append(new_customer)

    def _leads(self) -> None:
        for lead in {e.data.lead for e in self._of("lead")}:
            mine = [e for e in self._of("lead") if e.data.lead == lead]
            if any(type_of(e) == "lead.deleted" for e in mine):
                continue
            created = [e for e in mine if type_of(e) == "lead.created"] or mine
            seller = _latest(mine, "seller")
            customer = _latest(mine, "customer")
            self._count(created[0].time, seller, customer, {"leads_new": Fraction(1)})
            verdicts = [e for e in mine if type_of(e) in {"lead.qualified", "lead.disqualified"}]
            qualified = [e for e in verdicts if type_of(e) == "lead.qualified"]
            if qualified and type_of(verdicts[-1]) == "lead.qualified":
                first = qualified[0]
                by = first.data.seller or seller
                self._count(first.time, by, customer, {"leads_qualified": Fraction(1)})

    def _live_activities(self) -> list[list[Event]]:
        by_object: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in self._of("activity"):
            by_object[event.data.home, event.data.activity].append(event)
        return [
            mine for mine in by_object.values() if not any(type_of(e) == "activity.deleted" for e in mine)
        ]

    def _activities(self) -> None:
        for mine in self._live_activities():
            kind, seller = _latest(mine, "kind"), _latest(mine, "seller")
            customer, lead = _latest(mine, "customer"), _latest(mine, "lead")
            person = _latest(mine, "person")
            who = None
            where = customer or lead
            if kind in {"call", "email", "meeting_held", "visit"} and where is not None:
                who = (where, person or lead or customer)
            if kind in _KIND_MEASURE:
                count = {_KIND_MEASURE[kind]: Fraction(1)}
                self._count(mine[-1].time, seller, customer, count, who)

    def _deals(self) -> None:
        by_object: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in self._of("deal"):
            by_object[event.data.customer, event.data.deal].append(event)
        for (customer, deal), mine in by_object.items():
            if any(type_of(e) == "deal.deleted" for e in mine):
                continue
            decisions = [e for e in mine if type_of(e) in {"deal.won", "deal.lost", "deal.reopened"}]
            if not decisions or type_of(decisions[-1]) == "deal.reopened":
                continue
            seller = _latest(mine, "seller")
            if type_of(decisions[-1]) == "deal.lost":
                at = _latest(mine, "lost_at") or decisions[-1].time
                self._count(at, seller, customer, {"deals_lost": Fraction(1)})
                continue
            at = _latest(mine, "won_at") or decisions[-1].time
            rate = self._rate(_latest(mine, "currency"), at)
            if rate is None:
                continue
            value = Fraction(_latest(mine, "value") or "0") * rate
            self.won[customer].append((at, deal, seller))
            cycle = self._cycle(customer, deal, mine, at)
            won = {"deals_won": Fraction(1), "revenue": value, "cycle_days_sum": cycle}
            self._count(at, seller, customer, won)

    def _rate(self, currency: str | None, at: datetime) -> Fraction | None:
        if currency in {None, self.currency}:
            return Fraction(1)
        rate = None
        for event in self._of("rate"):
            if event.data.currency == currency and event.time <= at:
                rate = Fraction(event.data.rate)
        return rate

    def _costs(self) -> None:
        for cost in {e.data.cost for e in self._of("cost")}:
            mine = [e for e in self._of("cost") if e.data.cost == cost]
            logged = [e for e in mine if type_of(e) == "cost.logged"]
            if not logged or any(type_of(e) == "cost.deleted" for e in mine):
                continue
            ends = [day for name in ("from_", "to") if (day := _latest(mine, name)) is not None]
            times = [logged[-1].time]
            if ends:
                days = (max(ends) - min(ends)).days + 1
                times = [self._midnight(min(ends) + timedelta(days=n)) for n in range(days)]
            rates = [self._rate(_latest(mine, "currency"), time) for time in times]
            if None in rates:
                continue
            part = Fraction(_latest(mine, "amount")) / len(times)
            for time, rate in zip(times, rates, strict=True):
                amounts = {"cost": part * rate, f"cost_{_latest(mine, 'category')}": part * rate}
                seller, customer = _latest(mine, "seller"), _latest(mine, "customer")
                self._count(time, seller, customer, amounts, team=_latest(mine, "team"))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, datetime.min.time(), self.zone)

    def _customers(self) -> None:
        for customer in self._named():
            mine = self._events_of(customer)
            leads = self._leads_of(customer)
            if mine and any(getattr(e.data, "org_number", None) for lead in leads for e in lead):
                first = mine[0]
                seller = getattr(first.data, "seller", None)
                self._count(first.time, seller, customer, {"organisations_new": Fraction(1)})
            won = sorted(self.won[customer], key=lambda each: each[:2])
            if not won:
                continue
            at, _, seller = won[0]
            self._count(at, seller, customer, {"customers_new": Fraction(1)}, new_customer=customer)
            left = self._left(customer)
            if left is not None:
                self._count(left, won[-1][2], customer, {"customers_churned": Fraction(1)})

    def _left(self, customer: str) -> datetime | None:
        churns = [e for e in self._of("customer") if e.data.customer == customer]
        if not churns or churns[-1].time <= max(self.won[customer])[0]:
            return None
        return churns[-1].time

    def _named(self) -> set[str]:
        return {c for e in self.events if (c := getattr(e.data, "customer", None)) is not None}

    def _leads_of(self, customer: str) -> list[list[Event]]:
        found = []
        for lead in {e.data.lead for e in self._of("lead")}:
            mine = [e for e in self._of("lead") if e.data.lead == lead]
            deleted = any(type_of(e) == "lead.deleted" for e in mine)
            if not deleted and _latest(mine, "customer") == customer:
                found.append(mine)
        return found

    def _events_of(self, customer: str) -> list[Event]:
        """Of all that is the customer's and not deleted, in order."""
        objects = self._leads_of(customer)
        objects += [mine for mine in self._live_activities() if _latest(mine, "customer") == customer]
        for deal in {e.data.deal for e in self._of("deal") if e.data.customer == customer}:
            mine = [e for e in self._of("deal") if (e.data.customer, e.data.deal) == (customer, deal)]
            if not any(type_of(e) == "deal.deleted" for e in mine):
                objects.append(mine)
        return sorted((e for mine in objects for e in mine), key=lambda e: (e.time, e.id, e.source))

    def lifetime(self, key: Key, as_of: datetime) -> Fraction | None:
        """Mean days from first won deal to churn, or else to as-of."""
        customers = self.customers.get(key)
        if not customers:
            return None
        spans = [
            self._wall(self._left(customer) or as_of) - self._wall(min(self.won[customer])[0])
            for customer in customers
        ]
        return sum((Fraction(span / timedelta(microseconds=1)) for span in spans), Fraction()) / len(spans)

    def _wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def growth(self, key: Key, as_of: datetime) -> Fraction | None:
        """Revenue of a window beside the one before, or as many days of it as have begun."""
        scope, grain, start = key
        today = as_of.astimezone(self.zone).date()
        before = self._start_before(grain, start)
        days = (start - before).days
        if today < _end(grain, start):
            days = min(days, (today - start).days + 1)
        return _growth(
            self._revenue(scope, start, _end(grain, start)),
            self._revenue(scope, before, before + timedelta(days=max(days, 0))),
        )

    def growth_accumulated(self, scope: str, start: date, as_of: datetime) -> Fraction | None:
        """Revenue of the year so far beside the same dates of last year."""
        today = as_of.astimezone(self.zone).date()
        if today < start:
            return None
        last = min(today, date(start.year, 12, 31))
        day = 28 if (last.month, last.day) == (2, 29) else last.day
        same = date(last.year - 1, last.month, day)
        one = timedelta(days=1)
        return _growth(
            self._revenue(scope, start, last + one),
            self._revenue(scope, date(start.year - 1, 1, 1), same + one),
        )

    def _start_before(self, grain: str, start: date) -> date:
        day = start - timedelta(days=1)
        return {
            "day": day,
            "week": day - timedelta(days=6),
            "month": day.replace(day=1),
            "quarter": date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
            "year": date(day.year, 1, 1),
        }[grain]

    def _revenue(self, scope: str, start: date, end: date) -> Fraction:
        return sum(
            (
                sums.get("revenue", Fraction())
                for (of, grain, day), sums in self.sums.items()
                if of == scope and grain == "day" and start <= day < end
            ),
            Fraction(),
        )

    def _cycle(self, customer: str, deal: str, mine: list[Event], at: datetime) -> Fraction:
        first = _latest(mine, "first_contact")
        if first is None:
            lead = _latest(mine, "lead")
            times = [mine[0].time]
            if lead is not None:
                of_lead = [e for e in self._of("lead") if e.data.lead == lead]
                if of_lead and not any(type_of(e) == "lead.deleted" for e in of_lead):
                    times.append(of_lead[0].time)
            for activity in self._live_activities():
                names_deal = _latest(activity, "deal") == deal and activity[0].data.home == customer
                if names_deal or (lead is not None and _latest(activity, "lead") == lead):
                    times.append(activity[0].time)
            first = min(times)
        wall = [t.astimezone(self.zone).replace(tzinfo=None) for t in (first, at)]
        return Fraction(max(timedelta(0), wall[1] - wall[0]) / timedelta(microseconds=1))


def _end(grain: str, start: date) -> date:
    days = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[grain]
    end = start + timedelta(days=days)
    return end if grain in {"day", "week"} else end.replace(day=1)


def _growth(now: Fraction, before: Fraction) -> Fraction | None:
    return (now - before) / before if before else None


def _latest(events: list[Event], field: str):
    stated = [value for e in events if (value := getattr(e.data, field, None)) is not None]
    return stated[-1] if stated else None


def shown_money(amount: Fraction, digits: int) -> str:
    """Rounded once, half to even, to the minor unit."""
    return str(Decimal(round(amount * 10**digits)).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))


def shown(measures: dict[str, Fraction], digits: int) -> dict[str, object]:
    """The measures as a KPI record shows them."""
    found: dict[str, object] = {}
    for name, amount in measures.items():
        if name == "revenue" or name.startswith("cost"):
            found[name] = shown_money(amount, digits)
        elif name == "cycle_days_sum":
            found[name] = float(amount / 86_400_000_000)
        else:
            found[name] = int(amount)
    return found
