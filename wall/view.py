"""The view: a local copy, in SQL, of what is published, and how far each topic has been read.

What is held and the offsets up to which it was read change in one transaction, so that a process killed
anywhere goes on exactly where it was. Each change of an entry gets the next position in the view's log;
an entry stands there once, where it last changed, so that whoever knows a position can be told all
that is new since, however long they were away. Where a topic was created anew what is held of it
is forgotten, and a new life of the view begins: positions of an earlier life mean nothing in it.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import IO, Literal

import msgspec
import structlog
from msgspec import Struct

from kpis.calendar import micros_of
from schemas.decoding import decode_event
from schemas.topics import DEFINITIONS, GOALS_HISTORY
from streams.following import Fetched
from streams.locking import lock
from wall import sql
from wall.deals import (
    Deal,
    OfDeal,
    decode_deal,
    decode_moment,
    encode_deal,
    encode_moment,
    moment,
    same,
    told,
)
from wall.entries import DEALS, KINDS, READ, Entry, Gone, encode, of_definition, of_version

log = structlog.get_logger(__name__)

MAX_RECORDS = 20_000
"""How many records one question is answered with."""


class ViewError(Exception):
    """The view cannot be had; the message says why."""


class Change(Struct, frozen=True):
    """One entry of the view's log."""

    position: int
    kind: str
    body: bytes


class View:
    """One view in one file. One process writes it; any thread of it reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
        self._readers = threading.local()
        self._writer = self._connect()
        self._writer.executescript(sql.TABLES)
        if self._writer.execute(sql.LIFE).fetchone() is None:
            self._writer.execute(sql.BEGIN_LIFE, (token_hex(4),))
        self._refresh()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut must not take back positions that walls were told.
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _refresh(self) -> None:
        """What is known besides of the tables: the life, where the log ends, what to read next."""
        [self.life] = self._writer.execute(sql.LIFE).fetchone()
        [self.position] = self._writer.execute(sql.POSITION).fetchone()
        self.offsets: dict[tuple[str, int], int] = {
            (topic, number): at for topic, number, at in self._writer.execute(sql.OFFSETS)
        }

    def close(self) -> None:
        """Leave the file to others."""
        self._writer.close()
        self._lock.close()

    # What is written.

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield self._writer
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")

    def recognise(self, identities: Mapping[str, str], ends: Mapping[tuple[str, int], int]) -> bool:
        """See whether the topics are those that were read; what was read of others is forgotten.

        A topic is another one where its id is, or where it ends before what was read of it. An id is empty
        where the broker knows none.
        """
        held: dict[str, str] = dict(self._writer.execute(sql.IDENTITIES).fetchall())
        shorter = {
            topic for (topic, number), at in self.offsets.items() if at > ends.get((topic, number), at)
        }
        known = {topic: identity for topic, identity in identities.items() if identity}
        others = {topic for topic, identity in known.items() if held.get(topic, identity) != identity}
        with self._transaction() as connection:
            for topic in sorted(others | shorter):
                log.warning("a topic was created anew, and is read from its beginning", topic=topic)
                connection.execute(sql.FORGET_OFFSETS, (topic,))
                for kind in KINDS[topic]:
                    connection.execute(sql.FORGET_ENTRIES, (kind,))
                if topic == DEALS:
                    connection.execute(sql.FORGET_DEALS)
            if others or shorter:
                connection.execute(sql.END_LIFE)
                connection.execute(sql.BEGIN_LIFE, (token_hex(4),))
            connection.executemany(sql.KEEP_IDENTITY, known.items())
        self._refresh()
        return bool(others or shorter)

    def apply(self, fetched: Sequence[Fetched], clock: datetime | None) -> list[Change]:
        """Take records in, and what of them is new; `clock` is what time it is to the pipeline."""
        fresh = [one for one in fetched if one.offset >= self.offsets.get((one.topic, one.partition), 0)]
        if not fresh:
            return []
        before = self.position
        try:
            with self._transaction() as connection:
                kept = [
                    *self._keep_highest(connection, fresh),
                    *self._keep_deals(connection, fresh, clock),
                ]
                ends = {(one.topic, one.partition): one.offset + 1 for one in fresh}
                connection.executemany(sql.KEEP_OFFSET, ((*place, at) for place, at in ends.items()))
        except BaseException:
            self.position = before
            raise
        self.offsets = {**self.offsets, **ends}
        return kept

    def _keep_highest(self, connection: sqlite3.Connection, fetched: Iterable[Fetched]) -> Iterator[Change]:
        highest: dict[tuple[str, str], Entry] = {}
        known: dict[tuple[str, str], tuple[int, bytes]] = {}
        for entry in _entries(fetched):
            place = (entry.kind, entry.key)
            if place not in known:
                found = connection.execute(sql.HELD, place).fetchone()
                known[place] = (-1, b"") if found is None else (found[0], found[1])
            if entry.revision < 0:
                # It is no more: what was said of it before must not come back.
                entry = msgspec.structs.replace(entry, revision=known[place][0])  # noqa: PLW2901
                if known[place][1] == entry.body:
                    continue
            elif entry.order <= known[place]:
                continue
            known[place] = entry.order
            highest[place] = entry
        for entry in highest.values():
            yield from self._keep(connection, entry)

    def _keep_deals(
        self, connection: sqlite3.Connection, fetched: Iterable[Fetched], clock: datetime | None
    ) -> Iterator[Change]:
        deals: dict[tuple[str, str], Deal] = {}
        for one in fetched:
            event = decode_event(one.value, DEALS) if one.topic == DEALS else None
            # What is no valid event is refused, and kept, by the ledger.
            if not isinstance(event, OfDeal):
                continue
            key = (event.data.customer, event.data.deal)
            if key not in deals:
                found = connection.execute(sql.DEAL, (_name(key),)).fetchone()
                deals[key] = Deal() if found is None else decode_deal(found[0])
            deals[key] = told(deals[key], event)
        for key, deal in deals.items():
            connection.execute(sql.KEEP_DEAL, (_name(key), encode_deal(deal)))
            found = connection.execute(sql.HELD, ("moment", _name(key))).fetchone()
            held = None if found is None else decode_moment(found[1])
            now = moment(key, deal, held, clock)
            if now is None or (held is not None and same(now, held)):
                continue
            entry = Entry(
                kind="moment",
                key=_name(key),
                revision=0 if found is None else found[0] + 1,
                at=None if now.at is None else micros_of(now.at),
                body=encode_moment(now),
            )
            yield from self._keep(connection, entry)

    def _keep(self, connection: sqlite3.Connection, entry: Entry) -> Iterator[Change]:
        self.position += 1
        connection.execute(
            sql.KEEP,
            (
                entry.kind,
                entry.key,
                entry.revision,
                entry.scope,
                entry.grain,
                entry.start,
                entry.at,
                entry.body,
                entry.shown,
                self.position,
            ),
        )
        if entry.shown:
            yield Change(self.position, entry.kind, entry.body)

    # What is read.

    def _asked(self, statement: str, given: Sequence[str | int] = ()) -> sqlite3.Cursor:
        reader: sqlite3.Connection | None = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = self._connect()
        return reader.execute(statement, given)

    def _read(self, statement: str, given: Sequence[str | int] = ()) -> list[tuple[bytes, ...]]:
        return self._asked(statement, given).fetchall()

    def since(self, position: int, limit: int) -> list[Change]:
        """What walls have to hear of that changed after a position, in the log's order."""
        rows = self._read(sql.SINCE, (position, limit))
        return [Change(*row) for row in rows]  # pyright: ignore[reportArgumentType, reportCallIssue]

    def records(
        self,
        scope: str | None = None,
        grain: str | None = None,
        first: str | None = None,
        last: str | None = None,
        *,
        after: str = "",
        limit: int = MAX_RECORDS,
    ) -> list[bytes]:
        """The KPI records of a scope (or a kind of it), a grain, and starts from one to another.

        In the order of their keys; so many of those after one.
        """
        return [body for (body,) in self._read(*sql.records(scope, grain, first, last, after, limit))]

    def latest(self, kind: Literal["moment", "alert"]) -> Iterator[bytes]:
        """Of what has a time of its own, the latest first; no more is read than is taken."""
        return (body for (body,) in self._asked(sql.LATEST, (kind,)))

    def alerts(self, limit: int) -> list[tuple[bytes, bytes | None]]:
        """The latest alerts, the latest first, each with who acknowledged it, if anybody did."""
        return self._asked(sql.ALERTS, (limit,)).fetchall()

    def entry(self, kind: str, key: str) -> bytes | None:
        """One entry; none where there is none, or no more."""
        found: tuple[bytes] | None = self._asked(sql.ENTRY, (kind, key)).fetchone()
        return None if found is None else found[0]

    def versions(self, goal: str) -> list[bytes]:
        """The versions of a goal, in no order."""
        return [body for (body,) in self._read(sql.VERSIONS, (goal,))]

    def of_kind(self, kind: str) -> list[bytes]:
        """Every entry of a kind."""
        return [body for (body,) in self._read(sql.OF_KIND, (kind,))]


def _name(key: tuple[str, str]) -> str:
    return encode(key).decode()


def _entries(fetched: Iterable[Fetched]) -> Iterator[Entry]:
    for one in fetched:
        if one.topic == DEALS or one.topic not in KINDS:
            continue
        if one.value is None:
            for kind in KINDS[one.topic]:
                yield Entry(kind=kind, key=one.key, revision=-1, body=encode(Gone(one.key)))
            continue
        try:
            if one.topic == DEFINITIONS.name:
                yield of_definition(one.key, one.value)
            elif one.topic == GOALS_HISTORY.name:
                yield of_version(one.offset, one.value)
            else:
                yield from READ[one.topic](one.value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("a record cannot be read, and is left out", at=one.place, error=str(error))
