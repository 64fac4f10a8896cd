"""The measures: what is counted. One list, so that the same word stands for the same thing everywhere.

Amounts travel and add up as integers in the unit each measure names, which keeps sums exact in any
order; they become decimals only when a record is written (`kpis.formulas`).
"""

from msgspec import Struct

from kpis.calendar import MICROS_PER_DAY, Grain
from kpis.money import MICROS_PER_UNIT
from schemas.definitions import Unit

SCALES = {Unit.COUNT: 1, Unit.MONEY: MICROS_PER_UNIT, Unit.DAYS: MICROS_PER_DAY, Unit.NUMBER: 1_000_000}
"""Of what a measure counts, how many make one of what people read. Of money and numbers a measure may have
more to say in measures of their own (`kpis.money`)."""


class Measure(Struct, frozen=True):
    """One thing that is counted."""

    name: str
    unit: Unit
    additive: bool
    """Whether a longer window's figure is the sum of its days'. Distinct counts are not: they travel
    as `counted_in` each grain, which are."""
    meaning: str


COST_CATEGORIES = {
    "salary": "salaries",
    "time": "time",
    "marketing": "marketing",
    "meeting_booking": "booking of meetings",
    "event": "events",
    "other": "anything else",
}
"""The categories of cost, each with a measure of its own, and what it holds."""

_COUNTED = [
    Measure("leads_new", Unit.COUNT, True, "leads, when they were first created"),
    Measure("organisations_new", Unit.COUNT, True, "customers with an organisation number, first heard of"),
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
    Measure("customers_new", Unit.COUNT, True, "customers, when they first bought"),
    Measure("cost", Unit.MONEY, True, "what selling cost"),
    *(
        Measure(f"cost_{category}", Unit.MONEY, True, f"what selling cost: {meaning}")
        for category, meaning in COST_CATEGORIES.items()
    ),
    Measure("customers_churned", Unit.COUNT, True, "customers who had bought, when they left"),
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


SINCE_DAYS = "customers_since_days"
"""Over new customers, the day of their first won deal. With the others of its kind, what a customer's mean
lifetime is worked out from; no record shows them."""
SINCE_MICROS = "customers_since_micros"
"""And the time of that day."""
ENDED = "customers_ended"
"""Of the new customers, the ones who churned since."""
ENDED_DAYS = "customers_ended_days"
"""Over these, the day on which they did."""
ENDED_MICROS = "customers_ended_micros"
"""And the time of that day."""

OF_GRAIN = "@"
"""Between a measure and the one grain whose windows count it."""


def counted_in(measure: str, grain: Grain) -> str:
    """The name under which a measure travels that only windows of one grain count.

    A distinct count travels so, once for each grain: as how many were first met on a day, of all days of
    the window that holds it. These add up over days as the distinct count itself does not: whoever was met
    in a week was met there for the first time on just one of its days.
    """
    return measure + OF_GRAIN + grain.value
