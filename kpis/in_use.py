"""The definitions in use in one partition of scorecards: those under which all sources count all history.

Sources say so one after the other; until the last has, what they said before stays in use, and its records.
"""

from collections.abc import Iterator

from kpis.formulas import Own
from kpis.own import shown_as
from schemas.definitions import Definitions, KpiDefinition, MeasureDefinition
from schemas.internal import InUseRow, Ready, SourceReady

IN_USE = "definitions|"
"""The key of the row of definitions."""


class InUse:
    """Reads a row of definitions, and puts into it what sources say, of which there is so many."""

    def __init__(self, row: InUseRow, sources: int) -> None:
        self.row = row
        self._sources = sources

    def hear(self, said: Ready) -> bool | None:
        """Put in what a source says; whether records must be written anew for it.

        None where it has said something later already.
        """
        used = self._number(said.key)
        known = self.row.sources.setdefault(said.key, {})
        before = known.get(said.source)
        if before is not None and before.version > said.version:
            return None
        known[said.source] = SourceReady(said.version, said.number, said.definition is None)
        versions = self.row.definitions.setdefault(said.key, {})
        if said.definition is not None:
            versions[said.number] = said.definition
        least = min(each.number for each in known.values())
        for number in [number for number in versions if number < least]:
            del versions[number]
        # A replay cannot know what was written; a new owner that says the same again changes nothing.
        replayed = before is not None and before.version == said.version
        return replayed or self._number(said.key) != used

    def definitions(self) -> Definitions:
        """All that are in use."""
        found = Definitions()
        for name, _, definition in self._each():
            if isinstance(definition, KpiDefinition):
                found.kpis[name] = definition
            else:
                found.measures[name] = definition
        return found

    def own(self) -> Own:
        """The same, as records are read by them."""
        found = Own({}, {})
        for name, number, definition in self._each():
            if isinstance(definition, KpiDefinition):
                found.kpis[name] = definition
            else:
                found.measures[name] = shown_as(name, number, definition)
        return found

    def _each(self) -> Iterator[tuple[str, int, MeasureDefinition | KpiDefinition]]:
        for key in sorted(self.row.sources):
            number = self._number(key)
            if number is not None:
                yield key.partition("/")[2], number, self.row.definitions[key][number]

    def _number(self, key: str) -> int | None:
        """Which version of a definition is in use, if one is."""
        said = self.row.sources.get(key, {}).values()
        if len(said) < self._sources or any(each.removed for each in said):
            return None
        return min(each.number for each in said)
