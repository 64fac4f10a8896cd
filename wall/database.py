"""What the view asks of the database that holds it, whichever it is: a file with SQLite, or PostgreSQL."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

SCHEMES = ("postgresql://", "postgres://")
"""How the address of a PostgreSQL begins; what begins otherwise is a file."""

Cell = str | bytes | int | None
Row = tuple[Any, ...]


class ViewError(Exception):
    """The view cannot be had; the message says why."""


class AddressError(ViewError):
    """What was given as the place of the view is none."""


class AwayError(Exception):
    """The database does not do what it was asked; the message says why.

    Where something was being written nobody knows what became of it until the database is asked.
    """


class Transaction(Protocol):
    """What is done whole, or not at all."""

    def execute(self, statement: str, given: Sequence[Cell] = ()) -> list[Row]:
        """Do one thing; the rows that it answers with."""
        ...

    def execute_each(self, statement: str, given: Iterable[Sequence[Cell]]) -> Iterator[list[Row]]:
        """Ask the same of each; the rows that each is answered with."""
        ...

    def execute_many(self, statement: str, given: Iterable[Sequence[Cell]]) -> None:
        """Do the same with each."""
        ...


class Database(Protocol):
    """One database: one process writes it, and any thread of that reads. It may be away at any time."""

    def claim(self) -> None:
        """Be the writer again after it was away, once no transaction of ours is on its way any more."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One thread at a time writes."""
        ...

    def read(self, statement: str, given: Sequence[Cell] = ()) -> list[Row]:
        """The rows that a question is answered with."""
        ...

    def close(self) -> None:
        """Leave it to others."""
        ...


def database_at(where: Path | str) -> Database:
    """The database at an address or in a file, with its tables, and with us as the one who writes.

    Raises:
        ViewError: it cannot be had.
    """
    if isinstance(where, str) and where.startswith(SCHEMES):
        # Whoever has a file need not load it.
        from wall.postgres import Postgres  # noqa: PLC0415

        return Postgres(where)
    if isinstance(where, str) and "://" in where:
        scheme = where.partition("://")[0]
        raise AddressError(
            f"{scheme}:// is no place for the view: give a file, or postgresql://user@host/database."
        )
    from wall.sqlite import SqliteFile  # noqa: PLC0415

    return SqliteFile(Path(where))
