"""Metrics over HTTP: whoever connects and says nothing keeps nobody else waiting."""

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from streams import metrics
from tests.streams.receivers import free_port


@pytest.fixture
def port() -> Iterator[int]:
    found = free_port()
    stop = metrics.serve(found, lambda: True)
    yield found
    stop()


def test_a_connection_that_says_nothing_keeps_nobody_waiting(port: int) -> None:
    """Nor one that says half: who scrapes is answered, and so is the health check."""
    with (
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as halting,
    ):
        halting.sendall(b"GET /metrics HTTP/1.1\r\nHost:")
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).text == "ready\n"
        assert "malvakt_ready_partitions" in httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text


def test_a_connection_that_says_nothing_is_ended(
    port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """After a while, and without a word: it is no fault of ours, and holds no thread for good."""
    monkeypatch.setattr("streams.metrics._Quiet.timeout", 0.2)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        assert silent.recv(1) == b""
    assert time.monotonic() - began < 5
    assert capfd.readouterr().err == ""
