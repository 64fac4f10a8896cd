"""Files of goals, as commands read them: what they ask for, and what is to be said of it."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from goals.figures import Records
from goals.reading import Read, Reading, Remark, read
from goals.realism import unrealistic
from goals.records import GoalError, faults_of, read_goal
from malvakt.defined import number_of
from malvakt.outcome import CallError
from notices.reasons import finding
from schemas.goals import Goal


def read_goals(file: Path, given: Reading) -> Read:
    """The goals of a file, in YAML or as records, and what is wrong with them."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error
    return _from_records(raw, given) if file.suffix == ".jsonl" else read(raw, given)


def beside_history(
    goals: Iterable[Goal], found: Read, given: Reading, records: Records
) -> Iterator[Remark]:
    """What records say against goals of a file."""
    today = given.calendar.day(given.now)
    for goal in goals:
        for reason in unrealistic(goal, given.known, records, today):
            yield Remark(*found.places[goal.id], goal.id, reason, warning=True)


def report(file: Path, findings: Iterable[Remark]) -> bool:
    """Tell people what was found, in the order of the file; whether these goals can be used."""
    faults = 0
    for remark in sorted(findings, key=lambda remark: (remark.line, remark.column)):
        print(f"{file}:{finding(remark)}", file=sys.stderr)
        faults += not remark.warning
    if faults:
        print(f"{number_of(faults, 'fault')}; these goals cannot be used.", file=sys.stderr)
    return not faults


def _from_records(raw: bytes, given: Reading) -> Read:
    """Goals from JSON lines."""
    goals: list[Goal] = []
    findings: list[Remark] = []
    places: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            goal = read_goal(line)
        except GoalError as error:
            findings.append(Remark(number, 1, "", error.said))
            continue
        if goal.id in places:
            sentence = f"it stands here twice, first on line {places[goal.id][0]}; keep one."
            findings.append(Remark(number, 1, goal.id, sentence))
            continue
        places[goal.id] = (number, 1)
        faults = faults_of(goal, given.known, given.calendar, given.now)
        findings += [
            Remark(number, 1, f"{goal.id}.{fault.keys[0]}", fault.reason, fault.warning) for fault in faults
        ]
        if all(fault.warning for fault in faults):
            goals.append(goal)
    return Read(goals, findings, places)
