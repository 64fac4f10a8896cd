"""Answers the pages' question what is behind a figure, as `malvakt explain` does, from books that are kept.

The first question reads every raw event, which can take a while; those that follow read what came since.
One is answered at a time, in a thread, since reading, balancing and counting would hold up everything else
in the process. Books in a server have little room in memory, and the rest on disk; after a while without
questions they are closed, and leave nothing.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime
from typing import Protocol

import structlog
from aiokafka.errors import KafkaError

from audit.books import NARROW, Books, NoRoomError
from audit.explaining import Asked, Explanation, Item, Part, ask_for, exact, explain
from kpis.definitions.holding import Held, Since
from malvakt.auditing import Installation, rules_of
from malvakt.reaching import as_founded
from schemas.definitions import Definitions
from streams.reading import NoSuchTopicError, lost_history
from streams.settings import Settings
from wall.managing.desk import Behind, Explained, Question, Stage, Sum, UnexplainedError

log = structlog.get_logger(__name__)

KEPT_S = 600.0
"""For how long books are kept after the last question."""
LONGEST_S = 900.0
"""For how long an answer may take."""
INTERRUPT_S = 0.2
"""How often work that nobody waits for is told to stop; between two questions the books hear nothing."""
BEAT_S = 1.0
"""How often is said how far it is, where nothing new is to be said."""


class _StoppedError(Exception):
    """Nobody waits for the answer any more."""


class Source(Protocol):
    """Books, and how they are kept current."""

    books: Books

    def read(self, heard: Callable[[int], None]) -> None:
        """Take what is new, and balance them; `heard` is told as by `Installation.read_events`."""
        ...


class Topics:
    """The books of an installation, from its raw topics."""

    def __init__(self, settings: Settings, shown: Definitions) -> None:
        founded = asyncio.run(as_founded(settings))
        if asyncio.run(lost_history(settings)) is not None:
            # Counted from what is left it would differ for that alone.
            raise UnexplainedError("lost")
        self.books = Books(rules_of(founded), shown, NARROW)
        self._installation = Installation(founded, self.books, shown)

    def read(self, heard: Callable[[int], None]) -> None:
        """Take what came since."""
        asyncio.run(self._installation.read_events(heard))


class Explainer:
    """Whom the pages ask."""

    def __init__(
        self,
        hold: Callable[[Callable[[], None]], Held],
        open_: Callable[[Definitions], Source],
        kept_s: float = KEPT_S,
        longest_s: float = LONGEST_S,
    ) -> None:
        """`hold` says which definitions hold, and calls what it is given again and again meanwhile; `open_`
        opens books that count what is defined."""
        self._hold, self._open = hold, open_
        self._kept_s, self._longest_s = kept_s, longest_s
        self._thread = ThreadPoolExecutor(1, "explainer")
        self._turn = asyncio.Lock()
        self._stop = threading.Event()
        self._source: Source | None = None
        self._shown = Definitions()
        """Which definitions the books count."""
        self._changing = threading.Lock()
        self._closing: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def explain(self, question: Question) -> AsyncGenerator[Stage | Explained]:
        """How far it is, and at last the answer."""
        until = time.monotonic() + self._longest_s
        while not await _has(self._turn, BEAT_S):
            yield Stage("waiting")
        if self._closing is not None:
            self._closing.cancel()
        # Of this question alone: whoever has an answer may leave long after.
        self._stop = stop = threading.Event()
        loop = asyncio.get_running_loop()
        stages: asyncio.Queue[Stage] = asyncio.Queue()

        def tell(stage: Stage) -> None:
            if stop.is_set():
                raise _StoppedError
            loop.call_soon_threadsafe(stages.put_nowait, stage)

        work = loop.run_in_executor(self._thread, self._work, question, tell)
        # Whoever waits for the next stage wakes up.
        work.add_done_callback(lambda _: stages.put_nowait(Stage("counting")))
        # By itself: whoever leaves is cancelled wherever they wait, and the thread has to be waited for.
        self._ending = asyncio.create_task(self._ended(work, stop))
        try:
            async for stage in _told_until(work, stages):
                yield stage
                if time.monotonic() > until:
                    raise UnexplainedError("long")
            yield work.result()
        finally:
            stop.set()

    async def _ended(self, work: asyncio.Future[Explained], stop: threading.Event) -> None:
        """Wait until the thread is free, and give the turn to the next."""
        while not work.done():
            if stop.is_set():
                self._interrupt()
            await asyncio.wait([work], timeout=INTERRUPT_S)
        # Where nobody listens any more, nobody is told what became of it.
        work.exception()
        self._closing = asyncio.get_running_loop().call_later(
            self._kept_s, self._thread.submit, self._forget
        )
        self._turn.release()

    def close(self) -> None:
        """End what is under way, and leave nothing behind."""
        if self._closing is not None:
            self._closing.cancel()
        self._stop.set()
        forgotten = self._thread.submit(self._forget)
        while not wait([forgotten], INTERRUPT_S).done:
            self._interrupt()
        self._thread.shutdown()

    def _interrupt(self) -> None:
        with self._changing:
            if self._source is not None:
                self._source.books.interrupt()

    # In the thread.

    def _work(self, question: Question, tell: Callable[[Stage], None]) -> Explained:
        try:
            return self._explained(question, tell)
        except UnexplainedError:
            raise
        except NoRoomError as error:
            self._forget()
            log.warning("nothing can be explained", error=str(error).partition("\n")[0])
            raise UnexplainedError("memory") from error
        except (KafkaError, NoSuchTopicError, OSError) as error:
            self._forget()
            log.warning("nothing can be explained", error=repr(error))
            reason = "events" if isinstance(error, NoSuchTopicError) else "kafka"
            raise UnexplainedError(reason) from error
        except BaseException:
            # Books in the middle of something are good for nothing.
            self._forget()
            raise

    def _explained(self, question: Question, tell: Callable[[Stage], None]) -> Explained:
        events = 0

        def heard(count: int) -> None:
            nonlocal events
            events += count
            tell(Stage("reading" if count else "balancing", events))

        tell(Stage("reading"))
        held = self._hold(lambda: tell(Stage("reading")))
        absent = held.absent(question.figure)
        if absent is not None:
            raise UnexplainedError(absent, held.figures())
        if self._source is not None and self._shown != held.shown:
            # Books count what was defined when they were opened.
            self._forget()
        if self._source is None:
            self._source, self._shown = self._open(held.shown), held.shown
        self._source.read(heard)
        books = self._source.books
        as_of = question.as_of or books.latest()
        if as_of is None:
            raise UnexplainedError("events")
        tell(Stage("counting", events))
        asked = Asked(question.scope, question.grain, question.start, as_of)
        ask_for(books, asked)
        return _told(explain(books, asked, question.figure), as_of, held.since(question.figure))

    def _forget(self) -> None:
        # Nobody may interrupt books that are closed.
        with self._changing:
            source, self._source = self._source, None
        if source is not None:
            source.books.close()


async def _told_until(
    work: asyncio.Future[Explained], stages: asyncio.Queue[Stage]
) -> AsyncIterator[Stage]:
    """The latest stage, again and again, until the work is done."""
    stage = Stage("reading")
    while not work.done():
        yield stage
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_S):
                stage = await stages.get()
        while not stages.empty():
            stage = stages.get_nowait()


async def _has(turn: asyncio.Lock, within_s: float) -> bool:
    """Whether it is one's turn by then; whoever has it gives it back."""
    try:
        async with asyncio.timeout(within_s):
            return await turn.acquire()
    except TimeoutError:
        return False


def _told(explanation: Explanation, as_of: datetime, since: Since | None) -> Explained:
    return Explained(
        figure=explanation.figure,
        formula=explanation.formula,
        value=explanation.value,
        as_of=as_of,
        sums=[
            Sum(
                name=part.name,
                start=part.start,
                end=part.end,
                total=exact(part.total, part.digits),
                items=[_item(item, part) for item in part.items],
            )
            for part in explanation.parts
        ],
        since=since,
    )


def _item(item: Item, part: Part) -> Behind:
    return Behind(
        object=item.object,
        customer=item.customer,
        seller=item.seller,
        team=item.team,
        first_day=item.first_day,
        last_day=item.last_day,
        share=exact(item.share, part.digits),
        size=float(item.share),
        through=item.through,
    )
