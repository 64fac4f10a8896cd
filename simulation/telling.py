"""What is going to be told, day by day: events that have a time, and plans that come up on a day.

A plan is taken up on its day, so that only what happens soon is ever held as an event; what is held
grows with how busy the floor is, and not with how long it lives.
"""

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import TypeVar

from simulation.working_days import DAY, LAST_HOUR, WHOLE_WEEK, WorkingDays, office_second

SOURCE = "simulation://floor"

Subject = TypeVar("Subject")


class Telling:
    """The events and plans to come, and the numbers given so far."""

    def __init__(self, seed: int, days: WorkingDays) -> None:
        self.random = Random(seed)
        self.days = days
        self._head = f'{{"specversion":"1.0","source":"{SOURCE}","id":"{seed}-'
        self._told = 0
        self._events: dict[int, list[tuple[int, int, bytes]]] = {}
        self._plans: dict[int, list[Callable[[], None]]] = {}
        self._numbers: dict[str, int] = {}

    def tell(self, at: int, kind: str, data: str, told_at: int | None = None) -> None:
        """An event at some instant, told then or at a later one; `data` are its fields as JSON."""
        number = self._told = self._told + 1
        raw = f'{self._head}{number}","type":"{kind}","time":"{self.days.written(at)}","data":{{{data}}}}}'
        day, second = divmod(at if told_at is None else told_at, DAY)
        self._events.setdefault(day, []).append((second, number, raw.encode()))

    def plan(self, at: int, step: Callable[[int, Subject], None], subject: Subject) -> None:
        """At some instant, of today or later, go on with something."""
        self._plans.setdefault(at // DAY, []).append(partial(step, at, subject))

    def day(self, day: int) -> Iterator[bytes]:
        """Take up the day's plans, and tell what happens on it, in order of time."""
        # They may plan more for the same day.
        for plan in self._plans.get(day, []):
            plan()
        self._plans.pop(day, None)
        for _, _, raw in sorted(self._events.pop(day, [])):
            yield raw

    def number(self, kind: str) -> int:
        """The next number of a kind of thing."""
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return number

    def later(self, at: int, mean_days: float, weekdays: tuple[bool, ...] = WHOLE_WEEK) -> int:
        """Some days later, in the hours of a day that is worked."""
        return self.not_before(at, int(self.random.expovariate(1 / mean_days) + 0.3), weekdays)

    def not_before(self, at: int, days: int, weekdays: tuple[bool, ...] = WHOLE_WEEK) -> int:
        """So many days later or, where nobody works then, the next day on which somebody does."""
        random = self.random
        before = at // DAY
        day = self.days.working(before + days, weekdays)
        then = day * DAY + office_second(random)
        if day > before or then > at + 300:
            return then
        then = at + 300 + int(random.random() * 5_400)
        if then < day * DAY + LAST_HOUR * 3_600:
            return then
        return self.days.working(day + 1, weekdays) * DAY + office_second(random)
