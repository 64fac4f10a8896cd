"""From a history to a forecast of each KPI."""

from functools import cache
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.expecting import KPIS, SUMS, Ask, Expecting, counts_of, learn_all, measures_of
from goals.outlook import History
from goals.pipeline import FARTHEST, Deal, learn_chances, won_of_coming, won_within
from goals.seasons import Days
from kpis.calendar import date_of
from tests.examples import examples

FIRST = 20_000
KNOWN = 300
SCOPES = ("company", "team:a", "seller:x")
SIZES = {"company": 6.0, "team:a": 3.0, "seller:x": 1.0}


def works(day: int) -> bool:
    return date_of(day).weekday() < 5


@cache
def history(rate: float = 1.0) -> History:
    """Ten months that a seeded chance made up; revenue and cost at an exchange rate."""
    random = Random(1)
    days = Days(FIRST, FIRST + KNOWN + 120, works)
    series: dict[tuple[str, str], list[float]] = {}
    for scope in SCOPES:
        for measure in sorted(set[str]().union(*(measures_of(kpi) for kpi in KPIS))):
            counts = [
                float(sum(random.random() < 0.25 for _ in range(int(4 * SIZES[scope]))))
                * works(FIRST + day)
                for day in range(KNOWN)
            ]
            if measure in {"revenue", "cost"}:
                counts = [count * random.uniform(500.0, 1_500.0) * rate for count in counts]
            series[scope, measure] = counts
    deals = [
        Deal(day, day + 20 if day % 3 else None, day % 2 == 0, SCOPES)
        for day in range(FIRST, FIRST + KNOWN - 20)
        if works(day)
    ]
    return History(days, FIRST + KNOWN - 1, series, deals)


@cache
def expecting(rate: float = 1.0) -> Expecting:
    return Expecting(history(rate), learn_all(history(rate), set(KPIS)), history(rate).today + 1)


def done_of(kpi: str, scope: str, days: int, rate: float = 1.0) -> dict[str, float]:
    return {measure: sum(history(rate).of(scope, measure)[-days:]) for measure in measures_of(kpi)}


def usual(kpi: str, scope: str) -> float:
    """What sixty days usually have."""
    done = done_of(kpi, scope, 240)
    if kpi in SUMS:
        return sum(done.values()) / 4
    above, below = measures_of(kpi)
    return done[above] / (done[above] + done[below] if kpi == "win_rate" else done[below])


@pytest.mark.parametrize("kpi", KPIS)
@pytest.mark.parametrize("scope", SCOPES)
def test_every_kpi_has_a_forecast(kpi: str, scope: str) -> None:
    """Within its interval, near what was usual, and the likelier the lower the target."""
    asks = [
        Ask(kpi, scope, history().today + 30, usual(kpi, scope) * part, "at_least")
        for part in (0.5, 0.9, 1.0, 1.1, 2.0)
    ]
    found = [expecting().forecast(ask, done_of(kpi, scope, 30), 1.0) for ask in asks]
    for forecast in found:
        assert forecast.expected is not None
        assert forecast.low is not None
        assert forecast.high is not None
        assert forecast.low <= forecast.expected <= forecast.high
        assert forecast.expected == pytest.approx(usual(kpi, scope), rel=0.35)
    chances = [forecast.probability for forecast in found]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.8
    assert chances[-1] < 0.2


@examples(30)
@given(
    st.sampled_from(["revenue", "average_deal_value", "cac"]), st.sampled_from(SCOPES), st.floats(0.0, 1.0)
)
def test_another_currency_changes_no_probability(kpi: str, scope: str, left: float) -> None:
    """From the history on."""
    rate = 11.3
    target = usual(kpi, scope)
    ask = Ask(kpi, scope, history().today + 20, target, "at_least")
    one = expecting().forecast(ask, done_of(kpi, scope, 30), left)
    other = expecting(rate).forecast(
        ask._replace(target=target * rate), done_of(kpi, scope, 30, rate), left
    )
    assert other.probability == pytest.approx(one.probability, abs=1e-9)
    assert other.expected == pytest.approx((one.expected or 0.0) * rate)


@pytest.mark.parametrize("kpi", KPIS)
def test_at_the_end_of_a_period_it_is_sure(kpi: str) -> None:
    """When nothing is left of its last day."""
    today = history().today + 1
    done = {measure: amount / 4 for measure, amount in done_of(kpi, "company", 240).items()}
    result = usual(kpi, "company")
    for target, probability in ((result * 0.99, 1.0), (result * 1.01, 0.0)):
        ask = Ask(kpi, "company", today, target, "at_least")
        found = expecting().forecast(ask, done, 0.0)
        assert found.probability == probability
        assert found.low == found.expected == found.high == pytest.approx(result)


@examples(30)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_goal_slips_because_time_passes(one: float, other: float) -> None:
    """The less of the day is left, the less is expected."""
    early, late = max(one, other), min(one, other)
    ask = Ask("meetings_booked", "team:a", history().today + 3, 12.0, "at_least")
    done = {"meetings_booked": 4.0}
    assert expecting().forecast(ask, done, late).probability <= (
        expecting().forecast(ask, done, early).probability + 1e-9
    )


def test_what_must_be_learned() -> None:
    """Amounts are so many of a count."""
    assert counts_of("revenue") == {"deals_won"}
    assert counts_of("cac") == {"cost_days", "customers_new"}


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 60), st.sampled_from("wlo")), max_size=60))
def test_more_time_wins_more_deals(told: list[tuple[int, int, str]]) -> None:
    """Whatever was seen: chances are chances, and grow with the days that are left."""
    deals = [
        Deal(FIRST + opened, None if end == "o" else FIRST + opened + days, end == "w", ("company",))
        for opened, days, end in told
    ]
    worked = Days(FIRST, FIRST + 200, works).worked
    table, coming, _ = learn_chances(deals, FIRST, worked, FIRST + 170)
    for age in (0, 7, 60, 180):
        chances = [won_within(table, ahead / 2, age) for ahead in range(2 * FARTHEST + 4)]
        assert chances == sorted(chances)
        assert 0.0 <= chances[0] <= chances[-1] <= 1.0
    assert all(won_of_coming(coming, n) <= won_of_coming(coming, n + 1) <= n + 1 for n in range(80))
