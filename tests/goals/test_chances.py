"""Closed forms against the sums they stand for, and what must hold of any distribution."""

from math import exp, lgamma, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.chances import Rest, chance_of, count, quantile, shares, worth

means = st.floats(0.05, 2_000.0)
spreads = st.floats(0.0, 1.0)


def exactly(mean: float, overdispersion: float, amount: int) -> float:
    """At least so many, of a negative binomial, term by term."""
    size = 1.0 / overdispersion
    share = mean / (mean + size)
    below = (
        exp(lgamma(k + size) - lgamma(size) - lgamma(k + 1) + size * log(1.0 - share) + k * log(share))
        for k in range(amount)
    )
    return 1.0 - sum(below)


@pytest.mark.parametrize("mean", [0.2, 1.0, 4.0, 20.0, 150.0, 500.0])
@pytest.mark.parametrize("overdispersion", [0.001, 0.03, 0.15, 0.5])
def test_counts_are_negative_binomial(mean: float, overdispersion: float) -> None:
    """Small ones exactly, and large ones to a hundredth."""
    rest = count(mean, overdispersion)
    for amount in {1, 2, 3, int(mean), int(mean * 1.3) + 1, int(mean * 2) + 1} - {0}:
        assert chance_of(rest, amount) == pytest.approx(
            exactly(mean, overdispersion, amount), abs=1e-9 if mean <= 300 else 0.01
        )


@given(means, spreads, st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_more_is_less_likely(mean: float, spread: float, one: float, other: float) -> None:
    """The chance of an amount falls as the amount grows, and is a probability."""
    for rest in (count(mean, spread), worth(count(mean, spread), 70.0, 0.8, 20.0)):
        less, more = sorted((one * rest.mean, other * rest.mean))
        assert 1.0 >= chance_of(rest, less) >= chance_of(rest, more) >= 0.0


@given(means, spreads, st.floats(0.01, 0.99))
def test_a_quantile_is_where_the_chance_is(mean: float, spread: float, probability: float) -> None:
    """Of amounts, which are continuous above nothing."""
    rest = worth(count(mean, spread), 1_000.0, 0.6, 50.0)
    amount = quantile(rest, probability)
    if amount > 0.0:
        assert chance_of(rest, amount) == pytest.approx(1.0 - probability, abs=1e-6)
    else:
        assert probability <= rest.nothing + 0.1


@given(means, spreads, st.floats(0.0, 1.0))
def test_a_day_is_the_sum_of_its_parts(mean: float, spread: float, share: float) -> None:
    """What is left of it, and what has passed."""
    whole = count(mean, spread)
    again = whole.of(share).and_then(whole.of(1.0 - share))
    assert again.mean == pytest.approx(whole.mean)
    assert again.variance == pytest.approx(whole.variance)
    assert again.nothing == pytest.approx(whole.nothing)


@given(means, means, spreads)
def test_what_is_alike_errs_alike(one: float, other: float, spread: float) -> None:
    """Two counts that are both off by as much are as uncertain as their sum is."""
    both = count(one, spread).beside(count(other, spread))
    alone = count(one + other, spread)
    assert both.mean == pytest.approx(alone.mean)
    assert both.variance == pytest.approx(alone.variance)


def test_nothing_comes_where_nothing_is_expected() -> None:
    """Neither a count nor an amount."""
    assert chance_of(count(0.0, 0.1), 1) == 0.0
    assert quantile(Rest(0.0, 0.0, 1.0, whole=False), 0.9) == 0.0


@given(st.integers(0, 600), st.floats(0.5, 300.0), st.floats(0.5, 300.0))
def test_shares_are_a_distribution(number: int, yes: float, no: float) -> None:
    """It adds up to one, and its mean is that of what was before."""
    chances = shares(number, yes, no)
    assert len(chances) == number + 1
    assert sum(chances) == pytest.approx(1.0)
    mean = sum(k * chance for k, chance in enumerate(chances))
    assert mean == pytest.approx(number * yes / (yes + no), rel=1e-6)
