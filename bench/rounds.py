"""What rounds of runs say: rates, and ratios within a round, so that a slow moment hits both."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from msgspec import Struct
from rich.box import SIMPLE_HEAD
from rich.table import Table

from bench.measuring import Sample

OURS = "malvakt"
UNKNOWN = "–"


class Result(Struct, frozen=True, kw_only=True):
    """One run of one contender."""

    contender: str
    workers: int
    round: int
    events: int
    first_done: int
    """How many of them were done when the clock started."""
    seconds: float
    cpu_s: float | None
    peak_mb: float | None
    wrong: int
    """How many of the windows differ from what the input says."""
    windows: int
    samples: list[Sample]

    @property
    def counted(self) -> int:
        """How many events were done while the clock ran."""
        return self.events - self.first_done

    @property
    def rate(self) -> float | None:
        """Events a second; unknown where all was done by then."""
        return self.counted / self.seconds if self.counted and self.seconds else None

    @property
    def cpu_us(self) -> float | None:
        """Processor time an event, in microseconds."""
        return None if self.cpu_s is None or not self.counted else self.cpu_s * 1e6 / self.counted


class Range(NamedTuple):
    """The least, the middle and the most of some figures."""

    least: float
    middle: float
    most: float


def range_of(figures: Sequence[float | None]) -> Range | None:
    """The range of the figures that are known."""
    known = [figure for figure in figures if figure is not None]
    return Range(min(known), median(known), max(known)) if known else None


def ratios(ours: Sequence[Result], theirs: Sequence[Result]) -> Range | None:
    """How many times their rate ours is, within each round."""
    rates = {result.round: result.rate for result in ours}
    pairs = ((rates.get(result.round), result.rate) for result in theirs)
    return range_of([own / other for own, other in pairs if own and other])


def table(results: Sequence[Result]) -> Table:
    """A row a contender and number of workers: the middle of the rounds, and below it least and most."""
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    shown.add_column("contender", no_wrap=True, min_width=16)
    for heading in ("events", "events/s", "Målvakt is", "CPU µs\nan event", "MB", "wrong"):
        shown.add_column(heading, justify="right", no_wrap=True)
    groups: dict[tuple[str, int], list[Result]] = {}
    for result in results:
        groups.setdefault((result.contender, result.workers), []).append(result)
    for (contender, workers), runs in groups.items():
        ours = groups.get((OURS, workers), [])
        shown.add_row(
            contender if workers == 1 else f"{contender}, {workers}",
            f"{runs[0].events:,}",
            _shown(range_of([run.rate for run in runs]), ",.0f"),
            UNKNOWN if contender == OURS else _shown(ratios(ours, runs), ".2f", "×"),
            _middle(range_of([run.cpu_us for run in runs])),
            _middle(range_of([run.peak_mb for run in runs])),
            f"{max(run.wrong for run in runs):,}",
        )
    return shown


def _shown(found: Range | None, form: str, unit: str = "") -> str:
    if found is None:
        return UNKNOWN
    least, middle, most = (format(figure, form) for figure in found)
    return f"{middle}{unit}" + (f"\n{least}–{most}" if least != most else "")


def _middle(found: Range | None) -> str:
    return UNKNOWN if found is None else f"{found.middle:,.0f}"
