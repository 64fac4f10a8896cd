"""The definitions in force in one partition: which versions are counted, and which one all history was.

A new version is counted beside the one in use until all of history has been folded again under it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.definitions import DefinitionRecord, KpiDefinition
from schemas.internal import Ready
from schemas.rows import DefinedRow, Version


class Defined(NamedTuple):
    """A definition as it is now; `None` where it was taken away."""

    key: str
    record: DefinitionRecord | None


class Recounted(NamedTuple):
    """All of this partition's history was folded under a version of a definition."""

    key: str
    number: int


def define(row: DefinedRow, said: Defined) -> None:
    """A definition is new, another or gone. What is counted already stays until all of history is.

    With it stays the version before that: other partitions may be behind by one.
    """
    key, record = said
    versions = row.versions.get(key, [])
    latest = versions[-1].number if versions else row.removed.get(key, 0)
    if record is None:
        if versions:
            row.removed[key] = latest
            del row.versions[key]
            row.counted.pop(key, None)
    elif record.version > latest:
        counted = row.counted.get(key, 0)
        before = [each for each in versions if each.number < counted][-1:]
        kept = [each for each in versions if each.number >= counted]
        row.versions[key] = [*before, *kept, Version(record.version, record.definition)]
        row.removed.pop(key, None)
        if isinstance(record.definition, KpiDefinition):
            # It is read off measures, and needs no history of its own.
            row.counted[key] = record.version


def note_recounted(row: DefinedRow, said: Recounted) -> bool:
    """All of history was folded under a version; whether that is the one in force."""
    versions = row.versions.get(said.key, [])
    if not versions or versions[-1].number != said.number:
        return False
    row.counted[said.key] = said.number
    return True


def to_recount(row: DefinedRow) -> list[Recounted]:
    """The versions under which not all of history is counted."""
    latest = {key: versions[-1].number for key, versions in row.versions.items()}
    return [Recounted(key, number) for key, number in latest.items() if row.counted.get(key) != number]


def ready(row: DefinedRow, keys: Iterable[str], source: int, version: int) -> list[Ready]:
    """Of some definitions: under which version all of a source's history is counted, or that it is gone."""
    said: list[Ready] = []
    for key in keys:
        if key in row.removed:
            said.append(Ready(source, version, key, row.removed[key], None))
        said.extend(
            Ready(source, version, key, each.number, each.definition)
            for each in row.versions.get(key, ())
            if each.number == row.counted.get(key)
        )
    return said
