"""`malvakt definitions`: an organisation's own measures and KPIs."""

import sys
from pathlib import Path

from cyclopts import App

from kpis.definitions.checking import A, summed_field
from kpis.definitions.countable import COUNTABLE, known_fields
from kpis.definitions.counting import fields_needed
from kpis.definitions.faults import did_you_mean
from kpis.definitions.reading import Pointed, read
from kpis.definitions.vocabulary import vocabulary
from malvakt.outcome import CallError
from schemas.definitions import Definitions, KpiDefinition, MeasureDefinition, Plain

definitions_ = App(name="definitions", help="An organisation's own measures and KPIs.")


@definitions_.command
def check(file: Path) -> int:
    """Say what definitions mean, or all that is wrong with them.

    Parameters
    ----------
    file
        Definitions in TOML; see docs/definitions.md.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error
    definitions, faults = read(raw, vocabulary())
    if faults:
        _report(file, faults)
        return 1
    for line in _summary(definitions):
        print(line)
    return 0


def _report(file: Path, faults: list[Pointed]) -> None:
    for fault in faults:
        print(f"{file}:{fault}", file=sys.stderr)
        for line in fault.shown.splitlines():
            print(f"    {line}", file=sys.stderr)
    print(f"{_number(len(faults), 'fault')}; nothing is defined.", file=sys.stderr)


def _summary(definitions: Definitions) -> list[str]:
    measures, kpis = definitions.measures, definitions.kpis
    lines = [f"{_number(len(measures), 'measure')} and {_number(len(kpis), 'KPI')}, and no fault."]
    width = max(map(len, [*measures, *kpis]), default=0)
    lines += [f"  {name:{width}}  {_measure(one)}" for name, one in measures.items()]
    lines += [f"  {name:{width}}  {_kpi(one)}" for name, one in kpis.items()]
    own = sorted({(event.partition(".")[0], field) for event, field in fields_needed(definitions)})
    if own:
        lines.append("Fields of your own, which events must state:")
        lines += [f"  {field} of {A[noun]}{did_you_mean(field, known_fields(noun))}" for noun, field in own]
    return lines


def _measure(definition: MeasureDefinition) -> str:
    countable = COUNTABLE[definition.event]
    field = summed_field(definition.count)
    if field is not None:
        what = f"the sum of `{field}` of {countable.things}"
    elif definition.count == "distinct person":
        what = f"distinct persons in {countable.things}"
    else:
        what = countable.things
    conditions = [
        f"{name} is {' or '.join(map(_value, values))}" for name, values in definition.where.items()
    ]
    return f"{what}{', where ' if conditions else ''}{' and '.join(conditions)}; at {countable.at}"


def _value(value: Plain) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _kpi(definition: KpiDefinition) -> str:
    unit = {"ratio": "a ratio", "count": "a count", "money": "money", "days": "days"}[definition.unit]
    return f"{definition.formula}; {unit}, {definition.better} is better"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
