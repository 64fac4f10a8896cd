"""Leads: they come in with the seasons, are contacted, and ripen over days, weeks or months."""

from simulation.activities import Activities, Lead
from simulation.costs import Costs
from simulation.customers import Customers
from simulation.deals import Deals
from simulation.people import People, Seller
from simulation.telling import Telling
from simulation.working_days import DAY, office_second, poisson

SEASON = [0.9, 1.0, 1.15, 1.05, 1.05, 0.8, 0.25, 0.8, 1.2, 1.15, 1.1, 0.75]
"""How lively each month is, from January on: nobody buys in July."""
WEEKENDS = 0.04
"""How lively a day is on which nobody works: the web is open."""
ORIGINS = ["fair", "referral", "inbound call", "cold call", "web", "web"]
FROM_CAMPAIGN = 0.35
"""How many of the leads come from a campaign while one runs."""
NO_NEED = ["no need", "no budget", "too small", "has a supplier", "no answer"]


class Leads:
    """Every lead, from the day it comes in until it is a deal or nothing."""

    def __init__(
        self,
        telling: Telling,
        people: People,
        customers: Customers,
        activities: Activities,
        costs: Costs,
        deals: Deals,
        per_seller_per_day: float,
    ) -> None:
        self._telling = telling
        self._people = people
        self._customers = customers
        self._activities = activities
        self._costs = costs
        self._deals = deals
        self._per_day = per_seller_per_day

    def day(self, day: int, month: int) -> None:
        """The leads that come in on a day."""
        days, random = self._telling.days, self._telling.random
        lively = self._per_day * SEASON[month - 1]
        works = days.works(day)
        for seller in self._people.sellers:
            if not works:
                for _ in range(poisson(random, lively * WEEKENDS)):
                    self._come(
                        day * DAY + (8 + int(random.random() * 14)) * 3_600 + _second(random.random()),
                        seller,
                    )
            elif seller.weekdays[(day - 1) % 7]:
                for _ in range(poisson(random, lively * seller.pace)):
                    self._come(day * DAY + office_second(random), seller)

    def _come(self, at: int, seller: Seller) -> None:
        telling, random = self._telling, self._telling.random
        open_ = telling.days.works(at // DAY)
        campaign = self._costs.campaign_for(seller) if random.random() < FROM_CAMPAIGN else None
        lead = Lead(
            id=f"l-{telling.number('lead')}",
            customer=self._customers.one(),
            known=random.random() < 0.7,
            seller=seller,
            campaign=campaign,
            touches=1 + int(random.random() * random.random() * 4),
        )
        origin = (
            ("campaign" if campaign else ORIGINS[int(random.random() * len(ORIGINS))]) if open_ else "web"
        )
        customer = lead.customer
        about = f'"lead":"{lead.id}"'
        if lead.known:
            about += f',"customer":"{customer.id}"'
            if random.random() < 0.5:
                about += f',"org_number":"{customer.org_number}"'
        if campaign:
            about += f',"campaign":"{campaign}"'
        telling.tell(
            at,
            "lead.created",
            f'{about},"person":"p-{customer.number}-1","seller":"{seller.id}","origin":"{origin}"',
        )
        if random.random() < 0.012:
            # A competitor looking around, or the same lead once more.
            telling.plan(telling.later(at, 1.0), self._delete, lead)
        else:
            telling.plan(self._next(at, 0.7, seller), self._contact, lead)
            if random.random() < 0.015:
                telling.plan(telling.later(at, 1.0), self._give, lead)

    def _give(self, at: int, lead: Lead) -> None:
        """It came to the wrong seller."""
        lead.seller = self._people.any()
        self._telling.tell(at, "lead.created", f'"lead":"{lead.id}","seller":"{lead.seller.id}"')

    def _contact(self, at: int, lead: Lead) -> None:
        random = self._telling.random
        seller = lead.seller = self._people.hand_over(lead.seller)
        drawn = random.random()
        kind = "call" if drawn < 0.62 else "email" if drawn < 0.97 else "other"
        self._activities.of_lead(at, kind, seller, lead)
        lead.touches -= 1
        if lead.touches:
            self._telling.plan(self._next(at, 1.5, seller), self._contact, lead)
            return
        verdict = random.random()
        if verdict < 0.35:
            self._telling.plan(self._next(at, 0.5, seller), self._disqualify, lead)
        elif verdict < 0.68:
            self._telling.plan(self._next(at, 2.0, seller), self._qualify, lead)
        elif verdict < 0.8:
            # These ripen: somebody has to call again, weeks or months later.
            lead.touches = 1 + int(random.random() * 2)
            self._telling.plan(
                self._next(at, 12.0 + random.lognormvariate(3.3, 0.8), seller), self._contact, lead
            )

    def _disqualify(self, at: int, lead: Lead) -> None:
        random = self._telling.random
        reason = NO_NEED[int(random.random() * len(NO_NEED))]
        self._telling.tell(at, "lead.disqualified", f'"lead":"{lead.id}","reason":"{reason}"')
        if random.random() < 0.04:
            # They call back.
            self._telling.plan(self._next(at, 40.0, lead.seller), self._qualify, lead)

    def _qualify(self, at: int, lead: Lead) -> None:
        random = self._telling.random
        seller = lead.seller = self._people.hand_over(lead.seller)
        customer, lead.known = lead.customer, True
        org_number = f',"org_number":"{customer.org_number}"' if random.random() < 0.6 else ""
        self._telling.tell(
            at,
            "lead.qualified",
            f'"lead":"{lead.id}","seller":"{seller.id}","customer":"{customer.id}"{org_number}',
        )
        self._telling.plan(self._next(at, 1.0, seller), self._book, lead)

    def _book(self, at: int, lead: Lead) -> None:
        random = self._telling.random
        seller = lead.seller = self._people.hand_over(lead.seller)
        self._activities.of_lead(at, "meeting_booked", seller, lead)
        if random.random() < 0.2:
            self._costs.booked(at, seller, lead.customer)
        met = self._next(at, 6.0, seller)
        drawn = random.random()
        if drawn < 0.87:
            self._telling.plan(met, self._meet, lead)
        elif drawn < 0.94:
            # They did not come; another time, perhaps.
            self._telling.plan(self._next(met, 3.0, seller), self._book, lead)

    def _meet(self, at: int, lead: Lead) -> None:
        random = self._telling.random
        seller = lead.seller = self._people.hand_over(lead.seller)
        self._activities.of_lead(at, "visit" if random.random() < 0.22 else "meeting_held", seller, lead)
        if random.random() < 0.88:
            self._telling.plan(self._next(at, 1.0, seller), self._open, lead)

    def _open(self, at: int, lead: Lead) -> None:
        self._deals.open(at, self._people.hand_over(lead.seller), lead.customer, lead.id)

    def _delete(self, at: int, lead: Lead) -> None:
        customer = f',"customer":"{lead.customer.id}"' if lead.known else ""
        self._telling.tell(at, "lead.deleted", f'"lead":"{lead.id}"{customer}')

    def _next(self, at: int, mean_days: float, seller: Seller) -> int:
        """When a seller comes to do what comes next."""
        return self._telling.later(at, mean_days / seller.pace, seller.weekdays)


def _second(drawn: float) -> int:
    """Some second of an hour."""
    return int(drawn * 3_600)
