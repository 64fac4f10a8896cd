"""Filling the books of the second opinion: from files, or from the topics of an installation."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from audit.books import CHUNK_EVENTS, Books, Rules
from audit.comparing import Difference, Names, differences, forget_records, hold_latest, take_records
from kpis.formulas import KPIS, minor_digits
from kpis.measures import MEASURES
from malvakt.outcome import CallError
from malvakt.reaching import reaching, settings_with
from malvakt.recorded import Line, read_events
from schemas.decoding import Reason, decode_event
from schemas.events import Event
from schemas.topics import CRM_TOPICS, SCORECARDS, founding
from streams.founding import held_founding
from streams.reading import NoSuchTopicError, Progress, has_topic, read_on, record_of
from streams.settings import Settings

PUBLISHED = Names(MEASURES, KPIS)
"""What this version publishes, and so what can be compared."""

LOOKS = 5
"""How often is looked before what still moves is left undecided."""

Place = tuple[Any, ...]


class WorkersBehindError(Exception):
    """The workers have not finished what was to be compared; the message says how much is left."""


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
def books_of(settings: Settings, files: list[Path] | None, refused: list[Line]) -> Iterator[Books]:
    """Balanced books with the events of files, or else with those in an installation's topics up to now.

    Lines of files that are no events are added to `refused`.
    """
    if files is not None:
        with Books(rules_of(settings)) as books:
            books.take(read_events(files, refused))
            books.balance()
            yield books
        return
    with reaching(settings.broker):
        founded = asyncio.run(as_founded(settings))
    with Books(rules_of(founded)) as books:
        with reaching(settings.broker):
            asyncio.run(Installation(founded, books).read_events())
        yield books


async def as_founded(settings: Settings) -> Settings:
    """The settings, with timezone and currency as the installation was founded with."""
    if not await has_topic(settings, founding(settings.app_id).name):
        raise NoSuchTopicError(f"No worker of {settings.app_id} ever ran on this broker.")
    held = await held_founding(settings)
    if held is None:
        return settings
    return msgspec.structs.replace(settings, timezone=held.timezone, currency=held.currency)


def _unnoticed(_: int) -> None:
    """Nobody wants to know how far reading is."""


class Installation:
    """A running installation, which is looked at from outside, again and again."""

    def __init__(self, settings: Settings, books: Books) -> None:
        self._settings = settings
        self._books = books
        self._positions: dict[str, dict[int, int]] = {topic.name: {} for topic in CRM_TOPICS}
        self._balanced = False
        self.undecided = 0
        """How many differences moved whenever they were looked at."""

    async def read_events(self, read: Callable[[int], None] = _unnoticed) -> None:
        """Take what is new in the raw topics. What is no valid event is refused here as everywhere.

        `read` is told of each batch how many records it had, and then, with none, that the books are being
        balanced; where it raises something, the books are good for nothing more.
        """
        events: list[Event] = []
        for topic, positions in self._positions.items():
            async for batch in read_on(self._settings, topic, positions):
                decoded = (decode_event(record.value, topic) for record in batch)
                events += (event for event in decoded if not isinstance(event, Reason))
                self._balanced = self._balanced and not batch
                if len(events) >= CHUNK_EVENTS:
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
            WorkersBehindError: they have not counted what was read, however patiently they were waited for.
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
                raise WorkersBehindError(
                    f"After {patience_s:g} s the workers have {await group.left():,} records to finish, so"
                    " nothing can be judged. Are they running? --patience waits longer."
                )
        forget_records(self._books)
        async for batch in read_on(self._settings, SCORECARDS.name, {}):
            take_records(self._books, map(record_of, batch))
        hold_latest(self._books)
        found = differences(self._books, PUBLISHED)
        return {(d.scope, d.grain, d.start, d.figure): d for d in found}
