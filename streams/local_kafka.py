"""A real Apache Kafka on this machine: one node, as a child process, from Maven Central's jars.

For laptops, replays and tests; production runs its own. Data stay in the directory it is given, so
that a broker started there again goes on where the last one stopped.
"""

import ctypes
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import as_file, files
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.locking import lock

MIN_JAVA = 17
START_S = 60.0
STOP_S = 20.0
HEAP = "-Xmx512m"
SHOWN_LINES = 15
PORTS = range(20_000, 32_768)
"""Where ports are picked: below those a system gives to clients. From among those, a client that
tries to reach a broker on its way up again may be given the broker's own port, and keep it."""
PORT_TRIES = 100

STARTER = ThreadPoolExecutor(1, thread_name_prefix="local-kafka")
"""Linux ends a child with the thread that started it: this one lives as long as the process."""

_INSTALL = """\
A local Kafka needs Java 17 or newer and Maven:
  Debian, Ubuntu   apt install openjdk-17-jre-headless maven
  Fedora           dnf install java-21-openjdk-headless maven
  macOS            brew install maven && brew install --cask temurin
  Windows          scoop bucket add java; scoop install java/temurin21-jre maven
Or name a Kafka that runs already: --broker HOST:PORT, or MALVAKT_BROKER."""


class LocalKafkaError(Exception):
    """A local Kafka cannot run here; the message says why and what to do."""


class NotInstalledError(LocalKafkaError):
    """Java or Maven is missing; the message says what to install."""


class LocalKafka:
    """One broker. Start it, use `address`, stop it; or use it as a context manager.

    On Linux it ends with this process, however that ends.
    """

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self._directory = directory.absolute()
        self._log = self._directory / "kafka.log"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients connect: host and port."""
        if self._port is None:
            raise LocalKafkaError("The local Kafka was not started.")
        return f"127.0.0.1:{self._port}"

    def start(self) -> str:
        """Start the broker, wait until it answers, and return its address.

        Raises:
            LocalKafkaError: it cannot run here, or ended; the message ends with its last log lines.
        """
        assert self._process is None, "stop() comes first"
        jars = kafka_jars()
        if self._port is None:
            self._port = _free_port()
        elif (hindrance := _hindrance(self._port)) is not None:
            raise LocalKafkaError(
                f"Port {self._port} cannot be had ({hindrance}); another Kafka may be running."
                " Give another --port."
            )
        java = [on_path("java"), HEAP, "-cp", os.pathsep.join([str(jars / "*"), "."])]
        with self._claimed() as log:
            self._configure()
            if not (self._directory / "data" / "meta.properties").exists():
                self._format(java)
            self._process = STARTER.submit(
                subprocess.Popen[bytes],
                [*java, "kafka.Kafka", "server.properties"],
                cwd=self._directory,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=dying_with_parent(),
            ).result()
        try:
            self._wait_until_it_answers()
        except BaseException:
            # Ctrl-C among them: nobody else would end a broker that never got its caller.
            self.kill()
            raise
        return self.address

    def stop(self) -> None:
        """Ask the broker to finish; insist after a while."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """End the broker at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop, and start again on the same port with the same data."""
        self.stop()
        self.start()

    def wait(self) -> int:
        """Wait until the broker ends, and return its exit status."""
        assert self._process is not None, "start() comes first"
        return self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _claimed(self) -> IO[bytes]:
        """The log, emptied, and locked by whoever has it open: the broker, as long as it lives.

        Kafka has a lock too, but takes it after it has begun to write another one's metadata.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        log = self._log.open("ab")
        try:
            lock(log)
        except BlockingIOError as error:
            log.close()
            raise LocalKafkaError(
                f"Another Kafka runs on the data in {self._directory}. Stop it, or keep these"
                " elsewhere: --data."
            ) from error
        log.truncate(0)
        return log

    def _configure(self) -> None:
        source = files("deploy") / "kafka"
        template = (source / "server.properties").read_text(encoding="utf-8")
        text = Template(template).substitute(port=self._port, controller_port=_free_port())
        (self._directory / "server.properties").write_text(text, encoding="utf-8")
        log4j = (source / "log4j2.properties").read_text(encoding="utf-8")
        (self._directory / "log4j2.properties").write_text(log4j, encoding="utf-8")

    def _format(self, java: list[str]) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        done = subprocess.run(
            [
                *(*java, "kafka.tools.StorageTool", "format"),
                *(f"--cluster-id={cluster}", "--config=server.properties"),
            ],
            cwd=self._directory,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalKafkaError(f"Kafka's storage cannot be prepared:\n{done.stdout}{done.stderr}")

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        client = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise LocalKafkaError(f"Kafka ended while starting:\n{self._last_lines()}")
            try:
                # Known brokers, not an open port: a controller without its broker answers too.
                if client.list_topics(timeout=1.0).brokers:
                    return
            except KafkaException:
                continue
        raise LocalKafkaError(f"Kafka did not answer within {START_S:.0f} s:\n{self._last_lines()}")

    def _last_lines(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        told = [line for line in lines if not line.startswith("\tat ")]
        return "\n".join(told[-SHOWN_LINES:])


def kafka_jars() -> Path:
    """The folder of Kafka's jars, fetched from Maven Central the first time.

    Raises:
        NotInstalledError: Java or Maven is missing.
        LocalKafkaError: the jars cannot be fetched.
    """
    check_java()
    pom = files("deploy") / "kafka" / "pom.xml"
    match = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)", pom.read_text(encoding="utf-8"))
    assert match is not None
    target = cache_directory() / f"kafka-{match[1]}"
    if target.exists():
        return target
    mvn = on_path("mvn")
    print(f"Fetching Apache Kafka {match[1]} from Maven Central, once ...", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    with as_file(pom) as path, TemporaryDirectory(dir=target.parent, prefix="fetching-") as folder:
        fetched = Path(folder) / "jars"
        done = subprocess.run(
            [
                *(mvn, "-B", "-q", "-f", str(path)),
                *("dependency:copy-dependencies", f"-DoutputDirectory={fetched}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = done.stdout[-2000:]
            raise LocalKafkaError(f"Kafka cannot be fetched from Maven Central:\n{said}")
        try:
            fetched.rename(target)
        except OSError:
            # Another run was quicker, and its copy is as good; anything else is a fault.
            if not target.exists():
                raise
    return target


def check_java() -> None:
    """See that Java runs here, and is new enough.

    Raises:
        NotInstalledError: it is missing, or too old.
    """
    done = subprocess.run([on_path("java"), "-version"], capture_output=True, text=True, check=False)
    match = re.search(r'version "(\d+)', done.stderr)
    if match is None:
        # macOS has a `java` that only says where to get one.
        raise NotInstalledError(f"Java does not run: {done.stderr.strip()}\n{_INSTALL}")
    if int(match[1]) < MIN_JAVA:
        raise NotInstalledError(f"Java {match[1]} is too old.\n{_INSTALL}")


def on_path(program: str) -> str:
    """Where `java` or `mvn` is.

    Raises:
        NotInstalledError: it is nowhere.
    """
    # Windows runs `mvn.cmd` by its full name only.
    found = shutil.which(program)
    if found is None:
        name = {"java": "Java", "mvn": "Maven"}[program]
        raise NotInstalledError(f"{name} is missing.\n{_INSTALL}")
    return found


def cache_directory() -> Path:
    """Where what was fetched once stays."""
    own = os.environ.get("MALVAKT_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "malvakt"


def _free_port() -> int:
    for port in random.sample(PORTS, PORT_TRIES):
        if _hindrance(port) is None:
            return port
    raise LocalKafkaError(f"No free port found between {PORTS.start} and {PORTS.stop - 1}.")


def _hindrance(port: int) -> str | None:
    """Why a port cannot be listened at; None if it can."""
    with socket.socket() as probe:
        if os.name != "nt":
            # As Kafka does: connections of a broker that has just ended are no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def dying_with_parent() -> Callable[[], None] | None:
    """What Linux must be told in the child, so that nobody leaves a broker or a database behind."""
    if sys.platform != "linux":
        return None
    pr_set_pdeathsig = 1
    # Looked up here, since between fork and exec as little as possible should run.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(pr_set_pdeathsig, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return ask
