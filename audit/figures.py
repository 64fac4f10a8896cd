"""Every measure and KPI by its name: what it is made of, and how it is worked out in SQL.

A measure is a column of the table `windows`. A KPI is an expression over them; one that depends on the
clock also reads what `audit/sql/growth.sql` makes of the record's own as-of.
"""

from enum import StrEnum

from msgspec import Struct


class Unit(StrEnum):
    """How a figure is written in a record."""

    COUNT = "count"
    MONEY = "money"
    """A decimal string, rounded half to even once, to the minor unit."""
    DAYS = "days"
    """Of a measure, which counts microseconds."""
    NUMBER = "number"
    """A ratio or days of a KPI; of a measure, a sum of the organisation's own numbers, in millionths."""


class Kpi(Struct, frozen=True):
    """A KPI: what it is made of, and the SQL expression that gives it; money in minor units."""

    unit: Unit
    formula: str
    """As a person reads it."""
    reads: tuple[str, ...]
    """The measures whose objects are behind it."""
    expression: str
    only_in: str = "true"
    """In which records it stands."""


_DAY = "86400000000.0"

OWN = "own:"
"""Before the names of an organisation's own measures, in the books."""


def rest_of(measure: str) -> str:
    """The column that holds what an amount of money has below a millionth."""
    return f'"{measure}:rest"' if measure.startswith(OWN) else f"{measure}_rest"


def _measure(name: str, unit: Unit = Unit.COUNT) -> Kpi:
    expression = _money(name) if unit is Unit.MONEY else name
    return Kpi(unit, name, (name,), expression)


def _money(name: str, among: str = "1") -> str:
    shared = f"half_even({name}, {name}_rest, minor_unit() * {among})"
    return f"case when {among} <> 0 then written({shared}, digits()) end"


def _ratio(above: str, below: str) -> str:
    return f"case when {below} <> 0 then ({above})::double / ({below})::double end"


def _growth(now: str, base: str) -> str:
    """The growth of an amount over a base, each a column with its rest."""
    change = f"as_double({now} - {base}, {now}_rest - {base}_rest)"
    return f"case when {base} <> 0 or {base}_rest <> 0 then {change} / as_double({base}, {base}_rest) end"


MONEY_MEASURES = (
    *("revenue", "cost", "cost_salary", "cost_time", "cost_marketing"),
    *("cost_meeting_booking", "cost_event", "cost_other"),
)

MEASURES: dict[str, Unit] = {
    **dict.fromkeys(("leads_new", "organisations_new", "leads_qualified", "contacts"), Unit.COUNT),
    **dict.fromkeys(("calls", "emails", "meetings_booked", "meetings_held"), Unit.COUNT),
    **dict.fromkeys(("quotes_sent", "visits", "deals_won", "deals_lost"), Unit.COUNT),
    "cycle_days_sum": Unit.DAYS,
    **dict.fromkeys(("customers_new", "customers_churned"), Unit.COUNT),
    **dict.fromkeys(MONEY_MEASURES, Unit.MONEY),
}

DISTINCT = frozenset({"contacts"})
"""The measures that count persons, each once a window."""

KPIS: dict[str, Kpi] = {
    "new_leads": _measure("leads_new"),
    "new_organisations": _measure("organisations_new"),
    "qualified_leads": _measure("leads_qualified"),
    "hit_rate": Kpi(
        Unit.NUMBER, "deals_won / contacts", ("deals_won", "contacts"), _ratio("deals_won", "contacts")
    ),
    "win_rate": Kpi(
        Unit.NUMBER,
        "deals_won / (deals_won + deals_lost)",
        ("deals_won", "deals_lost"),
        _ratio("deals_won", "deals_won + deals_lost"),
    ),
    "sales_cycle_days": Kpi(
        Unit.NUMBER,
        "cycle_days_sum / deals_won",
        ("cycle_days_sum", "deals_won"),
        _ratio("cycle_days_sum", f"deals_won * {_DAY}"),
    ),
    "revenue": _measure("revenue", Unit.MONEY),
    "average_deal_value": Kpi(
        Unit.MONEY, "revenue / deals_won", ("revenue", "deals_won"), _money("revenue", "deals_won")
    ),
    "cac": Kpi(
        Unit.MONEY, "cost / customers_new", ("cost", "customers_new"), _money("cost", "customers_new")
    ),
    "clv": Kpi(
        Unit.MONEY,
        "revenue / customers_new",
        ("revenue", "customers_new"),
        _money("revenue", "customers_new"),
        "grain = 'ever'",
    ),
    "deals_per_customer": Kpi(
        Unit.NUMBER,
        "deals_won / customers_new",
        ("deals_won", "customers_new"),
        _ratio("deals_won", "customers_new"),
        "grain = 'ever'",
    ),
    "customer_lifetime_days": Kpi(
        Unit.NUMBER,
        "mean days of customers_new, until they churned or else until now",
        ("customers_new",),
        _ratio("stayed_micros", f"customers_new * {_DAY}"),
        "grain = 'ever'",
    ),
    "sales_growth": Kpi(
        Unit.NUMBER,
        "revenue / revenue of the window before - 1",
        ("revenue",),
        _growth("revenue", "revenue_before"),
        "grain <> 'ever'",
    ),
    "growth_accumulated": Kpi(
        Unit.NUMBER,
        "revenue since 1 January / revenue of the same dates of the year before - 1",
        ("revenue",),
        _growth("revenue_so_far", "revenue_so_far_before"),
        "grain = 'year'",
    ),
    "meetings_booked": _measure("meetings_booked"),
    "quotes_sent": _measure("quotes_sent"),
    "deals_closed": Kpi(
        Unit.COUNT, "deals_won + deals_lost", ("deals_won", "deals_lost"), "deals_won + deals_lost"
    ),
}
