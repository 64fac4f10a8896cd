"""`malvakt web` as a person calls it, where not all is well."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from malvakt.cli import main
from tests.malvakt.calling import malvakt_process
from tests.postgres import LocalPostgres
from tests.streams.receivers import free_port
from wall.accounts.store import Store
from wall.view import View

START_S = 60.0


def answer(port: int, path: str, status: int | None = None) -> httpx.Response:
    """What it answers, once it does, and with this status if one is told."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            found = httpx.get(f"http://127.0.0.1:{port}/api/{path}", timeout=START_S)
        except httpx.TransportError:
            found = None
        if found is not None and status in {None, found.status_code}:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_without_kafka_it_serves_and_says_so(tmp_path: Path, unused_port: int) -> None:
    """To who runs it, too. Kafka may come later, and both after a power cut; SIGTERM ends it in order."""
    port, metrics_port = unused_port, free_port()
    command = [sys.executable, "-m", "malvakt", "web", "--open", "--broker", "127.0.0.1:1"]
    command += ["--port", str(port), "--view", str(tmp_path / "view.sqlite")]
    command += ["--metrics-port", str(metrics_port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        assert f"http://127.0.0.1:{port}/".encode() in running.stdout.readline()
        now = answer(port, "now")
        assert now.json()["state"] == "unreachable"
        assert now.json()["counted_to"] is None
        run_by = f"http://127.0.0.1:{metrics_port}"
        health = httpx.get(f"{run_by}/healthz")
        assert (health.status_code, health.text) == (503, "not ready\n")
        assert "malvakt_walls 0.0" in httpx.get(f"{run_by}/metrics").text.splitlines()
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


def test_with_its_view_in_a_postgresql_it_goes_on_when_that_is_back(
    own_postgres: LocalPostgres, tmp_path: Path, unused_port: int
) -> None:
    """Meanwhile it says what is away, and what it says anywhere has no password in it."""
    own_postgres.emptied("wall")
    command = [sys.executable, "-m", "malvakt", "web", "--open", "--broker", "127.0.0.1:1"]
    place = f"postgresql://postgres:secret@{quote(str(own_postgres.folder), safe='')}/wall"
    with (
        (tmp_path / "said").open("wb") as said,
        subprocess.Popen(
            [*command, "--port", str(unused_port)],
            env={**os.environ, "MALVAKT_VIEW": place},
            stdout=said,
            stderr=said,
        ) as running,
    ):
        assert answer(unused_port, "records", 200).json()["records"] == []
        own_postgres.stop()
        away = answer(unused_port, "records", 503).json()
        assert away["extra"] == {"reason": "away"}
        assert "database" in away["detail"]
        # What needs no database is there.
        assert answer(unused_port, "now").is_success
        own_postgres.start()
        assert answer(unused_port, "records", 200).json()["records"] == []
        running.terminate()
        assert running.wait(START_S) == -signal.SIGTERM
    assert b"secret" not in (tmp_path / "said").read_bytes()
    own_postgres.stop()
    done = malvakt_process("web", "--open", "--broker", "127.0.0.1:1", "--view", place)
    assert done.returncode == 1
    assert "See that it runs" in done.stderr
    assert "secret" not in done.stdout + done.stderr


def test_an_address_of_a_view_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With exit status 2, and how to write one."""
    with pytest.raises(SystemExit) as ended:
        main(["web", "--view", "postgresql://eva:secret/1@there/wall"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "--view" in said
    assert "secret" not in said


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
            assert answer(port, "now").status_code == 401
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
