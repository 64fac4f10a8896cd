"""The measuring stick, the same for all: a group's committed offsets, and what its processes used.

Nothing inside a contender is asked. A record counts as done once the group has committed past it, and
all is done once nothing is left to read in any topic that the group reads.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from math import inf
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from malvakt.outcome import Fault
from malvakt.workers import ChildProcess

POLL_S = 0.05
LONGEST_S = 900.0
"""After how long a contender is given up."""
REQUEST_S = 30.0

_NOT_YET = {
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_COORDINATOR,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}
"""What a broker answers that has just started, or of a topic that was just made. It passes."""

Answer = TypeVar("Answer")


class Sample(NamedTuple):
    """How many input records were done at a moment."""

    at_s: float
    done: int


class Measured(NamedTuple):
    """What was seen of one run, or of a sitting."""

    first_done: int
    """How many input records were done when the clock started; they are not counted. Mostly none."""
    settled: bool
    """Whether nothing was left at the end; else it was broken off."""
    seconds: float
    """From when something first came of the input until the end. Where something had come of it before, so
    from when workers were started, and with what they read to go on."""
    cpu_s: float | None
    """What the processes used in that time; unknown where there is no `/proc`."""
    peak_mb: float | None
    samples: list[Sample]


class Group:
    """What a consumer group has finished of the topics it reads, which records pass in this order."""

    def __init__(self, broker: str, name: str, flow: Sequence[str], sources: Sequence[str]) -> None:
        # A consumer that never joins: asking an AdminClient for offsets of a group that is not there
        # yet ends now and then in a segmentation fault (confluent-kafka 2.16.1).
        self._consumer = Consumer(
            {"bootstrap.servers": broker, "group.id": name, "enable.auto.commit": False, "log_level": 0}
        )
        self._flow = flow
        self._sources = sources
        self._known: dict[str, list[TopicPartition]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def begun(self) -> bool:
        """Whether anything has come of the source: a record in the last topic of the flow.

        Not the first commit: who reads fast ahead of its own internal topic would have all of its sources
        finished by then, and most of the work before it.
        """
        last = self._flow[-1]
        numbers = self._consumer.list_topics(last, REQUEST_S).topics[last].partitions
        return any(self._end(TopicPartition(last, number)) > 0 for number in numbers)

    def done(self) -> int:
        """How many records of the source topics are finished."""
        return sum(sum(self._committed(self._partitions(topic)).values()) for topic in self._sources)

    def told(self) -> int:
        """How many records there are in the source topics."""
        return sum(self._end(tp) for topic in self._sources for tp in self._partitions(topic))

    def settled(self) -> bool:
        """Whether nothing is left anywhere.

        Looked at in the order in which records flow: a topic's end is asked for after all before it were
        found finished, so that nothing can be between two looks. Twice, for those that flow back.
        """
        return all(self._finished(topic) for topic in [*self._flow, *self._flow])

    def _finished(self, topic: str) -> bool:
        partitions = self._partitions(topic)
        committed = self._committed(partitions)
        return all(committed[tp.partition] >= self._end(tp) for tp in partitions)

    def _end(self, tp: TopicPartition) -> int:
        _, end = _answered(lambda: self._consumer.get_watermark_offsets(tp, REQUEST_S))
        return end

    def _committed(self, partitions: list[TopicPartition]) -> dict[int, int]:
        found = _answered(lambda: self._consumer.committed(partitions, REQUEST_S))
        # Where nothing was committed yet, the offset is a negative code.
        return {tp.partition: max(tp.offset, 0) for tp in found}

    def _partitions(self, topic: str) -> list[TopicPartition]:
        if topic not in self._known:
            numbers = self._consumer.list_topics(topic, REQUEST_S).topics[topic].partitions
            # A misspelt topic would otherwise be finished from the start.
            assert numbers, f"{topic} is not there"
            self._known[topic] = [TopicPartition(topic, number) for number in numbers]
        return self._known[topic]


def _answered(ask: Callable[[], Answer]) -> Answer:
    """What the broker says, once it can."""
    deadline = time.monotonic() + REQUEST_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


def measure(
    group: Group,
    children: Sequence[ChildProcess],
    records: int,
    longest_s: float = LONGEST_S,
    enough_s: float = inf,
) -> Measured:
    """Watch a group until all is done, and say how long it took since something first came of it.

    After `enough_s` it is broken off, if that is less than `longest_s`.

    Raises:
        Fault: a process ended, or it takes too long.
    """
    _until(group.begun, children, longest_s)
    enough = time.monotonic() + enough_s
    settled = False
    cpu_before = cpu_seconds(children)
    samples = [Sample(time.monotonic(), group.done())]

    def ended() -> bool:
        nonlocal settled
        done = group.done()
        if done > samples[-1].done:
            samples.append(Sample(time.monotonic(), done))
        settled = done >= records and group.settled()
        return settled or time.monotonic() > enough

    _until(ended, children, longest_s)
    return _measured(samples, settled, time.monotonic(), cpu_before, children)


def _until(reached: Callable[[], bool], children: Sequence[ChildProcess], longest_s: float) -> None:
    deadline = time.monotonic() + longest_s
    while not reached():
        for child in children:
            child.check()
        if time.monotonic() > deadline:
            raise Fault(f"It is not done after {longest_s:.0f} s:\n{children[0].last_lines()}")
        time.sleep(POLL_S)


def _measured(
    samples: list[Sample],
    settled: bool,
    end: float,
    cpu_before: float | None,
    children: Sequence[ChildProcess],
) -> Measured:
    start = samples[0].at_s
    cpu = cpu_seconds(children)
    return Measured(
        first_done=samples[0].done,
        settled=settled,
        seconds=end - start,
        cpu_s=None if cpu is None or cpu_before is None else cpu - cpu_before,
        peak_mb=peak_mb(children),
        samples=[Sample(round(at - start, 3), done) for at, done in samples],
    )


def cpu_seconds(children: Iterable[ChildProcess]) -> float | None:
    """The processor time that processes have used so far, all their threads together."""
    ticks = 0
    for child in children:
        try:
            stat = Path(f"/proc/{child.process.pid}/stat").read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return None
        # The second field is the program's name in parentheses, and may hold spaces.
        fields = stat.rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_mb(children: Iterable[ChildProcess]) -> float | None:
    """The most memory that processes ever held, added up."""
    return _memory_mb((child.process.pid for child in children), "VmHWM")


def resident_mb(processes: Iterable[int]) -> float | None:
    """The memory that processes hold now, added up."""
    return _memory_mb(processes, "VmRSS")


def _memory_mb(processes: Iterable[int], field: str) -> float | None:
    total_kb = 0
    for process in processes:
        try:
            status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        total_kb += next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field))
    return total_kb / 1024
