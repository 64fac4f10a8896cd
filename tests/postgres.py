"""A real PostgreSQL for the tests that need one, from Debian's package: a server on a socket of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from streams.local_kafka import STARTER, dying_with_parent
from wall.postgres import SCHEMA

Places = Callable[[str], Path | str]
"""Gives a place for a view of some name, with nothing in it."""

PROGRAMS = "/usr/lib/postgresql"
START_S = 60.0
UNPRIVILEGED = "postgres"
"""Whom Debian's package makes; as root no server starts."""
# Tests end their server, and not the machine: what it has written needs no disk.
CONFIGURED = """
listen_addresses = ''
fsync = off
shared_buffers = 16MB
max_connections = 40
"""
LOCKED = "locked"
"""A user who has to say a password."""


class LocalPostgres:
    """One server, to stop and start at will."""

    def __init__(self) -> None:
        found = sorted(Path(PROGRAMS).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        if not found:
            missing = "there is no PostgreSQL; install Debian's package `postgresql`"
            if os.environ.get("MALVAKT_REQUIRE_POSTGRES"):
                pytest.fail(missing)
            pytest.skip(missing)
        self._programs = found[-1].parent
        self._user = UNPRIVILEGED if os.getuid() == 0 else None
        # A socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="malvakt-pg-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self.folder.chmod(0o755)
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._made = set[str]()

    def set_up(self) -> None:
        command = [self._programs / "initdb", "--pgdata", self._data, "--no-sync", "--username=postgres"]
        subprocess.run(
            [*command, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"],
            user=self._user,
            check=True,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(f"{CONFIGURED}unix_socket_directories = '{self.folder}'\n")
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"local all {LOCKED} scram-sha-256\n{rules.read_text()}")

    def start(self) -> None:
        # In a group of its own: Ctrl-C is for the tests, which end it.
        self._process = STARTER.submit(
            subprocess.Popen[bytes],
            [self._programs / "postgres", "-D", self._data],
            user=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            start_new_session=True,
            preexec_fn=dying_with_parent(),
        ).result()
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.ask("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False

    def stop(self) -> None:
        """At once, as a crash would: what it goes on with is what it had promised to keep."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """A crash, and up again."""
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def address(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def ask(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def emptied(self, database: str) -> str:
        """The address of a database of this name, with nothing in it."""
        if database in self._made:
            self.ask(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE", database)
        else:
            self.ask(f"CREATE DATABASE {database} STRATEGY file_copy")
            self._made.add(database)
        return self.address(database)

    def end_connections(self, database: str) -> None:
        """As somebody who administers it may, at any time; it waits until they have ended."""
        ended = f"SELECT pg_terminate_backend(pid, {START_S * 1_000:.0f}) FROM pg_stat_activity"
        self.ask(f"{ended} WHERE datname = '{database}'")


@contextmanager
def running() -> Iterator[LocalPostgres]:
    server = LocalPostgres()
    try:
        server.set_up()
        server.start()
        yield server
    finally:
        server.remove()
