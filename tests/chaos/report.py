"""The report of a run: what was done to the pipeline, what it did about it, and whether it counts right."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tests.chaos.comparing import Comparison
from tests.chaos.crew import End
from tests.chaos.schedule import Kind

SHOWN = 10


class Reconciled(Struct, frozen=True):
    """How `malvakt reconcile` ended, and what it said."""

    status: int
    said: str


class Report(Struct, frozen=True, kw_only=True):
    """All there is to know of a run."""

    seed: int
    events: int
    faults: Mapping[Kind, int]
    ended: list[End]
    """Workers that ended by themselves."""
    left_badly: list[End]
    """Workers that were asked to leave, and hung or failed."""
    comparison: Comparison
    reconciled: Reconciled
    seconds: Mapping[str, float]
    """How long each stage took."""

    @property
    def ok(self) -> bool:
        """Whether every figure is right, and no worker ended that should have gone on."""
        return not (self.comparison.wrong or self.reconciled.status or self._unexcused or self.left_badly)

    @property
    def _unexcused(self) -> list[End]:
        return [end for end in self.ended if not end.excused]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"seed {self.seed}: {self.events:,} events, {sum(self.faults.values())} faults"
        for kind in Kind:
            yield f"{self.faults.get(kind, 0):6}  {kind}"
        excused = len(self.ended) - len(self._unexcused)
        yield f"{excused:6}  workers started again that had found no Kafka when there was none"
        yield f"{len(self._unexcused):6}  workers started again that ended by themselves"
        yield f"{len(self.left_badly):6}  workers that did not leave when asked"
        for name, seconds in self.seconds.items():
            yield f"{seconds:6.1f} s  {name}"
        for end in (*self._unexcused, *self.left_badly):
            yield f"\nA worker ended with status {end.status}:\n{end.last_lines}"
        yield f"\nmalvakt reconcile: {self.reconciled.said}"
        wrong = self.comparison.wrong
        yield f"\n{self.comparison.compared:,} records compared, {len(wrong):,} wrong"
        for difference in wrong[:SHOWN]:
            yield str(difference)
