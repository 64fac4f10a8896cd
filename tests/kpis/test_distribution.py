"""What is published adds up: sellers, and what is nobody's, to the company; and so do teams."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import MICROS_PER_DAY
from kpis.formulas import minor_digits
from kpis.measures import MEASURES
from schemas.events import Event
from tests.examples import examples
from tests.kpis.histories import histories
from tests.kpis.oracle import Oracle
from tests.kpis.test_replay import business, replayed, timezones

MONEY = {name for name in MEASURES if name == "revenue" or name.startswith("cost")}
DAYS = "cycle_days_sum"
FIGURES = 4
"""How many are summed at most: the company, and three sellers or two teams."""
ADDITIVE = [name for name in MEASURES if name != "contacts"]


@examples(200)
@given(histories, timezones, st.sampled_from(["SEK", "JPY"]), st.integers(1, 3))
def test_sellers_and_teams_add_up_to_the_company(
    events: list[Event], zone: str, currency: str, partitions: int
) -> None:
    """For every additive measure, grain and window; money to half a minor unit for each figure summed.

    Each figure is rounded once, by itself: so many roundings apart may a sum of them be, and no more. Days
    are floats.
    """
    oracle = Oracle(events, zone, currency)
    figures: dict[tuple[str, str, date], dict[str, list[Fraction]]] = defaultdict(lambda: defaultdict(list))
    for record in replayed(events, business(zone, currency), partitions=partitions):
        kind = record.scope.partition(":")[0]
        for name, figure in record.measures.items():
            figures[kind, record.grain, record.start][name].append(Fraction(figure or 0))
    windows = {(grain, start) for _, grain, start in figures}
    unit = Fraction(1, 10 ** minor_digits(currency))
    for grain, start in windows:
        company = figures["company", grain, start]
        for kind in ("seller", "team"):
            parts = figures[kind, grain, start]
            nobodys = oracle.nobodys.get((f"{kind}:", grain, start), {})
            for name in ADDITIVE:
                of_nobody = nobodys.get(name, Fraction(0)) / (MICROS_PER_DAY if name == DAYS else 1)
                whole, summed = sum(company[name]), sum(parts[name]) + of_nobody
                allowed = Fraction(1, 10**9) if name == DAYS else Fraction(0)
                if name in MONEY:
                    allowed = unit / 2 * FIGURES
                assert abs(whole - summed) <= allowed, (kind, grain, start, name)
