"""Learning what forecasts begin a day with, in a process of its own: it takes seconds to minutes.

The process reads the topics itself, once and whole, and ends when it has said what it learned. So no worker
stands still for it, its memory is given back, and nothing is carried over from one day to the next.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from typing import NamedTuple

import msgspec
import structlog

from goals.foreseeing import Dawn, dawn, figures_for
from goals.knowing import is_key_read
from goals.working_time import WorkingTime
from schemas.decoding import Reason, decode_event
from schemas.events import Event
from schemas.records import KpiRecord, decode_record
from schemas.topics import SCORECARDS
from streams.following import Fetched, fetched
from streams.reading import read_on, read_to_end
from streams.settings import Settings

EVENTS = ("crm.org", "crm.deals")
NICENESS = 19
"""The least urgent: what is left of the processors, and nothing that workers want."""

log = structlog.get_logger(__name__)

_processes = multiprocessing.get_context("spawn")


class LearningError(Exception):
    """Nothing was learned; the message says why."""


class Learned(NamedTuple):
    """What was learned, and up to where records were read for it."""

    dawn: Dawn
    offsets: dict[int, int]
    """By partition of the KPI records, the next one's."""


class _Failed(NamedTuple):
    why: str


_Said = Learned | _Failed | None


async def learn(settings: Settings, working: WorkingTime, today: int) -> Learned | None:
    """Learn for a day, from all that the topics hold; None where history is too short.

    Raises:
        LearningError: it failed, or its process ended.
    """
    receiving, sending = _processes.Pipe(duplex=False)
    process = _processes.Process(
        target=_learn_apart, args=(sending, settings, working, today), name="malvakt-learning", daemon=True
    )
    process.start()
    # The process has the only other end now: when it ends, however it does, there is nothing to wait for.
    sending.close()
    try:
        said: _Said = await asyncio.to_thread(receiving.recv)
    except EOFError:
        await asyncio.to_thread(process.join)
        raise LearningError(f"its process ended with status {process.exitcode}") from None
    finally:
        process.kill()
        await asyncio.to_thread(process.join)
        receiving.close()
    if isinstance(said, _Failed):
        raise LearningError(said.why)
    return said


def _learn_apart(
    sending: "Connection[_Said, None]", settings: Settings, working: WorkingTime, today: int
) -> None:
    # It ends with its worker, whoever is told to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        sending.send(asyncio.run(_learn(settings, working, today)))
    except Exception as error:  # noqa: BLE001 - it is for the worker to say
        sending.send(_Failed(f"{type(error).__name__}: {error}"))


async def _learn(settings: Settings, working: WorkingTime, today: int) -> Learned | None:
    figures, offsets = figures_for(today), dict[int, int]()
    async for batch in read_on(settings, SCORECARDS.name, offsets):
        figures.read(day_records(fetched(SCORECARDS.name, record) for record in batch))
    events: list[Event] = []
    for name in EVENTS:
        decoded = read_to_end(settings, name, lambda record: decode_event(record.value))
        # What is no event is among those that were rejected.
        events += [event async for event in decoded if not isinstance(event, Reason)]
    found = dawn(figures, events, today, settings.business().calendar, working)
    return None if found is None else Learned(found, offsets)


def day_records(batch: Iterable[Fetched]) -> Iterator[KpiRecord]:
    """Of what was fetched the KPI records that forecasts are made of."""
    for one in batch:
        if one.value is None or not is_key_read(one.key):
            continue
        try:
            yield decode_record(one.value)
        except msgspec.DecodeError as error:
            log.error("this is no KPI record, and is passed over", where=one.place, error=str(error))  # noqa: TRY400
