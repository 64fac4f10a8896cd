"""A KPI over any days is what the records of these days say."""

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.figures import exact, figures_of, key_of, keys_of, per_lead, shown, target_of, value_of
from goals.judging import reached
from goals.known import known_kpis
from goals.periods import Span, windows_in
from kpis.calendar import Grain, Window, date_of, day_number, window_end
from kpis.rounding import decimal_text, half_even
from schemas.definitions import Definitions, KpiDefinition, KpiUnit, MeasureDefinition
from schemas.goals import Absolute, Better, Goal, Once, Relative
from schemas.records import Figure, KpiRecord

KNOWN = known_kpis("SEK")
ANNA = "seller:anna"


def span(first: str, last: str) -> Span:
    return Span(day_number(date.fromisoformat(first)), day_number(date.fromisoformat(last)))


def record(window: Window, measures: dict[str, Figure], kpis: dict[str, Figure]) -> KpiRecord:
    end = window_end(*window)
    return KpiRecord(
        scope=ANNA,
        grain=window.grain.value,
        start=date_of(window.start),
        end=None if end is None else date_of(end),
        state="open",
        revision=1,
        measures=measures,
        kpis=kpis,
        as_of=datetime(2026, 6, 1, tzinfo=UTC),
    )


def counted(of: Span, measures: dict[str, Figure]) -> dict[str, KpiRecord]:
    """A record for each of the windows that a span is put together from, each with the same measures."""
    return {key_of(ANNA, window): record(window, measures, {}) for window in windows_in(of)}


def test_a_calendar_window_is_read_off_its_own_record() -> None:
    """Whatever its days say, which may be rounded."""
    march = span("2026-03-01", "2026-03-31")
    records = {
        key_of(ANNA, Window(Grain.MONTH, march.first)): record(
            Window(Grain.MONTH, march.first), {"revenue": "1.00"}, {"revenue": "10.50", "hit_rate": 0.25}
        )
    }
    assert value_of(KNOWN.kpis["revenue"], KNOWN, ANNA, march, records) == Fraction("10.5")
    assert value_of(KNOWN.kpis["hit_rate"], KNOWN, ANNA, march, records) == Fraction(1, 4)


def test_other_days_are_put_together_from_measures() -> None:
    """Sums and means; not what counts persons once."""
    days = span("2026-03-30", "2026-05-02")
    records = counted(days, {"revenue": "10.50", "deals_won": 2, "deals_lost": 1, "contacts": 7})
    windows = len(windows_in(days))
    assert windows == 10
    kpis = KNOWN.kpis
    assert value_of(kpis["revenue"], KNOWN, ANNA, days, records) == Fraction("10.5") * windows
    assert value_of(kpis["deals_closed"], KNOWN, ANNA, days, records) == 3 * windows
    assert value_of(kpis["average_deal_value"], KNOWN, ANNA, days, records) == Fraction("5.25")
    assert value_of(kpis["win_rate"], KNOWN, ANNA, days, records) == pytest.approx(2 / 3)
    assert value_of(kpis["hit_rate"], KNOWN, ANNA, days, records) is None
    assert value_of(kpis["sales_growth"], KNOWN, ANNA, days, records) is None


def test_nothing_counts_where_there_is_no_record() -> None:
    """A sum is zero, a mean is not known."""
    march = span("2026-03-01", "2026-03-31")
    assert value_of(KNOWN.kpis["revenue"], KNOWN, ANNA, march, {}) == 0
    assert value_of(KNOWN.kpis["win_rate"], KNOWN, ANNA, march, {}) is None
    assert value_of(KNOWN.kpis["sales_growth"], KNOWN, ANNA, march, {}) is None


def test_a_relative_target() -> None:
    """So much more than the months before were; nothing where these were nothing."""
    goal = Goal(
        id="g",
        version=1,
        scope=ANNA,
        kpi="revenue",
        better="at_least",
        target=Relative(change="0.14", baseline="span_before"),
        period=Once(start=date(2026, 4, 1), end=date(2026, 6, 30)),
    )
    quarter = span("2026-04-01", "2026-06-30")
    before = Window(Grain.QUARTER, day_number(date(2026, 1, 1)))
    records = {key_of(ANNA, before): record(before, {}, {"revenue": "1000.00"})}
    assert target_of(goal, KNOWN.kpis["revenue"], KNOWN, quarter, records) == 1140
    assert target_of(goal, KNOWN.kpis["revenue"], KNOWN, quarter, {}) is None
    assert key_of(ANNA, before) in set(keys_of(goal, quarter, quarter.first))


def won(won: int, of: int, target: Absolute | Relative, better: Better, before: Figure = None) -> bool:
    """Whether so many deals won of so many in March are what was asked for, given the rate of February."""
    march = span("2026-03-01", "2026-03-31")
    goal = Goal(
        id="g",
        version=1,
        scope=ANNA,
        kpi="win_rate",
        better=better,
        target=target,
        period=Once(start=date(2026, 3, 1), end=date(2026, 3, 31)),
    )
    records: dict[str, KpiRecord] = {}
    for first, rate in (("2026-03-01", won / of), ("2026-02-01", before)):
        window = Window(Grain.MONTH, day_number(date.fromisoformat(first)))
        records[key_of(ANNA, window)] = record(window, {}, {"win_rate": rate})
    figures = figures_of(goal, march, KNOWN, records, lambda: None)
    assert figures.shown_value == won / of
    return reached(goal, figures)


@pytest.mark.parametrize("better", ["at_least", "at_most"])
def test_a_share_that_is_just_what_was_asked_for_reaches_it(better: Better) -> None:
    """3 of 5 are 60 %, though the float that is nearest to it is not; and so for any share in per mille."""
    for thousandths in range(1, 1001):
        target = Absolute(value=f"{thousandths // 1000}.{thousandths % 1000:03d}")
        share = Fraction(thousandths, 1000)
        for times in (1, 7):
            some, of = share.numerator * times, share.denominator * times
            assert won(some, of, target, better)
            if some < of:
                # One deal on the wrong side is not enough.
                other = some - 1 if better == "at_least" else some + 1
                assert not won(other, of, target, better)


@given(st.integers(1, 400), st.integers(1, 400), st.integers(-99, 300), st.sampled_from([1, 3, 7]))
def test_so_much_more_of_a_share_is_reached_by_just_that(
    some: int, more: int, percent: int, times: int
) -> None:
    """10 % more than 2 of 7 are 22 of 70, which no decimal number says."""
    before = Fraction(some, some + more)
    asked = before * (100 + percent) / 100
    if asked > 1:
        return
    target = Relative(change=f"{percent / 100:.2f}", baseline="span_before")
    for better in ("at_least", "at_most"):
        rate = some / (some + more)
        assert won(asked.numerator * times, asked.denominator * times, target, better, rate)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_read_is_shown_as_it_was(figure: float) -> None:
    """Whatever number it is taken for."""
    value = exact(figure)
    assert value is not None
    assert float(value) == figure


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_a_decimal_number_is_read_as_it_is_written(number: int, decimals: int) -> None:
    """Days, and numbers of one's own: a target is written so, too."""
    assert exact(number / 10**decimals) == Fraction(number, 10**decimals)


@given(
    st.integers(1, 10**9), st.integers(-99, 300), st.sampled_from(["JPY", "SEK", "KWD"]), st.integers(-2, 2)
)
def test_a_change_of_money_asks_for_what_is_shown(
    minor: int, percent: int, currency: str, more: int
) -> None:
    """Of 101 003 yen 14 % more are 115 143, and not 42 hundredths of a yen above that, which nobody has."""
    known = known_kpis(currency)
    goal = Goal(
        id="g",
        version=1,
        scope=ANNA,
        kpi="revenue",
        better="at_least",
        target=Relative(change=f"{percent / 100:.2f}", baseline="span_before"),
        period=Once(start=date(2026, 3, 1), end=date(2026, 3, 31)),
    )
    february, march = (Window(Grain.MONTH, day_number(date(2026, month, 1))) for month in (2, 3))
    asked = half_even(minor * (100 + percent), 100)
    records = {
        key_of(ANNA, window): record(window, {}, {"revenue": decimal_text(amount, known.digits)})
        for window, amount in ((february, minor), (march, asked + more))
    }
    figures = figures_of(goal, span("2026-03-01", "2026-03-31"), known, records, lambda: None)
    assert reached(goal, figures) == (more >= 0)
    assert figures.shown_target == decimal_text(asked, known.digits)
    assert (Fraction(str(figures.shown_missing)) == 0) == (more >= 0)


def test_what_a_lead_brings() -> None:
    """Over the ninety days before today."""
    today = day_number(date(2026, 6, 1))
    records = counted(Span(today - 90, today - 1), {"leads_new": 4, "revenue": "100.00", "deals_won": 1})
    assert per_lead(KNOWN.kpis["revenue"], KNOWN, ANNA, today, records) == 25
    assert per_lead(KNOWN.kpis["revenue"], KNOWN, ANNA, today, {}) is None


def kpi(formula: str, unit: KpiUnit, better: Literal["higher", "lower"]) -> KpiDefinition:
    return KpiDefinition(formula=formula, unit=unit, better=better, name={"en": "Own"})


def test_what_is_known_of_kpis() -> None:
    """Whether they add up, over days and over sellers, follows from their formulas."""
    own = Definitions(
        {"reached": MeasureDefinition(event="activity.logged", count="distinct person")},
        {
            "reach": kpi("reached * 2", "count", "higher"),
            "lost_share": kpi("deals_lost / (deals_won + deals_lost)", "ratio", "lower"),
            "unknown": kpi("nothing", "count", "higher"),
        },
    )
    kpis = known_kpis("SEK", own).kpis
    assert {name for name, kpi in kpis.items() if kpi.additive} == {
        "new_leads",
        "new_organisations",
        "qualified_leads",
        "revenue",
        "meetings_booked",
        "quotes_sent",
        "deals_closed",
    }
    assert kpis["reach"].accumulates
    assert not kpis["reach"].additive
    assert {name for name, kpi in kpis.items() if kpi.rate} == {"hit_rate", "win_rate", "lost_share"}
    assert {name for name, kpi in kpis.items() if kpi.lower_is_better} == {
        "sales_cycle_days",
        "cac",
        "lost_share",
    }
    assert "unknown" not in kpis


def test_figures_are_shown_as_records_show_them() -> None:
    """Money rounded half to even; a count stays whole where it is."""
    assert shown(Fraction("10.125"), "money", 2) == "10.12"
    assert shown(Fraction(-21, 2), "money", 0) == "-10"
    assert shown(Fraction(42), "count", 2) == 42
    assert shown(Fraction(1, 2), "count", 2) == 0.5
    assert shown(None, "money", 2) is None
