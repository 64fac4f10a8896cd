"""`./run bench throughput`: the standard job, done by Målvakt and by its peers in turn.

Each event counts and sums in 4 scopes and 5 calendar windows, is repartitioned by scope, kept in
state with a changelog, and every aggregate it changes is published.
"""

import contextlib
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from bench.checking import wrong_windows
from bench.contenders import CONTENDERS, Contender, Place
from bench.machine import write_report
from bench.measuring import Group, measure
from bench.rounds import Result, table
from bench.standard_load import Load, loaded
from bench.topics import Topics
from malvakt.outcome import CallError
from malvakt.through_kafka import temporary_kafka

PARTITIONS = 8
SMOKE_EVENTS = 3_000
FEWEST_EVENTS = 2_000
"""A slow contender gets a share of the events, but no fewer than these."""
SHOWN_WINDOWS = 3

_names = [contender.name for contender in CONTENDERS]


def throughput(
    *,
    events: int = 300_000,
    rounds: int = 3,
    workers: str = "1",
    contenders: Annotated[str, Parameter(help=f"Which of these take part: {', '.join(_names)}.")] = "all",
    broker: str | None = None,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Measure how many events a second are done, by Målvakt and its peers in turn.

    Parameters
    ----------
    events
        How many events there are to do; slow contenders get a tenth.
    rounds
        How many times each takes its turn.
    workers
        With how many workers (processes, or threads of Kafka Streams) each runs, such as 1,2.
    broker
        The Kafka to use, `host:port`; a local one is started where none is given.
    json
        A file for every single result.
    smoke
        Few events, one round: sees that all of it works and is right, and nothing of time.
    """
    if smoke:
        events, rounds = min(events, SMOKE_EVENTS), 1
    if events < 1 or rounds < 1:
        raise CallError("--events and --rounds take a number from 1.")
    counts = _counts(workers)
    chosen = _chosen(contenders)
    for contender in chosen:
        contender.prepare()
    with contextlib.ExitStack() as stack:
        address = broker or stack.enter_context(temporary_kafka())
        bench = _Bench(address)
        stack.callback(bench.clear)
        results = list(bench.results(events, rounds, counts, chosen))
    Console().print(table(results))
    if json is not None:
        write_report(json, results=results)
    return 1 if any(result.wrong for result in results) else 0


def _counts(text: str) -> list[int]:
    try:
        counts = [int(count) for count in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < 1:
        raise CallError(f"--workers {text}: give numbers from 1, such as 1,2.")
    return counts


def _chosen(text: str) -> list[Contender]:
    if text == "all":
        return CONTENDERS
    asked = text.split(",")
    unknown = sorted(set(asked) - set(_names))
    if unknown:
        raise CallError(f"--contenders {','.join(unknown)}: there are {', '.join(_names)}.")
    return [contender for contender in CONTENDERS if contender.name in asked]


class _Bench:
    """Runs on one broker, under names of their own."""

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self._topics = Topics(broker)
        self._session = f"bench-{secrets.token_hex(4)}"
        self._loads: dict[int, Load] = {}

    def clear(self) -> None:
        """Leave nothing on the broker."""
        self._topics.delete_all_of(self._session)

    def results(
        self, events: int, rounds: int, counts: Sequence[int], contenders: Sequence[Contender]
    ) -> Iterator[Result]:
        """One run after the other: every contender in the first round, then in the second."""
        for number in range(1, rounds + 1):
            for workers in counts:
                for contender in contenders:
                    least = min(events, FEWEST_EVENTS)
                    load = self._load(max(events // contender.share, least))
                    result = self._run(contender, load, workers, number)
                    _say(result)
                    yield result

    def _load(self, events: int) -> Load:
        if events not in self._loads:
            print(f"Loading {events:,} events ...", file=sys.stderr)
            self._loads[events] = loaded(self._broker, f"{self._session}-{events}.", events, PARTITIONS)
        return self._loads[events]

    def _run(self, contender: Contender, load: Load, workers: int, number: int) -> Result:
        folder = Path(tempfile.mkdtemp(prefix="malvakt-bench-"))
        name = f"{self._session}-{contender.name}-{workers}-{number}"
        run = contender.start(Place(self._broker, load, name, PARTITIONS, folder), workers)
        try:
            with Group(self._broker, name, run.flow, [load.topic]) as group:
                measured = measure(group, run.children, load.deals)
        finally:
            for child in run.children:
                child.stop()
            shutil.rmtree(folder, ignore_errors=True)
        wrong = wrong_windows(self._broker, run.output, run.decode, load.expected)
        for key, (found, right) in list(wrong.items())[:SHOWN_WINDOWS]:
            print(f"{contender.name}: {key} is {found}, and should be {right}", file=sys.stderr)
        self._topics.delete(run.leftovers)
        self._topics.delete_all_of(name)
        return Result(
            contender=contender.name,
            workers=workers,
            round=number,
            events=load.deals,
            first_done=measured.first_done,
            seconds=measured.seconds,
            cpu_s=measured.cpu_s,
            peak_mb=measured.peak_mb,
            wrong=len(wrong),
            windows=len(load.expected),
            samples=measured.samples,
        )


def _say(result: Result) -> None:
    rate = f"{result.rate:,.0f} events/s" if result.rate else "too few events to time"
    print(
        f"round {result.round}: {result.contender}, {result.workers} workers: {rate},"
        f" {result.wrong} of {result.windows:,} windows wrong",
        file=sys.stderr,
    )
