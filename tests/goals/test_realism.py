"""A goal that is beyond all that there was is called so, and is a goal all the same."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.figures import Records, key_of
from goals.known import known_kpis
from goals.realism import unrealistic
from kpis.calendar import Grain, Window, date_of, day_number, window_end
from notices.reasons import sentence
from schemas.goals import Absolute, Amount, Better, Goal, Recurring, Relative
from schemas.records import Figure, KpiRecord

KNOWN = known_kpis("SEK")
TODAY = day_number(date(2026, 3, 20))


def months(kpi: str, figures: list[Figure]) -> Records:
    """Records of the months up to February."""
    records: dict[str, KpiRecord] = {}
    start = day_number(date(2026, 3, 1))
    for figure in reversed(figures):
        day = date_of(start - 1)
        start = day_number(day.replace(day=1))
        window = Window(Grain.MONTH, start)
        end = window_end(*window)
        assert end is not None
        records[key_of("company", window)] = KpiRecord(
            scope="company",
            grain="month",
            start=date_of(start),
            end=date_of(end),
            state="closed",
            revision=1,
            measures={},
            kpis={kpi: figure},
            as_of=datetime(2026, 3, 20, tzinfo=UTC),
        )
    return records


def said(
    kpi: str, target: Absolute | Relative, figures: list[Figure], better: Better = "at_least"
) -> list[str]:
    goal = Goal(
        id="g",
        version=1,
        scope="company",
        kpi=kpi,
        better=better,
        target=target,
        period=Recurring(grain="month", start=date(2026, 4, 1)),
    )
    return [sentence(doubt) for doubt in unrealistic(goal, KNOWN, months(kpi, figures), TODAY)]


def absolute(value: Amount) -> Absolute:
    return Absolute(value=value)


def test_more_than_there_ever_was() -> None:
    """Says when the best was, and how much it usually is. The month that is not over is no history."""
    assert said("meetings_booked", absolute("90"), [0, 0, 20, 42, 31]) == [
        "your best month of the last 3 was 42 (2026-01); this asks for 90. On average it was 31."
    ]
    assert said("meetings_booked", absolute("42"), [20, 42, 31]) == []
    assert said("meetings_booked", absolute("90"), [42, 31]) == []


def test_less_than_there_ever_was() -> None:
    """Of what should be little."""
    assert said("cac", absolute("100"), ["250.00", "300.00", None, "500.00"], "at_most") == [
        "your lowest month of the last 3 was 250.00 (2025-11); this asks for 100.00."
        " On average it was 350.00."
    ]
    assert said("cac", absolute("250"), ["250.00", "300.00", "500.00"], "at_most") == []


def test_rates_are_said_in_percent() -> None:
    """As people write them."""
    [doubt] = said("win_rate", absolute("0.5"), [0.25, 0.3, 0.123456])
    assert "was 30 % (2026-01); this asks for 50 %. On average it was 22.45 %." in doubt


def test_large_figures_are_written_out() -> None:
    """To four digits, but none of those before the point is lost; nobody reads 1.2e+04."""
    [doubt] = said("meetings_booked", absolute("90000"), [11_999, 12_000, 12_003])
    assert "was 12003 (2026-02); this asks for 90000. On average it was 12001." in doubt
    [doubt] = said("meetings_booked", absolute("90"), [1, 1, 2])
    assert doubt.endswith("On average it was 1.333.")
    [doubt] = said("sales_cycle_days", absolute("10"), [12_345.6, 23_456.7, 50_000.0], "at_most")
    assert "was 12346 (2025-12); this asks for 10. On average it was 28601." in doubt
    [doubt] = said("sales_growth", absolute("500"), [200.0, 123.0, 0.00001])
    assert "was 20000 % (2025-12); this asks for 50000 %. On average it was 10767 %." in doubt


@given(st.floats(1e-6, 1e12))
def test_figures_are_read_as_they_are(figure: float) -> None:
    """To a part in two thousand, and in plain digits."""
    [doubt] = said("sales_cycle_days", absolute("0"), [figure, figure, figure], "at_most")
    [mean] = re.findall(r"On average it was ([0-9.]+)\.$", doubt)
    assert float(mean) == pytest.approx(figure, rel=0.0005)


def test_a_change_of_nothing() -> None:
    """There is nothing to measure it against yet."""
    [doubt] = said("revenue", Relative(change="0.14", baseline="last_year"), ["1.00", "1.00", "1.00"])
    assert "no revenue in what it is measured against" in doubt
