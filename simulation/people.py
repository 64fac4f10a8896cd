"""Sellers: each with a skill, a pace and weekdays of their own; they are hired, change teams and leave."""

from collections.abc import Callable, Sequence
from random import Random

from msgspec import Struct

from simulation.telling import Telling
from simulation.working_days import DAY, WHOLE_WEEK

NAMES = (
    "anna bo cia david elin fredrik gunilla hanna isak johan karin lars maja nils olivia per"
    " rakel sven tove ulf vera wilma yngve zara astrid birger disa einar frida gustav"
).split()
TEAMS = ["norr", "söder", "öst", "väst", "nyckelkunder", "offentlig"]
MANAGERS = ["Siv", "Torsten", "Ylva", "Petra", "Mikael", "Lena"]

MORNING = 7 * 3_600
MOVES_A_DAY = 0.000_9
"""How often a seller changes teams: every fifth does in a year."""
LEAVES_A_DAY = 0.001
TOLD_LATE = 0.35
"""How often a change of team is told only after it has been so for a while."""


class Seller(Struct, eq=False):
    """A seller, as the others would describe them."""

    id: str
    team: str
    skill: float
    """How likely a deal is won."""
    pace: float
    """How much they take on, and how soon they do what comes next; 1 is usual."""
    weekdays: tuple[bool, ...]
    """On which weekdays they work."""
    size: float
    """How large their deals are; 1 is usual."""
    salary: float
    """Kronor a month for the whole week."""
    since: int = 0
    """From when on they are in the team."""
    left: bool = False

    @property
    def share(self) -> float:
        """How much of the week they work."""
        return sum(self.weekdays) / len(WHOLE_WEEK)


class People:
    """Everybody who sells, now and in future."""

    def __init__(self, telling: Telling, sellers: int, teams: int) -> None:
        self._telling = telling
        self._teams = [_nth(TEAMS, number) for number in range(teams)]
        self._managers = {team: _nth(MANAGERS, number) for number, team in enumerate(self._teams)}
        self._wanted = sellers
        self.sellers: list[Seller] = []
        self.joined: Callable[[int, Seller], None] = _nothing_more
        """What else is to be done when somebody begins."""
        self.left: Callable[[int, Seller], None] = _nothing_more
        """What else is to be done when somebody leaves."""

    @property
    def teams(self) -> list[str]:
        """The teams there are."""
        return self._teams

    def begin(self, morning: int) -> None:
        """Hire everybody."""
        for _ in range(self._wanted):
            self._hire(morning, None)

    def day(self, day: int) -> None:
        """Some change teams on a working day, some leave, and others come for them."""
        random = self._telling.random
        morning = day * DAY + MORNING
        for seller in list(self.sellers):
            drawn = random.random()
            if drawn < MOVES_A_DAY and len(self._teams) > 1:
                self._move(morning, seller)
            elif drawn > 1.0 - LEAVES_A_DAY:
                self._leave(day, seller)

    def hand_over(self, seller: Seller) -> Seller:
        """Who goes on with something of a seller's: a colleague, once they have left."""
        if not seller.left:
            return seller
        team = [other for other in self.sellers if other.team == seller.team]
        return self.any(team)

    def any(self, among: list[Seller] | None = None) -> Seller:
        """Some seller."""
        choice = among or self.sellers
        return choice[int(self._telling.random.random() * len(choice))]

    def _move(self, morning: int, seller: Seller) -> None:
        random = self._telling.random
        others = [team for team in self._teams if team != seller.team]
        seller.team = others[int(random.random() * len(others))]
        since = morning
        if random.random() < TOLD_LATE:
            # Not before the change that was told last, which would then hold on.
            day = max(morning // DAY - 1 - int(random.random() * 45), seller.since // DAY + 1)
            since = min(day * DAY + MORNING, morning)
        self._assign(since, morning, seller)

    def _leave(self, day: int, seller: Seller) -> None:
        evening = day * DAY + 17 * 3_600
        seller.left = True
        self.sellers.remove(seller)
        self._telling.tell(evening, "seller.left", f'"seller":"{seller.id}"')
        self.left(evening, seller)
        if self.sellers:
            begins = self._telling.later(evening, 20.0) // DAY
            self._telling.plan(begins * DAY + MORNING, self._hire, seller.team)
        else:
            # Somebody always sells.
            self._hire(evening, seller.team)

    def _hire(self, at: int, team: str | None) -> None:
        number = self._telling.number("seller") - 1
        joins = team or self._teams[number % len(self._teams)]
        seller = _somebody(self._telling.random, _nth(NAMES, number), joins)
        self.sellers.append(seller)
        self._assign(at, at, seller)
        self.joined(at, seller)

    def _assign(self, since: int, told_at: int, seller: Seller) -> None:
        seller.since = since
        self._telling.tell(
            since,
            "seller.assigned",
            f'"seller":"{seller.id}","team":"{seller.team}","name":"{seller.id.title()}",'
            f'"manager":"{self._managers[seller.team]}"',
            told_at,
        )


def _somebody(random: Random, name: str, team: str) -> Seller:
    off = random.random()
    # Part time: Fridays off, or Mondays and Fridays.
    weekdays = WHOLE_WEEK if off < 0.75 else (off < 0.93, True, True, True, False)
    skill = min(0.6, max(0.15, random.gauss(0.33, 0.09)))
    return Seller(
        id=name,
        team=team,
        skill=skill,
        pace=min(1.7, max(0.5, random.gauss(1.0, 0.22))),
        weekdays=weekdays,
        size=random.lognormvariate(0.0, 0.3),
        salary=round(30_000 + 30_000 * skill + random.random() * 12_000, -2),
    )


def _nth(names: Sequence[str], number: int) -> str:
    """The names one after the other, and then again with a number: anna, bo, ..., anna2."""
    lap, place = divmod(number, len(names))
    return names[place] if lap == 0 else f"{names[place]}{lap + 1}"


def _nothing_more(_at: int, _seller: Seller) -> None:
    pass
