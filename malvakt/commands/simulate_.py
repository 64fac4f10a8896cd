"""`malvakt simulate`: the events of a sales floor that behaves like a real one."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from malvakt.outcome import CallError, Fault
from malvakt.progress import progress
from schemas.events import Recorded
from simulation.floor import Floor, leads_for, lines, read, shuffled
from simulation.pace import bursts, paced
from streams.settings import Settings

START = date(2026, 1, 1)
DAYS = 365
"""For how long a floor lives where nothing is said and nobody watches."""
BURST_S = 0.05
"""What happens within so many seconds of ours is told together."""
EVENTS_A_WRITE = 1_000


def simulate_(
    *,
    sellers: int = 12,
    teams: int = 3,
    start: date = START,
    end: date | None = None,
    days: int | None = None,
    events: int | None = None,
    events_per_day: float | None = None,
    currency: str = "SEK",
    currencies: str = "",
    rates: Literal["daily", "monthly"] = "daily",
    country: str = "SE",
    timezone: str = "Europe/Stockholm",
    seed: int = 1,
    disorder: int = 0,
    duplicates: float = 0.0,
    to: Path | None = None,
    broker: str | None = None,
    speed: float | None = None,
) -> None:
    """Make up the events of a sales floor: the same call, the same events.

    They go to standard output, one JSON object a line, for a year where neither --end, --days nor
    --events is given; with --speed until Ctrl-C.

    Parameters
    ----------
    sellers
        How many sellers it has.
    teams
        In how many teams they are.
    start
        The floor's first day.
    end
        The day before which it ends.
    days
        End after so many days.
    events
        End after so many events.
    events_per_day
        About how many events a calendar day has in the long run; six a seller where left out.
    currency
        The organisation's own currency, which must be the reporting currency of whoever counts.
    currencies
        Foreign currencies that some customers pay in, such as EUR,USD: with rates.
    rates
        How often the rates of these are set.
    country
        Whose public holidays nobody works on, by its ISO 3166 code.
    timezone
        The business timezone.
    seed
        Another seed is another floor.
    disorder
        Tell events out of order: each typically so many places from where it was.
    duplicates
        Tell so large a share of events twice: 0.02 is every fiftieth.
    to
        Write events to this file instead of standard output.
    broker
        Publish events to this Kafka instead, under the settings in MALVAKT_*.
    speed
        Pace the floor against the clock, so many times as fast as real time; as fast as it can
        where left out.
    """
    if to is not None and broker is not None:
        raise CallError("Give --to or --broker, not both.")
    if sum(given is not None for given in (end, days, events)) > 1:
        raise CallError("Give one of --end, --days and --events.")
    if not 0 <= duplicates <= 1 or disorder < 0:
        raise CallError("--duplicates takes a share from 0 to 1, and --disorder a number from 0.")
    numbers = (sellers, teams, days, events, events_per_day, speed)
    if any(number is not None and not number > 0 for number in numbers):
        raise CallError("--sellers, --teams, --days, --events, --events-per-day and --speed are above 0.")
    if end is not None and end <= start:
        raise CallError(f"--end {end}: the floor would end before it starts, on {start}.")
    Settings(timezone=timezone, currency=currency)
    floor = Floor(
        sellers=sellers,
        teams=teams,
        country=country,
        timezone=timezone,
        currency=currency,
        currencies=tuple(name.strip() for name in currencies.split(",") if name.strip()),
        rates=rates,
        seed=seed,
    )
    if events_per_day is not None:
        leads = leads_for(events_per_day, sellers)
        floor = msgspec.structs.replace(floor, leads_per_seller_per_day=leads)
    try:
        if days is not None:
            end = start + timedelta(days=days)
        elif end is None and events is None and speed is None:
            end = start + timedelta(days=DAYS)
        made = lines(floor, start, end)
    except (OverflowError, ValueError) as error:
        raise CallError(f"No such floor: {error}.") from error
    if disorder or duplicates:
        made = shuffled(made, seed, duplicates, disorder)
    made = islice(made, events)
    # Who watches ends it when they have seen enough.
    with contextlib.suppress(KeyboardInterrupt) if speed else contextlib.nullcontext():
        count = _write(made, speed, to) if broker is None else _publish(made, speed, broker)
        print(f"{count} events {'published' if broker else 'written'}.", file=sys.stderr)


def _write(made: Iterator[bytes], speed: float | None, to: Path | None) -> int:
    if to is None or str(to) == "-":
        try:
            return _written(made, speed, sys.stdout.buffer)
        except BrokenPipeError as error:
            # Whoever reads has read enough; nor must Python find out once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Fault("Nobody reads the events any more.") from error
    try:
        with to.open("wb") as file:
            return _written(made, speed, file)
    except OSError as error:
        raise CallError(f"{to} cannot be written: {error.strerror}.") from error


def _written(made: Iterator[bytes], speed: float | None, file: BinaryIO) -> int:
    written = 0
    with progress("events written") as advance:
        for some in _together(made) if speed is None else _in_time(made, speed):
            file.write(b"\n".join(some) + b"\n")
            file.flush()
            written += len(some)
            advance(len(some))
    return written


def _together(made: Iterator[bytes]) -> Iterator[list[bytes]]:
    while some := list(islice(made, EVENTS_A_WRITE)):
        yield some


def _in_time(made: Iterator[bytes], speed: float) -> Iterator[list[bytes]]:
    for wait_s, burst in _due(made, speed):
        time.sleep(wait_s)
        yield [recorded.raw for recorded in burst]


def _due(made: Iterator[bytes], speed: float) -> Iterator[tuple[float, list[Recorded]]]:
    """What is told together, and the seconds until then; what telling takes is not waited for again."""
    due = time.monotonic()
    for wait_s, burst in bursts(paced(map(read, made), speed), BURST_S):
        due += wait_s
        yield max(0.0, due - time.monotonic()), burst


def _publish(made: Iterator[bytes], speed: float | None, broker: str) -> int:
    from malvakt.reaching import reaching, send, settings_with  # noqa: PLC0415

    settings = settings_with(broker=broker)
    with reaching(broker):
        if speed is None:
            return asyncio.run(send(settings, map(read, made)))
        return asyncio.run(_published(settings, made, speed))


async def _published(settings: Settings, made: Iterator[bytes], speed: float) -> int:
    from streams.delivery import Delivery  # noqa: PLC0415
    from streams.publishing import Publisher  # noqa: PLC0415
    from streams.topic_setup import set_up_topics  # noqa: PLC0415

    await set_up_topics(settings)
    published = 0
    with progress("events published") as advance:
        async with Delivery(settings) as delivery:
            publisher = Publisher(delivery, settings)
            for wait_s, burst in _due(made, speed):
                await asyncio.sleep(wait_s)
                await publisher.publish(burst)
                published += len(burst)
                advance(len(burst))
    return published
