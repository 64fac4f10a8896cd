"""Deals: quoted, decided, pushed at the end of a quarter, put right, reopened; and what comes after.

A customer who bought goes on by itself: they buy again, leave, are not heard of again, or come back.
"""

from msgspec import Struct

from simulation.activities import Activities
from simulation.costs import Costs
from simulation.customers import Customer, Customers, Next, what_next
from simulation.people import People, Seller
from simulation.rates import Rates
from simulation.telling import Telling
from simulation.working_days import DAY

REASONS = ["price", "timing", "rival", "no decision", "budget"]
PRODUCTS = ["bas", "plus", "service", "utbildning"]
LEAVING = ["price", "rival", "closed down", "unhappy", "moved abroad"]
JULY = 7
PUSHED_DAYS = 24
"""From how far into the next quarter a decision may be pushed into the one that ends."""
PUSHED = 0.45
COMES_BACK = 0.25
"""How many of those who left buy again, some day."""


class _Deal(Struct, eq=False):
    """A deal that is not over yet."""

    id: str
    customer: Customer
    seller: Seller
    lead: str | None
    value: float
    """In kronor, whatever it is said in."""
    created_at: int
    decided_at: int = 0

    @property
    def about(self) -> str:
        """Which one it is, as JSON fields."""
        return f'"deal":"{self.id}","customer":"{self.customer.id}"'


class _Relation(Struct, eq=False):
    """A customer who bought, and whom they buy from."""

    customer: Customer
    seller: Seller


class Deals:
    """Every deal, from the day it is opened until nobody speaks of it any more."""

    def __init__(
        self,
        telling: Telling,
        people: People,
        customers: Customers,
        activities: Activities,
        costs: Costs,
        rates: Rates,
    ) -> None:
        self._telling = telling
        self._people = people
        self._customers = customers
        self._activities = activities
        self._costs = costs
        self._rates = rates

    def open(self, at: int, seller: Seller, customer: Customer, lead: str | None) -> None:
        """A deal is opened; everything else follows."""
        telling, random = self._telling, self._telling.random
        value = random.lognormvariate(10.8, 0.8) * seller.size
        deal = _Deal(f"d-{telling.number('deal')}", customer, seller, lead, value, at)
        fields = f'{deal.about},"seller":"{seller.id}",{self._money(deal)}'
        if lead:
            fields += f',"lead":"{lead}"'
        if random.random() < 0.5:
            fields += f',"product":"{PRODUCTS[int(random.random() * len(PRODUCTS))]}"'
        if random.random() < 0.6:
            fields += f',"expected_close":"{telling.days.date(at // DAY + 20 + int(random.random() * 40))}"'
        if random.random() < 0.04:
            # They met long before anybody wrote it down.
            met = telling.days.written(at - (10 + int(random.random() * 80)) * DAY)
            fields += f',"first_contact":"{met}"'
        telling.tell(at, "deal.created", fields)
        telling.plan(self._next(at, 2.0, seller), self._quote, deal)

    def _quote(self, at: int, deal: _Deal) -> None:
        telling, random = self._telling, self._telling.random
        seller = self._seller(at, deal)
        self._activities.of_deal(at, "quote_sent", seller, deal.customer, deal.id)
        if random.random() < 0.25:
            self._costs.hours(at, seller, deal.customer)
        if random.random() < 0.012:
            telling.plan(self._next(at, 3.0, seller), self._delete, deal)
            return
        if random.random() < 0.7:
            telling.plan(self._next(at, 4.0, seller), self._follow_up, deal)
        telling.plan(self._decision(at, random.lognormvariate(2.4, 0.7), seller), self._decide, deal)

    def _decision(self, at: int, days: float, seller: Seller) -> int:
        """When a deal is decided: few are in July, and many just before a quarter ends."""
        telling, random = self._telling, self._telling.random
        day = at // DAY + int(days / seller.pace)
        first, last = telling.days.quarter(day)
        if day - first < PUSHED_DAYS and last > at // DAY and random.random() < PUSHED:
            day = max(at // DAY, last - int(random.random() * random.random() * 6))
        elif telling.days.month(day).number == JULY and random.random() < 0.5:
            day += 31
        return telling.not_before(at, day - at // DAY)

    def _follow_up(self, at: int, deal: _Deal) -> None:
        kind = "call" if self._telling.random.random() < 0.6 else "email"
        self._activities.of_deal(at, kind, self._people.hand_over(deal.seller), deal.customer, deal.id)

    def _decide(self, at: int, deal: _Deal) -> None:
        telling, random = self._telling, self._telling.random
        seller = self._seller(at, deal)
        deal.decided_at = at
        skill = seller.skill + (0.3 if deal.customer.bought else 0.0)
        if random.random() >= skill:
            reason = REASONS[int(random.random() * len(REASONS))]
            telling.tell(at, "deal.lost", f'{deal.about},"reason":"{reason}"')
            drawn = random.random()
            if drawn < 0.03:
                telling.plan(self._next(at, 12.0, seller), self._reopen, deal)
            elif drawn < 0.04:
                telling.plan(self._next(at, 4.0, seller), self._lost_before, deal)
            return
        if random.random() < 0.25:
            deal.value *= 0.75 + 0.4 * random.random()
        lead = f',"lead":"{deal.lead}"' if deal.lead and random.random() < 0.2 else ""
        telling.tell(at, "deal.won", f'{deal.about},"seller":"{seller.id}",{self._money(deal)}{lead}')
        if not deal.customer.bought:
            self._customers.remember(deal.customer)
            self._go_on(at, _Relation(deal.customer, seller))
        self._put_right(at, deal)

    def _put_right(self, at: int, deal: _Deal) -> None:
        """What turns out about some deals once they are won."""
        drawn = self._telling.random.random()
        for share, mean_days, step in (
            (0.04, 6.0, self._worth_else),
            (0.012, 4.0, self._of_a_colleague),
            (0.012, 4.0, self._won_before),
            (0.006, 2.0, self._in_other_currency),
            (0.012, 15.0, self._lose),
            (0.012, 10.0, self._reopen),
            (0.004, 8.0, self._delete),
        ):
            drawn -= share
            if drawn < 0.0:
                self._telling.plan(self._next(at, mean_days, deal.seller), step, deal)
                return

    def _worth_else(self, at: int, deal: _Deal) -> None:
        deal.value *= 0.6 + 0.7 * self._telling.random.random()
        self._amend(at, deal, f'"value":"{self._rates.priced(deal.value, deal.customer.currency)}"')

    def _of_a_colleague(self, at: int, deal: _Deal) -> None:
        deal.seller = self._people.any()
        self._amend(at, deal, f'"seller":"{deal.seller.id}"')

    def _won_before(self, at: int, deal: _Deal) -> None:
        days = 1 + int(self._telling.random.random() * 10)
        won_at = max(deal.created_at + 3_600, deal.decided_at - days * DAY)
        self._amend(at, deal, f'"won_at":"{self._telling.days.written(won_at)}"')

    def _lost_before(self, at: int, deal: _Deal) -> None:
        lost_at = max(deal.created_at + 3_600, deal.decided_at - 5 * DAY)
        self._amend(at, deal, f'"lost_at":"{self._telling.days.written(lost_at)}"')

    def _in_other_currency(self, at: int, deal: _Deal) -> None:
        if not self._rates.foreign:
            return
        currency = self._rates.foreign[0]
        value = self._rates.priced(deal.value, currency)
        self._amend(at, deal, f'"value":"{value}","currency":"{currency}"')

    def _amend(self, at: int, deal: _Deal, what: str) -> None:
        self._telling.tell(at, "deal.amended", f"{deal.about},{what}")

    def _lose(self, at: int, deal: _Deal) -> None:
        """They signed, and then they did not mean it."""
        self._telling.tell(at, "deal.lost", f'{deal.about},"reason":"withdrawn"')

    def _reopen(self, at: int, deal: _Deal) -> None:
        self._telling.tell(at, "deal.reopened", deal.about)
        again = self._decision(at, self._telling.random.expovariate(1 / 14.0), deal.seller)
        self._telling.plan(again, self._decide, deal)

    def _delete(self, at: int, deal: _Deal) -> None:
        self._telling.tell(at, "deal.deleted", deal.about)

    def _go_on(self, at: int, relation: _Relation) -> None:
        """What a customer does next, some day."""
        telling = self._telling
        what, days = what_next(telling.random, relation.customer.loyalty)
        then = telling.not_before(at, int(days))
        if what is Next.BUY:
            telling.plan(then, self._buy_again, relation)
        elif what is Next.CHURN:
            telling.plan(then, self._churn, relation)

    def _buy_again(self, at: int, relation: _Relation) -> None:
        relation.seller = self._people.hand_over(relation.seller)
        self.open(at, relation.seller, relation.customer, None)
        self._go_on(at, relation)

    def _churn(self, at: int, relation: _Relation) -> None:
        telling, random = self._telling, self._telling.random
        reason = LEAVING[int(random.random() * len(LEAVING))]
        telling.tell(at, "customer.churned", f'"customer":"{relation.customer.id}","reason":"{reason}"')
        if random.random() < COMES_BACK:
            telling.plan(telling.not_before(at, 60 + int(random.random() * 400)), self._buy_again, relation)

    def _seller(self, at: int, deal: _Deal) -> Seller:
        """Whose the deal is: a colleague's, from now on, where its seller has left."""
        seller = self._people.hand_over(deal.seller)
        if seller is not deal.seller:
            deal.seller = seller
            self._amend(at, deal, f'"seller":"{seller.id}"')
        return seller

    def _money(self, deal: _Deal) -> str:
        currency = deal.customer.currency
        stated = f',"currency":"{currency}"' if currency else ""
        return f'"value":"{self._rates.priced(deal.value, currency)}"{stated}'

    def _next(self, at: int, mean_days: float, seller: Seller) -> int:
        """When a seller comes to do what comes next."""
        return self._telling.later(at, mean_days / seller.pace, seller.weekdays)
