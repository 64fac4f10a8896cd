"""Filling the books of the second opinion: from files, or from the topics of an installation."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from audit.books import WIDE, Books, Room, Rules
from audit.comparing import Difference, Names, differences, forget_records, hold_latest, take_records
from kpis.formulas import KPIS, minor_digits
from kpis.measures import MEASURES
from malvakt.outcome import CallError, Fault
from malvakt.reaching import as_founded, reaching, settings_with
from malvakt.recorded import Line, read_recorded
from schemas.decoding import Reason, decode_event
from schemas.definitions import Definitions
from schemas.events import Recorded
from schemas.topics import CRM_TOPICS, SCORECARDS
from streams.defining import read_in_use
from streams.reading import Progress, lost_history, read_on, record_of
from streams.settings import Settings

PUBLISHED = Names(MEASURES.keys(), KPIS.keys())
"""What this version publishes, and so what can be compared."""

LOOKS = 5
"""How often is looked before what still moves is left undecided."""

Place = tuple[Any, ...]


class UndecidedError(Exception):
    """Nothing can be judged; the message says why."""


def settings_of(
    files: list[Path] | None, broker: str | None, timezone: str | None, currency: str | None
) -> Settings:
    """The settings that options make, for events in files or in an installation's topics.

    Raises:
        CallError: options were given that do not go together.
    """
    if files is not None and broker is not None:
        raise CallError("Give --events or --broker, not both.")
    if files is None and (timezone or currency):
        raise CallError("--timezone and --currency go with --events; an installation has its own.")
    return settings_with(broker=broker, timezone=timezone, currency=currency)


def rules_of(settings: Settings) -> Rules:
    """How an organisation counts, as settings say."""
    return Rules(settings.timezone, settings.currency, minor_digits(settings.currency))


@contextlib.contextmanager
def books_of(
    settings: Settings,
    files: list[Path] | None,
    refused: list[Line],
    definitions: Definitions | None = None,
    room: Room = WIDE,
) -> Iterator[Books]:
    """Balanced books with the events of files, or else with those in an installation's topics up to now.

    They count what the definitions say, too. Lines of files that are no events are added to `refused`.
    """
    if files is not None:
        with Books(rules_of(settings), definitions, room) as books:
            books.take(read_recorded(files, refused))
            books.balance()
            yield books
        return
    with reaching(settings.broker):
        founded = asyncio.run(as_founded(settings))
        asyncio.run(refuse_lost_history(settings))
    with Books(rules_of(founded), definitions, room) as books:
        with reaching(settings.broker):
            asyncio.run(Installation(founded, books, definitions or Definitions()).read_events())
        yield books


async def refuse_lost_history(settings: Settings) -> None:
    """Look whether the raw topics hold all that ever came in.

    Raises:
        Fault: they do not.
    """
    lost = await lost_history(settings)
    if lost is not None:
        raise Fault(
            f"{lost} A figure follows from all that came in, so counted from what is left it would differ"
            " for that alone. Give files that hold all of history (--events; docs/retention.md)."
        )


def _unnoticed(_: int) -> None:
    """Nobody wants to know how far reading is."""


class Installation:
    """A running installation, which is looked at from outside, again and again."""

    def __init__(self, settings: Settings, books: Books, in_use: Definitions) -> None:
        self._settings = settings
        self._books = books
        self._in_use = in_use
        self._positions: dict[str, dict[int, int]] = {topic.name: {} for topic in CRM_TOPICS}
        self._balanced = False
        self.undecided = 0
        """How many differences moved whenever they were looked at."""
        self.not_recounted: set[str] = set()
        """The figures in records that the books have no definition of."""

    async def read_events(self, read: Callable[[int], None] = _unnoticed) -> None:
        """Take what is new in the raw topics. What is no valid event is refused here as everywhere.

        `read` is told of each batch how many records it had, and then, with none, that the books are being
        balanced; where it raises something, the books are good for nothing more.
        """
        events: list[Recorded] = []
        for topic, positions in self._positions.items():
            async for batch in read_on(self._settings, topic, positions):
                decoded = ((decode_event(record.value, topic), record.value) for record in batch)
                events += (Recorded(event, raw) for event, raw in decoded if not isinstance(event, Reason))
                self._balanced = self._balanced and not batch
                if len(events) >= self._books.room.chunk_events:
                    self._books.take(events)
                    events.clear()
                read(len(batch))
        self._books.take(events)
        if not self._balanced:
            read(0)
            self._books.balance()
            self._balanced = True

    async def standing_differences(self, wait_s: float, patience_s: float) -> list[Difference]:
        """The differences that are no matter of time.

        The workers are waited for until they have counted what was read. Then they may be ahead of it: so
        differences are looked at again after a wait, and one stands if neither side of it has moved. One
        that is never seen at rest is left undecided.

        Raises:
            UndecidedError: they have not counted what was read, however patiently they were waited for, or
                other definitions came into use meanwhile.
        """
        before = await self._look(patience_s)
        standing: list[Difference] = []
        for _ in range(LOOKS - 1):
            if not before:
                break
            await asyncio.sleep(wait_s)
            now = await self._look(patience_s)
            standing = [now[place] for place in now if now[place] == before.get(place)]
            moving = [place for place in now if place in before and now[place] != before[place]]
            self.undecided = len(moving)
            if not moving:
                break
            before = now
        return standing

    async def _look(self, patience_s: float) -> dict[Place, Difference]:
        await self.read_events()
        async with Progress(self._settings) as group:
            if not await group.passed(patience_s):
                raise UndecidedError(
                    f"After {patience_s:g} s the workers have {await group.left():,} records to finish, so"
                    " nothing can be judged. Are they running? --patience waits longer."
                )
        forget_records(self._books)
        self.not_recounted = set()
        async for batch in read_on(self._settings, SCORECARDS.name, {}):
            self.not_recounted |= take_records(self._books, map(record_of, batch))
        if await read_in_use(self._settings) != self._in_use:
            raise UndecidedError(
                "Other definitions came into use while records were compared; reconcile again."
            )
        hold_latest(self._books)
        found = differences(self._books, PUBLISHED)
        return {(d.scope, d.grain, d.start, d.figure): d for d in found}
