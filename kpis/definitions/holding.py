"""What holds of an organisation's definitions: what records show, and what was said last."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from kpis.definitions.formula import parse
from kpis.formulas import KPIS
from kpis.measures import MEASURES
from schemas.definitions import Definitions, KpiDefinition, MeasureDefinition

Since = Literal["changed", "removed"]
"""What became of a definition that records still show: figures are by what it was before."""

Absent = Literal["figure", "uncounted", "removed"]
"""Why no record shows a figure: there is none of that name, not all of history is counted under its
definition yet, or that was taken away."""


class Held(NamedTuple):
    """Definitions as they are shown, and as they were said last."""

    shown: Definitions
    """Under which all of history is counted everywhere."""
    said: Definitions
    removed: frozenset[str]
    """The names of those that were taken away, as far as that is known."""

    def figures(self) -> list[str]:
        """All figures that records show, ours first."""
        return list(
            dict.fromkeys([*KPIS, *MEASURES, *self.shown.measures, *filter(self._has, self.shown.kpis)])
        )

    def absent(self, figure: str) -> Absent | None:
        """Why no record shows a figure; `None` where records do."""
        if figure in KPIS or figure in MEASURES or figure in self.shown.measures or self._has(figure):
            return None
        if figure in self.said.measures or figure in self.said.kpis:
            return "uncounted"
        return "removed" if figure in self.removed else "figure"

    def since(self, figure: str) -> Since | None:
        """What became of the definition of a figure that is shown, or of one that its formula reads."""
        shown = dict(_behind(figure, self.shown))
        said = dict(_behind(figure, self.said))
        if shown == said:
            return None
        return "changed" if figure in said else "removed"

    def _has(self, kpi: str) -> bool:
        """Whether records show a KPI: all that it reads is counted."""
        own = self.shown.kpis.get(kpi)
        return own is not None and _reads(own) <= MEASURES.keys() | self.shown.measures.keys()


NOTHING = Held(Definitions(), Definitions(), frozenset())
"""Where nothing is defined."""


def only(definitions: Definitions) -> Held:
    """Definitions that hold as they are, such as those of a file."""
    return Held(definitions, definitions, frozenset())


def _behind(figure: str, among: Definitions) -> Iterator[tuple[str, MeasureDefinition | KpiDefinition]]:
    """The definition of an own figure, and those of own measures that its formula reads."""
    measures = {figure}
    kpi = among.kpis.get(figure)
    if kpi is not None:
        yield figure, kpi
        measures = _reads(kpi)
    for name in measures & among.measures.keys():
        yield name, among.measures[name]


def _reads(kpi: KpiDefinition) -> set[str]:
    return {mention.measure for mention in parse(kpi.formula).mentions}
