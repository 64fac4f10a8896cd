"""The view in a file, with SQLite: nothing to install, one writer, many readers."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from streams.locking import lock
from wall import sql
from wall.database import AwayError, Cell, Row, ViewError


class SqliteFile:
    """One file, and a lock beside it for as long as this process has it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._readers = threading.local()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock: IO[bytes] = path.with_name(f"{path.name}.lock").open("a+b")
            lock(self._lock)
        except BlockingIOError as error:
            raise ViewError(
                f"Another process has the view {path}. Give each a --view of its own."
            ) from error
        except OSError as error:
            raise ViewError(f"{path} cannot hold a view ({error.strerror}).") from error
        try:
            self._writer = self._connect()
            self._writer.executescript(sql.tables(text="TEXT", octets="BLOB"))
        except sqlite3.Error as error:
            self._lock.close()
            raise ViewError(f"{path} cannot hold a view ({error}). Give another --view.") from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut must not take back positions that walls were told.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def close(self) -> None:
        """Leave the file to others."""
        self._writer.close()
        self._lock.close()

    def claim(self) -> None:
        """The lock was ours all the time; what was begun is given up."""
        self._writer.close()
        with _here(self._path):
            self._writer = self._connect()

    @contextlib.contextmanager
    def transaction(self) -> Iterator["_Writing"]:
        """As the disk says, kept for good once it is through."""
        with _here(self._path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield _Writing(self._writer)
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def read(self, statement: str, given: Sequence[Cell] = ()) -> list[Row]:
        """Each thread has a connection of its own."""
        with _here(self._path):
            reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
            if reader is None:
                reader = self._readers.connection = self._connect()
            return reader.execute(statement, given).fetchall()


class _Writing:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, given: Sequence[Cell] = ()) -> list[Row]:
        return self._connection.execute(statement, given).fetchall()

    def execute_each(self, statement: str, given: Iterable[Sequence[Cell]]) -> Iterator[list[Row]]:
        return (self.execute(statement, one) for one in given)

    def execute_many(self, statement: str, given: Iterable[Sequence[Cell]]) -> None:
        self._connection.executemany(statement, given)


@contextlib.contextmanager
def _here(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        # The disk is full, say.
        raise AwayError(f"The view {path} cannot be used: {error}.") from error
