"""`malvakt definitions`: an organisation's own measures and KPIs."""

import asyncio
import sys
import time
from datetime import datetime
from pathlib import Path

import msgspec
from cyclopts import App

from kpis.calendar import labels_of, micros_of
from kpis.contributions import Business
from kpis.definitions.changing import changed, definitions_in
from kpis.definitions.checking import A
from kpis.definitions.countable import known_fields
from kpis.definitions.counting import fields_needed
from kpis.definitions.faults import did_you_mean
from kpis.own import told
from kpis.replay import Replay
from kpis.tally import COMPANY
from malvakt.defined import means, number_of, read_file
from malvakt.outcome import CallError
from malvakt.reaching import reaching, settings_with
from malvakt.recorded import EventFile, Line, read_recorded, report
from schemas.decoding import Reason, decode_event
from schemas.definitions import (
    DefinitionRecord,
    Definitions,
    KpiDefinition,
)
from schemas.events import Recorded
from schemas.records import KpiRecord
from schemas.topics import CRM_TOPICS
from streams.defining import define, read_definitions
from streams.delivery import Delivery
from streams.founding import EPOCH_S
from streams.reading import lost_history, read_to_end
from streams.settings import Settings
from streams.topic_setup import set_up_topics

definitions_ = App(name="definitions", help="An organisation's own measures and KPIs.")


@definitions_.command
def check(file: Path) -> int:
    """Say what definitions mean, or all that is wrong with them.

    Parameters
    ----------
    file
        Definitions in TOML; see docs/definitions.md.
    """
    definitions = read_file(file, {})
    if definitions is None:
        return 1
    for line in _summary(definitions):
        print(line)
    return 0


@definitions_.command(name="list")
def list_(*, broker: str | None = None, json: bool = False) -> int:
    """List the definitions in force.

    Parameters
    ----------
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each as one JSON line, with its key.
    """
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        found = asyncio.run(read_definitions(settings))
    for key in sorted(found):
        record = found[key]
        if json:
            line = {"key": key, "version": record.version, "definition": record.definition}
            print(msgspec.json.encode(line).decode())
        else:
            one = record.definition
            said = _kpi(one) if isinstance(one, KpiDefinition) else means(one)
            print(f"{key} (version {record.version}): {said}")
    if not found and not json:
        print("Nothing is defined; see docs/definitions.md.")
    return 0


@definitions_.command
def apply(file: Path, *, only: bool = False, broker: str | None = None) -> int:
    """Put definitions in force. History is counted anew under them, and then they take over at once.

    Parameters
    ----------
    file
        Definitions in TOML; see docs/definitions.md.
    only
        Take away all others.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    """
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        return asyncio.run(_apply(settings, file, only=only))


@definitions_.command
def remove(*names: str, broker: str | None = None) -> int:
    """Take definitions away: records show them no more.

    Parameters
    ----------
    names
        Of measures and KPIs.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    """
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        return asyncio.run(_remove(settings, names))


@definitions_.command
def preview(
    file: Path,
    *events: EventFile,
    broker: str | None = None,
    scope: str = COMPANY,
) -> int:
    """Show what definitions would do to today's figures, without applying them.

    All history is counted in this process, as it is defined now and as it would be.

    Parameters
    ----------
    file
        Definitions in TOML; see docs/definitions.md.
    events
        Recorded events to count, instead of those on Kafka.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    scope
        Whose figures: `company`, `team:ID`, `seller:ID` or `customer:ID`.
    """
    settings = settings_with(broker=broker)
    if events:
        refused: list[Line] = []
        recorded = list(read_recorded(list(events), refused))
        report(refused)
        return _preview(settings, file, {}, recorded, scope)
    with reaching(settings.broker):
        in_force = asyncio.run(read_definitions(settings))
        recorded = asyncio.run(_history(settings))
        asyncio.run(_tell_lost_history(settings))
    return _preview(settings, file, in_force, recorded, scope)


async def _apply(settings: Settings, file: Path, *, only: bool) -> int:
    await set_up_topics(settings)
    in_force = await read_definitions(settings)
    definitions = read_file(file, {} if only else in_force)
    if definitions is None:
        return 1
    changes = changed(definitions, in_force, only=only, now=int(time.time()) - EPOCH_S)
    async with Delivery(settings) as delivery:
        await define(settings, delivery, changes)
    for key in sorted(changes):
        record = changes[key]
        print(
            f"{key} is taken away" if record is None else f"{key} is in force as version {record.version}"
        )
    if not changes:
        print("All of it is in force already.")
    elif definitions.measures:
        await _tell_lost_history(settings)
    return 0


async def _tell_lost_history(settings: Settings) -> None:
    lost = await lost_history(settings)
    if lost is not None:
        print(f"{lost} Own measures count only what is left (docs/retention.md).", file=sys.stderr)


async def _remove(settings: Settings, names: tuple[str, ...]) -> int:
    in_force = await read_definitions(settings)
    keys = {key.partition("/")[2]: key for key in in_force}
    unknown = [name for name in names if name not in keys]
    if unknown or not names:
        listed = ", ".join(sorted(keys)) or "nothing"
        raise CallError(f"{', '.join(unknown) or 'No name'}: give names of what is defined: {listed}.")
    async with Delivery(settings) as delivery:
        await define(settings, delivery, {keys[name]: None for name in names})
    return 0


async def _history(settings: Settings) -> list[Recorded]:
    found: list[Recorded] = []
    for topic in CRM_TOPICS:
        async for raw in read_to_end(settings, topic.name, lambda record: record.value):
            event = decode_event(raw, topic.name)
            if not isinstance(event, Reason):
                found.append(Recorded(event, raw))
    return found


def _preview(
    settings: Settings,
    file: Path,
    in_force: dict[str, DefinitionRecord],
    recorded: list[Recorded],
    scope: str,
) -> int:
    definitions = read_file(file, in_force)
    if definitions is None:
        return 1
    if not recorded:
        print("There are no events yet, so there is nothing to show.")
        return 0
    now = max(each.event.time for each in recorded)
    before = definitions_in(in_force)
    after = Definitions(before.measures | definitions.measures, before.kpis | definitions.kpis)
    business = settings.business()
    was = _counted(business, recorded, before, now)
    will_be = _counted(business, recorded, after, now)
    names = [*definitions.measures, *definitions.kpis]
    for label in labels_of(business.calendar.day(micros_of(now))):
        old, new = was.get(f"{scope}|{label}"), will_be.get(f"{scope}|{label}")
        for name in names:
            window = label.replace("|", " ")
            print(f"{window:18} {name}: {_figure(old, name)} -> {_figure(new, name)}")
    return 0


def _counted(
    business: Business, recorded: list[Recorded], definitions: Definitions, now: datetime
) -> dict[str, KpiRecord]:
    replay = Replay(business, definitions=definitions)
    replay.feed(told(recorded, definitions))
    return {record.key: record for record in replay.records(now)}


def _figure(record: KpiRecord | None, name: str) -> str:
    if record is None:
        return "none"
    value = record.measures.get(name, record.kpis.get(name))
    return "none" if value is None else str(value)


def _summary(definitions: Definitions) -> list[str]:
    measures, kpis = definitions.measures, definitions.kpis
    lines = [f"{number_of(len(measures), 'measure')} and {number_of(len(kpis), 'KPI')}, and no fault."]
    width = max(map(len, [*measures, *kpis]), default=0)
    lines += [f"  {name:{width}}  {means(one)}" for name, one in measures.items()]
    lines += [f"  {name:{width}}  {_kpi(one)}" for name, one in kpis.items()]
    own = sorted({(event.partition(".")[0], field) for event, field in fields_needed(definitions)})
    if own:
        lines.append("Fields of your own, which events must state:")
        lines += [f"  {field} of {A[noun]}{did_you_mean(field, known_fields(noun))}" for noun, field in own]
    return lines


def _kpi(definition: KpiDefinition) -> str:
    unit = {"ratio": "a ratio", "number": "a number", "count": "a count"}.get(
        definition.unit, definition.unit
    )
    return f"{definition.formula}; {unit}, {definition.better} is better"
