"""What must hold of every forecast, whatever was learned."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from goals.chances import NOTHING, Rest, count, worth
from goals.forecast import Forecast, Split, left_of_day, of_mean, of_share, of_sum, to_come

means = st.floats(0.05, 500.0)
spreads = st.floats(0.0, 0.6)
figures = st.floats(0.0, 1_000.0)
better = st.sampled_from(["at_least", "at_most"])


def contains(forecast: Forecast) -> bool:
    assert forecast.expected is not None
    assert forecast.low is not None
    assert forecast.high is not None
    return forecast.low <= forecast.expected <= forecast.high and 0.0 <= forecast.probability <= 1.0


@st.composite
def rests(draw: st.DrawFn) -> Rest:
    number = count(draw(means), draw(spreads))
    return draw(st.sampled_from([number, worth(number, 900.0, 0.7, 30.0)]))


@given(rests(), figures, figures, figures)
def test_the_more_is_done_the_likelier_at_least_is_reached(
    rest: Rest, one: float, other: float, target: float
) -> None:
    """And the less likely it is that no more than the target is."""
    less, more = sorted((one, other))
    unit = 1.0 if rest.whole else 900.0
    first, then = (of_sum(done * unit, rest, target * unit, "at_least") for done in (less, more))
    assert first.probability <= then.probability
    first, then = (of_sum(done * unit, rest, target * unit, "at_most") for done in (less, more))
    assert first.probability >= then.probability


@given(rests(), figures, figures, figures)
def test_the_higher_the_target_the_less_likely_it_is_reached(
    rest: Rest, done: float, one: float, other: float
) -> None:
    """At least; and at most the other way."""
    less, more = sorted((one, other))
    assert (
        of_sum(done, rest, less, "at_least").probability >= of_sum(done, rest, more, "at_least").probability
    )
    assert (
        of_sum(done, rest, less, "at_most").probability <= of_sum(done, rest, more, "at_most").probability
    )


@given(rests(), figures, figures, better)
def test_the_interval_of_a_sum_holds_what_is_expected(
    rest: Rest, done: float, target: float, way: str
) -> None:
    """And nothing that is done is taken back."""
    forecast = of_sum(done, rest, target, "at_least" if way == "at_least" else "at_most")
    assert contains(forecast)
    assert forecast.low is not None
    assert forecast.low >= done


@given(st.integers(0, 80), st.integers(0, 80), means, spreads, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_rate_of_decisions(
    won: int, lost: int, mean: float, spread: float, one: float, other: float
) -> None:
    """Falls with the target, rises with what is won, and lies within its interval."""
    low, high = sorted((one, other))
    before, rest = Split(12.0, 18.0), count(mean, spread)

    def chance(yes: int, no: int, target: float) -> Forecast:
        return of_share(Split(yes, no), rest, before, target, "at_least")

    assert contains(chance(won, lost, low))
    assert chance(won, lost, low).probability >= chance(won, lost, high).probability - 1e-9
    assert chance(won + 1, lost, low).probability >= chance(won, lost + 1, low).probability - 1e-9


@given(figures, st.integers(1, 100), means, spreads, st.floats(100.0, 3_000.0), better)
def test_a_mean(done: float, number: int, mean: float, spread: float, target: float, way: str) -> None:
    """Both ways of reaching it add up to one; its interval holds what is expected."""
    below = count(mean, spread)
    above = worth(below, 900.0, 0.7, 30.0)
    least, most = (
        of_mean(done * 900.0, number, above, below, target, how)  # type: ignore[arg-type]
        for how in ("at_least", "at_most")
    )
    assert contains(least)
    assert least.probability + most.probability == pytest.approx(1.0)


@given(figures, figures, st.integers(1, 100))
def test_at_the_end_nothing_is_uncertain(done: float, target: float, number: int) -> None:
    """The target is reached, or it is not; to the last cent."""
    for rest in (NOTHING, NOTHING._replace(whole=True)):
        least, most = of_sum(done, rest, target, "at_least"), of_sum(done, rest, target, "at_most")
        assert (least.low, least.expected, least.high) == (done, done, done)
        assert least.probability == float(done >= target)
        assert most.probability == float(done <= target)
    rate = of_share(Split(number, 100 - number), NOTHING, Split(5.0, 5.0), 0.4, "at_least")
    assert rate.probability == float(number / 100 >= 0.4)
    mean = of_mean(done, number, NOTHING, NOTHING, target, "at_most")
    assert mean.probability == float(done / number <= target)


@given(means, spreads, figures, figures, st.floats(0.001, 1_000.0), better)
def test_another_currency_changes_no_probability(
    mean: float, spread: float, done: float, target: float, rate: float, way: str
) -> None:
    """And every amount by the rate."""
    how = "at_least" if way == "at_least" else "at_most"
    assume(abs(done - target) > 1e-6)
    number = count(mean, spread)
    one = of_sum(done, worth(number, 7.0, 0.7, 30.0), target, how)
    other = of_sum(done * rate, worth(number, 7.0 * rate, 0.7, 30.0), target * rate, how)
    assert other.probability == pytest.approx(one.probability, abs=1e-9)
    assert other.expected == pytest.approx((one.expected or 0.0) * rate)
    assert other.low == pytest.approx((one.low or 0.0) * rate)
    assert other.high == pytest.approx((one.high or 0.0) * rate)


@given(rests(), figures, figures, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_as_a_day_passes_without_a_thing_the_target_slips(
    rest: Rest, done: float, missing: float, one: float, other: float
) -> None:
    """A goal slips because time passes, not only because something happens."""
    early, late = sorted((one, other))
    later = count(8.0, 0.05) if rest.whole else worth(count(8.0, 0.05), 900.0, 0.7, 30.0)
    earlier, then = (
        of_sum(done, to_come(rest, later, 1.0 - passed), done + missing, "at_least").probability
        for passed in (early, late)
    )
    assert then <= earlier + 0.01


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_what_is_left_of_a_day(share: float, dawn: float, more: float) -> None:
    """All of it at dawn, nothing at dusk, and nothing of a day without working time."""
    dusk = dawn + more
    assert 0.0 <= left_of_day(share, dawn, dusk) <= 1.0
    assert left_of_day(dusk, dawn, dusk) == 0.0
    assert left_of_day(dawn, dawn, dusk) == (1.0 if dusk > dawn else 0.0)
