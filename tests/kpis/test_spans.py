"""Windows as records know them."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import day_number
from kpis.spans import held_in, spans_of

DAYS = st.integers(day_number(date(1999, 1, 1)), day_number(date(2040, 12, 31)))


@given(DAYS, st.integers(0, 4))
def test_what_holds_a_window_holds_each_of_its_days(day: int, which: int) -> None:
    """Once for each grain, the years first; at New Year, too."""
    span = spans_of(day)[which]
    assert span.end is not None
    years, *longer = held_in(span)
    assert all(year.is_year for year in years)
    for holders in [years, *longer]:
        assert len({holder.grain for holder in holders}) == 1
        for each in range(span.start, span.end):
            assert sum(holder in spans_of(each) for holder in holders) == 1
    assert [holders[0].grain for holders in longer] == {
        "day": ["month"],
        "week": ["month"],
        "month": ["quarter"],
        "quarter": [],
        "year": [],
    }[span.grain]
