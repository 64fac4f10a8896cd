"""What a window's revenue is compared with, and what is looked at for it."""

from datetime import date

from kpis.calendar import day_number
from kpis.growth import Growth
from kpis.spans import spans_of
from kpis.tally import add_measures
from schemas.internal import Measures

TODAY = day_number(date(2026, 5, 20))


class Noting(dict[str, Measures]):
    """Sums that note which of them are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def get(self, key: str, default: object = None, /) -> object:  # type: ignore[override]
        """The sums, noted."""
        self.asked.append(key.split("|", 1)[1])
        return super().get(key, default)


def test_windows_in_which_nothing_can_be_are_not_looked_at() -> None:
    """Each is a read where sums are on disk: of a month without wins neither the days nor the weeks."""
    sums = Noting()
    for day, measures in (
        (date(2026, 4, 2), {"deals_won": 1, "revenue": 5}),
        (date(2026, 5, 20), {"meetings_booked": 1}),
    ):
        for span in spans_of(day_number(day)):
            add_measures(sums, f"customer:c{span.suffix}", measures)
    growth = Growth(sums)
    sums.asked.clear()
    compared = {
        span.grain: growth.of(
            f"customer:c{span.suffix}", "customer:c", span, sums[f"customer:c{span.suffix}"], TODAY, TODAY
        )
        for span in spans_of(TODAY)
        if span.end is not None
    }
    assert {grain for grain, compare in compared.items() if compare is not None} == {
        "month",
        "quarter",
        "year",
    }
    assert "day|2026-05-19" not in sums.asked
    assert "week|2026-05-11" not in sums.asked
    assert "month|2026-04-01" in sums.asked
