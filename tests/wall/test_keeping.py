"""`malvakt web` on a real Kafka: killed in the middle, begun again, and nothing lost or told twice."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from kpis.calendar import micros_of
from malvakt.commands.demo_ import _broker as demo_broker
from schemas.records import KpiRecord, encode_record
from schemas.topics import SCORECARDS
from streams.delivery import Delivery, Outgoing
from streams.founding import found
from streams.partitioning import partition_of
from streams.settings import Settings
from streams.ticking import tick
from streams.topic_setup import declared_topics, delete_topics, set_up_topics
from tests.postgres import LocalPostgres
from tests.wall.test_view import deal_event, org_event, record
from wall.hub import Position
from wall.keeping import LOOK_S, Keeper
from wall.view import View

WAIT_S = 60.0
PARTITIONS = 3
ROUNDS = 6
RECORDS_A_ROUND = 4_000
BIT = 200


class Web:
    """`malvakt web` as a process of its own."""

    def __init__(self, settings: Settings, view: Path | str, port: int) -> None:
        self._command = [sys.executable, "-m", "malvakt", "web", "--open", "--port", str(port)]
        self._command += ["--view", str(view)]
        self._environment = {
            **os.environ,
            "MALVAKT_BROKER": settings.broker,
            "MALVAKT_APP_ID": settings.app_id,
            "MALVAKT_TOPIC_PREFIX": settings.topic_prefix,
        }
        self.address = f"http://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, env=self._environment)
        until(self.answers)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None
        try:
            return httpx.get(f"{self.address}/api/now").is_success
        except httpx.TransportError:
            return False

    def now(self) -> dict[str, object]:
        return httpx.get(f"{self.address}/api/now", timeout=WAIT_S).json()

    def listed(self, path: str, name: str) -> list[dict[str, Any]]:
        return httpx.get(f"{self.address}/api/{path}", timeout=WAIT_S).json()[name]

    def records(self) -> dict[str, int]:
        """Of each key the revision that is held; none where its database is away."""
        found = httpx.get(f"{self.address}/api/records", timeout=WAIT_S)
        if found.status_code == 503:
            return {}
        return {f"{one['scope']}|{one['start']}": one["revision"] for one in found.json()["records"]}


def until(holds: Callable[[], bool], seconds: float = WAIT_S) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def stands_still(read: Callable[[], object]) -> None:
    """Wait until something stays as it is while the keeper has looked again."""
    deadline = time.monotonic() + WAIT_S
    before: object = None
    while (now := read()) is None or now != before:
        assert time.monotonic() < deadline
        before = now
        await asyncio.sleep(2 * LOOK_S)


@asynccontextmanager
async def topics(broker: str) -> AsyncIterator[Settings]:
    name = f"test-wall-{uuid4().hex[:8]}"
    settings = Settings(broker=broker, app_id=name, topic_prefix=f"{name}.", partitions=PARTITIONS)
    await set_up_topics(settings)
    try:
        yield settings
    finally:
        await delete_topics(settings)


@contextmanager
def web(settings: Settings, view: Path | str, port: int) -> Iterator[Web]:
    running = Web(settings, view, port)
    running.start()
    try:
        yield running
    finally:
        running.kill()


async def write_around(fault: asyncio.Event, settings: Settings, records: list[KpiRecord]) -> None:
    """Bit by bit, and the second half not before the fault begins: however fast all is, it comes amid."""
    for first in range(0, len(records), BIT):
        if first >= len(records) // 2:
            await fault.wait()
        await write(settings, records[first : first + BIT])


async def write(settings: Settings, records: list[KpiRecord]) -> None:
    topic = settings.topic(SCORECARDS.name)
    async with Delivery(settings) as delivery:
        await delivery.write(
            Outgoing(topic, partition_of(one.scope, PARTITIONS), one.key, encode_record(one))
            for one in records
        )


def seen_since(view: Path | str, position: int) -> list[int]:
    held = View(view)
    found = [change.position for change in held.since(position, 1_000_000)]
    held.close()
    return found


class Shaken(NamedTuple):
    """Where a view is, and what besides of a kill can happen to it."""

    place: Path | str
    faults: list[Callable[[], None]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def shaken(request: pytest.FixtureRequest, tmp_path: Path) -> Shaken:
    if request.param == "sqlite":
        return Shaken(tmp_path / "view.sqlite", [])
    server: LocalPostgres = request.getfixturevalue("own_postgres")
    return Shaken(server.emptied("wall"), [partial(server.end_connections, "wall"), server.restart])


def test_killed_in_the_middle_it_goes_on_where_it_was(
    kafka_address: str, shaken: Shaken, unused_port: int
) -> None:
    """With -9 while it reads: every key at its highest revision, and no position given twice.

    Nor where its database loses its connections, or crashes.
    """
    place = shaken.place

    def kill(running: Web) -> None:
        running.kill()
        running.start()

    async def run() -> None:
        faults = [kill, *((lambda _, fault=fault: fault()) for fault in shaken.faults)]
        async with topics(kafka_address) as settings:
            highest: dict[str, int] = {}
            with web(settings, place, unused_port) as running:
                for number in range(1, ROUNDS + 1):
                    # Each round tells some anew, and some of an older revision too.
                    scopes = [f"seller:{n % 1_500}" for n in range(RECORDS_A_ROUND)]
                    told = [
                        record(scope, 1 + n % 3, max(1, number - n % 2)) for n, scope in enumerate(scopes)
                    ]
                    for one in told:
                        key = f"{one.scope}|{one.start}"
                        highest[key] = max(one.revision, highest.get(key, 0))
                    fault = asyncio.Event()
                    writing = asyncio.create_task(write_around(fault, settings, told))
                    await asyncio.to_thread(until, lambda n=number: n in running.records().values())
                    assert not writing.done()
                    fault.set()
                    await asyncio.to_thread(faults[number % len(faults)], running)
                    await writing
                await asyncio.to_thread(until, lambda: running.records() == highest)
            positions = seen_since(place, 0)
            assert len(positions) == len(set(positions)) == len(highest)
            # All has been read: begun once more, it reads nothing again.
            with web(settings, place, unused_port) as running:
                await asyncio.to_thread(until, lambda: running.now()["counted_to"] is not None)
                assert running.records() == highest
            assert seen_since(place, 0) == positions

    asyncio.run(run())


def test_a_topic_created_anew_is_read_from_its_beginning(
    kafka_address: str, tmp_path: Path, unused_port: int
) -> None:
    """While it runs: what was read before is forgotten, though the new revisions are lower."""

    async def run() -> None:
        async with topics(kafka_address) as settings:
            with web(settings, tmp_path / "view.sqlite", unused_port) as running:
                await write(settings, [record("company", 1, 9), record("team:old", 1, 9)])
                await asyncio.to_thread(until, lambda: len(running.records()) == 2)
                await delete_topics(settings)
                for _ in range(20):
                    # A topic takes a moment to be gone.
                    await asyncio.sleep(0.5)
                    try:
                        await set_up_topics(settings)
                        break
                    except Exception as error:  # noqa: BLE001
                        last = error
                else:
                    raise last
                await write(settings, [record("company", 1, 1)])
                await asyncio.to_thread(until, lambda: running.records() == {"company|2026-03-01": 1})

    asyncio.run(run())


def test_the_clock_the_feed_and_names_come_through(
    kafka_address: str, tmp_path: Path, unused_port: int
) -> None:
    """And what time it is to the pipeline, which is not ours where it lives elsewhere."""

    async def run() -> None:
        async with topics(kafka_address) as settings:
            with web(settings, tmp_path / "view.sqlite", unused_port) as running:
                assert running.now()["clock"] is None
                async with Delivery(settings) as delivery:
                    then = datetime(2026, 3, 19, 12, 1, tzinfo=UTC)
                    await tick(settings, delivery, micros_of(then))
                    await asyncio.to_thread(until, lambda: running.now()["clock"] is not None)
                    assert running.now()["clock"] == "2026-03-19T13:01:00+01:00"
                    assert running.now()["elsewhere"] is True
                    deal = Outgoing(settings.topic("crm.deals"), 0, "c1", deal_event(0, 1))
                    seller = Outgoing(settings.topic("crm.org"), 0, "s1", org_event(1, 1))
                    await delivery.write([deal, seller])
                await asyncio.to_thread(until, lambda: bool(running.listed("feed", "moments")))
                [moment] = running.listed("feed", "moments")
                assert moment["new"] is True
                await asyncio.to_thread(until, lambda: len(running.listed("scopes", "scopes")) > 1)
                scopes = running.listed("scopes", "scopes")
                assert {"scope": "seller:s1", "name": "name1", "team": "t1"} in scopes
                # No worker counts: what has come in is not counted, and that is said.
                await stands_still(lambda: running.now()["counted_to"])

    asyncio.run(run())


def test_it_counts_as_the_installation_was_founded(tmp_path: Path) -> None:
    """Also where no worker had run yet when it began; what it was told otherwise is in the log."""

    async def run(settings: Settings) -> None:
        view = View(tmp_path / "view.sqlite")
        early = Keeper(settings, view)
        await early.begin()
        keeping = asyncio.create_task(early.keep())
        await asyncio.to_thread(until, lambda: early.heartbeat().state == "fresh")
        assert (early.heartbeat().timezone, early.heartbeat().currency) == ("Europe/Stockholm", "SEK")
        await found(msgspec.structs.replace(settings, timezone="Europe/Helsinki", currency="EUR"))
        with capture_logs() as logged:
            await asyncio.to_thread(until, lambda: early.heartbeat().currency == "EUR")
        assert [(one["currency"], one["said_currency"]) for one in logged] == [("EUR", "SEK")]
        assert early.heartbeat().timezone == "Europe/Helsinki"
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        late = Keeper(settings, view)
        await late.begin()
        assert (late.heartbeat().timezone, late.heartbeat().currency) == ("Europe/Helsinki", "EUR")
        view.close()

    on_the_demos_broker(run)


def test_it_begins_where_kafka_does_not_answer(tmp_path: Path, unused_port: int) -> None:
    """By what it was told, until Kafka does."""
    view = View(tmp_path / "view.sqlite")
    keeper = Keeper(Settings(broker=f"127.0.0.1:{unused_port}", currency="NOK"), view)
    asyncio.run(keeper.begin())
    assert keeper.heartbeat().currency == "NOK"
    view.close()


def on_the_demos_broker(run: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """With all topics, in this process."""
    settings = Settings(partitions=PARTITIONS, ticks_s=0.0, declare_topics=False)
    with demo_broker(topic.name for topic in declared_topics(settings)) as address:
        asyncio.run(run(msgspec.structs.replace(settings, broker=address)))


def test_it_follows_a_broker_that_knows_no_ids_of_topics(tmp_path: Path) -> None:
    """The demo's, in this process: it says what is counted, and that what came later is not."""

    async def run(settings: Settings) -> None:
        view = View(tmp_path / "view.sqlite")
        keeper = Keeper(settings, view)
        keeping = asyncio.create_task(keeper.keep())
        assert keeper.heartbeat().state == "unreachable"
        await write(settings, [record("company", 1, 1)])
        await asyncio.to_thread(until, lambda: bool(view.records()) and keeper.heartbeat().state == "fresh")
        # No worker counts: what comes in now is not counted, though the view has read it.
        async with Delivery(settings) as delivery:
            await delivery.write([Outgoing("crm.deals", 0, "c1", deal_event(0, 1))])
        await asyncio.to_thread(until, lambda: any(view.latest("moment")))
        await stands_still(lambda: keeper.heartbeat().counted_to)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        view.close()

    on_the_demos_broker(run)


def test_it_says_that_its_database_is_away_and_goes_on_when_that_is_back(
    own_postgres: LocalPostgres,
) -> None:
    """Also when nothing is to be written; who watches hears of what came meanwhile, and once."""

    async def run(settings: Settings) -> None:
        view = View(own_postgres.emptied("wall"))
        keeper = Keeper(settings, view)
        keeping = asyncio.create_task(keeper.keep())
        await write(settings, [record("company", 1, 1)])
        await asyncio.to_thread(until, lambda: keeper.heartbeat().state == "fresh" and bool(view.position))
        seen = keeper.hub.position
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.to_thread(until, lambda: keeper.heartbeat().state == "away")
        await write(settings, [record("company", 1, 2), record("company", 2, 1)])
        assert keeper.hub.position == seen
        await asyncio.to_thread(own_postgres.start)
        await asyncio.to_thread(until, lambda: keeper.heartbeat().state == "fresh")
        told: list[bytes] = []
        async for event in keeper.hub.stream(seen):
            told += event.split(b"\n\n")
            if sum(b"event: record" in one for one in told) == 2:
                break
        assert not any(b"event: reset" in one for one in told)
        assert keeper.hub.position == Position(seen.life, 3)
        assert [one["revision"] for one in map(msgspec.json.decode, view.records("company"))] == [2, 1]
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        view.close()

    on_the_demos_broker(run)
