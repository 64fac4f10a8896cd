"""The contenders: how each is prepared and started, which topics it reads, and how its output reads."""

import os
import subprocess
import sys
from abc import abstractmethod
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
from msgspec import Struct

from bench.standard_load import Load, Total
from bench.topics import Topics
from malvakt.outcome import Fault
from malvakt.workers import ChildProcess, WorkerProcess
from schemas.records import Figure
from schemas.topics import CRM_TOPICS, LEDGER_TOPICS, PARTIALS, SCORECARDS, TOPICS
from streams.local_kafka import cache_directory, check_java, on_path
from streams.settings import Settings

PEERS = Path(__file__).parent / "peers"


class Place(NamedTuple):
    """Where a run takes place."""

    broker: str
    load: Load
    name: str
    """The consumer group, and part of the name of every topic that is the run's own."""
    partitions: int
    folder: Path
    """For state on disk."""


class Output(NamedTuple):
    """One record of an output topic: of those with the same key, the last of the highest revision holds."""

    revision: int
    total: Total


class Run(NamedTuple):
    """A contender at work."""

    children: Sequence[ChildProcess]
    flow: Sequence[str]
    """The topics its group reads, in the order in which records pass them."""
    output: str
    decode: Callable[[bytes], Output]
    leftovers: Sequence[str] = ()
    """Topics that are not named after the run, but hold what came of it."""


class Contender(Protocol):
    """Something that does the standard job."""

    name: str
    share: int
    """One in so many events is enough for it: a slow one would otherwise take all the time."""

    @abstractmethod
    def prepare(self) -> None:
        """Fetch and build what it needs, once."""

    @abstractmethod
    def start(self, place: Place, workers: int) -> Run:
        """Set so many workers to work."""


class Malvakt:
    """Our own workers."""

    name = "malvakt"
    share = 1

    def prepare(self) -> None:
        """Nothing: it is here."""

    def start(self, place: Place, workers: int) -> Run:
        """Each worker is a process, and sets up the topics that it finds missing."""
        settings = Settings(
            broker=place.broker,
            app_id=place.name,
            topic_prefix=place.load.prefix,
            partitions=place.partitions,
            metrics_port=0,
        )
        return Run(
            children=[WorkerProcess(settings) for _ in range(workers)],
            flow=[settings.topic(name) for name in [*LEDGER_TOPICS, PARTIALS.name]],
            output=settings.topic(SCORECARDS.name),
            decode=_malvakt_output,
            leftovers=[settings.topic(topic.name) for topic in TOPICS if topic not in CRM_TOPICS],
        )


class _Record(Struct):
    revision: int
    measures: dict[str, Figure]


_decode_record = msgspec.json.Decoder(_Record).decode


def _malvakt_output(value: bytes) -> Output:
    record = _decode_record(value)
    deals = record.measures["deals_won"]
    revenue = record.measures["revenue"]
    assert isinstance(deals, int)
    assert isinstance(revenue, str)
    return Output(record.revision, Total(deals, int(revenue.replace(".", ""))))


class _PeerRecord(Struct):
    deals_won: int
    revenue: int


_decode_peer_record = msgspec.json.Decoder(_PeerRecord).decode


def _peer_output(value: bytes) -> Output:
    record = _decode_peer_record(value)
    return Output(0, Total(record.deals_won, record.revenue))


class KafkaStreams:
    """Kafka Streams: one process, a thread a worker."""

    share = 1

    def __init__(self, name: str, topology: str) -> None:
        self.name = name
        self._topology = topology
        self._project = PEERS / "kafka-streams"

    def prepare(self) -> None:
        """Compile it, with the libraries it needs from Maven Central beside it."""
        check_java()
        done = subprocess.run(
            [on_path("mvn"), "-B", "-q", "-f", str(self._project / "pom.xml"), "compile"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Fault(f"The Kafka Streams peer cannot be built:\n{done.stdout[-2000:]}")

    def start(self, place: Place, workers: int) -> Run:
        """One process: sharing a cache and a client is what threads are for."""
        output = f"{place.name}-output"
        Topics(place.broker).create_compacted(output, place.partitions)
        target = self._project / "target"
        classpath = os.pathsep.join([str(target / "classes"), str(target / "lib" / "*")])
        environment = {
            "BROKER": place.broker,
            "INPUT": place.load.topic,
            "OUTPUT": output,
            "APPLICATION_ID": place.name,
            "THREADS": str(workers),
            "COMMIT_MS": "100",
            "PARTITIONS": str(place.partitions),
            "TOPOLOGY": self._topology,
            "STORE": "memory",
            "STATE_DIR": str(place.folder),
        }
        # On two cores the parallel collector leaves more of them to the work than the default does.
        command = [on_path("java"), "-XX:+UseParallelGC", "-cp", classpath, "malvakt.bench.StandardJob"]
        return Run(
            children=[ChildProcess("Kafka Streams", command, environment)],
            flow=[place.load.topic, f"{place.name}-by-scope-repartition"],
            output=output,
            decode=_peer_output,
        )


class Quix:
    """Quix Streams: a process a worker."""

    name = "quix"
    share = 10

    def __init__(self) -> None:
        self._folder = PEERS / "quix"

    def prepare(self) -> None:
        """Install it where it cannot clash with our own libraries."""
        if self._stamp.exists():
            return
        print("Setting up Quix Streams, once ...", file=sys.stderr)
        uv = [sys.executable, "-m", "uv", "--quiet"]
        requirements = str(self._folder / "requirements.txt")
        for command in (
            [*uv, "venv", "--clear", "--python", sys.executable, str(self._venv)],
            [*uv, "pip", "install", "--python", str(self._python), "-r", requirements],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Fault(f"Quix Streams cannot be installed:\n{done.stderr[-2000:]}")
        self._stamp.touch()

    def start(self, place: Place, workers: int) -> Run:
        """Each worker is a process, with state of its own."""
        output = f"{place.name}-output"
        Topics(place.broker).create_compacted(output, place.partitions)
        command = [str(self._python), str(self._folder / "standard_job.py")]
        environment = {
            "BROKER": place.broker,
            "INPUT": place.load.topic,
            "OUTPUT": output,
            "GROUP": place.name,
        }
        return Run(
            children=[
                ChildProcess("Quix", command, {**environment, "STATE_DIR": str(place.folder / str(number))})
                for number in range(workers)
            ],
            flow=[place.load.topic, f"repartition__{place.name}--{place.load.topic}--by-scope"],
            output=output,
            decode=_peer_output,
        )

    @property
    def _venv(self) -> Path:
        locked = sha256((self._folder / "requirements.txt").read_bytes()).hexdigest()[:12]
        return cache_directory() / f"quix-{locked}"

    @property
    def _python(self) -> Path:
        return self._venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def _stamp(self) -> Path:
        return self._venv / "installed"


CONTENDERS: list[Contender] = [
    Malvakt(),
    KafkaStreams("kafka-streams", "dsl"),
    KafkaStreams("kafka-streams-tuned", "tuned"),
    Quix(),
]
