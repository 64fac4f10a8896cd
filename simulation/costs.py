"""What selling costs: salaries, hours, campaigns, fairs, bookings and licences; now and then put right.

Campaigns are more than a cost: leads that come in while one runs say that they are from it.
"""

from msgspec import Struct

from simulation.customers import Customer
from simulation.people import People, Seller
from simulation.rates import Rates
from simulation.telling import Telling
from simulation.working_days import DAY, Month

EMPLOYERS_SHARE = 1.3142
"""What a krona of salary costs with the social fees on top."""
HOUR = 850.0
"""Kronor for an hour of somebody who is not a seller."""
BOOKING = 1_600.0
"""Kronor that an agency takes for a meeting it books."""
LICENCES = 900.0
"""Kronor a seller and month, for the CRM and all that."""
CAMPAIGN = 6_000.0
"""Kronor that a campaign costs per seller it helps, typically."""
CAMPAIGNS_A_DAY = 0.03
"""How often a team, or the company, begins one."""
THEMES = ["vår", "webbinarium", "mejl", "sök", "annons", "mässa", "frukost", "kunddag"]
FAIRS = 5
"""From which theme on it is an event of some days, rather than weeks of marketing."""


class Campaign(Struct):
    """Weeks of marketing, or some days of meeting people."""

    name: str
    team: str | None
    """Whom it helps; all where `None`."""
    last_day: int


class _Logged(Struct):
    """A cost as it was logged."""

    id: str
    category: str
    amount: float
    currency: str | None
    """The own where `None`."""


class _Salary(Struct):
    """A seller's salary of a month."""

    logged: _Logged
    first_day: int
    last_day: int


class Costs:
    """Everything that is spent on selling."""

    def __init__(self, telling: Telling, people: People, rates: Rates, own: str, share: float) -> None:
        self._telling = telling
        self._people = people
        self._rates = rates
        self._own = own
        self._foreign_share = share if rates.foreign else 0.0
        self._running: list[Campaign] = []
        self._salaries: dict[str, _Salary] = {}

    def day(self, day: int, month: Month | None) -> None:
        """What a working day costs; `month` are the days of the month that begins with it."""
        telling, random = self._telling, self._telling.random
        morning = day * DAY + 9 * 3_600
        self._running = [campaign for campaign in self._running if campaign.last_day >= day]
        for team in (None, *self._people.teams):
            if random.random() < CAMPAIGNS_A_DAY:
                self._begin(telling.not_before(morning, 0), team)
        if month:
            self._salaries.clear()
            for seller in self._people.sellers:
                self._salary(morning, seller, month.first, month.last)
            licences = LICENCES * len(self._people.sellers)
            self._log(morning, "other", licences, self._span(month.first, month.last))

    def joined(self, at: int, seller: Seller) -> None:
        """A salary for what is left of the month."""
        day = at // DAY
        self._salary(at, seller, day, self._telling.days.month(day).last)

    def left(self, at: int, seller: Seller) -> None:
        """No salary for what would have been left of the month."""
        salary = self._salaries.pop(seller.id, None)
        day = at // DAY
        if salary is None or day >= salary.last_day:
            return
        logged = salary.logged
        logged.amount *= (day - salary.first_day + 1) / (salary.last_day - salary.first_day + 1)
        amount = self._rates.priced(logged.amount, None)
        to = self._telling.days.date(day)
        self._telling.tell(at, "cost.amended", f'"cost":"{logged.id}","amount":"{amount}","to":"{to}"')

    def campaign_for(self, seller: Seller) -> str | None:
        """A campaign that helps a seller today, if one does."""
        for campaign in self._running:
            if campaign.team is None or campaign.team == seller.team:
                return campaign.name
        return None

    def booked(self, at: int, seller: Seller, customer: Customer) -> None:
        """An agency booked a meeting."""
        amount = BOOKING * (0.7 + 0.6 * self._telling.random.random())
        self._log(at, "meeting_booking", amount, f'"seller":"{seller.id}","customer":"{customer.id}"')

    def hours(self, at: int, seller: Seller, customer: Customer) -> None:
        """Others spent hours on a deal."""
        amount = HOUR * (2 + int(self._telling.random.random() * 20))
        self._log(at, "time", amount, f'"seller":"{seller.id}","customer":"{customer.id}"')

    def _begin(self, at: int, team: str | None) -> None:
        random = self._telling.random
        theme = int(random.random() * len(THEMES))
        name = f"{THEMES[theme]}-{self._telling.number('campaign')}"
        first = at // DAY
        last = first + (int(random.random() * 3) if theme >= FAIRS else 13 + int(random.random() * 50))
        self._running.append(Campaign(name, team, last))
        helped = [seller for seller in self._people.sellers if team in {None, seller.team}]
        amount = CAMPAIGN * max(1, len(helped)) * random.lognormvariate(0.0, 0.4)
        about = f'"campaign":"{name}",{self._span(first, last)}' + (f',"team":"{team}"' if team else "")
        self._log(at, "event" if theme >= FAIRS else "marketing", amount, about)

    def _salary(self, at: int, seller: Seller, first: int, last: int) -> None:
        month = self._telling.days.month(first)
        part = (last - first + 1) / (month.last - month.first + 1)
        amount = seller.salary * EMPLOYERS_SHARE * seller.share * part
        about = f'"seller":"{seller.id}",{self._span(first, last)}'
        logged = self._log(at, "salary", amount, about)
        self._salaries[seller.id] = _Salary(logged, first, last)

    def _log(self, at: int, category: str, amount: float, about: str) -> _Logged:
        telling, random = self._telling, self._telling.random
        currency = None
        if category != "salary" and random.random() < self._foreign_share:
            currency = self._rates.foreign[int(random.random() * len(self._rates.foreign))]
        cost = f"k-{telling.number('cost')}"
        price = self._rates.priced(amount, currency)
        telling.tell(
            at,
            "cost.logged",
            f'"cost":"{cost}","category":"{category}","amount":"{price}",'
            f'"currency":"{currency or self._own}",{about}',
        )
        logged = _Logged(cost, category, amount, currency)
        drawn = random.random()
        if category == "salary":
            # Commission, sick leave: known when the month is over.
            if drawn < 0.15:
                telling.plan(telling.not_before(at, 40), self._amend, logged)
        elif drawn < 0.05:
            telling.plan(telling.later(at, 20.0), self._amend, logged)
        elif drawn < 0.06:
            telling.plan(telling.later(at, 5.0), self._delete, logged)
        return logged

    def _amend(self, at: int, cost: _Logged) -> None:
        random = self._telling.random
        about = f'"cost":"{cost.id}"'
        drawn = random.random()
        if cost.category == "marketing" and drawn > 0.7:
            # It went on for longer than was thought, or was over sooner.
            about += f',"to":"{self._telling.days.date(at // DAY)}"'
        elif cost.category != "salary" and drawn < 0.2:
            self._telling.tell(at, "cost.amended", f'{about},"seller":"{self._people.any().id}"')
            return
        amount = self._rates.priced(cost.amount * (0.8 + 0.5 * random.random()), cost.currency)
        self._telling.tell(at, "cost.amended", f'{about},"amount":"{amount}"')

    def _delete(self, at: int, cost: _Logged) -> None:
        self._telling.tell(at, "cost.deleted", f'"cost":"{cost.id}"')

    def _span(self, first: int, last: int) -> str:
        days = self._telling.days
        return f'"from":"{days.date(first)}","to":"{days.date(last)}"'
