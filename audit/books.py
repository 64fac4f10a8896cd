"""The books: raw events in a database of their own on disk, and what follows from them, table by table.

Events are taken in chunks and everything else is SQL (`audit/sql`), so that history may be larger than
memory. What events repeat, or say in any order, makes no difference.
"""

import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from importlib.resources import files
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from msgspec import Struct

from audit.clock import MICROSECOND, day_begins, instant_of, pieces
from audit.figures import DISTINCT, MEASURES
from audit.formulas import Formula
from audit.own import OwnMeasures
from schemas.definitions import Definitions
from schemas.events import Event, Recorded

_TEXTS = (
    *("lead", "customer", "org_number", "person", "seller", "team", "currency"),
    *("activity", "kind", "deal", "cost", "category"),
)
_INSTANTS = ("first_contact", "won_at", "lost_at")
_AMOUNTS = ("value", "amount")
_DATES = ("from", "to")


class Rules(Struct, frozen=True):
    """How the organisation counts: timezone, reporting currency, and how many digits its minor unit has."""

    timezone: str
    currency: str
    digits: int


class Room(Struct, frozen=True):
    """How much memory books may take; what is more goes to disk."""

    memory_mb: int
    """For the database,"""
    chunk_events: int
    """and how many events are in hand until they are taken."""


def room_of(memory_mb: int) -> Room:
    """For a process of its own, whose database may take so much."""
    return Room(memory_mb, chunk_events=125 * memory_mb)


WIDE = room_of(2_000)
"""Beside workers, that need theirs."""
NARROW = Room(memory_mb=512, chunk_events=25_000)
"""Within a process that does other things too."""


INTERRUPTED_AGAIN_S = 0.1

NoRoomError = duckdb.OutOfMemoryException
"""What has to be in memory at once is more than the books' room."""


class Books:
    """The raw events, and the tables made from them. A context: leaving it removes the database."""

    def __init__(self, rules: Rules, definitions: Definitions | None = None, room: Room = WIDE) -> None:
        own = definitions or Definitions()
        self.rules = rules
        self.room = room
        self._own = OwnMeasures(own.measures)
        self.measures = MEASURES | self._own.units
        """Every measure that is counted, the organisation's own behind ours."""
        self.distinct = DISTINCT | self._own.distinct
        """Those of them that count persons, each once a window."""
        formulas = {name: Formula(kpi, rules.digits) for name, kpi in own.kpis.items()}
        counted = MEASURES.keys() | own.measures.keys()
        self.own_kpis = {name: one for name, one in formulas.items() if counted.issuperset(one.reads)}
        """By name, where all that they read is counted: others no record has."""
        self._zone = ZoneInfo(rules.timezone)
        self._directory = tempfile.TemporaryDirectory(prefix="malvakt-audit-")
        self._path = Path(self._directory.name)
        self._clerk = ThreadPoolExecutor(1, thread_name_prefix="books")
        self._entering: Future[None] | None = None
        """The lines that are being entered, while others are gathered."""
        self._database = duckdb.connect(self._path / "books.duckdb")
        self._database.execute(f"set memory_limit = '{room.memory_mb}MB'")
        self._database.execute("set preserve_insertion_order = false")
        self._database.execute("set enable_progress_bar = false")
        columns = [field.column for field in self._own.fields]
        self._database.execute(_heard(columns))
        self._hear = _hear(columns)
        self.run("arithmetic.sql")
        self._database.execute(f"create macro reporting() as '{rules.currency}'")
        self._database.execute(f"create macro digits() as {rules.digits}")
        self._database.execute(f"create macro minor_unit() as {10 ** (6 - rules.digits)}::hugeint")

    def __enter__(self) -> "Books":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the database, whatever is being entered."""
        while self._entering is not None and not self._entering.done():
            # Again and again: one that has not quite begun does not hear it.
            self._database.interrupt()
            wait([self._entering], INTERRUPTED_AGAIN_S)
        self._clerk.shutdown()
        self._database.close()
        self._directory.cleanup()

    def take(self, events: Iterable[Event | Recorded]) -> int:
        """Enter events, in any order, any of them twice; how many they were.

        Fields that only definitions know are in what was recorded.
        """
        taken = 0
        iterator = iter(events)
        while lines := [self._own.line(event) for event in islice(iterator, self.room.chunk_events)]:
            self.read_lines(lines, self._hear)
            taken += len(lines)
        return taken

    def balance(self) -> None:
        """Work out what each object contributes, and the sums by scope and day."""
        self.run("objects.sql")
        self._set_clock()
        self.run("cost_days.sql")
        self._set_day_starts()
        self.run("shares.sql")
        self.run("places.sql")
        for statement in self._own.statements():
            self._execute(statement)
        self.run("shared.sql")
        self.run("cells.sql")

    def run(self, name: str) -> None:
        """Run a file of `audit/sql`."""
        self._execute((files("audit") / "sql" / name).read_text("utf-8"))

    def ask(self, question: str, **parameters: object) -> list[tuple[Any, ...]]:
        """The rows that answer a question."""
        return self._execute(question, parameters or None).fetchall()

    def read_lines(self, lines: Iterable[bytes], question: str) -> None:
        """Let a statement read lines of JSON, as the file `$lines`, while the caller gathers the next ones.

        What is wrong with them is raised when anything is next asked or entered, and whenever it is after
        that: the books are good for nothing more.
        """
        self._settle()
        path = self._path / "lines.jsonl"
        path.write_bytes(b"\n".join(lines))
        self._entering = self._clerk.submit(self._enter, path, question)

    def put_clock(self, table: str, first: int | None, last: int | None) -> None:
        """Make a table of how far local clocks are ahead of UTC, from one instant to another."""
        clock = [] if first is None or last is None else list(pieces(self._zone, first, last))
        self._put(table, "utc_day bigint, since bigint, until bigint, ahead bigint", clock)

    def local(self, instant: datetime) -> int:
        """What the clock on the office wall shows at an instant, in microseconds since 1970."""
        wall = instant.astimezone(self._zone).replace(tzinfo=UTC)
        return (wall - instant_of(0)) // MICROSECOND

    def interrupt(self) -> None:
        """From another thread: have the question that is being answered end with an error.

        Where it is lines that are being entered, the error is raised when anything is next asked.
        """
        self._database.interrupt()

    def latest(self) -> datetime | None:
        """The latest event time; `None` where there are no events."""
        [(latest,)] = self.ask("select max(time) from heard")
        return None if latest is None else instant_of(latest)

    def conflicts(self) -> int:
        """How many pairs of source and id say more than one thing, so that none of it is certain."""
        [(conflicts,)] = self.ask(
            "select count(*) from (select source, id from heard group by source, id"
            " having count(distinct hash(heard)) > 1)"
        )
        return conflicts

    def _enter(self, path: Path, question: str) -> None:
        self._database.execute(question, {"lines": str(path)})
        path.unlink()

    def _settle(self) -> None:
        """Wait for what is being entered."""
        if self._entering is not None:
            self._entering.result()
            self._entering = None

    def _execute(self, statement: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        self._settle()
        return self._database.execute(statement, parameters)

    def _set_clock(self) -> None:
        [(first, last)] = self.ask(
            "select min(least(time, first_contact, won_at, lost_at)),"
            " max(greatest(time, first_contact, won_at, lost_at)) from heard"
        )
        self.put_clock("clock", first, last)

    def _set_day_starts(self) -> None:
        days = [
            day for (day,) in self.ask("select distinct on_day from cost_days where on_day is not null")
        ]
        starts = [(day, day_begins(self._zone, day)) for day in days]
        self._put("day_starts", "day date, moment bigint", starts)

    def _put(self, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self._execute(f"create or replace table {table} ({columns})")
        if rows:
            unnested = ", ".join(f"unnest(${number})" for number in range(1, len(rows[0]) + 1))
            self._execute(
                f"insert into {table} select {unnested}",
                [list(column) for column in zip(*rows, strict=True)],
            )


def _heard(own: Sequence[str]) -> str:
    """The table of events: instants in microseconds, amounts in millionths of a unit, rates in whole units
    and 10^-12 of one."""
    return f"""
        create table heard (
            time bigint, id varchar, source varchar, type varchar,
            {", ".join(f'"{name}" varchar' for name in _TEXTS)},
            {", ".join(f"{name} bigint" for name in (*_INSTANTS, *_AMOUNTS))},
            {", ".join(f'"{name}" date' for name in _DATES)},
            rate_whole bigint, rate_fine bigint
            {"".join(f", {name} json" for name in own)}
        )
    """


_FIELDS = (*_TEXTS, *_INSTANTS, *_AMOUNTS, *_DATES, "rate")


def _hear(own: Sequence[str]) -> str:
    """The statement that enters lines of events."""
    said = f", said: 'struct({', '.join(f'{name} json' for name in own)})'" if own else ""
    return f"""
        insert into heard
        select
            epoch_us(time::timestamptz), id, source, type,
            {", ".join(f'data."{name}"' for name in _TEXTS)},
            {", ".join(f"epoch_us(data.{name}::timestamptz)" for name in _INSTANTS)},
            {", ".join(f"(data.{name}::decimal(30, 6) * 1000000)::bigint" for name in _AMOUNTS)},
            {", ".join(f'data."{name}"::date' for name in _DATES)},
            split_part(data.rate, '.', 1)::bigint,
            rpad(split_part(data.rate, '.', 2), 12, '0')::bigint
            {"".join(f", said.{name}" for name in own)},
        from read_json(
            $lines,
            format = 'newline_delimited',
            columns = {{
                time: 'varchar', id: 'varchar', source: 'varchar', type: 'varchar',
                data: 'struct({", ".join(f'"{name}" varchar' for name in _FIELDS)})'
                {said}
            }}
        )
    """  # noqa: S608
