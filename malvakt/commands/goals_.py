"""`malvakt goals`: goals in files, checked and divided; and how good forecasts of them are."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from goals.figures import Records, shown
from goals.known import Known, known_kpis
from goals.periods import first_period
from goals.reading import Finding, Read, Reading, read
from goals.realism import unrealistic
from goals.records import GoalError, faults_of, read_goal
from goals.splitting import Part, SplitError, difference, last_years, parts_of, split
from goals.writing import target_text, written
from kpis.calendar import micros_of
from malvakt.asking import asked_instant
from malvakt.defined import number_of, read_file
from malvakt.outcome import CallError, Fault
from malvakt.recorded import read_records
from schemas.definitions import Definitions
from schemas.goals import Goal, Once, Relative
from streams.settings import Settings

goals_ = App(name="goals", help="Goals: checked, divided, and what to expect of them.")
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
    found = _read(file, given)
    records = None if history is None else _records(history)
    findings = [
        *found.findings,
        *_beside_history(found, given, records),
        *_beside_parts(found, given.known),
    ]
    for finding in sorted(findings, key=lambda finding: (finding.line, finding.column)):
        print(f"{file}:{finding}", file=sys.stderr)
    faults = len(found.faults)
    if faults:
        print(f"{number_of(faults, 'fault')}; these goals cannot be used.", file=sys.stderr)
        return 1
    for line in _summary(found.goals, given.known):
        print(line)
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
    """
    if weights is not None and as_last_year is not None:
        raise CallError("give --weights or --as-last-year, not both.")
    if weights is not None and len(weights) != len(over):
        raise CallError(
            f"there are {number_of(len(weights), 'weight')} for {number_of(len(over), 'part')}."
        )
    given = _given(definitions, timezone, currency, now)
    goals = {each.id: each for each in _read(file, given).goals}
    whole = goals.get(goal)
    if whole is None:
        listed = ", ".join(goals) or "none"
        raise Fault(
            f"{file} has no goal {goal} that can be used; it has {listed}. Try `malvakt goals check`."
        )
    try:
        if as_last_year is not None:
            span = first_period(whole.period)
            parts = last_years(whole, span, over, given.known, _records(as_last_year))
        else:
            parts = [Part(*each) for each in zip(over, weights or [1] * len(over), strict=True)]
        print(written(split(whole, parts, given.known), given.known), end="")
    except SplitError as error:
        raise Fault(str(error)) from error
    return 0


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


def _read(file: Path, given: Reading) -> Read:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error
    return _from_records(raw, given) if file.suffix == ".jsonl" else read(raw, given)


def _records(file: Path) -> Records:
    return {record.key: record for record in read_records(file)}


def _from_records(raw: bytes, given: Reading) -> Read:
    """Goals from JSON lines."""
    goals: list[Goal] = []
    findings: list[Finding] = []
    places: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            goal = read_goal(line)
        except GoalError as error:
            findings.append(Finding(number, 1, "", str(error)))
            continue
        places[goal.id] = (number, 1)
        faults = faults_of(goal, given.known, given.calendar, given.now)
        findings += [
            Finding(number, 1, f"{goal.id}.{fault.keys[0]}", fault.sentence, fault.warning)
            for fault in faults
        ]
        if all(fault.warning for fault in faults):
            goals.append(goal)
    return Read(goals, findings, places)


def _beside_history(found: Read, given: Reading, records: Records | None) -> Iterable[Finding]:
    if records is None:
        return
    today = given.calendar.day(given.now)
    for goal in found.goals:
        for sentence in unrealistic(goal, given.known, records, today):
            yield Finding(*found.places[goal.id], goal.id, sentence, warning=True)


def _beside_parts(found: Read, known: Known) -> Iterable[Finding]:
    goals = {goal.id: goal for goal in found.goals}
    for name, parts in parts_of(found.goals).items():
        whole = goals.get(name)
        if whole is None:
            continue
        asked = difference(whole, [part for part in parts if part.period == whole.period])
        if asked:
            way = "more" if asked > 0 else "less"
            amount = shown(abs(asked), known.kpis[whole.kpi].unit, known.digits)
            sentence = f"its parts ask for {amount} {way} than it does."
            yield Finding(*found.places[name], name, sentence, warning=True)


def _summary(goals: list[Goal], known: Known) -> list[str]:
    lines = [f"{number_of(len(goals), 'goal')}, and no fault."]
    width = max((len(goal.id) for goal in goals), default=0)
    return lines + [f"  {goal.id:{width}}  {_said(goal, known)}" for goal in goals]


def _said(goal: Goal, known: Known) -> str:
    """A goal in a line."""
    asks = " at least" if goal.better == "at_least" else " at most"
    what = target_text(goal, known)
    if isinstance(goal.target, Relative):
        what += " on the time before" if goal.target.baseline == "span_before" else " on last year"
        asks = "" if goal.better == "at_least" else " at most"
    period = goal.period
    if isinstance(period, Once):
        when = f"{period.start} to {period.end}"
    else:
        when = f"every {period.grain} from {period.start}"
        when += "" if period.until is None else f" until {period.until}"
    by = "a draft" if goal.accepted is None else f"accepted by {goal.accepted.by}"
    return f"{goal.kpi} of {goal.scope}{asks} {what}, {when}; {by}"
