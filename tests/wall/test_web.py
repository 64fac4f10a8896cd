"""`malvakt web` as a person calls it, where not all is well."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from malvakt.cli import main
from tests.malvakt.calling import malvakt_process
from wall.accounts.store import Store
from wall.view import View

START_S = 60.0


def test_without_kafka_it_serves_and_says_so(tmp_path: Path) -> None:
    """Kafka may come later, and both after a power cut; on SIGTERM it ends in order."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "malvakt", "web", "--open", "--broker", "127.0.0.1:1"]
    command += ["--port", str(port), "--view", str(tmp_path / "view.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        assert f"http://127.0.0.1:{port}/".encode() in running.stdout.readline()
        deadline = time.monotonic() + START_S
        while True:
            try:
                now = httpx.get(f"http://127.0.0.1:{port}/api/now")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert now.json()["state"] == "unreachable"
        assert now.json()["counted_to"] is None
        running.terminate()
        # As one expects of a signal, once all is closed.
        assert running.wait(START_S) == -signal.SIGTERM


def test_a_port_or_view_that_is_taken_is_named(tmp_path: Path) -> None:
    """With what to give instead, and exit status 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = malvakt_process(
            "web", "--open", "--broker", "127.0.0.1:1", "--port", port, "--view", tmp_path / "view"
        )
    assert done.returncode == 1
    assert "give another --port" in done.stderr
    view = View(tmp_path / "view")
    done = malvakt_process("web", "--open", "--broker", "127.0.0.1:1", "--view", tmp_path / "view")
    view.close()
    assert done.returncode == 1
    assert "Another process has the view" in done.stderr


def test_a_port_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With exit status 2."""
    with pytest.raises(SystemExit) as ended:
        main(["web", "--port", "99999"])
    assert ended.value.code == 2
    assert "--port 99999" in capsys.readouterr().err


def test_an_open_server_is_for_this_machine_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """With exit status 2, and what to do."""
    with pytest.raises(SystemExit) as ended:
        main(["web", "--open", "--host", "0.0.0.0"])
    assert ended.value.code == 2
    assert "sign in" in capsys.readouterr().err


def test_it_prints_how_to_make_the_first_account_as_long_as_there_is_none(tmp_path: Path) -> None:
    """A code of its own at each start, and nothing of figures without it."""

    def told(store: Path) -> list[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        command = [sys.executable, "-m", "malvakt", "web", "--broker", "127.0.0.1:1", "--port", str(port)]
        command += ["--view", str(tmp_path / "view.sqlite"), "--store", str(store)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            assert running.stdout is not None
            deadline = time.monotonic() + START_S
            while True:
                try:
                    assert httpx.get(f"http://127.0.0.1:{port}/api/now").status_code == 401
                    break
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            running.terminate()
            return [line.decode() for line in running.stdout]

    path = tmp_path / "accounts.sqlite"
    codes = [told(path)[1].partition("/manage/first#")[2].strip() for _ in range(2)]
    assert codes[0] != codes[1]
    assert all(len(code) >= 12 for code in codes)
    store = Store(path)
    store.add_account("Eva", "a hash")
    store.close()
    assert len(told(path)) == 1
    path.write_bytes(b"something else" * 100)
    done = malvakt_process("web", "--view", tmp_path / "view.sqlite", "--store", path)
    assert done.returncode == 1
    assert "Give another --store" in done.stderr
