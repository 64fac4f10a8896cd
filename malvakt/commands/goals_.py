"""`malvakt goals`: goals in files, checked and divided; those that hold; and how good forecasts are."""

import asyncio
import time
from pathlib import Path
from typing import Annotated, NamedTuple

from cyclopts import App, Parameter

from goals.figures import Records
from goals.history import asks_for_the_same, changes
from goals.known import known_kpis
from goals.periods import first_period
from goals.reading import Reading, Remark
from goals.splitting import Part, SplitError, last_years, split, unlike
from goals.writing import in_a_line, written
from kpis.calendar import micros_of
from malvakt.asking import asked_instant
from malvakt.author import Author, author
from malvakt.defined import number_of, read_file
from malvakt.goal_changes import carry_out, check_all, opened, refusing
from malvakt.goal_files import beside_history, read_goals, report
from malvakt.outcome import CallError, Fault
from malvakt.reaching import reaching, settings_with
from malvakt.recorded import read_records
from notices.reasons import sentence
from schemas.definitions import Definitions
from schemas.goals import Goal
from streams.settings import Settings

goals_ = App(name="goals", help="Goals: checked, divided, set and accepted, and what to expect of them.")
for name in ("set", "accept", "retire"):
    goals_.command(f"malvakt.commands.goals_setting_:{name}_", name=name)
for name in ("list", "show"):
    goals_.command(f"malvakt.commands.goals_showing_:{name}_", name=name)
goals_.command("malvakt.commands.goals_backtest_:backtest", name="backtest")


@goals_.command
def check(
    file: Path,
    *,
    history: Path | None = None,
    definitions: Path | None = None,
    timezone: str = "Europe/Stockholm",
    currency: str = "SEK",
    now: str | None = None,
) -> int:
    """Say what goals mean, or all that is wrong with them, each at its line.

    Parameters
    ----------
    file
        Goals in YAML, or records, one JSON object a line, in a file that ends in .jsonl; see docs/goals.md.
    history
        KPI records to compare goals with, as `malvakt replay --json` and `malvakt kpis --json` print them.
    definitions
        Own measures and KPIs, in TOML; see docs/definitions.md.
    timezone
        The business timezone.
    currency
        The reporting currency.
    now
        Which instant counts as now; the clock's by default.
    """
    given = _given(definitions, timezone, currency, now)
    found = read_goals(file, given)
    records = None if history is None else _records(history)
    findings = [
        *found.findings,
        *(
            Remark(*found.places[name], name, sentence, warning=True)
            for name, sentence in unlike(found.goals, given.known).items()
        ),
    ]
    if records is not None:
        findings += beside_history(found.goals, found, given, records)
    if not report(file, findings):
        return 1
    print(f"{number_of(len(found.goals), 'goal')}, and no fault.")
    width = max((len(goal.id) for goal in found.goals), default=0)
    for goal in found.goals:
        print(f"  {goal.id:{width}}  {in_a_line(goal, given.known)}")
    return 0


@goals_.command(name="split")
def split_(
    file: Path,
    goal: str,
    *over: str,
    weights: Annotated[list[int] | None, Parameter(consume_multiple=True)] = None,
    as_last_year: Path | None = None,
    definitions: Path | None = None,
    timezone: str = "Europe/Stockholm",
    currency: str = "SEK",
    now: str | None = None,
    apply: bool = False,
    by: str | None = None,
    dry_run: bool = False,
    broker: str | None = None,
) -> int:
    """Divide a goal over sellers or teams, and print the parts as goals in YAML.

    Parameters
    ----------
    file
        Goals, as `malvakt goals check` takes them.
    goal
        The id of the one to divide.
    over
        Who is to reach it together: `seller:anna seller:bo`, or teams.
    weights
        In which proportion, a whole number for each; evenly by default.
    as_last_year
        In proportion to what each reached in the same period of last year, by these KPI records.
    definitions
        Own measures and KPIs, in TOML; see docs/definitions.md.
    timezone
        The business timezone.
    currency
        The reporting currency.
    now
        Which instant counts as now; the clock's by default.
    apply
        Set the parts, where the goal holds as the file has it. An installation has its own definitions,
        timezone and currency.
    by
        With --apply: who divides it; by default whoever is logged in.
    dry_run
        With --apply: show what would change, and write nothing.
    broker
        With --apply: addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    """
    if weights is not None and as_last_year is not None:
        raise CallError("give --weights or --as-last-year, not both.")
    if weights is not None and len(weights) != len(over):
        raise CallError(
            f"there are {number_of(len(weights), 'weight')} for {number_of(len(over), 'part')}."
        )
    if not apply and (dry_run or by is not None or broker is not None):
        raise CallError("--by, --dry-run and --broker go with --apply.")
    division = _Division(file, goal, over, weights, as_last_year)
    if apply:
        settings = settings_with(broker=broker)
        with reaching(settings.broker):
            asyncio.run(_apply(settings, division, author(by), dry_run=dry_run))
    else:
        given = _given(definitions, timezone, currency, now)
        _, parts = _divided(division, given)
        print(written(parts, given.known), end="")
    return 0


class _Division(NamedTuple):
    """How a goal is to be divided."""

    file: Path
    goal: str
    over: tuple[str, ...]
    weights: list[int] | None
    as_last_year: Path | None


def _divided(division: _Division, given: Reading) -> tuple[Goal, list[Goal]]:
    """A goal, and its parts."""
    goals = {each.id: each for each in read_goals(division.file, given).goals}
    whole = goals.get(division.goal)
    if whole is None:
        listed = ", ".join(goals) or "none"
        raise Fault(
            f"{division.file} has no goal {division.goal} that can be used; it has {listed}."
            " Try `malvakt goals check`."
        )
    try:
        if division.as_last_year is not None:
            span = first_period(whole.period)
            records = _records(division.as_last_year)
            parts = last_years(whole, span, division.over, given.known, records)
        else:
            weights = division.weights or [1] * len(division.over)
            parts = [Part(*each) for each in zip(division.over, weights, strict=True)]
        return whole, split(whole, parts, given.known)
    except SplitError as error:
        raise Fault(sentence(error.said)) from error


async def _apply(settings: Settings, division: _Division, who: Author, *, dry_run: bool) -> None:
    async with opened(settings) as goals:
        whole, parts = _divided(division, goals.given)
        held = goals.history.held().get(whole.id)
        if held is None or not asks_for_the_same(whole, held):
            raise Fault(
                f"{whole.id} does not hold as {division.file} has it, and parts would not add up to it;"
                f" set it first: malvakt goals set {division.file}."
            )
        with refusing():
            versions = changes(parts, goals.history, *who)
        check_all(versions, goals.given)
        await carry_out(goals, versions, dry_run=dry_run)


def _given(definitions: Path | None, timezone: str, currency: str, now: str | None) -> Reading:
    # As settings they are checked, whoever gives them.
    calendar = Settings(timezone=timezone, currency=currency).business().calendar
    own = Definitions() if definitions is None else read_file(definitions, {})
    if own is None:
        raise Fault("the definitions have faults, so nothing is said of goals.")
    instant = (
        int(time.time() * 1_000_000) if now is None else micros_of(asked_instant("--now", now, calendar))
    )
    return Reading(known_kpis(currency, own), calendar, instant)


def _records(file: Path) -> Records:
    return {record.key: record for record in read_records(file)}
