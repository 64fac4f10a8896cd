"""`malvakt goals set`, `accept` and `retire`: goals that hold, changed by somebody who has a name."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from goals.figures import Records
from goals.history import GoalHistory, acceptances, changes, moved, retirements
from goals.reading import Remark
from malvakt.author import Author, author
from malvakt.goal_changes import carry_out, check_all, opened, refusing
from malvakt.goal_files import beside_history, read_goals, report
from malvakt.outcome import CallError
from malvakt.reaching import reaching, settings_with
from schemas.goals import GoalVersion
from schemas.records import KpiRecord
from schemas.topics import SCORECARDS
from streams.reading import keep_highest, read_to_end, record_of
from streams.settings import Settings
from streams.topic_setup import set_up_topics

Wanted = Callable[[Iterable[str], GoalHistory, str, datetime], list[GoalVersion]]


def set_(file: Path, *, by: str | None = None, dry_run: bool = False, broker: str | None = None) -> int:
    """Set goals as a file has them. What others hold stays; what asks for something else is a draft again.

    Parameters
    ----------
    file
        Goals, as `malvakt goals check` takes them. Where one of them has a fault, none is set.
    by
        Who sets them; by default whoever is logged in.
    dry_run
        Show what would change, and write nothing.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    """
    settings, who = settings_with(broker=broker), author(by)
    with reaching(settings.broker):
        return asyncio.run(_set(settings, file, who, dry_run=dry_run))


def accept_(*ids: str, by: str | None = None, dry_run: bool = False, broker: str | None = None) -> int:
    """Accept goals: what they ask for is agreed on, and whether it comes is told.

    Parameters
    ----------
    ids
        Of goals that hold; see `malvakt goals list`.
    by
        Who accepts them; by default whoever is logged in.
    dry_run
        Show what would change, and write nothing.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    """
    return _change(acceptances, ids, by, broker, dry_run=dry_run)


def retire_(*ids: str, by: str | None = None, dry_run: bool = False, broker: str | None = None) -> int:
    """Retire goals: they hold no longer. What became of them stays to be looked at.

    Parameters
    ----------
    ids
        Of goals that hold; see `malvakt goals list`.
    by
        Who retires them; by default whoever is logged in.
    dry_run
        Show what would change, and write nothing.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    """
    return _change(retirements, ids, by, broker, dry_run=dry_run)


async def _set(settings: Settings, file: Path, who: Author, *, dry_run: bool) -> int:
    if not dry_run:
        await set_up_topics(settings)
    async with opened(settings) as goals:
        found = read_goals(file, goals.given)
        faults = [
            Remark(*found.places[goal.id], f"{goal.id}.{fault.keys[0]}", fault.reason)
            for goal in found.goals
            if (fault := moved(goal, goals.history)) is not None
        ]
        if faults or found.faults:
            report(file, [*found.findings, *faults])
            return 1
        versions = changes(found.goals, goals.history, *who)
        changing = [version.goal for version in versions if version.goal is not None]
        records = await _records(settings, {goal.scope for goal in changing})
        report(file, [*found.findings, *beside_history(changing, found, goals.given, records)])
        await carry_out(goals, versions, dry_run=dry_run)
    if not versions:
        print("All of it holds already.")
    return 0


def _change(
    wanted: Wanted, ids: tuple[str, ...], by: str | None, broker: str | None, *, dry_run: bool
) -> int:
    if not ids:
        raise CallError("name goals by their ids, as `malvakt goals list` has them.")
    settings, who = settings_with(broker=broker), author(by)
    with reaching(settings.broker):
        asyncio.run(_carry_out(settings, wanted, ids, who, dry_run=dry_run))
    return 0


async def _carry_out(
    settings: Settings, wanted: Wanted, ids: tuple[str, ...], who: Author, *, dry_run: bool
) -> None:
    async with opened(settings) as goals:
        with refusing():
            versions = wanted(ids, goals.history, *who)
        check_all(versions, goals.given)
        await carry_out(goals, versions, dry_run=dry_run)
        held = goals.history.held()
        for name in sorted(set(ids) - {version.id for version in versions}):
            acceptance = held[name].accepted
            assert acceptance is not None, "a goal without one changes"
            print(f"{name}: {acceptance.by} accepted it before.")


async def _records(settings: Settings, scopes: set[str]) -> Records:
    """The KPI records of scopes, as they are published."""
    records: dict[str, KpiRecord] = {}
    async for record in read_to_end(settings, SCORECARDS.name, record_of):
        if record.scope in scopes:
            keep_highest(records, record)
    return records
