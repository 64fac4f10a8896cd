"""Definitions as commands read and tell of them: what a file defines, or its faults on standard error."""

import sys
from collections.abc import Mapping
from pathlib import Path

from kpis.definitions.checking import summed_field
from kpis.definitions.countable import COUNTABLE
from kpis.definitions.reading import Pointed, read
from kpis.definitions.vocabulary import vocabulary
from malvakt.outcome import CallError
from schemas.definitions import DefinitionRecord, Definitions, MeasureDefinition, Plain


def read_file(file: Path, in_force: Mapping[str, DefinitionRecord]) -> Definitions | None:
    """A file's definitions, which may read measures that are in force; `None` where they have faults."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error
    own = {key.partition("/")[2] for key in in_force if key.startswith("measures/")}
    definitions, faults = read(raw, vocabulary().knowing(own))
    if faults:
        _report(file, faults)
        return None
    return definitions


def _report(file: Path, faults: list[Pointed]) -> None:
    for fault in faults:
        print(f"{file}:{fault}", file=sys.stderr)
        for line in fault.shown.splitlines():
            print(f"    {line}", file=sys.stderr)
    print(f"{number_of(len(faults), 'fault')}; nothing is defined.", file=sys.stderr)


def number_of(count: int, what: str) -> str:
    """So many of something, in words."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def means(definition: MeasureDefinition) -> str:
    """What a measure counts, in words."""
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
