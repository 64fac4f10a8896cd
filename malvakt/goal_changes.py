"""The goals of an installation at a terminal: opened, and changed by somebody who has a name."""

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import NamedTuple

from goals.history import GoalHistory, told
from goals.known import known_kpis
from goals.reading import Reading
from goals.records import GoalError, faults_of
from goals.splitting import unlike
from kpis.definitions.changing import definitions_in
from malvakt.outcome import Fault
from malvakt.reaching import as_founded
from notices.reasons import sentence
from schemas.goals import GoalVersion
from streams.defining import read_definitions
from streams.delivery import Delivery
from streams.goal_setting import ChangedMeanwhileError, GoalSetting
from streams.settings import Settings


class Opened(NamedTuple):
    """The goals of an installation, and what is known where goals are set."""

    setting: GoalSetting
    history: GoalHistory
    given: Reading


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """The goals of an installation, by the definitions that are in force there."""
    founded = await as_founded(settings)
    own = definitions_in(await read_definitions(founded))
    given = Reading(
        known_kpis(founded.currency, own), founded.business().calendar, int(time.time() * 1_000_000)
    )
    async with Delivery(founded) as delivery:
        setting = GoalSetting(founded, delivery)
        yield Opened(setting, await setting.read(), given)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turn what goals cannot be into the fault that the command ends with.

    Raises:
        Fault: there is no such goal, or it cannot change so.
    """
    try:
        yield
    except GoalError as error:
        raise Fault(sentence(error.said)) from error


def check_all(versions: Iterable[GoalVersion], given: Reading) -> None:
    """Goals that are to hold make sense.

    Raises:
        Fault: some of them do not.
    """
    faults = [
        f"{version.id}: {sentence(fault.reason)}"
        for version in versions
        if version.goal is not None
        for fault in faults_of(version.goal, given.known, given.calendar, given.now)
        if not fault.warning
    ]
    if faults:
        raise Fault("\n".join([*faults, "Nothing is changed."]))


async def carry_out(goals: Opened, versions: Sequence[GoalVersion], *, dry_run: bool) -> None:
    """Make goals what these versions say, and say what changed; or only say it.

    Raises:
        Fault: others changed some of them meanwhile.
    """
    known = goals.given.known
    latest = goals.history.latest()
    lines = {each.id: f"{each.id}: {told(each, latest.get(each.id), known)}" for each in versions}
    _say_what_differs(goals, versions)
    error: ChangedMeanwhileError | None = None
    if not dry_run:
        try:
            await goals.setting.change(versions)
        except ChangedMeanwhileError as raised:
            error = raised
            for other in raised.first:
                del lines[other.id]
    for line in lines.values():
        print(line)
    if error is not None:
        raise Fault(str(error)) from error
    if dry_run and versions:
        print("This is what would change; nothing was written.")


def _say_what_differs(goals: Opened, versions: Sequence[GoalVersion]) -> None:
    """Warn where a goal and its parts, one of which changes, will not ask for the same."""
    held = goals.history.held()
    after = {name: goal for name, goal in held.items() if name not in {each.id for each in versions}}
    after |= {each.id: each.goal for each in versions if each.goal is not None}
    changing = [each.goal or held[each.id] for each in versions]
    touched = {goal.id for goal in changing} | {goal.part_of for goal in changing}
    for name, said in sorted(unlike(after.values(), goals.given.known).items()):
        if name in touched:
            print(f"malvakt: warning: {name}: {said}", file=sys.stderr)
