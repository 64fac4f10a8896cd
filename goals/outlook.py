"""What is to come of a count until a day, for a scope: learned from history once a day, then looked up.

Several ways to tell are tried on the past, each from what was known then: recent levels of the scope's own
figure, what is in the pipeline, and what feeds it (qualified leads, meetings). They are put together by how
well they did, for companies, teams and sellers each, near and far; what remained of the error is the
uncertainty that is stated.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import inf, log
from typing import NamedTuple

from goals.chances import NOTHING, Rest, count, worth
from goals.pipeline import (
    OLDEST,
    Chances,
    Deal,
    learn_chances,
    won_of_coming,
    won_within,
)
from goals.seasons import EVEN, Days, begin_of, learn_season, running_sums

COMPANY = "company"
HORIZONS = (5, 15, 40)
"""Working days ahead, at which the ways to tell are tried."""
MEMORIES = (10, 40, 120)
"""Working days after which a day counts half, in the levels that are tried."""
FEEDS = {
    "deals_won": ("leads_qualified", "meetings_booked"),
    "customers_new": ("leads_qualified", "meetings_booked"),
    "deals_lost": ("leads_qualified", "meetings_booked"),
    "meetings_booked": ("leads_qualified",),
    "quotes_sent": ("leads_qualified", "meetings_booked"),
    "leads_qualified": ("leads_new",),
}
"""What turns into what, some time later."""
DELAY = 20.0
"""Working days from the one to the other, on average."""
COST_DAYS = "cost_days"
"""Days on which anything was spent: costs have no number of their own to count."""
NUMBERS = {"revenue": "deals_won", "cycle_days_sum": "deals_won", "cost": COST_DAYS}
"""Amounts, and what each is so much of."""
FROM_PIPELINE = frozenset({"deals_won"})

_REMEMBERED = 500
"""Days that a level today is taken from; what is older has next to no part in it."""
_TRIED = 52
"""So many times the past is asked,"""
_APART = 5
"""each so many working days from the next."""
_BEFORE = 40
"""Working days that must have been before the first time."""
_FEW_DAYS = 5.0
"""What scopes of a kind have in common counts as so many days of a scope's own."""
_FEW_DEALS = 15.0
"""What deals are worth on average counts as so many of a scope's own."""
_SHARPNESS = 2.0
"""Ways to tell count by their mean squared error to the power of minus this."""
_USUAL_SPREAD = 0.03
"""The overdispersion that is supposed before any is seen."""
_TRIED_ENOUGH = 20.0

Key = tuple[str, str]
"""A scope and a measure."""


class History(NamedTuple):
    """What is known: a figure a day, from one day on to today."""

    days: Days
    """From the first day on, and as far ahead as goals reach."""
    today: int
    """The last day that is known, by its number."""
    series: Mapping[Key, Sequence[float]]
    deals: Sequence[Deal] = ()

    @property
    def known(self) -> int:
        """How many days are known."""
        return self.today - self.days.first + 1

    def of(self, scope: str, measure: str) -> list[float]:
        """A scope's figures, day by day."""
        if measure == COST_DAYS:
            return [float(spent > 0.0) for spent in self.of(scope, "cost")]
        found = list(self.series.get((scope, measure), ()))[: self.known]
        return found + [0.0] * (self.known - len(found))

    def scopes(self, measure: str) -> list[str]:
        """Who has any."""
        counted = "cost" if measure == COST_DAYS else measure
        return sorted(scope for scope, of in self.series if of == counted)


class Lately(NamedTuple):
    """A scope's figure, as it looked at the end of one day."""

    levels: list[float]
    """For each memory: a lively day's figure."""
    fed: list[float]
    """For each feed: what came of it a day, lately,"""
    usual: list[float]
    """and in the long run."""
    opened: float
    """Deals created a working day."""


class _Track(NamedTuple):
    """The same as it looked at the end of each day, by its place; and how much there was before each."""

    sums: list[float]
    levels: list[list[float]]
    fed: list[list[float]]
    usual: list[list[float]]
    opened: list[float]

    def at(self, place: int) -> Lately:
        """At the end of a day."""
        return Lately(
            [levels[place] for levels in self.levels],
            [fed[place] for fed in self.fed],
            [usual[place] for usual in self.usual],
            self.opened[place],
        )


class Worth(NamedTuple):
    """What one of a count is worth: a deal won, in money."""

    value: float
    variation: float
    """The squared coefficient of variation."""
    known_from: float
    """How many the value was taken from."""
    alike: float
    """How many of before say as much of a month's own value as one of its own does."""

    def this_time(self, number: float, amount: float) -> "Worth":
        """With so many of the period's own, worth so much."""
        before = min(self.known_from, self.alike)
        value = (before * self.value + amount) / (before + number)
        return self._replace(value=value, known_from=before + number)


class Learned(NamedTuple):
    """All that is learned of a measure, up to a day."""

    measure: str
    days: Days
    known: int
    """How many of them are known."""
    lively: list[float]
    so_lively: list[float]
    lately: dict[str, Lately]
    """By scope: how it looked at the end of the last day that is known."""
    weights: dict[str, list[list[float]]]
    """By kind of scope and horizon: how much each way to tell counts."""
    spread: dict[str, list[float]]
    """And the overdispersion that was seen."""
    chances: Chances | None
    open_deals: dict[str, list[int]]
    """By scope: the ages of the deals that were open then."""
    worth: dict[str, dict[str, Worth]]
    """By amount and scope: what one of them is worth."""


def learn(history: History, measure: str) -> Learned:
    """Learn a measure from all that is known today."""
    days = history.days
    company = history.of(COMPANY, measure)
    lively = days.lively(learn_season(company, days))
    chances = None
    if measure in FROM_PIPELINE and history.deals:
        chances = learn_chances(history.deals, days.first, days.worked, history.today)
    learned = Learned(
        measure=measure,
        days=days,
        known=history.known,
        lively=lively,
        so_lively=running_sums(lively),
        lately={},
        weights={},
        spread={},
        chances=chances,
        open_deals={},
        worth={},
    )
    _try_on_the_past(learned, history)
    return as_of_today(learned, history)


def as_of_today(learned: Learned, history: History) -> Learned:
    """What was learned some days ago, with what has happened since."""
    measure, known = learned.measure, history.known
    tracks = _tracks(history, measure, learned.lively, max(0, known - _REMEMBERED))
    return learned._replace(
        days=history.days,
        known=known,
        lately={scope: track.at(known - 1) for scope, track in tracks},
        open_deals=_open_deals(history, known - 1) if learned.chances is not None else {},
        worth={
            amount: _worths(history, number, amount)
            for amount, number in NUMBERS.items()
            if number == measure
        },
    )


def to_come(learned: Learned, scope: str, after: int, until: int) -> Rest:
    """How many come after a day, the last known or a later one, up to and with another."""
    first, worked = learned.days.first, learned.days.worked
    lately = learned.lately.get(scope)
    if lately is None or until <= after:
        return NOTHING._replace(whole=True)
    at = learned.known - 1
    low, high = after - first + 1, until - first + 1
    span = learned.so_lively[high] - learned.so_lively[low]
    whole_span = learned.so_lively[high] - learned.so_lively[at + 1]
    if span <= 0.0 or whole_span <= 0.0:
        return NOTHING._replace(whole=True)
    found = _told(learned, scope, lately, at, high, learned.open_deals.get(scope, ()))
    kind, near = kind_of(scope), _nearest(worked[high] - worked[at + 1])
    mean = _together(found, learned.weights[kind][near])
    return count(mean * span / whole_span, learned.spread[kind][near])


def worth_to_come(
    learned: Learned,
    amount: str,
    scope: str,
    number: Rest,
    done_number: float = 0.0,
    done: float = 0.0,
) -> Rest:
    """What so many more will be worth, after those that the period has had, where these are known."""
    found = learned.worth[amount].get(scope)
    if found is None or number.mean <= 0.0:
        return NOTHING
    value = found.this_time(done_number, done)
    return worth(number, value.value, value.variation, value.known_from)


def kind_of(scope: str) -> str:
    """`company`, `team`, `seller` or `customer`."""
    return scope.partition(":")[0]


def _tracks(
    history: History, measure: str, lively: list[float], since: int = 0
) -> Iterator[tuple[str, _Track]]:
    """Every scope's, from a place on; before that there is nothing in them."""
    days, known = history.days, history.known
    scopes = history.scopes(measure)
    own = {scope: history.of(scope, measure) for scope in scopes}
    usual = _usual(own, lively[:known])
    opened = _opened(history) if measure in FROM_PIPELINE else {}
    even = days.lively(EVEN)
    feeds = [feed for feed in FEEDS.get(measure, ()) if any(history.of(COMPANY, feed))]
    company_rates = [_rate(history.of(COMPANY, measure), history.of(COMPANY, feed)) for feed in feeds]

    def level(
        figures: Sequence[float], lives: Sequence[float], memory: float, before: float
    ) -> list[float]:
        return [0.0] * since + _level(figures[since:], lives[since:], memory, before)

    for scope, figures in own.items():
        fed: list[list[float]] = []
        long_run: list[list[float]] = []
        for feed, pooled in zip(feeds, company_rates, strict=True):
            source = history.of(scope, feed)
            rate = (sum(figures) + _FEW_DEALS * pooled) / (sum(source) + _FEW_DEALS)
            fed.append([rate * each for each in level(source, even, DELAY * 0.69, 0.0)])
            long_run.append([rate * each for each in level(source, even, MEMORIES[1], 0.0)])
        before = usual[kind_of(scope)]
        track = _Track(
            running_sums(figures),
            [level(figures, lively, memory, before) for memory in MEMORIES],
            fed,
            long_run,
            level(opened[scope], even, MEMORIES[1], 0.0) if scope in opened else [0.0] * known,
        )
        yield scope, track


def _rate(found: Sequence[float], source: Sequence[float]) -> float:
    return sum(found) / max(1.0, sum(source))


def _usual(own: Mapping[str, Sequence[float]], lively: Sequence[float]) -> dict[str, float]:
    """What a scope of each kind has on a lively day, over the days since it had its first."""
    found: dict[str, float] = {}
    days: dict[str, float] = {}
    so_lively = running_sums(lively)
    for scope, figures in own.items():
        since = begin_of(figures)
        if since < len(figures):
            kind = kind_of(scope)
            found[kind] = found.get(kind, 0.0) + sum(figures)
            days[kind] = days.get(kind, 0.0) + so_lively[-1] - so_lively[since]
    return {kind_of(scope): 0.0 for scope in own} | {
        kind: found[kind] / days[kind] if days[kind] else 0.0 for kind in found
    }


def _level(figures: Sequence[float], lively: Sequence[float], memory: float, before: float) -> list[float]:
    """A lively day's figure, as it looked at the end of each day: old days count less and less."""
    keep = 0.5 ** (1.0 / memory)
    found, days = before * _FEW_DAYS, _FEW_DAYS
    begun = begin_of(figures)
    levels = [0.0] * begun
    for figure, lives in zip(figures[begun:], lively[begun:], strict=False):
        if lives > 0.3:
            found *= keep
            days *= keep
        found += figure
        days += lives
        levels.append(found / days)
    return levels


def _opened(history: History) -> dict[str, list[float]]:
    opened: dict[str, list[float]] = {}
    for deal in history.deals:
        for scope in deal.scopes:
            opened.setdefault(scope, [0.0] * history.known)[deal.opened - history.days.first] += 1.0
    return opened


def _open_deals(history: History, at: int) -> dict[str, list[int]]:
    """By scope: the ages of the deals that were open at the end of a day, by its place."""
    day, worked = history.days.first + at, history.days.worked
    found: dict[str, list[int]] = {}
    for deal in history.deals:
        if deal.opened <= day and (deal.decided is None or deal.decided > day):
            age = worked[at + 1] - worked[deal.opened - history.days.first + 1]
            for scope in deal.scopes:
                found.setdefault(scope, []).append(min(age, OLDEST))
    return found


def _worths(history: History, number_of: str, amount_of: str) -> dict[str, Worth]:
    """What one is worth in each scope; its variation is the whole company's."""
    numbers, amounts = history.of(COMPANY, number_of), history.of(COMPANY, amount_of)
    in_all = sum(numbers)
    usual = sum(amounts) / in_all if in_all else 0.0
    variation, alike = _variation(history, numbers, amounts, usual)
    worths: dict[str, Worth] = {}
    for scope in history.scopes(number_of):
        number = sum(history.of(scope, number_of)[-365:])
        amount = sum(history.of(scope, amount_of)[-365:])
        value = (amount + _FEW_DEALS * usual) / (number + _FEW_DEALS)
        worths[scope] = Worth(value, variation, number + _FEW_DEALS, alike)
    return worths


def _variation(
    history: History, numbers: Sequence[float], amounts: Sequence[float], usual: float
) -> tuple[float, float]:
    """How much one differs from another within a month, and how many of before are as good as one of now.

    By an analysis of variance over months: where their means differ by no more than chance, all of before
    is as good.
    """
    months: dict[int, list[int]] = {}
    for place in range(max(0, history.known - 365), history.known):
        if numbers[place]:
            months.setdefault(history.days.months[place], []).append(place)
    within, between, days, many, squares = 0.0, 0.0, 0, 0.0, 0.0
    for places in months.values():
        number = sum(numbers[place] for place in places)
        mean = sum(amounts[place] for place in places) / number
        within += sum((amounts[place] - numbers[place] * mean) ** 2 / numbers[place] for place in places)
        between += number * (mean - usual) ** 2
        days += len(places)
        many += number
        squares += number * number
    if days <= len(months) or not usual:
        return 1.0, inf
    variance = within / (days - len(months))
    effective = many - squares / many
    differ = (between - (len(months) - 1) * variance) / effective if effective > 0.0 else 0.0
    return variance / (usual * usual), variance / differ if differ > 0.0 else inf


def _told(
    learned: Learned,
    scope: str,
    lately: Lately,
    at: int,
    high: int,
    open_deals: Sequence[int],
) -> list[float]:
    """What each way to tell says will come from the end of a day, by its place, until before another."""
    worked = learned.days.worked
    span = learned.so_lively[high] - learned.so_lively[at + 1]
    found = [level * span for level in lately.levels]
    ahead = worked[high] - worked[at + 1]
    found.append(_with_trend(lately.levels[1], lately.levels[2], ahead) * span)
    livelier = span / ahead if ahead else 1.0
    for fed, usual in zip(lately.fed, lately.usual, strict=True):
        # What was fed lately comes out over the delay, and then what usually is.
        now = DELAY * (1.0 - (1.0 - 1.0 / DELAY) ** ahead)
        found.append(livelier * (fed * now + usual * (ahead - now)))
    if learned.chances is not None:
        table, coming, skill = learned.chances
        waiting = sum(won_within(table, span, age) for age in open_deals)
        found.append(skill.get(scope, 1.0) * (waiting + lately.opened * won_of_coming(coming, span)))
    return found


def _with_trend(lately: float, longer: float, ahead: int) -> float:
    """The level halfway ahead, if it goes on as from a longer memory's to a shorter one's."""
    _, short, long = (memory / log(2.0) for memory in MEMORIES)
    slope = (lately - longer) / (long - short)
    return min(max(lately + slope * (short + ahead / 2), lately * 0.5), lately * 2.0)


def _together(found: Sequence[float], weights: Sequence[float]) -> float:
    return sum(each * weight for each, weight in zip(found, weights, strict=True))


def _nearest(ahead: int) -> int:
    """Which horizon tells most about so many working days."""
    return 0 if ahead <= 8 else 1 if ahead <= 25 else 2


class _Trial(NamedTuple):
    kind: str
    horizon: int
    found: list[float]
    came: float


def _try_on_the_past(learned: Learned, history: History) -> None:
    """Weigh the ways to tell by what they would have said, and see how far off they are together."""
    tracks = dict(_tracks(history, learned.measure, learned.lively))
    if not tracks:
        return
    trials = list(_trials(learned, tracks, history))
    one = next(iter(tracks.values()))
    ways = len(one.levels) + 1 + len(one.fed) + (learned.chances is not None)
    for kind in {kind_of(scope) for scope in tracks}:
        learned.weights[kind], learned.spread[kind] = [], []
        for horizon in range(len(HORIZONS)):
            of_kind = [trial for trial in trials if trial.kind == kind and trial.horizon == horizon]
            weights = _weights(of_kind, ways)
            learned.weights[kind].append(weights)
            learned.spread[kind].append(_spread(of_kind, weights, learned.spread[kind]))


def _trials(learned: Learned, tracks: Mapping[str, _Track], history: History) -> Iterator[_Trial]:
    worked, known = history.days.worked, history.known
    begun = begin_of(history.of(COMPANY, learned.measure))
    places = [at for at in range(begun, known) if history.days.works[at]]
    for start in range(len(places) - 1 - HORIZONS[0], _BEFORE, -_APART)[:_TRIED]:
        at = places[start]
        open_deals = _open_deals(history, at) if learned.chances is not None else {}
        for horizon, ahead in enumerate(HORIZONS):
            if start + ahead >= len(places):
                continue
            high = places[start + ahead] + 1
            assert worked[high] - worked[at + 1] == ahead
            for scope, track in tracks.items():
                # Whom nothing is heard of is no example.
                if track.levels[1][at] > 0.0 and track.sums[at + 1] > 0.0:
                    found = _told(learned, scope, track.at(at), at, high, open_deals.get(scope, ()))
                    came = track.sums[high] - track.sums[at + 1]
                    yield _Trial(kind_of(scope), horizon, found, came)


def _weights(trials: Sequence[_Trial], ways: int) -> list[float]:
    if not trials:
        return [1.0 / ways] * ways
    errors = [
        sum(
            (trial.found[way] - trial.came) ** 2 / (trial.came + trial.found[way] + 1.0) for trial in trials
        )
        for way in range(ways)
    ]
    least = min(errors)
    if least <= 0.0:
        return [1.0 / ways] * ways
    weights = [(least / error) ** _SHARPNESS if error < inf else 0.0 for error in errors]
    return [weight / sum(weights) for weight in weights]


def _spread(trials: Sequence[_Trial], weights: Sequence[float], nearer: Sequence[float]) -> float:
    """What of the squared error is more than that of independent events, by the square of the mean."""
    usual = nearer[-1] if nearer else _USUAL_SPREAD
    means = [_together(trial.found, weights) for trial in trials]
    square = sum(mean * mean for mean in means)
    drawn = _TRIED_ENOUGH * (square / len(means) if means else 1.0)
    beyond = sum((trial.came - mean) ** 2 - mean for trial, mean in zip(trials, means, strict=True))
    return max(1e-4, (beyond + drawn * usual) / (square + drawn)) if square else usual
