"""Goals as records: read and judged."""

import msgspec

from goals.checking import Fault, Faults, judged
from goals.known import Known
from goals.reading import unknown_kpi
from goals.reasons import Reason
from kpis.calendar import Calendar
from schemas.goals import Goal, decode_goal


class GoalError(ValueError):
    """A record is no goal, or cannot be used."""

    def __init__(self, said: Reason | str) -> None:
        super().__init__(said)
        self.said = said


def read_goal(raw: bytes | str) -> Goal:
    """A goal from its JSON record.

    Raises:
        GoalError: it is none.
    """
    try:
        return decode_goal(raw)
    except msgspec.ValidationError as error:
        raise GoalError(f"this is no goal: {error}.") from error
    except msgspec.DecodeError as error:
        raise GoalError(f"this is no valid JSON: {error}.") from error


def faults_of(goal: Goal, known: Known, calendar: Calendar, now: int) -> list[Fault]:
    """All that is wrong with a goal, or worth a second look, as in a file."""
    if goal.kpi not in known.kpis:
        return [Fault(("kpi",), unknown_kpi(goal.kpi, known))]
    faults = Faults()
    judged(goal, known, calendar, now, faults)
    return faults.found
