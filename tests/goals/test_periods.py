"""Periods are the dates that people mean."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.periods import (
    Span,
    a_year_before,
    first_period,
    named,
    period_at,
    periods_within,
    span_before,
    window_of,
    windows_in,
)
from kpis.calendar import day_number, window_end
from schemas.goals import Once, Recurring


def span(first: str, last: str) -> Span:
    return Span(day_number(date.fromisoformat(first)), day_number(date.fromisoformat(last)))


@pytest.mark.parametrize(
    ("of", "before", "year_before"),
    [
        (
            span("2026-04-01", "2026-06-30"),
            span("2026-01-01", "2026-03-31"),
            span("2025-04-01", "2025-06-30"),
        ),
        (
            span("2025-02-01", "2025-02-28"),
            span("2025-01-01", "2025-01-31"),
            span("2024-02-01", "2024-02-29"),
        ),
        (
            span("2026-03-02", "2026-03-08"),
            span("2026-02-23", "2026-03-01"),
            span("2025-03-02", "2025-03-08"),
        ),
        (
            span("2024-02-29", "2024-03-04"),
            span("2024-02-24", "2024-02-28"),
            span("2023-02-28", "2023-03-04"),
        ),
        (
            span("2026-01-01", "2026-12-31"),
            span("2025-01-01", "2025-12-31"),
            span("2025-01-01", "2025-12-31"),
        ),
    ],
)
def test_what_a_span_is_compared_with(of: Span, before: Span, year_before: Span) -> None:
    """Whole months with whole months, other days with as many days."""
    assert span_before(of) == before
    assert a_year_before(of) == year_before


@pytest.mark.parametrize(
    ("of", "name"),
    [
        (span("2026-01-01", "2026-12-31"), "2026"),
        (span("2026-04-01", "2026-06-30"), "2026-Q2"),
        (span("2026-02-01", "2026-02-28"), "2026-02"),
        (span("2026-12-28", "2027-01-03"), "2026-W53"),
        (span("2026-02-01", "2026-02-01"), "2026-02-01"),
        (span("2026-02-01", "2026-02-27"), "2026-02-01 to 2026-02-27"),
    ],
)
def test_periods_are_called_by_their_names(of: Span, name: str) -> None:
    """As in a file of goals."""
    assert named(of) == name


DAYS = st.integers(day_number(date(2019, 1, 1)), day_number(date(2029, 1, 1)))


@given(DAYS, st.integers(0, 900))
def test_the_windows_of_a_span_are_just_its_days(first: int, more: int) -> None:
    """Without gap or overlap."""
    day = first
    for window in windows_in(Span(first, first + more)):
        assert window.start == day
        end = window_end(*window)
        assert end is not None
        day = end
    assert day == first + more + 1
    whole = window_of(Span(first, first + more))
    assert whole is None or windows_in(Span(first, first + more)) == (whole,)


def test_recurring_periods() -> None:
    """Begin with the first whole window, and end before `until`."""
    months = Recurring(grain="month", start=date(2026, 1, 15), until=date(2026, 4, 1))
    assert first_period(months) == span("2026-02-01", "2026-02-28")
    assert period_at(months, day_number(date(2026, 1, 20))) is None
    assert period_at(months, day_number(date(2026, 3, 31))) == span("2026-03-01", "2026-03-31")
    assert period_at(months, day_number(date(2026, 4, 1))) is None
    assert list(periods_within(months, span("2020-01-01", "2030-01-01"))) == [
        span("2026-02-01", "2026-02-28"),
        span("2026-03-01", "2026-03-31"),
    ]
    assert list(periods_within(months, span("2026-03-05", "2026-03-05"))) == [
        span("2026-03-01", "2026-03-31")
    ]


def test_a_period_that_is_set_once() -> None:
    """It is there on its own days."""
    once = Once(start=date(2026, 3, 5), end=date(2026, 3, 20))
    assert period_at(once, day_number(date(2026, 3, 20))) == first_period(once)
    assert period_at(once, day_number(date(2026, 3, 21))) is None
    assert list(periods_within(once, span("2026-03-20", "2026-04-01"))) == [first_period(once)]
    assert list(periods_within(once, span("2026-03-21", "2026-04-01"))) == []
