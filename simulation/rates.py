"""Exchange rates that wander: set every working day or every month, some told days late.

What an amount is in another currency follows from how the currencies stand to each other as a rule, so
that deals are as large in dollars as in kronor.
"""

import math
from typing import Literal

from simulation.telling import Telling
from simulation.working_days import DAY

KRONOR = {
    "AUD": 6.8,
    "CAD": 7.5,
    "CHF": 11.8,
    "CZK": 0.45,
    "DKK": 1.49,
    "EUR": 11.1,
    "GBP": 13.0,
    "ISK": 0.077,
    "JPY": 0.067,
    "NOK": 0.96,
    "PLN": 2.6,
    "SEK": 1.0,
    "USD": 10.2,
}
"""About how many kronor one unit has been worth, give or take."""

Often = Literal["daily", "monthly"]

SET_HOUR = 16
LATE = 0.04
"""How often a rate is told only days after it holds."""


class Rates:
    """What one unit of each foreign currency is worth in the organisation's own."""

    def __init__(self, telling: Telling, own: str, currencies: tuple[str, ...], often: Often) -> None:
        """Raises `ValueError` where nothing is known of a foreign currency."""
        unknown = [currency for currency in currencies if currency not in KRONOR]
        if unknown:
            raise ValueError(f"rates are known for {', '.join(KRONOR)}, not for {', '.join(unknown)}")
        self._telling = telling
        # An own currency that we do not know is as good as kronor: no rate of it is ever set.
        self._own = KRONOR.get(own, 1.0)
        self._often = often
        self._usual = {name: KRONOR[name] / self._own for name in currencies if name != own}
        self._rates = dict(self._usual)
        self.foreign = tuple(self._usual)

    def begin(self, morning: int) -> None:
        """The first rates: they hold at once, and it may take days until somebody tells."""
        for name in self._rates:
            days = int(self._telling.random.random() * 10)
            told = self._telling.not_before(morning, days) if days else None
            self._set(name, morning, told)

    def day(self, day: int, first_of_month: bool) -> None:
        """Set the rates of a working day."""
        if self._often == "monthly" and not first_of_month:
            return
        telling = self._telling
        steps = 1.0 if self._often == "daily" else 21.0
        for name, rate in self._rates.items():
            # They wander, and are drawn back a little, or a long life would end with absurd ones.
            drawn = (self._usual[name] / rate) ** (0.004 * steps)
            self._rates[name] = rate * drawn * math.exp(telling.random.gauss(0.0, 0.004 * math.sqrt(steps)))
            at = day * DAY + SET_HOUR * 3_600
            late = telling.random.random() < LATE
            self._set(name, at, telling.later(at, 3.0) if late else None)

    def priced(self, amount: float, currency: str | None) -> str:
        """An amount, thought of in kronor, as one says it in a currency; in the own where `None`."""
        units = amount / KRONOR[currency] if currency else amount / self._own
        # To two digits or so, as prices are.
        step = 10 ** max(0, int(math.log10(max(units, 1.0))) - 2)
        return f"{max(1, round(units / step)) * step}.00"

    def _set(self, name: str, at: int, told_at: int | None) -> None:
        data = f'"currency":"{name}","rate":"{self._rates[name]:.6f}"'
        self._telling.tell(at, "rate.set", data, told_at)
