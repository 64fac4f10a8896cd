"""`malvakt rejected` on a real Kafka: a pipeline's bad records are listed, mended, sent, and count."""

import asyncio
import getpass
import re
from pathlib import Path

import orjson

from malvakt.commands.rejected_ import SHOWN
from malvakt.reaching import send
from schemas.events import encode_event
from schemas.topics import REJECTED
from streams.delivery import Delivery, Outgoing
from streams.partitioning import partition_of
from streams.settings import Settings
from tests.agents.pipeline import Pipeline, pipeline
from tests.agents.test_pipeline import floor, replayed, write_raw
from tests.malvakt.calling import Done, malvakt

PRECISE = b'"note": 0.1000000000000000055511151231257827,\n'
"""A field that we do not know, as nobody's floats can hold it, and a record over two lines."""
NOTHING = "Nothing that was rejected is left to see to.\n"


async def called(running: Pipeline | Settings, *arguments: str | Path) -> Done:
    settings = running.settings if isinstance(running, Pipeline) else running
    environment = {
        "MALVAKT_BROKER": settings.broker,
        "MALVAKT_APP_ID": settings.app_id,
        "MALVAKT_TOPIC_PREFIX": settings.topic_prefix,
        "COLUMNS": "200",
    }
    return await asyncio.to_thread(lambda: malvakt("rejected", *arguments, **environment))


def test_what_was_rejected_is_mended_and_counts_once(kafka_address: str, tmp_path: Path) -> None:
    """The list goes into a file, the file is mended and sent, and what was sent is listed no more."""
    told = floor(2)
    broken = next(event for event in told if event.topic == "crm.leads")
    value = encode_event(broken)
    wrong = value.replace(b'"data":{', b'"data":{' + PRECISE).replace(b'"type":"', b'"type":"un')
    file = tmp_path / "mend.jsonl"

    async def run() -> None:
        async with pipeline(kafka_address) as running:
            await write_raw(running, "crm.leads", 0, [wrong, b"\xffno JSON [bold]", b"{" * 9])
            await running.publish(event for event in told if event is not broken)
            running.start_worker()
            await running.settled()

            listed = await called(running)
            assert listed.returncode == 0
            assert "no JSON" not in listed.stdout
            topic = running.settings.topic("crm.leads")
            assert all(f"{topic}/0/{offset} " in listed.stdout for offset in range(3))
            assert listed.stderr == "3 are rejected: 2 not_json, 1 unknown_type.\n"

            # Of what stood in one partition, each may be kept in another.
            printed = "\n".join(sorted((await called(running, "--json")).stdout.splitlines()))
            lines = {line["key"]: line for line in map(orjson.loads, printed.splitlines())}
            assert list(lines) == [f"{topic}/0/{offset}" for offset in range(3)]
            assert lines[f"{topic}/0/1"]["text"] == "\N{REPLACEMENT CHARACTER}no JSON [bold]"
            assert lines[f"{topic}/0/0"]["reason"] == "unknown_type"
            assert PRECISE.strip(b",\n").replace(b" ", b"").decode() in printed

            file.write_text(printed.replace('"type":"un', '"type":"'), "utf-8")
            sent = await called(running, "--send", file)
            assert sent.returncode == 1
            assert sent.stderr.splitlines()[0] == "1 events sent, 2 lines refused."
            assert f"{file}, line 3: The record is not valid JSON" in sent.stderr
            again = await called(running, "--send", file)
            assert "0 events sent, 3 lines refused." in again.stderr
            assert f"line 1: No record is rejected as {topic}/0/0, or it was sent." in again.stderr
            assert (await called(running)).stderr == "2 are rejected: 2 not_json.\n"

            await running.settled()
            assert await running.figures() == replayed(told, running.settings)

    asyncio.run(run())


def test_of_what_is_not_kept_whole_nothing_is_sent(kafka_address: str, tmp_path: Path) -> None:
    """Its beginning is no event; whoever has all of it can give that."""
    [event] = [event for event in floor(1) if event.topic == "crm.leads"][:1]
    settings = Settings(broker=kafka_address, app_id="truncated", topic_prefix="truncated.", partitions=1)
    file = tmp_path / "mend.jsonl"

    async def run() -> None:
        assert await send(settings, []) == 0
        nothing = await called(settings)
        assert (nothing.returncode, nothing.stdout) == (0, NOTHING)
        headers = [("reason", b"too_large"), ("truncated", b"the first 3 of 9 bytes")]
        topic = settings.topic(REJECTED.name)
        async with Delivery(settings) as delivery:
            await delivery.write([Outgoing(topic, 0, "crm.deals/0/0", b"123", headers)])
        line = (await called(settings, "--json")).stdout
        file.write_text(line, "utf-8")
        assert (
            "Only the first 3 of 9 bytes are kept of it; give its `event`."
            in (await called(settings, "--send", file)).stderr
        )
        latin = encode_event(event).replace(b'"lead":"', b'"lead":"\xe5')
        assert latin != encode_event(event)
        async with Delivery(settings) as delivery:
            await delivery.write([Outgoing(topic, 0, "crm.deals/0/1", latin, [("reason", b"not_json")])])
        listed = (await called(settings, "--json")).stdout.splitlines()
        file.write_text(listed[1], "utf-8")
        done = await called(settings, "--send", file)
        assert "\N{REPLACEMENT CHARACTER} stands for what cannot be read; give its `event`." in done.stderr
        written = orjson.loads(encode_event(event))
        file.write_bytes(orjson.dumps(orjson.loads(listed[1]) | {"event": written}))
        assert (await called(settings, "--send", file)).returncode == 0
        given = orjson.loads(line) | {"event": written}
        file.write_bytes(b"no line\n" + orjson.dumps(given))
        done = await called(settings, "--send", file)
        assert done.stderr.startswith("1 events sent, 1 lines refused.\n")
        assert "line 1: This is no line as `malvakt rejected --json` prints it" in done.stderr
        assert (await called(settings)).stdout == NOTHING

    asyncio.run(run())


def test_what_was_seen_to_is_listed_no_more_and_stays(kafka_address: str, tmp_path: Path) -> None:
    """One, several, or all that is listed; what comes in later is listed alone. It may be mended still."""
    [event] = [event for event in floor(1) if event.topic == "crm.leads"][:1]
    settings = Settings(broker=kafka_address, app_id="seen", topic_prefix="seen.", partitions=2)
    topic = settings.topic(REJECTED.name)

    async def put_aside(*offsets: int) -> None:
        async with Delivery(settings) as delivery:
            for offset in offsets:
                key = f"crm.leads/0/{offset}"
                headers = [("reason", b"not_json"), ("sentence", b"It is not valid JSON")]
                await delivery.write([Outgoing(topic, partition_of(key, 2), key, b"junk", headers)])

    async def listed(*arguments: str) -> dict[str, dict[str, str]]:
        done = await called(settings, "--json", *arguments)
        assert done.returncode == 0
        return {line["key"][-1]: line for line in map(orjson.loads, done.stdout.splitlines())}

    async def run() -> None:
        assert await send(settings, []) == 0
        await put_aside(*range(6))

        partly = await called(settings, "--seen", "crm.leads/0/1", "crm.leads/0/9", "crm.deals/0/1")
        assert partly.returncode == 1
        assert "Not in the list: crm.leads/0/9, crm.deals/0/1. None were marked;" in partly.stderr
        assert sorted(await listed()) == [*"012345"]

        one = await called(settings, "--seen", "crm.leads/0/1")
        assert (one.returncode, one.stdout, one.stderr) == (0, "", "1 seen to, and listed no more.\n")
        several = await called(settings, "--seen", "crm.leads/0/2", "crm.leads/0/3", "crm.leads/0/2")
        assert several.stderr == "2 seen to, and listed no more.\n"
        assert sorted(await listed()) == [*"045"]
        assert (
            "Not in the list: crm.leads/0/1." in (await called(settings, "--seen", "crm.leads/0/1")).stderr
        )
        # A partition that is read anew puts it aside once more, after its mark.
        await put_aside(2)
        assert sorted(await listed()) == [*"045"]

        everything = await listed("--with-seen")
        assert sorted(number for number, line in everything.items() if "seen" in line) == [*"123"]
        assert {line["text"] for line in everything.values()} == {"junk"}
        assert (await called(settings)).stderr == "3 are rejected: 3 not_json.\n"
        with_seen = (await called(settings, "--with-seen")).stdout.splitlines()
        assert "seen to (UTC)" in with_seen[1]
        date = re.compile(r"\d{4}-\d\d-\d\d")
        assert [len(date.findall(line)) for line in with_seen].count(2) == 3

        back = await called(settings, "--unseen", "crm.leads/0/2", "crm.leads/0/4", "--by", "Bo")
        assert back.returncode == 1
        assert "Not seen to: crm.leads/0/4. None were taken back;" in back.stderr
        assert sorted(await listed()) == [*"045"]
        back = await called(settings, "--unseen", "crm.leads/0/2")
        assert back.stderr == "1 taken back, and listed again.\n"
        assert sorted(await listed()) == [*"0245"]
        assert (await called(settings, "--seen", "crm.leads/0/2", "--by", "Eva Ek")).returncode == 0
        everything = await listed("--with-seen")
        assert everything["2"]["seen_by"] == "Eva Ek"
        assert everything["1"]["seen_by"] == getpass.getuser()
        assert "Eva Ek" in (await called(settings, "--with-seen")).stdout

        given = everything["1"] | {"event": orjson.loads(encode_event(event))}
        file = tmp_path / "mend.jsonl"
        file.write_bytes(orjson.dumps(given))
        assert (await called(settings, "--send", file)).stderr == "1 events sent, 0 lines refused.\n"
        assert sorted(await listed("--with-seen")) == [*"02345"]

        everybody = await called(settings, "--seen-all")
        assert all(f"crm.leads/0/{offset} " in everybody.stdout for offset in (0, 4, 5))
        assert everybody.stderr.endswith("\n3 seen to, and listed no more.\n")
        assert (await called(settings)).stdout == NOTHING
        assert (await called(settings, "--seen-all")).stderr == "0 seen to, and listed no more.\n"
        await put_aside(6)
        assert [*await listed("--seen-all")] == ["6"]
        assert await listed() == {}

    asyncio.run(run())


def test_it_is_said_what_is_to_be_done_with_them(kafka_address: str) -> None:
    """One thing at a time; and naming none is not naming all, as where a shell found none to name."""
    settings = Settings(broker=kafka_address)

    async def run() -> None:
        both = await called(settings, "--seen-all", "--seen", "crm.leads/0/1")
        assert both.returncode == 2
        assert "Give one of --send, --seen, --seen-all, --with-seen and --unseen." in both.stderr
        none = await called(settings, "--seen")
        assert none.returncode == 2
        assert "--seen-all is all of them." in none.stderr
        nobody = await called(settings, "--by", "Bo")
        assert nobody.returncode == 2
        assert "--by goes with --seen, --seen-all and --unseen." in nobody.stderr

    asyncio.run(run())


def test_the_latest_are_listed_last(kafka_address: str) -> None:
    """Those that fit a screen, in the order in which they were put aside, wherever they are kept."""
    settings = Settings(broker=kafka_address, app_id="ordered", topic_prefix="ordered.", partitions=1)
    count = SHOWN + 5

    async def run() -> None:
        assert await send(settings, []) == 0
        topic, headers = settings.topic(REJECTED.name), [("reason", b"not_json")]
        # Every third comes first, so that what is read is in another order than what was put aside.
        order = sorted(range(count), key=lambda number: (number % 3, number))
        async with Delivery(settings) as delivery:
            for number in order:
                at = 1_700_000_000_000 + number * 60_000
                record = Outgoing(topic, 0, f"crm.leads/0/{number:02d}", b"no", headers, timestamp_ms=at)
                await delivery.write([record])
        listed = await called(settings)
        keys = re.findall(r"crm\.leads/0/(\d\d)", listed.stdout)
        assert [*map(int, keys)] == [*range(count)][-SHOWN:]
        assert f"{count} are rejected: {count} not_json." in listed.stderr

    asyncio.run(run())
