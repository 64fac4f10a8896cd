"""Accounts, sessions, screens and paired televisions, in SQL.

Unlike the view it cannot be read again. Secrets are kept as hashes only.
"""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from msgspec import Struct

from wall.accounts import sql
from wall.accounts.screens import Kept, Screen, decode_screen, encode_screen

SESSION_S = 14 * 24 * 3600
"""For how long somebody stays signed in."""
BUSY_S = 10.0

Cell = str | bytes | int
Row = tuple[Cell, ...]


class StoreError(Exception):
    """The store cannot be had; the message says why."""


class NameTakenError(Exception):
    """Another account has that name."""


class Account(Struct, frozen=True):
    """Somebody who can sign in."""

    id: int
    name: str


class Television(Struct, frozen=True):
    """A browser that was paired with a screen."""

    id: int
    screen: int
    paired: int
    """When, in seconds since 1970."""


class Store:
    """One store in one file, for all threads of a process."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self.changes = 0
        """Counts what was written: who has seen a number knows whether to look again."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Nobody else on this machine has any business with it.
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=BUSY_S
            )
            [version] = self._connection.execute("PRAGMA user_version").fetchone()
            if version > sql.VERSION:
                raise StoreError(
                    f"{path} was written by a later Målvakt; run that, or give another --store."
                )
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(sql.TABLES)
            self._connection.execute(f"PRAGMA user_version = {sql.VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot hold accounts ({error}). Give another --store.") from error

    def close(self) -> None:
        """Leave the file."""
        self._connection.close()

    # Accounts

    def accounts(self) -> list[Account]:
        """All of them, by name."""
        return [Account(_int(row[0]), _str(row[1])) for row in self._rows(sql.ACCOUNTS)]

    def has_accounts(self) -> bool:
        """Whether anybody can sign in."""
        return self._rows(sql.COUNT_ACCOUNTS) != [(0,)]

    def account_named(self, name: str) -> tuple[Account, str] | None:
        """An account and the hash of its password, however its name is capitalised."""
        return _account(self._rows(sql.ACCOUNT_NAMED, folded(name)))

    def account(self, number: int) -> tuple[Account, str] | None:
        """An account and the hash of its password."""
        return _account(self._rows(sql.ACCOUNT, number))

    def add_account(self, name: str, password: str, *, first: bool = False) -> Account | None:
        """Add one; a first one only where there is none yet.

        Raises:
            NameTakenError: there is one of that name.
        """
        with self._writing() as connection:
            if first and connection.execute(sql.COUNT_ACCOUNTS).fetchone() != (0,):
                return None
            try:
                given = (name.strip(), folded(name), password)
                [[number]] = connection.execute(sql.ADD_ACCOUNT, given).fetchall()
            except sqlite3.IntegrityError as error:
                raise NameTakenError from error
        return Account(number, name.strip())

    def remove_account(self, number: int) -> bool:
        """Remove one, with its sessions; the last one stays."""
        with self._writing() as connection:
            return bool(connection.execute(sql.REMOVE_ACCOUNT, (number,)).fetchall())

    def set_password(self, number: int, password: str) -> None:
        """Give an account another password; whoever is signed in to it is not any more."""
        with self._writing() as connection:
            connection.execute(sql.SET_PASSWORD, (password, number))
            connection.execute(sql.END_SESSIONS, (number,))

    # Sessions

    def begin_session(self, account: int) -> str:
        """A token that is good for a while."""
        token, now = token_urlsafe(32), int(time.time())
        with self._writing() as connection:
            connection.execute(sql.EXPIRE_SESSIONS, (now,))
            connection.execute(sql.ADD_SESSION, (_hash(token), account, now + SESSION_S))
        return token

    def session(self, token: str) -> Account | None:
        """Whose session it is, if it is one."""
        rows = self._rows(sql.SESSION, _hash(token), int(time.time()))
        return Account(_int(rows[0][0]), _str(rows[0][1])) if rows else None

    def end_session(self, token: str) -> None:
        """Sign out."""
        with self._writing() as connection:
            connection.execute(sql.END_SESSION, (_hash(token),))

    # Screens

    def screens(self) -> list[Kept]:
        """All of them, in the order in which they were made."""
        return [_kept(row) for row in self._rows(sql.SCREENS)]

    def screen(self, number: int) -> Kept | None:
        """One of them."""
        rows = self._rows(sql.SCREEN, number)
        return _kept(rows[0]) if rows else None

    def add_screen(self, screen: Screen) -> Kept:
        """Add one."""
        with self._writing() as connection:
            [[number]] = connection.execute(sql.ADD_SCREEN, (encode_screen(screen),)).fetchall()
        return Kept(id=number, screen=screen)

    def change_screen(self, number: int, screen: Screen) -> bool:
        """Change one; whether there is one."""
        with self._writing() as connection:
            return bool(connection.execute(sql.CHANGE_SCREEN, (encode_screen(screen), number)).fetchall())

    def remove_screen(self, number: int) -> bool:
        """Remove one, and what was paired with it."""
        with self._writing() as connection:
            return bool(connection.execute(sql.REMOVE_SCREEN, (number,)).fetchall())

    # Televisions

    def televisions(self) -> list[Television]:
        """All that are paired."""
        return [Television(*map(_int, row)) for row in self._rows(sql.TELEVISIONS)]

    def pair(self, screen: int) -> str | None:
        """A token that reads as this screen until it is revoked; none where there is no such screen."""
        token = token_urlsafe(32)
        with self._writing() as connection:
            given = (_hash(token), int(time.time()), screen)
            return token if connection.execute(sql.ADD_TELEVISION, given).fetchall() else None

    def paired(self, token: str) -> Kept | None:
        """The screen that a token reads as."""
        rows = self._rows(sql.TELEVISION, _hash(token))
        return _kept(rows[0][1:]) if rows else None

    def revoke(self, television: int, screen: int) -> bool:
        """Have its token mean nothing any more; whether there was one."""
        with self._writing() as connection:
            return bool(connection.execute(sql.REVOKE_TELEVISION, (television, screen)).fetchall())

    # The connection

    def _rows(self, statement: str, *given: Cell) -> list[Row]:
        with self._lock:
            return self._connection.execute(statement, given).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            self.changes += 1


def _account(rows: list[Row]) -> tuple[Account, str] | None:
    if not rows:
        return None
    number, name, password = rows[0]
    return Account(_int(number), _str(name)), _str(password)


def _kept(row: Row) -> Kept:
    number, body = row
    assert isinstance(body, bytes)
    return Kept(id=_int(number), screen=decode_screen(body))


def _int(cell: Cell) -> int:
    assert isinstance(cell, int)
    return cell


def _str(cell: Cell) -> str:
    assert isinstance(cell, str)
    return cell


def folded(name: str) -> str:
    """A name as it is told apart from others: however it is capitalised."""
    return name.strip().casefold()


def _hash(token: str) -> bytes:
    # Of 256 random bits a fast hash is enough: nobody can go through them.
    return sha256(token.encode()).digest()
