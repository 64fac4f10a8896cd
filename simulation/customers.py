"""Customers: who they are, how loyal, and what they do next once they have bought."""

from enum import Enum
from random import Random

from msgspec import Struct

from simulation.telling import Telling

REGULARS_A_SELLER = 150
"""Of how many customers a seller knows that they may come with a lead of their own."""


class Next(Enum):
    """What a customer does next."""

    BUY = "buy again"
    CHURN = "say that they leave"
    FADE = "not be heard of again"


class Customer(Struct, eq=False):
    """An organisation that may buy, and may buy again."""

    number: int
    loyalty: float
    """How likely they buy again, rather than leave."""
    currency: str | None
    """What they pay in; the organisation's own where `None`, and then it is left out."""
    persons: int
    bought: bool = False

    @property
    def id(self) -> str:
        """Their id."""
        return f"c-{self.number}"

    @property
    def org_number(self) -> str:
        """Their org number: always the same one, and looking like no other's."""
        return f"55{self.number * 57_885_161 % 100_000_007:08d}"


class Customers:
    """Finds new customers, and remembers some of those who bought."""

    def __init__(
        self, telling: Telling, sellers: int, currencies: tuple[str, ...], foreign_share: float
    ) -> None:
        self._telling = telling
        self._currencies = currencies
        self._foreign_share = foreign_share if currencies else 0.0
        self._most_regulars = sellers * REGULARS_A_SELLER
        self._regulars: list[Customer] = []

    def one(self) -> Customer:
        """Somebody with a lead: mostly an organisation nobody has heard of."""
        random = self._telling.random
        if self._regulars and random.random() < 0.15:
            return self._regulars[int(random.random() * len(self._regulars))]
        currency = None
        if random.random() < self._foreign_share:
            currency = self._currencies[int(random.random() * len(self._currencies))]
        return Customer(
            number=self._telling.number("customer"),
            loyalty=random.betavariate(2.0, 2.0),
            currency=currency,
            persons=1 + int(random.random() * random.random() * 5),
        )

    def remember(self, customer: Customer) -> None:
        """They bought for the first time."""
        customer.bought = True
        if len(self._regulars) < self._most_regulars:
            self._regulars.append(customer)
        else:
            self._regulars[int(self._telling.random.random() * self._most_regulars)] = customer


def what_next(random: Random, loyalty: float) -> tuple[Next, float]:
    """What a customer does after they bought, and in how many days."""
    if random.random() < loyalty:
        return Next.BUY, 20.0 + random.expovariate(1 / (240.0 - 160.0 * loyalty))
    days = 60.0 + random.expovariate(1 / 240.0)
    return (Next.CHURN if random.random() < 0.7 else Next.FADE), days
