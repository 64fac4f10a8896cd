"""The view: a local copy, in SQL, of what is published, and how far each topic has been read.

What is held and the offsets up to which it was read change in one transaction, so that a process killed
anywhere goes on exactly where it was, and one whose database was away asks it what came through. Each
change of an entry gets the next position in the view's log; an entry stands there once, where it last
changed, so that whoever knows a position can be told all that is new since, however long they were away.
Where a topic was created anew what is held of it is forgotten, and a new life of the view begins:
positions of an earlier life mean nothing in it.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Literal

import msgspec
import structlog
from msgspec import Struct

from streams.following import Fetched
from wall import sql
from wall.database import AwayError, Row, Transaction, database_at
from wall.entries import DEALS, KINDS, Entry
from wall.taking import changed

log = structlog.get_logger(__name__)

MAX_RECORDS = 20_000
"""How many records one question is answered with."""
PAGE = 200
"""How many entries are read at once where nobody knows how many are wanted."""
LATER_THAN_ANY = (2**63 - 1, 0)


class Change(Struct, frozen=True):
    """One entry of the view's log."""

    position: int
    kind: str
    body: bytes


class Standing(Struct, frozen=True):
    """What is known besides of the entries: which log it is, where it ends, and what to read next."""

    life: str
    position: int
    offsets: dict[tuple[str, int], int]


class View:
    """One view, in a file or in PostgreSQL. One process writes it; any thread of it reads."""

    def __init__(self, where: Path | str) -> None:
        self._database = database_at(where)
        self._turn = threading.Lock()
        self.away = False
        """Whether the database was lost: what it holds now is not known until it is renewed."""
        with self._transaction() as transaction:
            self._standing = _standing(transaction)

    @property
    def life(self) -> str:
        """Which log it is."""
        return self._standing.life

    @property
    def position(self) -> int:
        """Where the log ends."""
        return self._standing.position

    @property
    def offsets(self) -> dict[tuple[str, int], int]:
        """Of each topic and partition, what to read next."""
        return self._standing.offsets

    def close(self) -> None:
        """Leave it to others."""
        self._database.close()

    # What is written.

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with self._turn:
            try:
                with self._database.transaction() as transaction:
                    yield transaction
            except AwayError:
                self.away = True
                raise

    def look(self) -> None:
        """See that the database is there, though nothing is to be written.

        Raises:
            AwayError: it is not.
        """
        with self._transaction():
            pass

    def renew(self) -> bool:
        """Once it was away, take from the database what became of it; whether there was any need to.

        Only the database knows whether the last transaction came through. Where it holds less than it said
        it did, as a copy that took over may, a new life begins: else positions that walls know would be
        given twice.

        Raises:
            AwayError: it is away still.
        """
        if not self.away:
            return False
        with self._turn:
            self._database.claim()
        with self._transaction() as transaction:
            found = _standing(transaction)
            if found.life == self.life and found.position < self.position:
                log.warning("the database holds less than it did, and a new life of the view begins")
                found = msgspec.structs.replace(found, life=_begin_life(transaction))
        self._standing = found
        self.away = False
        return True

    def recognise(self, identities: Mapping[str, str], ends: Mapping[tuple[str, int], int]) -> bool:
        """See whether the topics are those that were read; what was read of others is forgotten.

        A topic is another one where its id is, or where it ends before what was read of it. An id is empty
        where the broker knows none.
        """
        shorter = {
            topic for (topic, number), at in self.offsets.items() if at > ends.get((topic, number), at)
        }
        known = {topic: identity for topic, identity in identities.items() if identity}
        with self._transaction() as transaction:
            held: dict[str, str] = dict(transaction.execute(sql.IDENTITIES))
            others = {topic for topic, identity in known.items() if held.get(topic, identity) != identity}
            for topic in sorted(others | shorter):
                log.warning("a topic was created anew, and is read from its beginning", topic=topic)
                transaction.execute(sql.FORGET_OFFSETS, (topic,))
                for kind in KINDS[topic]:
                    transaction.execute(sql.FORGET_ENTRIES, (kind,))
                if topic == DEALS:
                    transaction.execute(sql.FORGET_DEALS)
            if others or shorter:
                _begin_life(transaction)
            transaction.execute_many(sql.KEEP_IDENTITY, known.items())
            found = _standing(transaction)
        self._standing = found
        return bool(others or shorter)

    def apply(self, fetched: Sequence[Fetched], clock: datetime | None) -> list[Change]:
        """Take records in, and what of them is new; `clock` is what time it is to the pipeline."""
        fresh = [one for one in fetched if one.offset >= self.offsets.get((one.topic, one.partition), 0)]
        if not fresh:
            return []
        with self._transaction() as transaction:
            entries = changed(transaction, fresh, clock)
            placed = list(enumerate(entries, self.position + 1))
            transaction.execute_many(sql.KEEP, (_row(entry, position) for position, entry in placed))
            ends = {(one.topic, one.partition): one.offset + 1 for one in fresh}
            transaction.execute_many(sql.KEEP_OFFSET, ((*place, at) for place, at in ends.items()))
        self._standing = Standing(self.life, self.position + len(entries), {**self.offsets, **ends})
        return [Change(position, entry.kind, entry.body) for position, entry in placed if entry.shown]

    # What is read.

    def _read(self, statement: str, given: Sequence[str | int] = ()) -> list[Row]:
        return self._database.read(statement, given)

    def since(self, position: int, limit: int) -> list[Change]:
        """What walls have to hear of that changed after a position, in the log's order."""
        return [Change(*row) for row in self._read(sql.SINCE, (position, limit))]

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
        """Of what has a time of its own, the latest first; no more is read than is taken, or a page."""
        before = LATER_THAN_ANY
        while rows := self._read(sql.LATEST, (kind, *before, PAGE)):
            yield from (body for body, _, _ in rows)
            before = rows[-1][1:]

    def alerts(self, limit: int) -> list[tuple[bytes, bytes | None]]:
        """The latest alerts, the latest first, each with who acknowledged it, if anybody did."""
        return [(alert, ack) for alert, ack in self._read(sql.ALERTS, (limit,))]

    def entry(self, kind: str, key: str) -> bytes | None:
        """One entry; none where there is none, or no more."""
        found = self._read(sql.ENTRY, (kind, key))
        return found[0][0] if found else None

    def versions(self, goal: str) -> list[bytes]:
        """The versions of a goal, in no order."""
        return [body for (body,) in self._read(sql.VERSIONS, (goal,))]

    def of_kind(self, kind: str) -> list[bytes]:
        """Every entry of a kind."""
        return [body for (body,) in self._read(sql.OF_KIND, (kind,))]


def _standing(transaction: Transaction) -> Standing:
    lives = transaction.execute(sql.LIFE)
    [[position]] = transaction.execute(sql.POSITION)
    offsets = {(topic, number): at for topic, number, at in transaction.execute(sql.OFFSETS)}
    return Standing(lives[0][0] if lives else _begin_life(transaction), position, offsets)


def _begin_life(transaction: Transaction) -> str:
    life = token_hex(4)
    transaction.execute(sql.END_LIFE)
    transaction.execute(sql.BEGIN_LIFE, (life,))
    return life


def _row(entry: Entry, position: int) -> tuple[str | int | bytes | None, ...]:
    return (
        entry.kind,
        entry.key,
        entry.revision,
        entry.scope,
        entry.grain,
        entry.start,
        entry.at,
        entry.body,
        int(entry.shown),
        position,
    )
