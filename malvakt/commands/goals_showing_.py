"""`malvakt goals list` and `show`: the goals that hold, where they stand, and all that became of one."""

import asyncio
import sys
from collections.abc import Iterable

import msgspec
import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from goals.history import told
from goals.reading import Reading
from goals.splitting import parts_of
from goals.writing import asked_text, in_a_line, period_text
from kpis.calendar import date_of, micros_of
from kpis.definitions.faults import did_you_mean, short
from malvakt.goal_changes import Opened, opened
from malvakt.outcome import Fault
from malvakt.reaching import reaching, settings_with
from malvakt.showing import figure_text, plain
from schemas.goals import Goal, GoalStatus, decode_status, encode_version
from schemas.records import Figure
from schemas.topics import GOAL_STATUS
from streams.reading import read_to_end
from streams.settings import Settings


def list_(*, broker: str | None = None, json: bool = False) -> int:
    """List the goals that hold, and where they stand.

    Parameters
    ----------
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each as one JSON line, with where it stands now.
    """
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        goals, statuses = asyncio.run(_read(settings))
    held = sorted(goals.history.held().values(), key=lambda goal: (goal.scope, goal.id))
    standing = {goal.id: _standing(goal, statuses, goals.given) for goal in held}
    if json:
        for goal in held:
            status = standing[goal.id]
            line = msgspec.to_builtins(goal) | {"status": status and msgspec.to_builtins(status)}
            sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    elif held:
        Console().print(_table(held, standing, goals.given))
    else:
        print("There are no goals; see docs/goals.md.")
    return 0


def show_(name: str, *, broker: str | None = None, json: bool = False) -> int:
    """Show a goal, where it stands, and who changed what when.

    Parameters
    ----------
    name
        The id of a goal, also of one that was retired.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each version as one JSON line.
    """
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        goals, statuses = asyncio.run(_read(settings))
    versions = goals.history.versions(name)
    if not versions:
        raise Fault(f"there is no goal `{short(name)}`{did_you_mean(name, goals.history.latest())}")
    if json:
        for version in versions:
            sys.stdout.buffer.write(encode_version(version) + b"\n")
        return 0
    console = Console()
    goal = versions[-1].goal
    for line in ["retired"] if goal is None else _said(goal, goals, statuses):
        console.print(plain(line))
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in ("version", "when", "by", "what"):
        table.add_column(column, overflow="fold")
    known, calendar = goals.given.known, goals.given.calendar
    for before, version in zip([None, *versions], versions, strict=False):
        when = calendar.local(micros_of(version.at))
        what = told(version, before, known)
        table.add_row(str(version.version), f"{when:%Y-%m-%d %H:%M}", plain(version.by), plain(what))
    console.print(table)
    return 0


async def _read(settings: Settings) -> tuple[Opened, dict[str, GoalStatus]]:
    """The goals, and of each period the status that holds, by its key."""
    statuses: dict[str, GoalStatus] = {}
    async with opened(settings) as goals:
        async for key, value in read_to_end(
            settings, GOAL_STATUS.name, lambda record: (record.key.decode(), record.value)
        ):
            if value is None:
                statuses.pop(key, None)
                continue
            status = decode_status(value)
            known = statuses.get(key)
            if known is None or known.revision <= status.revision:
                statuses[key] = status
    return goals, statuses


def _standing(goal: Goal, statuses: dict[str, GoalStatus], given: Reading) -> GoalStatus | None:
    """Where a goal stands, as it is now: in the period that holds today, or else in the last one."""
    today = date_of(given.calendar.day(given.now))
    of_it = [
        status
        for status in statuses.values()
        if (status.goal, status.goal_version) == (goal.id, goal.version)
    ]
    return max(of_it, key=lambda status: (status.start <= today <= status.end, status.start), default=None)


def _table(held: Iterable[Goal], standing: dict[str, GoalStatus | None], given: Reading) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column in ("id", "scope", "KPI", "target", "period", "owner", "accepted by", "stands", "value"):
        table.add_column(column, overflow="fold")
    for goal in held:
        status = standing[goal.id]
        least = "" if goal.better == "at_least" else "at most "
        row = (
            goal.id,
            goal.scope,
            goal.kpi,
            least + asked_text(goal, given.known),
            period_text(goal.period),
            goal.owner or "–",
            "a draft" if goal.accepted is None else goal.accepted.by,
            "–" if status is None else status.standing.replace("_", " "),
            "–" if status is None else _figure(status.value, goal, given),
        )
        table.add_row(*map(plain, row))
    return table


def _said(goal: Goal, goals: Opened, statuses: dict[str, GoalStatus]) -> Iterable[str]:
    """A goal as it holds now, and where it stands."""
    given = goals.given
    yield in_a_line(goal, given.known)
    beside = [("name", goal.name), ("owner", goal.owner), ("part of", goal.part_of)]
    parts = parts_of(goals.history.held().values()).get(goal.id, [])
    beside.append(("parts", ", ".join(sorted(part.id for part in parts))))
    for what, text in beside:
        if text:
            yield f"{what}: {text}"
    status = _standing(goal, statuses, given)
    if status is None:
        yield "no worker has said yet where it stands"
        return
    value, target = (_figure(figure, goal, given) for figure in (status.value, status.target))
    chance = "" if status.probability is None else f"; {status.probability:.0%} likely to be reached"
    standing = status.standing.replace("_", " ")
    yield f"{status.start} to {status.end}: {standing}, {value} where {target} is asked for{chance}"


def _figure(value: Figure, goal: Goal, given: Reading) -> str:
    kpi = given.known.kpis.get(goal.kpi)
    return figure_text(value, ratio=kpi is not None and kpi.unit == "ratio")
