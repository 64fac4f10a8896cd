"""The load: events of two organisations in one, a pure function of the seed, made as they are read.

Most are deals of the standard job, for volume: won, amended, reopened, deleted. The others are a
simulated floor's, with leads that deals and activities name from other partitions. All come out of
order, some twice, some again long after; now and then a seller turns out to have been in another team.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

import msgspec

from schemas.decoding import Reason, decode_event
from schemas.events import EVENT_TYPES, DealWon, Event
from simulation.floor import Floor, leads_for, shuffled
from simulation.floor import events as told_on
from simulation.standard import DAYS, FIRST_DAY, standard_job

FLOOR_SHARE = 0.15
CUSTOMERS = 500
SELLERS = 200
TEAMS = 20
EVENTS_A_DEAL = 1.4
FLOOR_SELLERS = 24
REMEMBERED = 1_000
"""How many events of the past may come again."""
AGAIN = 0.01
"""How often one of them does."""
NAMED = 0.03
"""How often a deal comes of a lead that is told of but once, and lives elsewhere."""
MOVED = 0.000_05
"""How often a seller turns out to have been in another team."""


def load(events: int, seed: int) -> Iterator[Event]:
    """So many events, as they arrive; the same for the same seed."""
    random = Random(seed)
    once = _merged(_deals(events, random), _floor(events, seed), random)
    return islice(shuffled(_repeated(once, random), seed), events)


def _merged(deals: Iterator[Event], floor: Iterator[Event], random: Random) -> Iterator[Event]:
    while True:
        yield next(floor if random.random() < FLOOR_SHARE else deals)


def _repeated(events: Iterator[Event], random: Random) -> Iterator[Event]:
    """Now and then one of the past again, from long before what is shuffled together."""
    remembered: list[Event] = []
    for event in events:
        yield event
        if len(remembered) < REMEMBERED:
            remembered.append(event)
        elif random.random() < AGAIN:
            place = random.randrange(REMEMBERED)
            yield remembered[place]
            remembered[place] = event


def _floor(events: int, seed: int) -> Iterator[Event]:
    """A floor as busy as it takes to fill the same days as the deals."""
    leads = leads_for(events * FLOOR_SHARE / DAYS, FLOOR_SELLERS)
    floor = Floor(sellers=FLOOR_SELLERS, leads_per_seller_per_day=max(leads, 0.1), seed=seed)
    return told_on(floor, FIRST_DAY.date())


def _deals(events: int, random: Random) -> Iterator[Event]:
    # More than will be read of them, since how many there are of each deal is drawn.
    wanted = int(events / EVENTS_A_DEAL) + 1_000
    for raw in standard_job(wanted, SELLERS, CUSTOMERS, TEAMS, seed=random.randrange(2**32)):
        event = decode_event(raw)
        assert not isinstance(event, Reason)
        yield event
        if isinstance(event, DealWon):
            yield from _afterwards(event, random)
        if random.random() < NAMED:
            yield from _lead_and_deal(random)
        if random.random() < MOVED:
            yield _moved(random)


def _afterwards(won: DealWon, random: Random) -> Iterator[Event]:
    """What is said of a deal once it is won, of some more than of others."""
    drawn = random.random()
    if drawn < 0.2:
        yield _said_of(won, "deal.amended", value=f"{random.randrange(1_000, 99_000)}.50")
    elif drawn < 0.24:
        yield _said_of(won, "deal.amended", seller=f"s{random.randrange(SELLERS)}")
    elif drawn < 0.28:
        yield _said_of(won, "deal.amended", won_at=(won.time - timedelta(days=9)).isoformat())
    elif drawn < 0.30:
        yield _said_of(won, "deal.deleted")
    elif drawn < 0.35:
        yield _said_of(won, "deal.reopened")
        yield _said_of(won, "deal.won", hours=2, value="77000.00")


def _said_of(won: DealWon, kind: str, hours: int = 1, **data: Any) -> Event:
    return _event(
        kind,
        f"{won.id}-{kind}-{hours}",
        won.time + timedelta(hours=hours),
        deal=won.data.deal,
        customer=won.data.customer,
        **data,
    )


def _lead_and_deal(random: Random) -> Iterator[Event]:
    """How long the deal took is known only if the lead's home and the customer's have told each other."""
    name = f"once-{random.randrange(10**12)}"
    at = FIRST_DAY + timedelta(days=random.randrange(30, DAYS), hours=12)
    since = at - timedelta(days=random.randrange(1, 30))
    seller, customer = f"s{random.randrange(SELLERS)}", f"c{random.randrange(CUSTOMERS)}"
    yield _event("lead.created", f"{name}-lead", since, lead=name, seller=seller)
    deal = {"deal": name, "customer": customer, "seller": seller, "value": "1200.00"}
    yield _event("deal.won", f"{name}-deal", at, lead=name, **deal)


def _moved(random: Random) -> Event:
    """A seller has been in another team since some day, and only now it is said."""
    number = random.randrange(10**9)
    since = FIRST_DAY + timedelta(days=random.randrange(DAYS), hours=6)
    seller, team = f"s{random.randrange(SELLERS)}", f"t{random.randrange(TEAMS)}"
    return _event("seller.assigned", f"moved-{number}", since, seller=seller, team=team)


def _event(kind: str, identifier: str, time: datetime, **data: Any) -> Event:
    envelope = {
        "specversion": "1.0",
        "id": identifier,
        "source": "chaos://load",
        "type": kind,
        "time": time.isoformat(),
        "data": data,
    }
    return msgspec.convert(envelope, EVENT_TYPES[kind])
