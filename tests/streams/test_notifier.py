"""Notifiers on a real Kafka, a mail server and a webhook receiver: nothing lost, nothing told twice."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from malvakt.workers import ChildProcess, environment_of
from schemas.goals import Alert, encode_alert
from schemas.notices import Ack, Opened, decode_note
from schemas.topics import ALERTS, DELIVERIES
from streams.alerting import acknowledge
from streams.delivery import Delivery, Outgoing
from streams.partitioning import partition_of
from streams.reading import read_to_end
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics
from tests.notices.alerts import alert
from tests.streams.receivers import free_port, mail_server, webhooks

PARTITIONS = 4
WAIT_S = 90.0


class Installation:
    """Topics of a test's own, and notifiers on them."""

    def __init__(self, settings: Settings, delivery: Delivery, rules: Path) -> None:
        self.settings = settings
        self.rules = rules
        self.notifiers: list[ChildProcess] = []
        self._delivery = delivery

    @property
    def environment(self) -> dict[str, str]:
        return environment_of(self.settings)

    def start(self, **environment: str) -> ChildProcess:
        command = [sys.executable, "-m", "malvakt", "notify", str(self.rules)]
        notifier = ChildProcess("A notifier", command, self.environment | environment)
        self.notifiers.append(notifier)
        return notifier

    def stop(self, notifier: ChildProcess) -> None:
        notifier.stop()
        self.notifiers.remove(notifier)

    def kill(self, notifier: ChildProcess) -> None:
        notifier.kill()
        self.notifiers.remove(notifier)

    def command(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "malvakt", *arguments]
        environment = os.environ | self.environment
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    async def publish(self, alerts: Iterable[Alert]) -> None:
        topic = self.settings.topic(ALERTS.name)
        await self._delivery.write(
            Outgoing(
                topic, partition_of(each.status.goal, PARTITIONS), each.status.goal, encode_alert(each)
            )
            for each in alerts
        )

    async def acknowledge(self, ack: Ack) -> None:
        await acknowledge(self.settings, self._delivery, ack)

    async def opened(self, count: int) -> None:
        """Wait until so many addresses hear of what comes about."""

        async def are_open() -> bool:
            notes = read_to_end(self.settings, DELIVERIES.name, lambda record: decode_note(record.value))
            return len({note.address async for note in notes if isinstance(note, Opened)}) == count

        deadline = time.monotonic() + WAIT_S
        while not await are_open():
            assert time.monotonic() < deadline, [each.last_lines() for each in self.notifiers]
            await asyncio.sleep(0.2)

    async def until(self, holds: Callable[[], Any]) -> None:
        deadline = time.monotonic() + WAIT_S
        while not holds():
            for notifier in self.notifiers:
                notifier.check()
            assert time.monotonic() < deadline, [each.last_lines() for each in self.notifiers]
            await asyncio.sleep(0.05)


@asynccontextmanager
async def installation(broker: str, rules: str, directory: Path) -> AsyncIterator[Installation]:
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(
        broker=broker,
        app_id=name,
        topic_prefix=f"{name}.",
        partitions=PARTITIONS,
        metrics_port=0,
        session_timeout_s=6.0,
    )
    await set_up_topics(settings)
    file = directory / "rules.yaml"
    file.write_text(rules, "utf-8")
    async with Delivery(settings) as delivery:
        running = Installation(settings, delivery, file)
        try:
            yield running
        finally:
            for notifier in running.notifiers:
                notifier.stop()
            await delete_topics(settings)


def slips(*goals: str) -> list[Alert]:
    return [alert(at=datetime.now(UTC), goal=goal, name=f"Mål {goal}") for goal in goals]


def titles(*goals: str) -> set[str]:
    return {f"Halkar efter: Team Nord, Mål {goal} i mars" for goal in goals}


def test_everyone_is_told_once_whatever_fails_restarts_or_comes_again(
    kafka_address: str, tmp_path: Path
) -> None:
    """A receiver that fails at first, one that is away, mail, an escalation; a restart and a replay."""

    async def run() -> None:
        with webhooks(refuse=3) as hooks, mail_server() as (mail_port, mails):
            rules = f"""
routes:
  wall:
    to: json://127.0.0.1:{hooks.port}/wall
    scopes: "*"
    escalate: {{after: 0.001 hours, to: directors}}
  directors:
    to: json://127.0.0.1:{hooks.port}/directors
  dead:
    to: json://127.0.0.1:{free_port()}/
    scopes: "*"
  mail:
    to: mailto://127.0.0.1:{mail_port}?from=malvakt@example.com&to=anna@example.com&mode=insecure
    scopes: "team:*"
"""
            async with installation(kafka_address, rules, tmp_path) as own:
                notifier = own.start()
                await own.opened(4)
                first = slips("a", "b", "c")
                await own.acknowledge(Ack(first[1].id, "anna", datetime.now(UTC)))
                await own.publish(first)
                nobody = "Halkar efter, och ingen har tagit hand om det"
                escalated = {title.replace("Halkar efter", nobody) for title in titles("a", "c")}
                expected = Counter({("wall", title): 1 for title in titles("a", "b", "c")})
                expected |= Counter({("directors", title): 1 for title in escalated})
                await own.until(lambda: len(hooks.calls) == 5 and len(mails.taken) == 3)
                assert hooks.refused == 3
                assert hooks.counted() == expected
                own.stop(notifier)

                notifier = own.start()
                # The topic comes again, with something new behind it.
                await own.publish([*first, *slips("d")])
                await own.until(lambda: len(hooks.calls) == 7 and len(mails.taken) == 4)
                assert {title for path, title in hooks.counted() if path == "wall"} == titles(*"abcd")
                assert set(hooks.counted().values()) == {1}
                assert {subject for subject, _ in mails.taken} == titles(*"abcd")
                assert "33\N{NO-BREAK SPACE}400" in mails.taken[0][1]
                own.stop(notifier)

                listed = [orjson.loads(line) for line in own.command("alerts", "--json").splitlines()]
                assert [each["id"] for each in listed] == [each.id for each in [*first, *slips("d")]]
                assert [each["acknowledged"] and each["acknowledged"]["by"] for each in listed] == [
                    *(None, "anna", None, None)
                ]
                taken = own.command("alerts", "--ack", first[0].id, "--by", "bo")
                assert taken == f"bo sees to {first[0].id}.\n"
                late = own.command("alerts", "--ack", first[1].id, "--by", "bo")
                assert late.startswith("anna sees to it, since ")
                still_open = own.command("alerts", "--open", "--json").splitlines()
                assert [orjson.loads(line)["id"] for line in still_open] == [
                    listed[2]["id"],
                    listed[3]["id"],
                ]

    asyncio.run(run())


@pytest.mark.parametrize("fate", ["killed", "asleep"])
def test_two_notifiers_share_the_work_and_lose_nothing_where_one_is(
    fate: str, kafka_address: str, tmp_path: Path
) -> None:
    """Of each address that it served, the message it was sending may come twice, and no other.

    One that slept for longer than its session, and wakes up with messages in hand, sends none of them.
    """
    # So many that it does not come about that all their addresses lie in one notifier's partitions.
    routes = [f"route-{number}" for number in range(20)]
    goals = [f"goal-{number}" for number in range(6)]

    async def run() -> None:
        with webhooks() as hooks:
            rules = "routes:\n" + "".join(
                f"  {name}: {{to: 'json://127.0.0.1:{hooks.port}/{name}?+X-Sender=${{ME}}', scopes: '*'}}\n"
                for name in routes
            )
            async with installation(kafka_address, rules, tmp_path) as own:
                notifiers = {name: own.start(ME=name) for name in ("one", "two")}
                await own.opened(len(routes))
                # Which of them comes first may have all addresses for as long as the other takes to come.
                before = list[str]()
                shared = 0
                deadline = time.monotonic() + WAIT_S
                while len({call.sender for call in hooks.calls[shared:]}) < len(notifiers):
                    assert time.monotonic() < deadline, hooks.counted()
                    shared = len(hooks.calls)
                    before.append(f"before-{len(before)}")
                    await own.publish(slips(before[-1]))
                    await own.until(lambda: len(hooks.calls) == len(routes) * len(before))

                hooks.hold_from = len(hooks.calls) + 10
                await own.publish(slips(*goals))
                await own.until(lambda: hooks.held)
                victim = hooks.held[0].sender
                if fate == "killed":
                    own.kill(notifiers[victim])
                else:
                    notifiers[victim].process.send_signal(signal.SIGSTOP)
                hooks.hold_from = None
                hooks.release.set()
                expected = {(name, title) for name in routes for title in titles(*before, *goals)}
                await own.until(lambda: set(hooks.counted()) == expected)
                if fate == "asleep":
                    notifiers[victim].process.send_signal(signal.SIGCONT)
                # Somebody who sent something twice would do so about now.
                await asyncio.sleep(2)
                served = {call.path for call in hooks.calls[shared:] if call.sender == victim}
                repeated = {each: count for each, count in hooks.counted().items() if count > 1}
                assert (hooks.held[0].path, hooks.held[0].title) in repeated
                assert set(repeated.values()) == {2}
                assert max(Counter(path for path, _ in repeated).values()) == 1
                assert {path for path, _ in repeated} <= served

    asyncio.run(run())
