"""What stands behind a figure adds up to it."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.books import Books, Rules
from audit.explaining import Asked, Explanation, ask_for, explain
from audit.figures import KPIS, MEASURES, Unit
from schemas.events import Event
from schemas.records import Figure
from tests.examples import examples
from tests.kpis.histories import histories

AS_OF = datetime(2025, 7, 1, 12, tzinfo=UTC)
FORMULAS = {
    "hit_rate": lambda won, contacts: won / contacts,
    "win_rate": lambda won, lost: won / (won + lost),
    "sales_cycle_days": lambda days, won: days / won,
    "average_deal_value": lambda revenue, won: revenue / won,
    "cac": lambda cost, new: cost / new,
    "clv": lambda revenue, new: revenue / new,
    "deals_per_customer": lambda won, new: won / new,
    "customer_lifetime_days": lambda days, new: days / new,
    "sales_growth": lambda revenue, before: revenue / before - 1,
    "growth_accumulated": lambda revenue, before: revenue / before - 1,
    "deals_closed": lambda won, lost: won + lost,
}


def written(amount: Fraction, digits: int = 2) -> str:
    """Rounded once, exactly: half to even."""
    return str(Decimal(round(amount * 10**digits)).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))


def shown(unit: Unit, amount: Fraction) -> Figure:
    match unit:
        case Unit.COUNT:
            assert amount.denominator == 1
            return int(amount)
        case Unit.MONEY:
            return written(amount)
        case Unit.DAYS | Unit.NUMBER:
            return pytest.approx(float(amount), rel=1e-12, abs=1e-12)


def expected(explanation: Explanation) -> Figure:
    """The figure, from nothing but the shares."""
    name = explanation.figure
    totals = [part.total for part in explanation.parts]
    if name in FORMULAS:
        try:
            return shown(KPIS[name].unit, FORMULAS[name](*totals))
        except ZeroDivisionError:
            return None
    [total] = totals
    return shown(KPIS[name].unit if name in KPIS else MEASURES[name], total)


@examples(15)
@given(histories, st.data())
def test_shares_add_up_to_every_figure(events: list[Event], data: st.DataObject) -> None:
    """Exactly; of every measure and KPI, in the records of several scopes and grains."""
    with Books(Rules("Europe/Stockholm", "SEK", 2)) as books:
        books.take(events)
        books.balance()
        records = books.ask(
            "select distinct scope, grain, start from scoped join calendar using (day) order by all"
        )
        if not records:
            return
        scope, grain, start = data.draw(st.sampled_from(records))
        asked = Asked(scope, grain, start, AS_OF)
        ask_for(books, asked)
        for figure in [*MEASURES, *KPIS]:
            explanation = explain(books, asked, figure)
            only_in = {
                "ever": {"clv", "deals_per_customer", "customer_lifetime_days"},
                "year": {"growth_accumulated"},
            }
            if any(figure in names and grain != g for g, names in only_in.items()) or (
                figure == "sales_growth" and grain == "ever"
            ):
                assert explanation.value is None
            else:
                assert explanation.value == expected(explanation), figure
