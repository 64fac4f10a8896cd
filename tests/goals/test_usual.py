"""The usual pace of KPIs, as history tells it."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from goals.expecting import SUMS
from goals.outlook import COMPANY, History
from goals.pace import learned
from goals.periods import Span
from goals.seasons import Days
from goals.usual import usual_profiles
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, day_number, micros_of
from schemas.events import DealLost, DealLostData, DealWon, DealWonData

CALENDAR = Calendar("UTC")
WORKING = WorkingTime(CALENDAR, Plan())
FIRST, TODAY = date(2025, 1, 1), date(2025, 12, 31)
KNOWN = Span(day_number(FIRST), day_number(TODAY))


def history(**counts: list[float]) -> History:
    """A company's figures, day by day."""
    days = Days(KNOWN.first, KNOWN.last + 31, WORKING.works)
    return History(days, KNOWN.last, {(COMPANY, measure): series for measure, series in counts.items()})


def decided(hour: int, *, won: bool) -> list[DealWon | DealLost]:
    """A deal each day, always at the same hour."""
    made: list[DealWon | DealLost] = []
    for number in range(KNOWN.end - KNOWN.first):
        at = datetime(2025, 1, 1, hour, tzinfo=UTC) + timedelta(days=number)
        of = {"deal": f"d{number}", "customer": "c"}
        about = {"specversion": "1.0", "time": at, "id": f"{hour}-{number}", "source": "s"}
        if won:
            made.append(DealWon(**about, data=DealWonData(**of)))
        else:
            made.append(DealLost(**about, data=DealLostData(**of)))
    return made


def moments(events: list[DealWon | DealLost]) -> list[int]:
    return [micros_of(event.time) for event in events]


def test_days_are_told_by_figures_and_hours_of_deals_by_their_events() -> None:
    """Each KPI by what it is a sum of; whoever has too little has no profile of their own."""
    ones, few = [1.0] * (KNOWN.end - KNOWN.first), [0.0, 1.0] * 20
    late = [1.0 + 9.0 * (date.fromordinal(FIRST.toordinal() + day).day > 25) for day in range(len(ones))]
    won, lost = decided(9, won=True), decided(16, won=False)
    found = usual_profiles(
        history(leads_new=late, meetings_booked=few, deals_won=ones, deals_lost=late, revenue=ones),
        [*won, *lost],
        CALENDAR,
        WORKING,
    )

    def profile(series: list[float], at: list[int]) -> object:
        by_day = {KNOWN.first + place: Fraction(amount) for place, amount in enumerate(series)}
        return learned(by_day, at, CALENDAR, WORKING, KNOWN)

    both = [one + other for one, other in zip(ones, late, strict=True)]
    assert found == {
        "new_leads": profile(late, []),
        "deals_closed": profile(both, moments(won + lost)),
        "revenue": profile(ones, moments(won)),
    }
    assert found["new_leads"].by_month[-1] > 2 * found["new_leads"].by_month[0]
    assert found["revenue"].by_day[1] > 5 * found["revenue"].by_day[0]
    assert found.keys() < SUMS.keys()
