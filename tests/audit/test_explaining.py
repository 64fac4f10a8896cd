"""What stands behind a figure adds up to it."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.books import Books, Rules
from audit.explaining import Asked, Explanation, ask_for, explain
from audit.figures import KPIS, MEASURES, OWN, Unit
from audit.formulas import Formula, same
from audit.own import OwnMeasures
from schemas.events import Recorded
from schemas.records import Figure
from tests.audit.test_own import DEFINED, MEASURED, READ, recorded, replayed
from tests.examples import examples

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
    if name in READ:
        sums = {part.name: part.total for part in explanation.parts}
        return Formula(READ[name], 2).figure(sums)
    [total] = totals
    if name in MEASURED:
        return shown(OwnMeasures(MEASURED).units[OWN + name], total)
    return shown(KPIS[name].unit if name in KPIS else MEASURES[name], total)


@examples(10)
@given(recorded(), st.data())
def test_shares_add_up_to_every_figure(events: list[Recorded], data: st.DataObject) -> None:
    """Exactly, and to what is published; of every measure and KPI, ours and own ones, in the records of
    several scopes and grains."""
    with Books(Rules("Europe/Stockholm", "SEK", 2), DEFINED) as books:
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
        published = {record.key: record for record in replayed(events, DEFINED, "SEK")}
        # There is none where all that counts counts nothing, such as the value of a deal that states none.
        record = published.get(f"{scope}|{grain}|{start}")
        stated = {} if record is None else record.measures | record.kpis
        for figure in [*MEASURES, *KPIS, *MEASURED, *READ]:
            explanation = explain(books, asked, figure)
            if figure in stated:
                assert same(stated[figure], explanation.value), figure
            elif record is not None or figure not in READ:
                # A measure is left out where it is zero, a KPI where there is none. Where nothing counts
                # there is no record at all, though an own KPI may be something even then.
                assert not float(explanation.value or 0), figure
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
