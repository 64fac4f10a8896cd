"""A sales floor that behaves like a real one: seeded, endless if wanted, in order of event time.

Leads come in with the seasons and campaigns, ripen over days to months through calls, meetings and
quotes, and are won or lost by sellers of different skill and pace, on the working days of a country.
Customers buy again, or leave; selling costs; what was said is amended, reopened and deleted now and
then; people change teams, leave and are hired. Same floor, same events, byte for byte.

Only what turns out late is told after its time: a change of team that has been so for weeks, a rate.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from random import Random
from typing import TypeVar

from msgspec import Struct

from schemas.decoding import LATEST, Reason, decode_event
from schemas.events import Event, Recorded
from simulation.activities import Activities
from simulation.costs import Costs
from simulation.customers import Customers
from simulation.deals import Deals
from simulation.leads import Leads
from simulation.people import MORNING, People
from simulation.rates import Often, Rates
from simulation.telling import Telling
from simulation.working_days import DAY, WorkingDays

EVENTS_A_LEAD = 6.0
"""About how many events a lead leads to, with all that its customer does later."""
LEADS_A_DAY = 0.55
"""About how many leads a floor has a calendar day, of each that it has on a usual working day."""
FIRST_START = date(1971, 1, 1)
"""Before that, what happened before a floor began could not be told."""
LAST = LATEST.date() - timedelta(days=92)
"""With it a floor for ever ends: costs are for days to come, and those must be let in too."""

Told = TypeVar("Told")


class Floor(Struct, frozen=True, kw_only=True):
    """A sales organisation to make up."""

    sellers: int = 12
    teams: int = 3
    country: str = "SE"
    """Whose public holidays nobody works on."""
    timezone: str = "Europe/Stockholm"
    currency: str = "SEK"
    """The reporting currency: its own, which deals leave out."""
    currencies: tuple[str, ...] = ()
    """Those that some customers pay in, and some costs are in."""
    foreign_share: float = 0.3
    """How many do, where there are such currencies."""
    rates: Often = "daily"
    """How often a rate is set for each of them."""
    leads_per_seller_per_day: float = 2.0
    """On a usual working day."""
    seed: int = 1


def leads_for(events_per_day: float, sellers: int) -> float:
    """How many leads per seller and day make a floor about so busy, on calendar days in the long run."""
    return events_per_day / (sellers * EVENTS_A_LEAD * LEADS_A_DAY)


def lines(floor: Floor, start: date, end: date | None = None) -> Iterator[bytes]:
    """What happens on the floor from `start` until before `end`, or for ever, each event as JSON.

    Raises:
        ValueError: its country, timezone or one of its currencies is not known, or it starts too early.
    """
    if floor.sellers < 1 or floor.teams < 1:
        raise ValueError("a floor has at least one seller and one team")
    if start < FIRST_START:
        raise ValueError(f"a floor starts in {FIRST_START.year} or later")
    last = LAST if end is None else min(end, LAST)
    return _Run(floor, start).lines(last)


def told(floor: Floor, start: date, end: date | None = None) -> Iterator[Recorded]:
    """The same, read: each event, and how it was written down, with fields that we do not know."""
    return map(read, lines(floor, start, end))


def read(raw: bytes) -> Recorded:
    """One of the floor's own lines."""
    event = decode_event(raw)
    assert not isinstance(event, Reason), event.sentence
    return Recorded(event, raw)


def events(floor: Floor, start: date, end: date | None = None) -> Iterator[Event]:
    """The same, as we know them."""
    return (recorded.event for recorded in told(floor, start, end))


def shuffled(
    events: Iterable[Told], seed: int, duplicates: float = 0.02, disorder: int = 200
) -> Iterator[Told]:
    """The same events as they may arrive: some twice, each typically some places from where it was."""
    random = Random(seed)
    waiting: list[Told] = []
    for event in events:
        waiting.append(event)
        if random.random() < duplicates:
            waiting.append(event)
        while len(waiting) > disorder:
            yield waiting.pop(random.randrange(len(waiting)))
    random.shuffle(waiting)
    yield from waiting


class _Run:
    """One run of a floor: everybody on it, from its first morning on."""

    def __init__(self, floor: Floor, start: date) -> None:
        self._start = start
        self._days = WorkingDays(floor.country, floor.timezone)
        self._telling = Telling(floor.seed, self._days)
        self._rates = Rates(self._telling, floor.currency, floor.currencies, floor.rates)
        self._people = People(self._telling, floor.sellers, floor.teams)
        self._costs = Costs(self._telling, self._people, self._rates, floor.currency, floor.foreign_share)
        customers = Customers(self._telling, floor.sellers, self._rates.foreign, floor.foreign_share)
        activities = Activities(self._telling)
        deals = Deals(self._telling, self._people, customers, activities, self._costs, self._rates)
        self._leads = Leads(
            self._telling,
            self._people,
            customers,
            activities,
            self._costs,
            deals,
            floor.leads_per_seller_per_day,
        )
        self._people.joined = self._costs.joined
        self._people.left = self._costs.left

    def lines(self, end: date) -> Iterator[bytes]:
        first = self._start.toordinal()
        self._rates.begin(first * DAY + MORNING)
        self._people.begin(first * DAY + MORNING)
        for day in range(first, end.toordinal()):
            month = self._days.month(day)
            if self._days.works(day):
                begins = day != first and day == self._days.working(month.first)
                self._rates.day(day, begins)
                self._people.day(day)
                self._costs.day(day, month if begins else None)
            self._leads.day(day, month.number)
            yield from self._telling.day(day)
