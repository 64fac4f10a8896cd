"""The commands as a person calls them: output, exit status, and what is said on the way."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from kpis.replay import Replay
from malvakt.commands.demo_ import START
from malvakt.through_kafka import settled
from malvakt.workers import WorkerProcess
from schemas.events import encode_event
from simulation.floor import Floor, events
from simulation.people import NAMES
from streams.reading import read_to_end
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics
from tests.malvakt.calling import malvakt, malvakt_process, said


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A file with a week of a small floor."""
    path = tmp_path / "events.jsonl"
    told = events(Floor(sellers=4), date(2026, 3, 2), date(2026, 3, 9))
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in told))
    return path


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def without_revision(text: str) -> list[str]:
    return [re.sub(r'"revision":\d+,', "", line) for line in text.splitlines()]


def test_replay_prints_every_record_sorted_by_key(recorded: Path) -> None:
    """One JSON object a line, each with its key's parts."""
    done = malvakt("replay", recorded, "--json")
    assert done.returncode == 0
    records = [orjson.loads(line) for line in done.stdout.splitlines()]
    keys = [f"{r['scope']}|{r['grain']}|{r['start']}" for r in records]
    assert keys == sorted(keys)
    assert "company|week|2026-03-02" in keys


def test_replay_reports_bad_lines_and_counts_the_rest(recorded: Path) -> None:
    """Each with file, line and reason; exit status 1, since a fault was found."""
    good = malvakt("replay", recorded, "--json").stdout
    with recorded.open("ab") as lines:
        lines.write(b'\n{"type":"deal.won"}\nno json\n')
    done = malvakt("replay", recorded, "--json")
    assert done.returncode == 1
    assert done.stdout == good
    assert re.search(r"line \d+: `\$\.specversion` is required", done.stderr)
    assert "not valid JSON" in done.stderr


def test_a_process_says_the_same_and_ends_so(recorded: Path) -> None:
    """As a call within this one: where all is well, where a fault is found, and of a wrong call."""
    bad = recorded.with_name("bad.jsonl")
    bad.write_bytes(recorded.read_bytes() + b"no json\n")
    ends: list[int] = []
    for call in (
        ["replay", recorded, "--json"],
        ["replay", bad, "--json"],
        ["replay", bad, "--workers", "2"],
    ):
        done = malvakt_process(*call)
        assert done == malvakt(*call)
        ends.append(done.returncode)
    assert ends == [0, 1, 2]


def test_replay_as_of_decides_what_is_closed(recorded: Path) -> None:
    """The windows that are over by then are closed; figures stay the same."""
    early, late = (
        [
            orjson.loads(line)
            for line in malvakt("replay", recorded, "--json", "--as-of", at).stdout.splitlines()
        ]
        for at in ("2026-03-04T12:00", "2027-01-01T12:00")
    )
    for records, today in ((early, "2026-03-04"), (late, "2027-01-01")):
        for record in records:
            over = record["end"] is not None and record["end"] <= today
            assert record["state"] == ("closed" if over else "open")
            assert record["as_of"].startswith(f"{today}T12:00")
    clock = {"state": None, "as_of": None}
    assert [record | clock for record in early] == [record | clock for record in late]
    [week] = [r for r in early if (r["scope"], r["grain"], r["start"]) == ("company", "week", "2026-03-02")]
    assert week["kpis"]["new_leads"] > 0


def test_without_json_a_table_is_shown(recorded: Path) -> None:
    """For people."""
    done = malvakt("replay", recorded, COLUMNS="160")
    assert done.returncode == 0
    assert "company" in done.stdout


WRONG_CALLS = {
    "replay": "Name the files of events to replay",
    "replay no-such-file.jsonl": "no-such-file.jsonl cannot be read: No such file",
    "replay - --timezone Europe/Atlantis": "'Europe/Atlantis': that is no timezone",
    "replay - --currency kronor": "'kronor': that is no currency; give its ISO 4217 code",
    "replay - --workers 2": "go with --through kafka",
    "replay - --through kafka --workers 0": "--workers takes a number from 1",
    "replay - --as-of soon": "--as-of soon: give a date or a time",
    "import no-such-mapping.toml x.csv": "no-such-mapping.toml cannot be read: No such file",
    "import no-such-mapping.toml": "Name the CSV files to import",
    "import m.toml x.csv --to a --broker b:1": "Give --to or --broker, not both",
    "import m.toml x.csv --timezone Mars/Olympus": "'Mars/Olympus': that is no timezone",
    "emit": "Name the files of events to publish",
    "emit no-such-file.jsonl": "no-such-file.jsonl cannot be read: No such file",
    "emit - --broker kafka": "broker='kafka': give host:port",
    "nonsense": 'Unknown command "nonsense"',
    "kpis --grain fortnight": 'Invalid value "fortnight" for --grain',
    "kpis --start 2026-3-1": "--start 2026-3-1: give a date such as 2026-03-01",
    "kpis --scope north": "--scope north: give company, or one that begins with team:",
    "worker --currency sek": "currency='sek': that is no currency",
    "worker --metrics-port 70000": "metrics_port=70000: give a port",
    "definitions check no-such-file.toml": "no-such-file.toml cannot be read: No such file",
    "definitions chek x": 'Unknown command "chek". Did you mean "check"?',
    "kafka --port 0": "--port 0: a port is a number from 1",
    "demo --timezone Mars/Olympus": "'Mars/Olympus': that is no timezone",
    "demo --currency sek": "currency='sek': that is no currency",
    "demo --sellers 0": "--speed and --sellers take numbers above 0",
}


@pytest.mark.parametrize(("call", "sentence"), WRONG_CALLS.items(), ids=list(WRONG_CALLS))
def test_a_wrong_call_says_what_is_wrong(call: str, sentence: str) -> None:
    """And exits with 2, printing nothing else."""
    done = malvakt(*call.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert sentence in said(done)


@pytest.mark.parametrize("command", ["kpis", "emit -", "worker"])
@pytest.mark.parametrize(
    ("variable", "value"),
    [("MALVAKT_CURRENCY", "sek"), ("MALVAKT_PARTITIONS", "0"), ("MALVAKT_METRICS_PORT", "many")],
)
def test_a_setting_that_cannot_be_used_is_named(command: str, variable: str, value: str) -> None:
    """By its variable, wherever it is read, with exit status 2."""
    done = malvakt(*command.split(), **{variable: value})
    assert done.returncode == 2
    assert f"malvakt: {variable}=" in said(done)


def test_no_file_is_published_where_one_cannot_be_read(recorded: Path) -> None:
    """It is found out before Kafka is asked for."""
    done = malvakt("emit", recorded, "missing.jsonl", "--broker", "127.0.0.1:1")
    assert done.returncode == 2
    assert "missing.jsonl cannot be read" in said(done)


@pytest.mark.parametrize("command", ["kpis", "emit -", "worker", "replay - --through kafka"])
def test_a_kafka_that_does_not_answer_is_named(command: str) -> None:
    """With its address, and exit status 1."""
    # A worker has its process to itself.
    call = malvakt_process if command == "worker" else malvakt
    done = call(*command.split(), "--broker", "127.0.0.1:1")
    assert done.returncode == 1
    assert "No Kafka answers at 127.0.0.1:1." in said(done)
    assert done.stdout == ""


def kafka_mapping(tmp_path: Path) -> tuple[Path, Path]:
    """A mapping and a file that becomes one event."""
    mapping, deals = tmp_path / "mapping.toml", tmp_path / "deals.csv"
    mapping.write_text(
        """
        source = "csv://test"
        [[files]]
        name = "deals.csv"
        [[files.events]]
        type = "deal.won"
        id = "{id}"
        time = "2026-03-02 12:00"
        data = { deal = "{id}", customer = "c1" }
        """
    )
    deals.write_text("id\nd1\n")
    return mapping, deals


def test_an_import_to_a_kafka_that_does_not_answer_names_it(tmp_path: Path) -> None:
    """With its address, and exit status 1."""
    done = malvakt("import", *kafka_mapping(tmp_path), "--broker", "127.0.0.1:1")
    assert done.returncode == 1
    assert "No Kafka answers at 127.0.0.1:1." in said(done)


@pytest.mark.kafka
def test_an_import_goes_where_the_settings_say(tmp_path: Path, kafka_address: str) -> None:
    """Under the prefix, to topics made as asked for."""
    settings = Settings(
        broker=kafka_address, app_id="test-import", topic_prefix="test-import.", partitions=3
    )
    own = {
        "MALVAKT_APP_ID": "test-import",
        "MALVAKT_TOPIC_PREFIX": "test-import.",
        "MALVAKT_PARTITIONS": "3",
    }

    async def there() -> tuple[int, list[bytes]]:
        try:
            partitions = await set_up_topics(settings)
            return partitions, [raw async for raw in read_to_end(settings, "crm.deals", lambda r: r.value)]
        finally:
            await delete_topics(settings)

    done = malvakt("import", *kafka_mapping(tmp_path), "--broker", kafka_address, **own)
    partitions, [raw] = asyncio.run(there())
    assert done.returncode == 0, done.stderr
    assert partitions == 3
    assert orjson.loads(raw)["data"] == {"deal": "d1", "customer": "c1"}


@pytest.mark.kafka
def test_replay_through_kafka_prints_the_same(recorded: Path, kafka_address: str) -> None:
    """Byte for byte but for the revision."""
    plain = malvakt("replay", recorded, "--json")
    through = malvakt("replay", recorded, "--json", "--through", "kafka", "--broker", kafka_address)
    assert through.returncode == 0, through.stderr
    assert without_revision(through.stdout) == without_revision(plain.stdout)


@pytest.mark.kafka
def test_events_are_emitted_to_a_worker_and_read_back(recorded: Path, kafka_address: str) -> None:
    """emit, worker and kpis, as three people would use them on three terminals."""
    settings = Settings(broker=kafka_address, app_id="test-emit", topic_prefix="test-emit.", metrics_port=0)
    own = {"MALVAKT_BROKER": kafka_address, "MALVAKT_TOPIC_PREFIX": "test-emit."}
    ours = [line.replace(b'"data":{', b'"x": [1], "data":{"our_own": null, ') for line in lines(recorded)]
    recorded.write_bytes(b"\n".join(ours))
    emitted = malvakt("emit", recorded, **own)
    assert emitted.returncode == 0, emitted.stderr
    assert "events published, 0 lines refused" in emitted.stderr
    worker = WorkerProcess(settings)
    try:
        asyncio.run(settled(settings, [worker]))
        shown = malvakt("kpis", "--json", "--scope", "seller:", "--grain", "week", **own)
        topics = ["crm.leads", "crm.activities", "crm.deals", "crm.costs"]
        published = asyncio.run(values(settings, topics))
    finally:
        worker.stop()
        asyncio.run(delete_topics(settings))
    assert sorted(published) == sorted(line for line in ours if b'"seller.' not in line)
    plain = malvakt("replay", recorded, "--json").stdout
    expected = [line for line in plain.splitlines() if '"scope":"seller:' in line and '"week"' in line]
    found = [orjson.loads(line)["measures"] for line in shown.stdout.splitlines()]
    assert found == [orjson.loads(line)["measures"] for line in expected]
    assert found


async def values(settings: Settings, topics: list[str]) -> list[bytes]:
    """What is in topics, byte for byte."""
    return [
        value
        for topic in topics
        async for value in read_to_end(settings, topic, lambda record: record.value)
    ]


SHOWN = re.compile(
    r"(\w+) +\d+ +\d+ +\d+ +\d+ +(?P<closed>\d+) +(?P<revenue>[\d ]+?) +(?P<win>\d+)% +(?P<hit>\d+)%"
    r" +(?P<cycle>[\d.]+)"
)


DEMO_S = 150.0
"""Within which a demo is to have come alive; it takes some ten."""


def on_the_wall(address: str, path: str, shown: Callable[[dict[str, Any]], Any]) -> Any:
    """What of the wall's answer is asked for, once that is anything."""
    deadline = time.monotonic() + DEMO_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if found := shown(httpx.get(f"{address}api/{path}").raise_for_status().json()):
                return found
        assert time.monotonic() < deadline, path
        time.sleep(0.2)


def test_the_demo_comes_alive(tmp_path: Path) -> None:
    """A worker, a floor with goals and a wall in one command: the month so far, as a replay counts it.

    On a port that is free, with nothing at home, and nothing left there when it is interrupted.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: int = taken.getsockname()[1]
        command = [
            "demo",
            "--speed",
            "2000",
            "--terminal",
            "--no-open",
            "--port",
            str(port),
        ]
        running = subprocess.Popen(
            [sys.executable, "-m", "malvakt", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "120", "HOME": str(tmp_path)},
        )
        assert running.stdout is not None
        said = re.search(r"http://127\.0\.0\.1:(\d+)/", running.stdout.readline())
        assert said is not None
        assert int(said[1]) > port
        # Set once the floor's past is told; then all of it is to be counted.
        goals = on_the_wall(said[0], "goals", lambda answer: answer["goals"])
        assert on_the_wall(said[0], "records?scope=company&grain=month", lambda answer: answer["records"])
        assert on_the_wall(said[0], "now", lambda answer: answer["state"] == "fresh")
        running.send_signal(signal.SIGINT)
        output, errors = running.communicate(timeout=120)
    assert running.returncode == 0, errors
    assert {"company", "team", "seller"} == {goal["scope"].partition(":")[0] for goal in goals}
    assert list(tmp_path.iterdir()) == []
    rows = {row[1]: row for row in SHOWN.finditer(output)}
    assert {"company", "norr"} <= set(rows)
    assert set(rows) & set(NAMES)
    company = rows["company"]
    assert min(float(company[name].replace(" ", "")) for name in SHOWN.groupindex) > 0
    told = re.search(r"([\d,]+) events", output)
    assert told is not None
    replay = Replay(Settings().business())
    replay.feed(islice(events(Floor(), START), int(told[1].replace(",", ""))))
    [month] = [
        r for r in replay.records(datetime(2027, 1, 1, tzinfo=UTC)) if r.key == "company|month|2026-10-01"
    ]
    # The screen may be some events behind.
    assert int(company["closed"]) == pytest.approx(month.kpis["deals_closed"], abs=10)


def test_the_demo_ends_by_itself_where_it_is_to() -> None:
    """Whatever it has come to by then."""
    done = malvakt_process("demo", "--seconds", "0", "--no-open")
    assert done.returncode == 0, done.stderr
    assert "The wall is at http://127.0.0.1:" in done.stdout
