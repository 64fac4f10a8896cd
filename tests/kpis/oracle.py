"""What the KPIs must be, computed the slow and plain way, straight from the definitions.

It shares no code with `kpis/` but the event structs: it sorts all events, walks over every object
for every window, and uses datetimes and fractions throughout.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
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
        self._leads()
        self._activities()
        self._deals()

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
        for scope in scopes:
            for grain, start in starts.items():
                for name, amount in measures.items():
                    self.sums[scope, grain, start][name] += amount
                if person is not None:
                    self.persons[scope, grain, start].add(person)

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
            if _latest(mine, "currency") not in {None, self.currency}:
                continue
            at = _latest(mine, "won_at") or decisions[-1].time
            value = Fraction(_latest(mine, "value") or "0")
            cycle = self._cycle(customer, deal, mine, at)
            won = {"deals_won": Fraction(1), "revenue": value, "cycle_days_sum": cycle}
            self._count(at, seller, customer, won)

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


def _latest(events: list[Event], field: str):
    stated = [value for e in events if (value := getattr(e.data, field, None)) is not None]
    return stated[-1] if stated else None


def shown(measures: dict[str, Fraction], digits: int) -> dict[str, object]:
    """The measures as a KPI record shows them."""
    found: dict[str, object] = {}
    for name, amount in measures.items():
        if name == "revenue":
            exact = Decimal(amount.numerator) / Decimal(amount.denominator)
            found[name] = str(exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN))
        elif name == "cycle_days_sum":
            found[name] = float(amount / 86_400_000_000)
        else:
            found[name] = int(amount)
    return found
