"""reconcile, explain and waiting as a person calls them."""

import asyncio
import re
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from msgspec.structs import replace

from kpis.definitions.holding import NOTHING
from malvakt.through_kafka import settled
from malvakt.workers import WorkerProcess
from schemas.definitions import Definitions
from schemas.events import encode_event
from schemas.records import encode_record
from schemas.topics import SCORECARDS
from simulation.floor import Floor, events
from streams.defining import InUse
from streams.delivery import Delivery, Outgoing
from streams.reading import read_scorecards
from streams.settings import Settings
from streams.topic_setup import delete_topics
from tests.malvakt.calling import malvakt, said


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with six weeks of a small floor."""
    path = tmp_path_factory.mktemp("floor") / "events.jsonl"
    told = events(Floor(sellers=4), date(2026, 3, 2), date(2026, 4, 13))
    path.write_bytes(b"".join(encode_event(event) + b"\n" for event in told))
    return path


@pytest.fixture(scope="module")
def records(recorded: Path) -> list[dict[str, Any]]:
    done = malvakt("replay", recorded, "--json")
    assert done.returncode == 0
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return path


def test_what_replay_printed_is_reconciled(
    recorded: Path, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Nothing differs, nothing is printed, exit status 0."""
    done = malvakt(
        "reconcile", "--events", recorded, "--records", written(tmp_path / "records", records), "--json"
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"{len(records)} records compared, 0 differences." in done.stderr


def test_a_difference_is_shown_and_is_the_exit_status(
    recorded: Path, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """As a table for people, as JSON lines for machines."""
    wrong, missing = records[0], records[-1]
    wrong = wrong | {"measures": wrong["measures"] | {"calls": 999}}
    path = written(tmp_path / "records", [wrong, *records[1:-1]])
    call = ("reconcile", "--events", recorded, "--records", path)
    shown = malvakt(*call, COLUMNS="160")
    assert shown.returncode == 1
    assert "measures.calls" in shown.stdout
    assert "999" in shown.stdout
    done = malvakt(*call, "--json")
    first, second = (orjson.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 1
    assert (first["scope"], first["figure"], first["published"]) == (wrong["scope"], "measures.calls", 999)
    assert first["recounted"] == records[0]["measures"].get("calls", 0)
    assert (second["scope"], second["start"], second["figure"], second["published"]) == (
        missing["scope"],
        missing["start"],
        None,
        None,
    )


def test_lines_that_are_no_events_are_told_and_the_rest_compared(
    recorded: Path, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """As replay does."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(recorded.read_bytes() + b"no json\n")
    done = malvakt("reconcile", "--events", path, "--records", written(tmp_path / "records", records))
    assert done.returncode == 1
    assert "0 differences." in done.stderr
    assert "not valid JSON" in done.stderr


OWN = """\
[measures.seats_called]
event = "activity.logged"
where = { kind = "call", seats = [2, 3] }
count = "sum seats"

[measures.big_wins]
event = "deal.won"
count = "sum value"

[kpis.mean_win]
formula = "big_wins / deals_won"
unit = "money"
better = "higher"
name = { en = "Mean win" }
"""


@pytest.fixture(scope="module")
def seated(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same events, each with a field of the organisation's own."""
    path = tmp_path_factory.mktemp("seated") / "events.jsonl"
    lines = [orjson.loads(line) for line in recorded.read_bytes().splitlines()]
    told = [line | {"data": line["data"] | {"seats": n % 5}} for n, line in enumerate(lines)]
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in told))
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file with definitions."""
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    return path


def test_own_figures_are_reconciled_by_their_definitions(seated: Path, own: Path, tmp_path: Path) -> None:
    """A false one is found; without the definitions they are named, and the rest is compared."""
    done = malvakt("replay", seated, "--definitions", own, "--json")
    found = [orjson.loads(line) for line in done.stdout.splitlines()]
    counted = [record for record in found if "seats_called" in record["measures"]]
    assert counted
    path = written(tmp_path / "records", found)
    call = ("reconcile", "--events", seated, "--records", path, "--json")
    good = malvakt(*call, "--definitions", own)
    assert (good.returncode, good.stdout) == (0, ""), good.stderr
    without = malvakt(*call)
    assert (without.returncode, without.stdout) == (0, "")
    assert (
        "Not recounted: kpis.mean_win, measures.big_wins, measures.seats_called; --definitions"
        in without.stderr
    )
    counted[0]["measures"]["seats_called"] += 1.0
    written(path, found)
    bad = malvakt(*call, "--definitions", own)
    [difference] = (orjson.loads(line) for line in bad.stdout.splitlines())
    assert (bad.returncode, difference["figure"]) == (1, "measures.seats_called")
    assert difference["published"] == difference["recounted"] + 1


def test_own_figures_are_explained_by_their_definitions(seated: Path, own: Path) -> None:
    """What a KPI reads, each with the objects behind it; an unknown one is answered with all there are."""
    printed = malvakt("replay", seated, "--definitions", own, "--json")
    ever = next(
        r
        for r in map(orjson.loads, printed.stdout.splitlines())
        if r["scope"] == "company" and r["grain"] == "ever"
    )
    call = ("explain", "company", "ever", "1970-01-01")
    files = ("--events", seated, "--definitions", own)
    done = malvakt(*call, "mean_win", *files, "--json")
    *items, last = (orjson.loads(line) for line in done.stdout.splitlines())
    assert (last["value"], last["formula"]) == (ever["kpis"]["mean_win"], "big_wins / deals_won")
    totals = {part["part"]: Fraction(part["total"]) for part in last["totals"]}
    assert list(totals) == ["big_wins", "deals_won"]
    for name, total in totals.items():
        assert total == sum(Fraction(item["share"]) for item in items if item["part"] == name) > 0
    shown = malvakt(*call, "seats_called", *files, COLUMNS="160")
    assert f"= seats_called = {ever['measures']['seats_called']}" in shown.stdout
    assert "seats_called counts the sum of `seats` of activities" in shown.stdout
    unknown = malvakt(*call, "profit", *files)
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "There is no KPI or measure profit; there are average_deal_value, big_wins," in said(unknown)


def test_an_explanation_lists_what_adds_up(recorded: Path, records: list[dict[str, Any]]) -> None:
    """The deals behind the revenue, then the figure as the record has it."""
    [ever] = [r for r in records if (r["scope"], r["grain"]) == ("company", "ever")]
    call = ("explain", "company", "ever", "1970-01-01", "revenue", "--events", recorded)
    done = malvakt(*call, "--json")
    assert done.returncode == 0, done.stderr
    *items, last = (orjson.loads(line) for line in done.stdout.splitlines())
    assert len(items) == ever["measures"]["deals_won"]
    assert last["value"] == ever["measures"]["revenue"]
    total = sum((Fraction(item["share"]) for item in items), Fraction())
    assert total == Fraction(last["totals"][0]["total"]) == Fraction(last["value"])
    shown = malvakt(*call, COLUMNS="160")
    assert items[0]["object"] in shown.stdout
    assert f"= revenue = {last['value']}" in shown.stdout


def test_contacts_are_persons_and_the_activities_that_reached_them(
    recorded: Path, records: list[dict[str, Any]]
) -> None:
    """Each person once."""
    [week] = [
        r for r in records if (r["scope"], r["grain"], r["start"]) == ("company", "week", "2026-03-09")
    ]
    done = malvakt("explain", "company", "week", "2026-03-09", "contacts", "--events", recorded, "--json")
    *items, last = (orjson.loads(line) for line in done.stdout.splitlines())
    assert len(items) == last["value"] == week["measures"]["contacts"]
    assert {item["share"] for item in items} == {"1"}
    reached = sum(len(item["through"]) for item in items)
    kinds = ("calls", "emails", "meetings_held", "visits")
    assert reached == sum(week["measures"].get(kind, 0) for kind in kinds)


def test_what_waits_for_a_rate_is_listed(recorded: Path, tmp_path: Path) -> None:
    """With what it is worth in its own currency."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b'{"specversion":"1.0","id":"1","source":"s","type":"deal.won","time":"2026-03-02T12:00:00Z",'
        b'"data":{"deal":"d-1","customer":"c-1","value":"10.50","currency":"USD"}}\n'
    )
    done = malvakt("waiting", "--events", path, "--json")
    assert done.returncode == 0
    [deal] = (orjson.loads(line) for line in done.stdout.splitlines())
    assert (deal["deal"], deal["amount"], deal["currency"]) == ("d-1", "10.5", "USD")
    assert "d-1" in malvakt("waiting", "--events", path, COLUMNS="160").stdout
    assert malvakt("waiting", "--events", recorded, "--json").stdout == ""


WRONG_CALLS = {
    "reconcile --events x": "--events and --records go together",
    "reconcile --events no-such-file --records x": "no-such-file cannot be read: No such file",
    "reconcile --events x --records y --broker b:1": "Give --events or --broker, not both",
    "reconcile --currency SEK": "--timezone and --currency go with --events",
    "reconcile --definitions own.toml": "--definitions goes with --events",
    "reconcile --wait -1": "--wait takes seconds, 0 or more",
    "reconcile --patience -1": "--patience takes seconds, 0 or more",
    "reconcile --memory 100": "--memory takes megabytes, 200 or more",
    "explain north day 2026-03-02 revenue": "north: give company, or a scope that begins with team:",
    "explain company day 2026-03-02 profit --events x": "There is no KPI or measure profit; there are",
    "explain company day 2026-03-02 revenue --definitions x": "--definitions goes with --events",
    "explain company month 2026-03-02 revenue": "START 2026-03-02: no month starts on that date",
    "explain company day tomorrow revenue": "START tomorrow: give a date",
    "explain company day 2026-03-02 revenue --as-of soon": "--as-of soon: give a date or a time",
    "waiting --events x --currency sek": "currency='sek': that is no currency",
    "waiting --currency SEK": "--timezone and --currency go with --events",
}


@pytest.mark.parametrize(("call", "sentence"), WRONG_CALLS.items(), ids=list(WRONG_CALLS))
def test_a_wrong_call_says_what_is_wrong(call: str, sentence: str) -> None:
    """And exits with 2, printing nothing else."""
    done = malvakt(*call.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in said(done)


@pytest.mark.parametrize("command", ["reconcile", "explain company day 2026-03-02 revenue", "waiting"])
def test_a_kafka_that_does_not_answer_is_named(command: str) -> None:
    """With its address, and exit status 1."""
    done = malvakt(*command.split(), "--broker", "127.0.0.1:1")
    assert done.returncode == 1
    assert "No Kafka answers at 127.0.0.1:1." in said(done)


@pytest.mark.kafka
def test_a_running_installation_is_reconciled(recorded: Path, kafka_address: str, tmp_path: Path) -> None:
    """Nothing differs, though an event came again elsewhere and one is none; a false record is found.

    What workers are late with is no difference: it is waited for, and where nobody works that is said.
    Where events are gone, nothing is judged by what is left.
    """
    app = "test-reconcile"
    settings = Settings(broker=kafka_address, app_id=app, topic_prefix=f"{app}.", metrics_port=0)
    own = {
        "MALVAKT_BROKER": kafka_address,
        "MALVAKT_TOPIC_PREFIX": f"{app}.",
        "MALVAKT_APP_ID": app,
        # Not as the installation counts, which it says itself.
        "MALVAKT_CURRENCY": "JPY",
    }
    deal = next(line for line in recorded.read_bytes().splitlines() if b'"type":"deal.won"' in line)

    async def write(topic: str, *values: bytes) -> None:
        async with Delivery(settings) as delivery:
            for partition, value in enumerate(values):
                await delivery.write([Outgoing(settings.topic(topic), partition, "elsewhere", value)])

    async def falsified() -> bytes:
        record = (await read_scorecards(settings))["company|ever|1970-01-01"]
        more = record.measures | {"deals_won": int(record.measures["deals_won"] or 0) + 1}
        return encode_record(replace(record, measures=more, revision=record.revision + 1))

    async def cut_off() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka_address)
        await admin.start()
        deals = TopicPartition(settings.topic("crm.deals"), 0)
        await admin.delete_records({deals: RecordsToDelete(before_offset=1)})
        await admin.close()

    first, rest = tmp_path / "first.jsonl", tmp_path / "rest.jsonl"
    lines = recorded.read_bytes().splitlines(keepends=True)
    first.write_bytes(b"".join(lines[:1000]))
    rest.write_bytes(b"".join(lines[1000:]))
    worker = WorkerProcess(settings)
    try:
        assert malvakt("emit", first, **own).returncode == 0
        asyncio.run(settled(settings, [worker]))
        worker.stop()
        assert malvakt("emit", rest, **own).returncode == 0
        asyncio.run(write("crm.deals", deal, deal, b"no json"))
        nobody_works = malvakt("reconcile", "--wait", "0", "--patience", "1", "--json", **own)
        worker = WorkerProcess(settings)
        good = malvakt("reconcile", "--wait", "1", "--json", **own)
        explained = malvakt("explain", "company", "ever", "1970-01-01", "deals_won", "--json", **own)
        asyncio.run(write(SCORECARDS.name, asyncio.run(falsified())))
        bad = malvakt("reconcile", "--wait", "1", "--json", **own)
        asyncio.run(cut_off())
        calls = ("reconcile", "explain company ever 1970-01-01 deals_won", "waiting")
        cut = [malvakt(*call.split(), "--json", **own) for call in calls]
        defined = tmp_path / "own.toml"
        defined.write_text(OWN, "utf-8")
        applied = malvakt("definitions", "apply", defined, **own)
    finally:
        worker.stop()
        asyncio.run(delete_topics(settings))
    assert applied.returncode == 0
    assert "Own measures count only what is left" in said(applied)
    for done in cut:
        assert (done.returncode, done.stdout) == (1, "")
        assert re.search(r"What came in before .* UTC is no longer in", said(done))
        assert f"{app}.crm.deals" in said(done)
        assert "--events" in said(done)
    assert (nobody_works.returncode, nobody_works.stdout) == (1, "")
    assert re.search(r"After 1 s the workers have [1-9][0-9,]* records to finish", nobody_works.stderr)
    assert (good.returncode, good.stdout) == (0, ""), good.stderr
    assert "0 differences." in good.stderr
    *deals, figure = (orjson.loads(line) for line in explained.stdout.splitlines())
    assert len(deals) == figure["value"] > 0
    assert bad.returncode == 1
    [difference] = (orjson.loads(line) for line in bad.stdout.splitlines())
    assert difference["figure"] == "measures.deals_won"
    assert difference["published"] == difference["recounted"] + 1 == figure["value"] + 1


@pytest.mark.kafka
def test_own_figures_of_a_running_installation_are_reconciled(
    seated: Path, own: Path, kafka_address: str
) -> None:
    """By the definitions that are in use, once they are; a false figure is found."""
    app = "test-reconcile-own"
    settings = Settings(broker=kafka_address, app_id=app, topic_prefix=f"{app}.", metrics_port=0)
    environment = {
        "MALVAKT_BROKER": kafka_address,
        "MALVAKT_TOPIC_PREFIX": f"{app}.",
        "MALVAKT_APP_ID": app,
    }

    looking = InUse(settings)

    async def until_in_use() -> Definitions:
        for _ in range(600):
            # What came since is enough.
            found = (await looking.read()).shown
            if found.measures and found.kpis:
                return found
            worker.check()
            await asyncio.sleep(0.1)
        return Definitions()

    async def falsify() -> None:
        record = (await read_scorecards(settings))["company|ever|1970-01-01"]
        wrong = replace(record, kpis=record.kpis | {"mean_win": "1.00"}, revision=record.revision + 1)
        async with Delivery(settings) as delivery:
            value = encode_record(wrong)
            await delivery.write([Outgoing(settings.topic(SCORECARDS.name), 0, record.key, value)])

    worker = WorkerProcess(settings)
    try:
        assert malvakt("emit", seated, **environment).returncode == 0
        asyncio.run(settled(settings, [worker]))
        assert asyncio.run(looking.read()) == NOTHING
        assert malvakt("definitions", "apply", own, **environment).returncode == 0
        in_use = asyncio.run(until_in_use())
        explained = malvakt("explain", "company", "ever", "1970-01-01", "mean_win", "--json", **environment)
        good = malvakt("reconcile", "--wait", "1", "--json", **environment)
        asyncio.run(falsify())
        bad = malvakt("reconcile", "--wait", "1", "--json", **environment)
        # Nobody works: records still show what is taken away.
        worker.stop()
        assert malvakt("definitions", "remove", "mean_win", **environment).returncode == 0
        going = malvakt("explain", "company", "ever", "1970-01-01", "mean_win", "--json", **environment)
        unknown = malvakt("explain", "company", "ever", "1970-01-01", "profit", **environment)
    finally:
        worker.stop()
        asyncio.run(delete_topics(settings))
    *wins, mean = (orjson.loads(line) for line in explained.stdout.splitlines())
    assert {item["part"] for item in wins} == {"big_wins", "deals_won"}
    assert (mean["formula"], mean["since"]) == ("big_wins / deals_won", None)
    still = orjson.loads(going.stdout.splitlines()[-1])
    assert (still["value"], still["since"]) == (mean["value"], "removed")
    assert unknown.returncode == 2
    assert "profit; there are average_deal_value, big_wins," in said(unknown)
    assert (set(in_use.measures), set(in_use.kpis)) == ({"seats_called", "big_wins"}, {"mean_win"})
    assert (good.returncode, good.stdout) == (0, ""), good.stderr
    assert "Not recounted" not in good.stderr
    [difference] = (orjson.loads(line) for line in bad.stdout.splitlines())
    assert (difference["figure"], difference["published"]) == ("kpis.mean_win", "1.00")
