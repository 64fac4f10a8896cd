"""The usual pace of each KPI: the profile of how the whole company's results came in, learned once a day.

Of the company's, since no team or seller has enough of them; it is laid over everybody's own working time.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from goals.expecting import SUMS
from goals.outlook import COMPANY, History
from goals.pace import Profile, learned
from goals.periods import Span
from goals.working_time import WorkingTime
from kpis.calendar import Calendar, micros_of
from schemas.events import DealLost, DealWon, Event


def usual_profiles(
    history: History, events: Iterable[Event], calendar: Calendar, working: WorkingTime
) -> dict[str, Profile]:
    """By KPI, of those that add up and of which enough is known; at what hours, only of deals."""
    heard = [event for event in events if isinstance(event, DealWon | DealLost)]
    known = Span(history.days.first, history.today)
    found: dict[str, Profile] = {}
    for kpi, measures in SUMS.items():
        of_days = zip(*(history.of(COMPANY, measure) for measure in measures), strict=True)
        by_day = {known.first + place: Fraction(sum(amounts)) for place, amounts in enumerate(of_days)}
        profile = learned(by_day, _moments(heard, measures), calendar, working, known)
        if profile is not None:
            found[kpi] = profile
    return found


def _moments(heard: Iterable[DealWon | DealLost], measures: tuple[str, ...]) -> Iterator[int]:
    told = {DealWon: {"deals_won", "revenue"}, DealLost: {"deals_lost"}}
    for event in heard:
        if not told[type(event)].isdisjoint(measures):
            yield micros_of(event.time)
