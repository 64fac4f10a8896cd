"""The commands as a person calls them: output, exit status, and what is said on the way."""

import asyncio
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import orjson
import pytest

from malvakt.through_kafka import settled
from malvakt.workers import WorkerProcess
from schemas.events import encode_event
from simulation.floor import Floor, events
from streams.settings import Settings
from streams.topic_setup import delete_topics


def malvakt(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "malvakt", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A file with a week of a small floor."""
    path = tmp_path / "events.jsonl"
    told = events(Floor(sellers=4), date(2026, 3, 2), date(2026, 3, 9))
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in told))
    return path


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


def test_replay_as_of_decides_what_is_closed(recorded: Path) -> None:
    """The windows that are over by then are closed; figures stay the same."""
    early = malvakt("replay", recorded, "--json", "--as-of", "2026-03-04T12:00").stdout
    late = malvakt("replay", recorded, "--json", "--as-of", "2027-01-01T12:00").stdout
    states = [{orjson.loads(line)["state"] for line in text.splitlines()} for text in (early, late)]
    assert states == [{"open", "closed"}, {"open", "closed"}]
    week = [orjson.loads(x) for x in early.splitlines() if '"week"' in x]
    assert {record["state"] for record in week} == {"open"}
    assert {orjson.loads(x)["state"] for x in late.splitlines() if '"week"' in x} == {"closed"}


def test_without_json_a_table_is_shown(recorded: Path) -> None:
    """For people."""
    done = malvakt("replay", recorded, COLUMNS="160")
    assert done.returncode == 0
    assert "company" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "no-such-file.jsonl"],
        ["replay", "-", "--timezone", "Europe/Atlantis"],
        ["replay", "-", "--currency", "kronor"],
        ["replay", "-", "--workers", "2"],
        ["replay", "-", "--as-of", "soon"],
        ["import", "no-such-mapping.toml", "x.csv"],
        ["emit"],
        ["nonsense"],
        ["kpis", "--grain", "fortnight"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_says_what_is_wrong(arguments: list[str]) -> None:
    """And exits with 2, printing nothing else."""
    done = malvakt(*arguments)
    assert done.returncode == 2
    assert done.stdout == "" or "nonsense" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["kpis"], ["emit", "-"], ["worker"]], ids=" ".join)
def test_a_kafka_that_does_not_answer_is_named(command: list[str]) -> None:
    """With its address, and exit status 1."""
    done = malvakt(*command, "--broker", "127.0.0.1:1")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


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
    emitted = malvakt("emit", recorded, **own)
    assert emitted.returncode == 0, emitted.stderr
    assert "events published, 0 lines refused" in emitted.stderr
    worker = WorkerProcess(settings)
    try:
        asyncio.run(settled(settings, [worker]))
        shown = malvakt("kpis", "--json", "--scope", "seller:", "--grain", "week", **own)
    finally:
        worker.stop()
        asyncio.run(delete_topics(settings))
    plain = malvakt("replay", recorded, "--json").stdout
    expected = [line for line in plain.splitlines() if '"scope":"seller:' in line and '"week"' in line]
    found = [orjson.loads(line)["measures"] for line in shown.stdout.splitlines()]
    assert found == [orjson.loads(line)["measures"] for line in expected]
    assert found


def test_the_demo_comes_alive() -> None:
    """A broker, a worker and a floor in one command; figures of the company and a seller appear."""
    done = malvakt("demo", "--seconds", "40", "--speed", "2000", COLUMNS="120")
    assert done.returncode == 0, done.stderr
    assert "company" in done.stdout
    assert "anna" in done.stdout
