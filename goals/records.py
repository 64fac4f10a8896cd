"""Goals as records: read, judged, versioned, accepted. Whoever keeps them on a topic needs no more."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from goals.checking import Fault, Faults, judged
from goals.known import Known
from goals.reading import unknown_kpi
from kpis.calendar import Calendar
from schemas.goals import Acceptance, Goal, decode_goal

_OF_THE_RECORD = {"version", "accepted", "changed_by", "changed_at"}
"""What says nothing about what a goal asks for."""
_OF_ITS_NAME = {"name", "owner", "part_of"}
"""What can change without another acceptance."""


class GoalError(ValueError):
    """A record is no goal, or cannot be used; the message says why."""


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


def merged(goals: Iterable[Goal]) -> dict[str, Goal]:
    """Of each goal the version that holds, by its id, in whichever order they come."""
    found: dict[str, Goal] = {}
    for goal in goals:
        known = found.get(goal.id)
        if known is None or goal.version > known.version:
            found[goal.id] = goal
    return found


def history_of(goals: Iterable[Goal]) -> dict[str, list[Goal]]:
    """All versions of each goal, by its id, from the first to the one that holds."""
    found: dict[str, dict[int, Goal]] = {}
    for goal in goals:
        found.setdefault(goal.id, {})[goal.version] = goal
    return {name: [versions[number] for number in sorted(versions)] for name, versions in found.items()}


def changed(wanted: Iterable[Goal], held: Mapping[str, Goal], by: str, at: datetime) -> list[Goal]:
    """The records to write so that goals hold as they are wanted; none for what holds already.

    What asks for something else than before is a draft again, unless it was accepted as it is now.
    """
    found: list[Goal] = []
    for goal in wanted:
        before = held.get(goal.id)
        accepted = goal.accepted
        if before is not None and accepted is None and _asks_the_same(goal, before):
            accepted = before.accepted
        new = msgspec.structs.replace(
            goal,
            version=1 if before is None else before.version + 1,
            accepted=accepted,
            changed_by=by,
            changed_at=at,
        )
        if before is None or not _says_the_same(new, before):
            found.append(new)
    return found


def accept(goal: Goal, by: str, at: datetime) -> Goal:
    """The next version of a goal: somebody accepts what it asks for."""
    return msgspec.structs.replace(
        goal, version=goal.version + 1, accepted=Acceptance(by=by, at=at), changed_by=by, changed_at=at
    )


def _says_the_same(one: Goal, other: Goal) -> bool:
    return one.accepted == other.accepted and _alike(one, other, _OF_THE_RECORD)


def _asks_the_same(one: Goal, other: Goal) -> bool:
    return _alike(one, other, _OF_THE_RECORD | _OF_ITS_NAME)


def _alike(one: Goal, other: Goal, but: set[str]) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in Goal.__struct_fields__ if name not in but
    )
