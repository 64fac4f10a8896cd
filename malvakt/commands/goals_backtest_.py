"""`malvakt goals backtest`: what forecasts would have said of goals, on recorded history."""

import sys
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from goals.backtest import Setting, from_history, given, live_through
from goals.expecting import KPIS
from goals.scoring import ALL, FALSE_ALARMS, FORECAST, NAIVE, PACING, TIMED, Report, report
from goals.working_time import Plan, WorkingTime
from kpis.calendar import date_of
from kpis.public_holidays import countries
from malvakt.interpreter import collect_seldom
from malvakt.outcome import CallError, Fault
from malvakt.recorded import EventFile, Line, read_events
from malvakt.recorded import report as report_refused
from schemas.goals import Goal
from streams.settings import Settings

USUAL = "revenue,meetings_booked,qualified_leads,deals_closed,win_rate"
TITLES = {
    FORECAST: "forecast",
    PACING: "pacing",
    TIMED: "pacing,\ntold the time",
    NAIVE: "on pace,\nyes or no",
}


def backtest(
    *files: EventFile,
    goals: Path | None = None,
    kpis: str = USUAL,
    scopes: str = "company,team,seller",
    timezone: str = "Europe/Stockholm",
    currency: str = "SEK",
    country: str = "SE",
    json: bool = False,
) -> int:
    """Live through recorded history again, and see how good forecasts of goals would have been.

    Goals are set for each month from the three before it, unless they are given. The first half of the
    periods is for fitting what forecasts are compared with; the second is reported on.

    Parameters
    ----------
    files
        Events, one JSON object a line; `-` reads standard input.
    goals
        Goals to judge, one JSON object a line as on the topic `goals`.
    kpis
        Without --goals: the KPIs to set goals of.
    scopes
        Without --goals: whose goals, of company, team, seller.
    timezone
        The business timezone.
    currency
        The reporting currency.
    country
        Whose public holidays nobody works on, by its ISO 3166 code.
    json
        Print the report as one JSON object.
    """
    if not files:
        raise CallError("Name the files of events to live through, or - for standard input.")
    if country not in countries():
        raise CallError(f"--country {country}: give a country such as SE, NO or DE.")
    setting = _set_from_history(kpis, scopes) if goals is None else given(_read_goals(goals))
    business = Settings(timezone=timezone, currency=currency).business()
    works = WorkingTime(business.calendar, Plan(country=country)).works
    collect_seldom()
    refused: list[Line] = []
    lived = live_through(read_events(list(files), refused), business, works, setting)
    found = report(lived, lambda day: date_of(day).isoformat())
    if found is None:
        raise Fault("There is too little history: it takes goals of two periods, one after the other.")
    if json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        _show(found)
    report_refused(refused)
    return 1 if refused else 0


def _set_from_history(kpis: str, scopes: str) -> Setting:
    names = [name.strip() for name in kpis.split(",")]
    kinds = [kind.strip() for kind in scopes.split(",")]
    if not set(names) <= set(KPIS):
        raise CallError(f"--kpis {kpis}: there are forecasts of {', '.join(KPIS)}.")
    if not set(kinds) <= {"company", "team", "seller"}:
        raise CallError(f"--scopes {scopes}: give some of company, team, seller.")
    return from_history(names, kinds)


def _read_goals(file: Path) -> list[Goal]:
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error
    found: list[Goal] = []
    for number, line in enumerate(lines, 1):
        try:
            goal = msgspec.json.decode(line, type=Goal)
        except msgspec.MsgspecError as error:
            raise CallError(f"{file}, line {number}: this is no goal: {error}.") from error
        if goal.kpi not in KPIS:
            raise CallError(f"{file}, line {number}: there are forecasts of {', '.join(KPIS)}.")
        found.append(goal)
    return found


def _show(found: Report) -> None:
    console = Console()
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title="Brier score: less is better")
    for column in ("goals of", "KPI"):
        table.add_column(column)
    for column in ("goals", "judged", "reached", *TITLES.values(), "within\nthe interval"):
        table.add_column(column, justify="right")
    for scores in found.scores:
        table.add_row(
            scores.scopes,
            scores.kpi,
            str(scores.goals),
            str(scores.judgements),
            f"{scores.reached:.0%}",
            *(f"{scores.brier[by]:.3f}" for by in TITLES),
            f"{scores.within:.0%}",
            end_section=scores.scopes == ALL,
        )
    console.print(table)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title="Calibration: said, and how often it came")
    table.add_column("said")
    table.add_column("judged", justify="right")
    table.add_column("on average", justify="right")
    table.add_column("came", justify="right")
    for decile in found.calibration[FORECAST]:
        table.add_row(
            f"{decile.low:.0%} to {decile.low + 0.1:.0%}",
            str(decile.judged),
            f"{decile.predicted:.1%}",
            f"{decile.reached:.1%}",
        )
    console.print(table)
    table = Table(
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title=f"Alarms, set for {FALSE_ALARMS:.0%} false ones on the periods before",
    )
    for column in ("by", "below", "false alarms", "misses warned of", "hours before the end", "log loss"):
        table.add_column(column, justify="right" if column != "by" else "left")
    for by, title in TITLES.items():
        alarm = found.alarms[by]
        loss = found.scores[0].log_loss.get(by)
        table.add_row(
            title.replace("\n", " "),
            f"{alarm.threshold:.2f}",
            f"{alarm.false_alarms:.0%}",
            f"{alarm.warned:.0%}",
            f"{alarm.hours:.0f}",
            "–" if loss is None else f"{loss:.3f}",
        )
    console.print(table)
    console.print(
        f"Tested on goals from {found.tested_from} on; fitted on {found.learned_from} judgements before."
        f" {found.forecasts} forecasts took {found.microseconds_a_forecast:.0f} µs each; preparing each day"
        f" took {found.preparing_s:.1f} s in all, learning each month {found.learning_s:.1f} s.",
        highlight=False,
    )
