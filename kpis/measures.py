"""The measures: what is counted. One list, so that the same word stands for the same thing everywhere.

Amounts travel and add up as integers in the unit each measure names, which keeps sums exact in any
order; they become decimals only when a record is written (`kpis.formulas`).
"""

from enum import StrEnum

from msgspec import Struct

from kpis.calendar import Grain

MICROS_PER_UNIT = 1_000_000
"""Money is counted in millionths of a currency unit: exact for every amount an event may state."""


class Unit(StrEnum):
    """What a measure's integer stands for."""

    COUNT = "count"
    MONEY = "money"
    """Millionths of a unit of the reporting currency."""
    DAYS = "days"
    """Microseconds of wall-clock time; shown in days."""


class Measure(Struct, frozen=True):
    """One thing that is counted."""

    name: str
    unit: Unit
    additive: bool
    """Whether a longer window's figure is the sum of its days'. Distinct counts are not: they travel
    as `first_in` each grain, which are."""
    meaning: str


_COUNTED = [
    Measure("leads_new", Unit.COUNT, True, "leads, when they were first created"),
    Measure("leads_qualified", Unit.COUNT, True, "leads, when they were first qualified"),
    Measure("contacts", Unit.COUNT, False, "distinct persons contacted in the window"),
    Measure("calls", Unit.COUNT, True, "calls made"),
    Measure("emails", Unit.COUNT, True, "e-mails sent"),
    Measure("meetings_booked", Unit.COUNT, True, "meetings booked"),
    Measure("meetings_held", Unit.COUNT, True, "meetings held"),
    Measure("quotes_sent", Unit.COUNT, True, "quotes sent"),
    Measure("visits", Unit.COUNT, True, "visits made"),
    Measure("deals_won", Unit.COUNT, True, "deals whose outcome is won"),
    Measure("revenue", Unit.MONEY, True, "value of the deals won"),
    Measure("deals_lost", Unit.COUNT, True, "deals whose outcome is lost"),
    Measure("cycle_days_sum", Unit.DAYS, True, "time from first contact to won, over deals won"),
]

MEASURES: dict[str, Measure] = {measure.name: measure for measure in _COUNTED}
"""Every measure by its name, in the order in which records show them."""

ACTIVITY_MEASURES = {
    "call": "calls",
    "email": "emails",
    "meeting_booked": "meetings_booked",
    "meeting_held": "meetings_held",
    "quote_sent": "quotes_sent",
    "visit": "visits",
}
"""The measure that counts each kind of activity; `other` is counted by none."""

CONTACT_KINDS = frozenset({"call", "email", "meeting_held", "visit"})
"""The kinds of activity through which a person is contacted."""


def first_in(measure: str, grain: Grain) -> str:
    """Of a distinct count: how many were first met on a day, of all days of the window that holds it.

    These add up over days as the distinct count itself does not: whoever was met in a week was met
    there for the first time on just one of its days.
    """
    return f"{measure}@{grain.value}"
