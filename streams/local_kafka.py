"""A real Apache Kafka on this machine: one node, as a child process, from Maven Central's jars.

For laptops, replays and tests; production runs its own. Data stay in the directory it is given, so
that a broker started there again goes on where the last one stopped.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from importlib.resources import as_file, files
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

MIN_JAVA = 17
START_S = 60.0
STOP_S = 20.0
HEAP = "-Xmx512m"
SHOWN_LINES = 15

_INSTALL = """\
A local Kafka needs Java 17 or newer and Maven:
  Debian, Ubuntu   apt install openjdk-17-jre-headless maven
  Fedora           dnf install java-21-openjdk-headless maven
  macOS            brew install openjdk maven
  Windows          winget install EclipseAdoptium.Temurin.21.JRE Apache.Maven
Or name a Kafka that runs already: --broker HOST:PORT, or MALVAKT_BROKER."""


class LocalKafkaError(Exception):
    """A local Kafka cannot run here; the message says why and what to do."""


class NotInstalledError(LocalKafkaError):
    """Java or Maven is missing; the message says what to install."""


class LocalKafka:
    """One broker. Start it, use `address`, stop it; or use it as a context manager."""

    def __init__(self, directory: Path, port: int | None = None) -> None:
        self._directory = directory
        self._log = directory / "kafka.log"
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
        jars = kafka_jars()
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._port is None:
            self._port = _free_port()
        elif _taken(self._port):
            raise LocalKafkaError(
                f"Port {self._port} is taken; another Kafka may be running. Give another --port."
            )
        classpath = os.pathsep.join([str(jars / "*"), str(self._directory)])
        self._configure()
        if not (self._directory / "data" / "meta.properties").exists():
            self._format(classpath)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["java", HEAP, "-cp", classpath, "kafka.Kafka", str(self._configuration)],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        self._wait_until_it_answers()
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

    @property
    def _configuration(self) -> Path:
        return self._directory / "server.properties"

    def _configure(self) -> None:
        source = files("deploy") / "kafka"
        text = Template((source / "server.properties").read_text()).substitute(
            port=self._port,
            controller_port=_free_port(),
            data=(self._directory / "data").as_posix(),
        )
        self._configuration.write_text(text)
        log4j = (source / "log4j2.properties").read_text()
        (self._directory / "log4j2.properties").write_text(log4j)

    def _format(self, classpath: str) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        command = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", self._configuration]
        done = subprocess.run(
            ["java", HEAP, "-cp", classpath, *map(str, command)],
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
                client.list_topics(timeout=1.0)
            except KafkaException:
                continue
            return
        self.kill()
        raise LocalKafkaError(f"Kafka did not answer within {START_S:.0f} s:\n{self._last_lines()}")

    def _last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-SHOWN_LINES:])


def kafka_jars() -> Path:
    """The folder of Kafka's jars, fetched from Maven Central the first time.

    Raises:
        NotInstalledError: Java or Maven is missing.
        LocalKafkaError: the jars cannot be fetched.
    """
    _check_java()
    pom = files("deploy") / "kafka" / "pom.xml"
    match = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)", pom.read_text())
    assert match is not None
    target = _cache() / f"kafka-{match[1]}"
    if target.exists():
        return target
    if shutil.which("mvn") is None:
        raise NotInstalledError(f"Maven is missing.\n{_INSTALL}")
    print(f"Fetching Apache Kafka {match[1]} from Maven Central, once ...", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    fetched = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
    with as_file(pom) as path:
        done = subprocess.run(
            ["mvn", "-B", "-q", "-f", path, "dependency:copy-dependencies", f"-DoutputDirectory={fetched}"],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        shutil.rmtree(fetched, ignore_errors=True)
        raise LocalKafkaError(f"Kafka cannot be fetched from Maven Central:\n{done.stdout[-2000:]}")
    try:
        fetched.rename(target)
    except OSError:
        # Another run was quicker; its copy is as good.
        shutil.rmtree(fetched)
    return target


def _check_java() -> None:
    java = shutil.which("java")
    if java is None:
        raise NotInstalledError(f"Java is missing.\n{_INSTALL}")
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', shown)
    if match is None or int(match[1]) < MIN_JAVA:
        found = match[1] if match else "an unknown version"
        raise NotInstalledError(f"Java {found} is too old.\n{_INSTALL}")


def _cache() -> Path:
    own = os.environ.get("MALVAKT_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "malvakt"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent() -> None:
    """Linux ends the broker with us, however we end: no test leaves one behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
