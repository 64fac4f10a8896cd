"""`malvakt simulate`, as a person calls it."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from malvakt.cli import main
from schemas.decoding import Reason, decode_event
from streams.reading import read_to_end
from streams.settings import Settings
from streams.topic_setup import delete_topics
from tests.malvakt.calling import malvakt
from tests.malvakt.test_commands import lines


def simulated(*arguments: str | Path) -> list[str]:
    done = malvakt("simulate", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_same_call_is_the_same_events(tmp_path: Path) -> None:
    """On standard output and in a file; another seed is another floor."""
    told = simulated("--days", "20")
    assert simulated("--days", "20", "--to", tmp_path / "events.jsonl") == []
    assert [line.decode() for line in lines(tmp_path / "events.jsonl")] == told
    assert simulated("--days", "20", "--seed", "2") != told
    assert len(told) > 100
    assert not [line for line in told if isinstance(decode_event(line.encode()), Reason)]


def test_a_floor_ends_where_it_is_told_to() -> None:
    """Before a day, after some days, or after some events."""
    to_a_day = simulated("--start", "2026-03-02", "--end", "2026-03-09")
    assert to_a_day == simulated("--start", "2026-03-02", "--days", "7")
    assert to_a_day[:50] == simulated("--start", "2026-03-02", "--events", "50")


def test_a_floor_is_as_it_was_asked_for() -> None:
    """Sellers, teams, currencies, holidays, how busy."""
    how = "--sellers 4 --teams 2 --currencies EUR,USD --country NO --timezone Europe/Oslo --currency NOK"
    told = [
        orjson.loads(line) for line in simulated(*how.split(), "--days", "30", "--events-per-day", "60")
    ]
    [first, *_] = [event for event in told if event["type"] == "cost.logged"]
    assert first["data"]["currency"] == "NOK"
    assigned = [event["data"] for event in told if event["type"] == "seller.assigned"]
    assert len({data["seller"] for data in assigned}) == 4
    assert len({data["team"] for data in assigned}) == 2
    assert {event["data"]["currency"] for event in told if event["type"] == "rate.set"} == {"EUR", "USD"}
    assert 600 < len(told) < 2_400


def test_events_may_arrive_as_they_do_in_life() -> None:
    """Out of order, some twice, and otherwise the same."""
    told = simulated("--days", "10")
    arrived = simulated("--days", "10", "--disorder", "100", "--duplicates", "0.1")
    assert set(arrived) == set(told)
    assert len(arrived) > len(told)
    assert arrived[: len(told)] != told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--days 3 --events 5", "one of --end, --days and --events"),
        ("--to x --broker y", "--to or --broker"),
        ("--sellers 0", "above 0"),
        ("--speed 0", "above 0"),
        ("--events-per-day 0", "above 0"),
        ("--days 0", "above 0"),
        ("--events 0", "above 0"),
        ("--duplicates 2", "a share from 0 to 1"),
        ("--country XX", "no country"),
        ("--currencies EUR,XXX", "not for XXX"),
        ("--timezone Nowhere", "no timezone"),
        ("--start 1950-01-01", "1971"),
        ("--end 2025-01-01", "before it starts"),
        ("--days 1 --to missing/there.jsonl", "cannot be written"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(
    arguments: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words, with exit status 2."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *arguments.split()])
    assert ended.value.code == 2
    said, told = capsys.readouterr()[::-1]
    assert says in " ".join(said.split())
    assert told == ""


def test_a_paced_floor_tells_its_events_in_time() -> None:
    """A working day an hour a second takes nine seconds; the first of them take at least some."""
    began = time.monotonic()
    told = simulated("--start", "2026-03-02", "--days", "1", "--sellers", "40", "--speed", "36000")
    took = time.monotonic() - began
    assert len(told) > 80
    # From eight to about five, and ten hours to one of our seconds.
    assert took > 0.7


def test_a_paced_floor_lives_until_somebody_has_seen_enough() -> None:
    """And says what has happened when it does, not when a buffer is full."""
    command = [sys.executable, "-m", "malvakt", "simulate", "--speed", "3600", "--start", "2026-03-02"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as floor:
        assert floor.stdout is not None
        try:
            told = [floor.stdout.readline() for _ in range(30)]
        finally:
            floor.terminate()
    assert all(not isinstance(decode_event(line.strip()), Reason) for line in told)


def test_whoever_reads_only_some_gets_them() -> None:
    """As `head` does: it ends then, without a traceback."""
    command = [sys.executable, "-m", "malvakt", "simulate", "--events", "1000000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as floor:
        assert floor.stdout is not None
        assert floor.stderr is not None
        assert floor.stdout.readline().startswith(b"{")
        floor.stdout.close()
        said = floor.stderr.read()
    assert b"Traceback" not in said
    assert b"Nobody reads" in said
    assert floor.returncode == 1


def test_a_kafka_that_does_not_answer_is_named() -> None:
    """With its address, and exit status 1."""
    done = malvakt("simulate", "--days", "1", "--broker", "127.0.0.1:1")
    assert done.returncode == 1
    assert "No Kafka answers at 127.0.0.1:1." in done.stderr


@pytest.mark.kafka
@pytest.mark.parametrize("pace", [[], ["--speed", "100000000"]])
def test_a_floor_is_published_where_its_events_belong(pace: list[str], kafka_address: str) -> None:
    """Each on the topic of its type, as it was told, with fields that we do not know."""
    name = f"test-simulate-{len(pace)}"
    settings = Settings(broker=kafka_address, app_id=name, topic_prefix=f"{name}.", partitions=2)
    own = {"MALVAKT_TOPIC_PREFIX": f"{name}.", "MALVAKT_PARTITIONS": "2"}
    topics = ["crm.leads", "crm.activities", "crm.deals", "crm.costs"]

    async def there() -> list[bytes]:
        try:
            return [
                raw
                for topic in topics
                async for raw in read_to_end(settings, topic, lambda record: record.value)
            ]
        finally:
            await delete_topics(settings)

    done = malvakt("simulate", "--days", "20", *pace, "--broker", kafka_address, **own)
    published = asyncio.run(there())
    assert done.returncode == 0, done.stderr
    told = [line.encode() for line in simulated("--days", "20") if '"type":"seller.' not in line]
    assert sorted(published) == sorted(told)
