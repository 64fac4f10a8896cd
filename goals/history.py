"""What became of goals: which of their versions hold, which come next, and what changed, in words.

The history is a log of claims. Whoever changes a goal claims the version after the last one that they saw;
of several who claim the same one the first in the log has it, for everybody who reads the log.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from goals.checking import Fault
from goals.known import Known
from goals.reasons import reason
from goals.records import GoalError
from goals.writing import asked_text, in_a_line, period_text
from kpis.definitions.faults import did_you_mean, short
from schemas.goals import Acceptance, Goal, GoalVersion

_OF_THE_RECORD = {"version", "accepted", "changed_by", "changed_at"}
"""What says nothing about what a goal asks for."""
_OF_ITS_NAME = {"name", "owner", "part_of"}
"""What can change without another acceptance."""


class GoalHistory:
    """The versions of all goals, as far as the log was read."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, GoalVersion]] = {}

    def take(self, version: GoalVersion) -> None:
        """Take in the next record of the log; it holds unless an earlier one has its number."""
        self._versions.setdefault(version.id, {}).setdefault(version.version, version)

    def holder(self, version: GoalVersion) -> GoalVersion | None:
        """The record that has this one's goal and number."""
        return self._versions.get(version.id, {}).get(version.version)

    def versions(self, name: str) -> list[GoalVersion]:
        """All versions of a goal, the first one first."""
        versions = self._versions.get(name, {})
        return [versions[number] for number in sorted(versions)]

    def latest(self) -> dict[str, GoalVersion]:
        """The last version of each goal, by its id; one without a goal where it was retired."""
        return {name: versions[max(versions)] for name, versions in self._versions.items()}

    def held(self) -> dict[str, Goal]:
        """The goals that hold, by their ids."""
        latest = self.latest().items()
        return {name: version.goal for name, version in latest if version.goal is not None}


def moved(goal: Goal, history: GoalHistory) -> Fault | None:
    """That a goal is to be about somebody else, whose statuses are in another place; that cannot be."""
    for version in history.versions(goal.id):
        if version.goal is not None and version.goal.scope != goal.scope:
            about = {"id": goal.id, "scope": version.goal.scope, "wanted": goal.scope}
            return Fault(("scope",), reason("another_scope", **about))
    return None


def changes(wanted: Iterable[Goal], history: GoalHistory, by: str, at: datetime) -> list[GoalVersion]:
    """The versions to claim so that goals hold as they are wanted; none for what holds already.

    What asks for something else than before is a draft again, unless it was accepted anew.

    Raises:
        GoalError: one of them has moved to another scope.
    """
    latest = history.latest()
    found: list[GoalVersion] = []
    for goal in wanted:
        fault = moved(goal, history)
        if fault is not None:
            raise GoalError(fault.reason)
        last = latest.get(goal.id)
        before = None if last is None else last.goal
        # Whoever accepted an earlier version, of which a file still tells, accepted no more than that.
        earlier = [each.goal.accepted for each in history.versions(goal.id) if each.goal is not None]
        accepted = None if goal.accepted in earlier else goal.accepted
        if before is not None and accepted is None and asks_for_the_same(goal, before):
            accepted = before.accepted
        new = msgspec.structs.replace(goal, accepted=accepted)
        if before is None or not _says_the_same(new, before):
            found.append(_next(last, new, by, at))
    return found


def acceptances(names: Iterable[str], history: GoalHistory, by: str, at: datetime) -> list[GoalVersion]:
    """The versions to claim so that goals are accepted; none for those that are.

    Raises:
        GoalError: there are no such goals.
    """
    latest, held = history.latest(), history.held()
    drafts = [goal for goal in _named(names, held, history) if goal.accepted is None]
    return [
        _next(latest[goal.id], msgspec.structs.replace(goal, accepted=Acceptance(by=by, at=at)), by, at)
        for goal in drafts
    ]


def retirements(names: Iterable[str], history: GoalHistory, by: str, at: datetime) -> list[GoalVersion]:
    """The versions to claim so that goals are retired.

    Raises:
        GoalError: there are no such goals.
    """
    latest = history.latest()
    return [
        GoalVersion(id=goal.id, version=latest[goal.id].version + 1, by=by, at=at)
        for goal in _named(names, history.held(), history)
    ]


def asks_for_the_same(one: Goal, other: Goal) -> bool:
    """Whether two goals ask for the same, whoever accepted them and whatever they are called."""
    return _alike(one, other, _OF_THE_RECORD | _OF_ITS_NAME)


def told(version: GoalVersion, before: GoalVersion | None, known: Known) -> str:
    """What a version of a goal changed, in a line."""
    goal = version.goal
    if goal is None:
        return "retired"
    if before is None or before.goal is None:
        again = "" if before is None else " again"
        return f"set{again}: {in_a_line(goal, known)}"
    return "; ".join([*_differences(goal, before.goal, known), *_acceptance(goal, before.goal)])


def _named(names: Iterable[str], held: Mapping[str, Goal], history: GoalHistory) -> list[Goal]:
    """The goals of these ids, each once, all of which must hold."""
    wanted = list(dict.fromkeys(names))
    faults: list[str] = []
    for name in wanted:
        if name in held:
            continue
        versions = history.versions(name)
        if versions:
            faults.append(f"`{name}` was retired by {versions[-1].by} on {versions[-1].at.date()}.")
        else:
            faults.append(f"there is no goal `{short(name)}`{did_you_mean(name, held)}")
    if faults:
        raise GoalError(" ".join(faults))
    return [held[name] for name in wanted]


def _next(last: GoalVersion | None, goal: Goal, by: str, at: datetime) -> GoalVersion:
    version = 1 if last is None else last.version + 1
    goal = msgspec.structs.replace(goal, version=version, changed_by=by, changed_at=at)
    return GoalVersion(id=goal.id, version=version, by=by, at=at, goal=goal)


def _says_the_same(one: Goal, other: Goal) -> bool:
    return one.accepted == other.accepted and _alike(one, other, _OF_THE_RECORD)


def _alike(one: Goal, other: Goal, but: set[str]) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in Goal.__struct_fields__ if name not in but
    )


def _differences(goal: Goal, before: Goal, known: Known) -> list[str]:
    sides = zip(_sides(goal, known), _sides(before, known), strict=True)
    return [f"{what}: {new} instead of {old}" for (what, new), (_, old) in sides if new != old]


def _sides(goal: Goal, known: Known) -> list[tuple[str, str]]:
    """What can change of a goal, by what people call it."""
    return [
        ("name", goal.name or "none"),
        ("KPI", goal.kpi),
        ("direction", goal.better.replace("_", " ")),
        ("target", asked_text(goal, known)),
        ("period", period_text(goal.period)),
        ("owner", goal.owner or "nobody"),
        ("part of", goal.part_of or "none"),
    ]


def _acceptance(goal: Goal, before: Goal) -> list[str]:
    if goal.accepted == before.accepted:
        return []
    return ["a draft again" if goal.accepted is None else f"accepted by {goal.accepted.by}"]
