"""The real pipeline, on a real Kafka, against the same machine in memory."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from malvakt.workers import WorkerProcess
from schemas.events import Event, encode_event
from schemas.topics import PARTIALS, REJECTED, SCORECARDS, TABLE_OBJECTS, changelog
from simulation.floor import Floor, events, shuffled
from streams.delivery import Delivery, Outgoing
from streams.partitioning import partition_of
from streams.reading import read_to_end
from streams.settings import MEMORY, ROCKSDB
from tests.agents.pipeline import Pipeline, pipeline, replayed

pytestmark = pytest.mark.kafka


def floor(days: int, seed: int = 1) -> list[Event]:
    """A floor's life as it may arrive: out of order, some of it twice."""
    told = events(Floor(sellers=8, seed=seed), date(2026, 3, 2), date(2026, 3, 2 + days))
    return list(shuffled(told, seed))


async def write_raw(running: Pipeline, topic: str, partition: int, values: list[bytes]) -> None:
    name = running.settings.topic(topic)
    async with Delivery(running.settings) as delivery:
        await delivery.write(Outgoing(name, partition, "key", value) for value in values)


def test_two_workers_publish_what_the_replay_counts(kafka_address: str) -> None:
    """Events out of order and twice, through two workers, give the replay's records exactly."""
    told = floor(20)

    async def run() -> None:
        async with pipeline(kafka_address) as running:
            running.start_worker()
            running.start_worker()
            await running.publish(told)
            await running.settled()
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())


def test_workers_killed_in_the_middle_leave_the_same_records(kafka_address: str) -> None:
    """Killed with -9 as rows, partials and records are being written; each time another goes on."""
    told = floor(28, seed=2)

    async def run() -> None:
        async with pipeline(kafka_address, partitions=4) as running:
            await running.publish(told)
            names = running.settings
            rows = changelog(names.app_id, TABLE_OBJECTS).name
            for written in (rows, names.topic(PARTIALS.name), names.topic(SCORECARDS.name)):
                worker = running.start_worker()
                await running.until_it_grows(written)
                running.kill_worker(worker)
                # Known events again: what they touch is to be said again.
                await running.publish(told[::5])
            running.start_worker()
            await running.settled()
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())


def test_a_worker_killed_on_rocksdb_goes_on_with_what_it_left(kafka_address: str, tmp_path: Path) -> None:
    """Killed with -9 again and again on one directory; once a worker in memory has gone on meanwhile."""
    pytest.importorskip("rocksdict")
    told = floor(28, seed=3)
    third = len(told) // 3

    async def run() -> None:
        on_disk = {"store": ROCKSDB, "data": str(tmp_path), "rocksdb_cache_mb": 8}
        async with pipeline(kafka_address, partitions=4, **on_disk) as running:
            await running.publish(told[:third])
            names = running.settings
            rows = changelog(names.app_id, TABLE_OBJECTS).name
            for written in (rows, names.topic(PARTIALS.name), names.topic(SCORECARDS.name)):
                worker = running.start_worker()
                await running.until_it_grows(written)
                running.kill_worker(worker)
            other = running.start_worker(store=MEMORY)
            await running.publish(told[third : 2 * third])
            await running.settled()
            running.kill_worker(other)
            running.start_worker()
            await running.publish(told[2 * third :])
            await running.settled()
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())
    assert (tmp_path / "objects-0" / "CURRENT").exists()


def test_a_group_that_began_anew_knows_what_was_announced_before(kafka_address: str) -> None:
    """Kafka deletes a group of nobody that has committed nothing, and counts its generations anew.

    What two workers announced, killed before they wrote a row, must not make void what the third says.
    """
    told = floor(10)

    async def run() -> None:
        async with pipeline(kafka_address, partitions=4) as running:
            for _ in range(2):
                worker = running.start_worker()
                await running.until_it_grows(running.settings.topic(PARTIALS.name))
                running.kill_worker(worker)
            await running.delete_group()
            await running.publish(told)
            running.start_worker()
            await running.settled()
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())


def test_two_workers_cannot_keep_their_data_in_one_directory(kafka_address: str, tmp_path: Path) -> None:
    """The second ends, and says what to do."""
    pytest.importorskip("rocksdict")

    async def run() -> None:
        async with pipeline(kafka_address, store=ROCKSDB, data=str(tmp_path)) as running:
            first = running.start_worker()
            while not (tmp_path / "lock").exists():
                first.check()
                await asyncio.sleep(0.1)
            second = running.start_worker()
            assert await asyncio.to_thread(second.process.wait, 60) == 1
            assert f"keeps its data in {tmp_path}" in second.last_lines()
            running.workers.remove(second)
            first.check()

    asyncio.run(run())


ENVELOPE = b'{"specversion":"1.0","id":"e1","source":"crm://t","time":"2026-03-02T09:00:00+01:00",'
DEAL = b'"data":{"deal":"d1","customer":"c1"}}'
BAD = {
    b"surely no JSON": "not_json",
    ENVELOPE + b'"type":"deal.won","data":{"deal":"d1"}}': "missing_field",
    ENVELOPE + b'"type":"deal.won","data":{"deal":7,"customer":"c1"}}': "invalid_field",
    ENVELOPE.replace(b"2026", b"0206") + b'"type":"deal.won",' + DEAL: "absurd_time",
    ENVELOPE + b'"type":"deal.wonn",' + DEAL: "unknown_type",
    ENVELOPE + b'"type":"lead.created","data":{"lead":"l1"}}': "wrong_topic",
    b'{"x":"' + b"a" * 600_000 + b'"}': "too_large",
}


def test_bad_input_is_kept_with_its_reason_and_the_stream_goes_on(kafka_address: str) -> None:
    """Each bad record lands in crm.rejected, byte for byte, and the good one behind it counts."""
    told = floor(2)

    async def run() -> None:
        async with pipeline(kafka_address) as running:
            await write_raw(running, "crm.deals", 0, list(BAD))
            await running.publish(told)
            running.start_worker()
            await running.settled()
            found = {
                record.value: dict(record.headers)
                async for record in read_to_end(running.settings, REJECTED.name, lambda r: r)
            }
            assert {value: headers["reason"].decode() for value, headers in found.items()} == BAD
            positions = {headers["offset"] for headers in found.values()}
            assert positions == {str(offset).encode() for offset in range(len(BAD))}
            assert all(headers["sentence"] for headers in found.values())
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())


def test_a_record_that_arrives_elsewhere_is_forwarded_and_counts_once(kafka_address: str) -> None:
    """Every event on the wrong partition, and some on the right one too: the same records."""
    told = [event for event in floor(3) if event.topic == "crm.deals"]

    async def run() -> None:
        async with pipeline(kafka_address) as running:
            await running.publish(told[::3])
            for event in told:
                home = event.data.home
                assert home is not None
                wrong = (partition_of(home, running.settings.partitions) + 3) % 8
                await write_raw(running, event.topic, wrong, [encode_event(event)])
            running.start_worker()
            await running.settled()
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())


def test_a_worker_that_comes_back_has_the_partitions_on_its_disk(
    kafka_address: str, tmp_path: Path
) -> None:
    """Whichever it is, though it was killed and another had them meanwhile: history is not read again."""
    pytest.importorskip("rocksdict")
    # So much that what is written when partitions move is little beside it.
    told = floor(25)

    def open_in(worker: WorkerProcess) -> set[str]:
        locks = [file.readlink() for file in Path(f"/proc/{worker.process.pid}/fd").iterdir()]
        return {path.parent.name for path in locks if path.match("objects-*/LOCK")}

    async def opened_in(worker: WorkerProcess, half: int) -> set[str]:
        """What it has open once it has taken up its half: one after the other, once the group is agreed."""
        while True:
            found = open_in(worker)
            if len(found) >= half:
                return found
            await asyncio.sleep(0.1)

    async def run() -> None:
        async with pipeline(kafka_address, store=ROCKSDB) as running:
            half = running.settings.partitions // 2
            workers: dict[str, WorkerProcess] = {}
            for number, name in enumerate(("a", "b"), 1):
                workers[name] = running.start_worker(data=str(tmp_path / name))
                await running.shared_by(number)
                await running.publish(told[:-40])
                await running.settled()
            for name, worker in workers.items():
                its = await opened_in(worker, half)
                assert len(its) == half
                running.kill_worker(worker)
                await running.shared_by(1)
                await running.publish(told[-40:])
                await running.settled()
                again = running.start_worker(data=str(tmp_path / name))
                await running.shared_by(2)
                await running.settled()
                assert await opened_in(again, half) == its
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())
