"""What to expect of a goal: from its KPI to the sums behind it, and from these to a forecast.

What only changes daily, the rest of each sum until the end of a period, is worked out once and kept.
"""

from collections.abc import Mapping
from typing import NamedTuple

from goals.chances import NOTHING, Rest
from goals.forecast import Forecast, Split, of_mean, of_share, of_sum, to_come
from goals.outlook import COMPANY, NUMBERS, History, Learned, as_of_today, kind_of, learn, worth_to_come
from goals.outlook import to_come as count_to_come
from schemas.goals import Better

SUMS: dict[str, tuple[str, ...]] = {
    "new_leads": ("leads_new",),
    "new_organisations": ("organisations_new",),
    "qualified_leads": ("leads_qualified",),
    "meetings_booked": ("meetings_booked",),
    "quotes_sent": ("quotes_sent",),
    "deals_closed": ("deals_won", "deals_lost"),
    "revenue": ("revenue",),
}
"""KPIs that add up, and what they are the sum of."""
MEANS = {
    "average_deal_value": ("revenue", "deals_won"),
    "sales_cycle_days": ("cycle_days_sum", "deals_won"),
    "cac": ("cost", "customers_new"),
}
"""KPIs that are one sum by another."""
WIN_RATE = "win_rate"
KPIS = (*SUMS, *MEANS, WIN_RATE)
"""Those of which there is a forecast. Not the hit rate: contacts do not add up over days."""

DAYS_BEFORE = 120
"""Days of history before there is a forecast."""

_YEAR = 365
_DECISIONS = 200.0
"""What was decided before counts as so many decisions at most: people and markets change."""
_FEW_DECISIONS = 10.0
_NONE_DECIDED = Split(0.0, 0.0)


def figure(kpi: str, done: Mapping[str, float]) -> float | None:
    """A KPI from its measures; none where it would divide by zero."""
    if kpi in SUMS:
        return sum(done[measure] for measure in SUMS[kpi])
    if kpi == WIN_RATE:
        decided = done["deals_won"] + done["deals_lost"]
        return done["deals_won"] / decided if decided else None
    above, below = MEANS[kpi]
    return done[above] / done[below] if done[below] else None


def measures_of(kpi: str) -> tuple[str, ...]:
    """The measures that a KPI is made of."""
    if kpi == WIN_RATE:
        return ("deals_won", "deals_lost")
    return SUMS[kpi] if kpi in SUMS else MEANS[kpi]


def counts_of(kpi: str) -> set[str]:
    """The counts that must be learned for a KPI."""
    return {NUMBERS.get(measure, measure) for measure in measures_of(kpi)}


class Ask(NamedTuple):
    """A goal in one of its periods."""

    kpi: str
    scope: str
    until: int
    """The last day, by its number."""
    target: float
    better: Better


class Expecting:
    """What to expect, from what is known at the end of a day."""

    def __init__(self, history: History, learned: Mapping[str, Learned], today: int) -> None:
        """`today` is the day it is now: the last one known, or the one after."""
        self.today = today
        self._known = history.today
        self._learned = learned
        self._rests: dict[tuple[str, str, int], tuple[Rest, Rest]] = {}
        self._before: dict[str, Split] = {}
        # Of history no more is kept than this, so that it can be sent from one process to another.
        self._decided: dict[str, Split] = {}
        self._alike: dict[str, float] = {}
        if set(measures_of(WIN_RATE)) <= learned.keys():
            self._decided = decided_lately(history)
            self._alike = {kind: months_alike(history, kind) for kind in set(map(kind_of, self._decided))}

    def has_learned(self, kpi: str, scope: str) -> bool:
        """Whether anything was learned of what a KPI is made of, for a scope."""
        return any(
            count in self._learned and scope in self._learned[count].lately for count in counts_of(kpi)
        )

    def forecast(self, ask: Ask, done: Mapping[str, float], left_today: float) -> Forecast:
        """The result to expect, where so much of each measure is done and such a share of today is left."""
        if ask.kpi in SUMS:
            measures = SUMS[ask.kpi]
            rest = self._rest(measures[0], ask, left_today)
            for measure in measures[1:]:
                rest = rest.beside(self._rest(measure, ask, left_today))
            return of_sum(sum(done[measure] for measure in measures), rest, ask.target, ask.better)
        if ask.kpi == WIN_RATE:
            won, lost = self._rest("deals_won", ask, left_today), self._rest("deals_lost", ask, left_today)
            so_far = Split(done["deals_won"], done["deals_lost"])
            return of_share(
                so_far, won.beside(lost), self._decided_before(ask.scope), ask.target, ask.better
            )
        above, below = MEANS[ask.kpi]
        rest_below = self._rest(below, ask, left_today)
        if NUMBERS[above] == below and below in self._learned:
            rest_above = worth_to_come(
                self._learned[below], above, ask.scope, rest_below, done[below], done[above]
            )
        else:
            rest_above = self._rest(above, ask, left_today)
        return of_mean(done[above], done[below], rest_above, rest_below, ask.target, ask.better)

    def _rest(self, measure: str, ask: Ask, left_today: float) -> Rest:
        key = (ask.scope, measure, ask.until)
        rests = self._rests.get(key)
        if rests is None:
            known, today = self._known, min(self.today, ask.until)
            rests = self._rests[key] = (
                self._between(measure, ask.scope, known, today),
                self._between(measure, ask.scope, today, ask.until),
            )
        today, later = rests
        return to_come(today, later, left_today)

    def _between(self, measure: str, scope: str, after: int, until: int) -> Rest:
        learned = self._learned.get(NUMBERS.get(measure, measure))
        if learned is None:
            return NOTHING
        number = count_to_come(learned, scope, after, until)
        if measure not in NUMBERS:
            return number
        return worth_to_come(learned, measure, scope, number) if number.mean > 0.0 else NOTHING

    def _decided_before(self, scope: str) -> Split:
        """What was decided before, as far as it says how a month's decisions will be."""
        if scope not in self._before:
            won, lost = self._decided.get(scope, _NONE_DECIDED)
            all_won, all_lost = self._decided.get(COMPANY, _NONE_DECIDED)
            usual = (all_won + 1.0) / (all_won + all_lost + 2.0)
            known = won + lost + _FEW_DECISIONS
            rate = (won + _FEW_DECISIONS * usual) / known
            weight = min(known, self._alike.get(kind_of(scope), _DECISIONS - 1.0))
            self._before[scope] = Split(weight * rate, weight * (1.0 - rate))
        return self._before[scope]


def decided_lately(history: History) -> dict[str, Split]:
    """By scope: how many deals were won and lost in the last year."""
    scopes = {scope for measure in measures_of(WIN_RATE) for scope in history.scopes(measure)}
    return {
        scope: Split(*(sum(history.of(scope, measure)[-_YEAR:]) for measure in measures_of(WIN_RATE)))
        for scope in scopes
    }


def months_alike(history: History, kind: str) -> float:
    """How many decisions of before say as much of a month's rate as one of its own does.

    One by the correlation of decisions within a month, less one: where months differ by more than chance,
    what was before says little of this one.
    """
    beyond, pairs = 0.0, 0.0
    days = history.days
    for scope in history.scopes("deals_won"):
        if kind_of(scope) != kind:
            continue
        won, lost = (history.of(scope, of)[-_YEAR:] for of in measures_of(WIN_RATE))
        decided = sum(won) + sum(lost)
        rate = sum(won) / decided if decided else 0.0
        if not 0.0 < rate < 1.0:
            continue
        months: dict[int, list[float]] = {}
        first = history.known - len(won)
        for place, (yes, no) in enumerate(zip(won, lost, strict=True), first):
            of_month = months.setdefault(days.months[place], [0.0, 0.0])
            of_month[0] += yes
            of_month[1] += no
        for yes, no in months.values():
            number = yes + no
            beyond += (yes - number * rate) ** 2 / (rate * (1.0 - rate)) - number
            pairs += number * max(0.0, number - 1.0)
    # A hundred pairs, loosely correlated, are supposed before any is seen.
    correlation = (beyond + 100.0 / _DECISIONS) / (pairs + 100.0)
    return 1.0 / min(0.5, max(correlation, 1.0 / _DECISIONS)) - 1.0


def learn_all(history: History, kpis: set[str]) -> dict[str, Learned]:
    """Learn all that forecasts of these KPIs need; costs seconds, and holds for weeks."""
    counts = sorted(set[str]().union(*(counts_of(kpi) for kpi in kpis)))
    return {count: learn(history, count) for count in counts if history.scopes(count)}


def all_as_of_today(learned: Mapping[str, Learned], history: History) -> dict[str, Learned]:
    """What was learned, with what has happened since; costs milliseconds for each scope."""
    return {count: as_of_today(each, history) for count, each in learned.items()}
