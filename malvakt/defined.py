"""Files of definitions, as commands read them: what they define, or all their faults on standard error."""

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kpis.definitions.reading import Pointed, read
from kpis.definitions.vocabulary import vocabulary
from malvakt.outcome import CallError
from schemas.definitions import DefinitionRecord, Definitions


def read_file(file: Path, in_force: Mapping[str, DefinitionRecord]) -> Definitions | None:
    """A file's definitions, which may read measures that are in force; `None` where they have faults."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error
    known = vocabulary()
    own = {key.partition("/")[2] for key in in_force if key.startswith("measures/")}
    known = msgspec.structs.replace(known, measures=known.measures | own)
    definitions, faults = read(raw, known)
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
