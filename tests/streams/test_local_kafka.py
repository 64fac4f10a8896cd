"""The laptop's Kafka: what it keeps, how it ends, and what it says where it cannot run."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from streams.local_kafka import LocalKafka, LocalKafkaError, NotInstalledError

STARTED_BY_ANOTHER = """
import sys, time
from pathlib import Path
from streams.local_kafka import LocalKafka
print(LocalKafka(Path(sys.argv[1])).start(), flush=True)
time.sleep(600)
"""


def topics(kafka: LocalKafka) -> set[str]:
    """The names of a broker's topics."""
    client = AdminClient({"bootstrap.servers": kafka.address, "log_level": 0})
    return set(client.list_topics(timeout=10).topics)


def make_topic(kafka: LocalKafka, name: str) -> None:
    """Create a topic, and wait until it is there."""
    client = AdminClient({"bootstrap.servers": kafka.address, "log_level": 0})
    client.create_topics([NewTopic(name, 1, 1)])[name].result(timeout=10)  # pyright: ignore[reportUnknownMemberType]


def test_topics_survive_a_restart(own_kafka: LocalKafka) -> None:
    """A broker started again where one stopped has its address and its data."""
    make_topic(own_kafka, "kept")
    before = own_kafka.address
    own_kafka.restart()
    assert own_kafka.address == before
    assert "kept" in topics(own_kafka)


def test_a_killed_broker_starts_again(own_kafka: LocalKafka) -> None:
    """As after a power cut."""
    make_topic(own_kafka, "kept")
    own_kafka.kill()
    own_kafka.start()
    assert "kept" in topics(own_kafka)


def test_it_outlives_the_thread_that_started_it(own_kafka: LocalKafka) -> None:
    """Linux ends children with the thread that made them; a broker must not be one of those."""
    own_kafka.stop()

    async def start() -> None:
        await asyncio.to_thread(own_kafka.start)

    # Its end takes the pool's threads along.
    asyncio.run(start())
    time.sleep(1.0)
    assert topics(own_kafka) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_it_does_not_outlive_the_process_that_started_it(own_kafka: LocalKafka, tmp_path: Path) -> None:
    """However that ends: kill -9 leaves no broker behind."""
    command = [sys.executable, "-c", STARTED_BY_ANOTHER, str(tmp_path / "other")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        host, port = starter.stdout.readline().strip().split(":")
        starter.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while answers(host, int(port)):
        assert time.monotonic() < deadline, "the broker is still there"
        time.sleep(0.1)


def answers(host: str, port: int) -> bool:
    """Whether anybody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def test_a_port_in_use_is_named(own_kafka: LocalKafka, tmp_path: Path) -> None:
    """Before Kafka is started, and so not from the depth of its log."""
    port = int(own_kafka.address.rpartition(":")[2])
    with pytest.raises(LocalKafkaError, match=rf"Port {port} .*--port"):
        LocalKafka(tmp_path / "second", port).start()


@pytest.mark.skipif(sys.platform == "win32", reason="locks are not taken there")
def test_data_belong_to_one_broker(own_kafka: LocalKafka, tmp_path: Path) -> None:
    """Even one on another port would write into the first one's metadata."""
    with pytest.raises(LocalKafkaError, match=r"Another Kafka runs on the data in .*--data"):
        LocalKafka(tmp_path / "kafka").start()
    own_kafka.stop()
    with LocalKafka(tmp_path / "kafka") as next_one:
        assert topics(next_one) == set()


def test_a_broker_that_ends_while_starting_says_why(own_kafka: LocalKafka, tmp_path: Path) -> None:
    """The error carries the end of its log, without Java's stack frames."""
    own_kafka.stop()
    meta = tmp_path / "kafka" / "data" / "meta.properties"
    meta.write_text("version=1\nnode.id=99\ncluster.id=another\n")
    with pytest.raises(LocalKafkaError, match=r"ended while starting(.|\n)*99") as failed:
        own_kafka.start()
    assert "\tat " not in str(failed.value)


def test_missing_java_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On every system, or to name a broker instead."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotInstalledError, match="Java is missing") as failed:
        LocalKafka(tmp_path / "kafka").start()
    for words in ("apt install openjdk-17-jre-headless maven", "dnf", "brew", "scoop", "--broker"):
        assert words in str(failed.value)


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Java")
def test_an_old_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka 4 would end with a class file version error."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    with pytest.raises(NotInstalledError, match="Java 11 is too old"):
        LocalKafka(tmp_path / "kafka").start()


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Java")
def test_missing_maven_matters_only_without_the_jars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fetches them, once."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\" 2023-10-17' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setenv("MALVAKT_CACHE", str(tmp_path / "cache"))
    with pytest.raises(NotInstalledError, match="Maven is missing"):
        LocalKafka(tmp_path / "kafka").start()
