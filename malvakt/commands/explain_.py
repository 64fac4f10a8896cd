"""`malvakt explain`: the objects behind a figure, each with its share."""

import asyncio
import sys
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from audit.explaining import Asked, Explanation, Item, Part, ask_for, exact, explain
from kpis.calendar import Grain, Window, day_number, windows_of
from kpis.definitions.holding import NOTHING, Absent, Held, Since, only
from kpis.tally import COMPANY
from malvakt.asking import asked_date, asked_instant
from malvakt.auditing import books_of, settings_of
from malvakt.commands.kpis_ import KINDS
from malvakt.commands.reconcile_ import Files
from malvakt.defined import means, read_file
from malvakt.outcome import CallError
from malvakt.reaching import reaching
from malvakt.recorded import Line, report
from malvakt.showing import plain, window_name
from streams.defining import InUse
from streams.settings import Settings

ABSENT: dict[Absent, str] = {
    "figure": "There is no KPI or measure {figure}; there are {known}.",
    "uncounted": (
        "{figure} is defined, but not all of history is counted under its definition yet; until it is, no"
        " record shows it. There are {known}."
    ),
    "removed": "{figure} was taken away, and no record shows it any more; there are {known}.",
}

SINCE: dict[Since, str] = {
    "changed": (
        "{figure} is defined otherwise by now. Until all of history is counted so, records show what is"
        " explained here."
    ),
    "removed": "{figure} was taken away by now; records are about to show it no more.",
}


def explain_(
    scope: str,
    grain: Grain,
    start: str,
    figure: str,
    *,
    events: Files | None = None,
    definitions: Path | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    as_of: str | None = None,
    broker: str | None = None,
    json: bool = False,
) -> int:
    """Show the objects behind a figure, each with its share; the shares add up exactly.

    Parameters
    ----------
    scope
        `company`, `team:ID`, `seller:ID` or `customer:ID`.
    grain
        The length of the window.
    start
        The window's first date, such as 2026-03-01; of `ever` 1970-01-01.
    figure
        A KPI or a measure, ours or your own.
    events
        Files of events, instead of the topics; `-` reads standard input.
    definitions
        With --events: the own measures and KPIs, in TOML. An installation has its own.
    timezone
        With --events: the business timezone; else MALVAKT_TIMEZONE. An installation has its own.
    currency
        With --events: the reporting currency; else MALVAKT_CURRENCY. An installation has its own.
    as_of
        Which instant counts as now, where that matters; the latest event time by default.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each object as one JSON line, and then the figure.
    """
    if scope != COMPANY and not scope.startswith(KINDS):
        raise CallError(f"{scope}: give {COMPANY}, or a scope that begins with {', '.join(KINDS)}.")
    if definitions is not None and events is None:
        raise CallError("--definitions goes with --events; an installation has its own.")
    first = _first_day(grain, start)
    settings = settings_of(events, broker, timezone, currency)
    now = None if as_of is None else asked_instant("--as-of", as_of, settings.business().calendar)
    held = _held(settings, figure, definitions, in_files=events is not None)
    if held is None:
        return 1
    absent = held.absent(figure)
    if absent is not None:
        known = ", ".join(sorted(held.figures()))
        raise CallError(ABSENT[absent].format(figure=figure, known=known))
    refused: list[Line] = []
    with books_of(settings, events, refused, held.shown) as books:
        latest = now or books.latest()
        if latest is None:
            raise CallError("There are no events to explain anything by.")
        asked = Asked(scope, grain.value, first, latest)
        ask_for(books, asked)
        explanation = explain(books, asked, figure)
    if json:
        _print(explanation, held)
    else:
        _show(asked, explanation, held)
    report(refused)
    return 1 if refused else 0


def _held(settings: Settings, figure: str, definitions: Path | None, *, in_files: bool) -> Held | None:
    """The definitions that figures are by; `None` where those of a file have faults.

    An installation is asked for them only where the figure is none of ours.
    """
    if definitions is not None:
        defined = read_file(definitions, {})
        return None if defined is None else only(defined)
    if in_files or NOTHING.absent(figure) is None:
        return NOTHING
    with reaching(settings.broker):
        return asyncio.run(InUse(settings).read())


def _first_day(grain: Grain, start: str) -> date:
    first = asked_date("START", start)
    day = day_number(first)
    if Window(grain, day) not in windows_of(day):
        raise CallError(f"START {start}: no {grain} starts on that date.")
    return first


def _print(explanation: Explanation, held: Held) -> None:
    for part in explanation.parts:
        for item in part.items:
            sys.stdout.buffer.write(orjson.dumps(_line(part, item)) + b"\n")
    totals = [
        {"part": part.name, "start": part.start, "end": part.end, "total": exact(part.total, part.digits)}
        for part in explanation.parts
    ]
    last = {
        "figure": explanation.figure,
        "formula": explanation.formula,
        "value": explanation.value,
        "totals": totals,
        "since": held.since(explanation.figure),
    }
    sys.stdout.buffer.write(orjson.dumps(last) + b"\n")


def _line(part: Part, item: Item) -> dict[str, Any]:
    line = {
        "part": part.name,
        "start": part.start,
        "object": item.object,
        "share": exact(item.share, part.digits),
        "customer": item.customer,
        "seller": item.seller,
        "team": item.team,
        "at": item.at,
        "first_day": item.first_day,
        "last_day": item.last_day,
    }
    return line | {"through": item.through} if item.through else line


def _show(asked: Asked, explanation: Explanation, held: Held) -> None:
    console = Console()
    for part in explanation.parts:
        reached = any(item.through for item in part.items)
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_footer=True)
        table.add_column(_title(part), plain(f"{len(part.items)} in all"), overflow="fold")
        table.add_column("share", _readable(part.total, part), justify="right", no_wrap=True)
        for name in ("day", "customer", "seller", "team", "through"):
            if name != "through" or reached:
                table.add_column(name, overflow="fold")
        for item in part.items:
            cells = [plain(name or "–") for name in (item.customer, item.seller, item.team)]
            if reached:
                cells.append(plain(", ".join(item.through)))
            table.add_row(plain(item.object), _readable(item.share, part), _days(item), *cells)
        console.print(table)
    value = "–" if explanation.value is None else str(explanation.value)
    console.print(
        plain(
            f"{explanation.figure} of {asked.scope} in {window_name(asked.grain, asked.start)}"
            f" = {explanation.formula} = {value}"
        )
    )
    for name in dict.fromkeys(part.name for part in explanation.parts):
        if name in held.shown.measures:
            console.print(plain(f"{name} counts {means(held.shown.measures[name])}."))
    since = held.since(explanation.figure)
    if since is not None:
        console.print(plain(SINCE[since].format(figure=explanation.figure)))


def _title(part: Part) -> str:
    if part.end is None:
        return part.name
    return f"{part.name}, {part.start} to {max(part.start, part.end - timedelta(days=1))}"


def _days(item: Item) -> str:
    if item.first_day == item.last_day:
        return str(item.first_day)
    return f"{item.first_day} to {item.last_day}"


def _readable(share: Fraction, part: Part) -> str:
    """A share as people read it; one that has no end is cut off, and says so."""
    text = exact(share, part.digits)
    return f"{float(share):.6f}…" if "/" in text else text
