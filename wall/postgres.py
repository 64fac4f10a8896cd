"""The view in PostgreSQL: the same SQL, over connections that may be lost at any time.

Who writes holds a lock of the database for as long as the connection lasts that it writes with. Where that
connection is lost the next one has to wait for the lock, and so until the server has finished with
whatever was on its way: only then is what it holds read again.
"""

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from threading import BoundedSemaphore

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from wall import sql
from wall.database import AddressError, AwayError, Cell, Row, ViewError

SCHEMA = "malvakt_wall"
"""Our own, so that no table of anybody else's has the name of one of ours."""
LOCK = int.from_bytes(b"malvakt", "big")
"""The number of the lock that the writer holds."""
CLAIM_S = 5
"""For how long the lock is waited for: who was killed a moment ago has it until the server notices."""
READERS = 8
"""How many questions are asked at once; a thread more waits."""
WAIT_S = 10.0
"""For how long."""

# A server that is gone without a word is missed within seconds, and so are we, who hold the lock.
_REACHING = {
    "connect_timeout": "5",
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "application_name": "malvakt web",
}
_MISSING = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
# A crash must not take back positions that walls were told.
_SURELY = (
    b"SELECT set_config('synchronous_commit', 'on', false)"
    b" WHERE current_setting('synchronous_commit') = 'off'"
)

_NAMES = ("service", "host", "hostaddr", "port", "dbname", "user")
_HOW = "Write postgresql://user:password@host:port/database; in a password %40 stands for @, %2F for /."
_LOST = (psycopg.OperationalError, psycopg.InterfaceError)


class Postgres:
    """The schema `malvakt_wall` of one database."""

    def __init__(self, address: str) -> None:
        self._parameters = _parameters(address)
        named = [f"{name}={self._parameters[name]}" for name in _NAMES if name in self._parameters]
        self._where = f"PostgreSQL ({' '.join(named)})"
        self._writer: psycopg.Connection | None = None
        self._slots = BoundedSemaphore(READERS)
        self._idle = deque[psycopg.Connection]()
        try:
            self.claim()
        except AwayError as error:
            raise ViewError(str(error)) from error

    def _connect(self) -> psycopg.Connection:
        address = make_conninfo("", **{**_REACHING, **self._parameters})
        connection = psycopg.connect(address, autocommit=True)
        try:
            connection.execute(f"SET search_path = {SCHEMA}; {_MISSING}".encode())
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Leave it to others."""
        self._drop_writer()
        while self._idle:
            self._idle.pop().close()

    def _drop_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    # What is written.

    def claim(self) -> None:
        """Be the writer, once nobody else is, and see that there are tables."""
        self._drop_writer()
        try:
            with self._telling():
                connection = self._connect()
                try:
                    self._prepare(connection)
                except BaseException:
                    connection.close()
                    raise
        except psycopg.Error as error:
            # A copy that may only be read, say.
            raise AwayError(f"{self._where} cannot hold the view: {_words(error)}.") from error
        self._writer = connection

    def _prepare(self, connection: psycopg.Connection) -> None:
        if connection.info.parameter_status("server_encoding") != "UTF8":
            raise AwayError(
                f"{self._where} does not keep text as UTF-8. Make a database with ENCODING 'UTF8'."
            )
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{CLAIM_S}s'".encode())
            # It outlasts this transaction, and ends with the connection.
            connection.execute(b"SELECT pg_advisory_lock(%s)", [LOCK])
            [[there]] = connection.execute(b"SELECT to_regnamespace(%s) IS NOT NULL", [SCHEMA])
            # Whoever owns the database may have made it for somebody who may not.
            if not there:
                connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
            connection.execute(sql.tables(text='TEXT COLLATE "C"', octets="BYTEA").encode())
        connection.execute(_SURELY)

    @contextlib.contextmanager
    def transaction(self) -> Iterator["_Writing"]:
        """With the connection that holds the lock, and no other."""
        if self._writer is None:
            raise AwayError(f"{self._where} was lost, and is not claimed again.")
        try:
            with self._telling(), self._writer.transaction():
                yield _Writing(self._writer)
        except AwayError:
            self._drop_writer()
            raise

    # What is read.

    def read(self, statement: str, given: Sequence[Cell] = ()) -> list[Row]:
        """With a connection that nobody else uses meanwhile."""
        if not self._slots.acquire(timeout=WAIT_S):
            raise AwayError(f"{self._where} has not answered {READERS} questions for {WAIT_S:.0f} s.")
        try:
            with self._telling():
                return self._asked(statement, given)
        finally:
            self._slots.release()

    def _asked(self, statement: str, given: Sequence[Cell]) -> list[Row]:
        while True:
            kept = self._spare()
            connection = kept or self._connect()
            try:
                rows = _executed(connection, statement, given)
            except BaseException:
                # The server may have been started anew since it was used last: that is no answer.
                stale = kept is not None and connection.broken
                connection.close()
                if not stale:
                    raise
            else:
                self._idle.append(connection)
                return rows

    def _spare(self) -> psycopg.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    # What goes wrong.

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.LockNotAvailable as error:
            raise AwayError(
                f"Another process has the view in {self._where}. Give each a --view of its own:"
                " a file, or a database."
            ) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise AwayError(
                f"{self._where} does not let its user create or use the schema {SCHEMA}: {_words(error)}."
                " Let whoever owns the database say: GRANT CREATE ON DATABASE ... TO ..."
            ) from error
        except _LOST as error:
            pgconn = error.pgconn
            if pgconn is not None and pgconn.needs_password:
                todo = "It asks for a password: give one in the address, in ~/.pgpass or in PGPASSWORD."
            elif pgconn is not None and pgconn.used_password:
                todo = "See that user, password and database are right, in --view or MALVAKT_VIEW."
            else:
                todo = "See that it runs, or give another address as --view or MALVAKT_VIEW."
            raise AwayError(f"{self._where} cannot be used: {_words(error)}. {todo}") from error


class _Writing:
    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, given: Sequence[Cell] = ()) -> list[Row]:
        return _executed(self._connection, statement, given)

    def execute_each(self, statement: str, given: Iterable[Sequence[Cell]]) -> Iterator[list[Row]]:
        # All are sent before the first is answered: else each would be a way there and back.
        cursor = self._connection.cursor(binary=True)
        cursor.executemany(_said(statement), map(_cells, given), returning=True)
        return (answer.fetchall() for answer in cursor.results() if answer.description)

    def execute_many(self, statement: str, given: Iterable[Sequence[Cell]]) -> None:
        self._connection.cursor().executemany(_said(statement), map(_cells, given))


def _executed(connection: psycopg.Connection, statement: str, given: Sequence[Cell]) -> list[Row]:
    cursor = connection.execute(_said(statement), _cells(given), binary=True)
    return cursor.fetchall() if cursor.description else []


@cache
def _said(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


def _cells(given: Sequence[Cell]) -> list[Cell]:
    return [_text(cell) if isinstance(cell, str) else cell for cell in given]


def _text(text: str) -> str:
    """As PostgreSQL can keep it, whose text has no NUL; in the same order, and no two of them the same."""
    return text.replace("\x01", "\x01\x02").replace("\0", "\x01\x01")


def _words(error: psycopg.Error) -> str:
    """What it says, on one line."""
    return " ".join(str(error).split()).rstrip(".")


def _parameters(address: str) -> dict[str, str]:
    """What an address says, which may hold a password: no part of it is repeated where it says nothing."""
    before, at, after = address.partition("://")[2].partition("@")
    # A password with one of these in it would be taken for a host or a database, and be told of.
    if "@" in after or (at and any(mark in before for mark in "/?")):
        raise AddressError(f"The address of PostgreSQL cannot be read. {_HOW}")
    try:
        found = conninfo_to_dict(address)
    except psycopg.Error:
        raise AddressError(f"The address of PostgreSQL cannot be read. {_HOW}") from None
    return {name: str(value) for name, value in found.items()}
