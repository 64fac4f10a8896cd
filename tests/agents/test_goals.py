"""Goals on a real Kafka: what the clock and events lead to is heard once, whoever is killed meanwhile."""

import asyncio
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from kpis.calendar import Calendar
from malvakt.workers import ChildProcess, environment_of
from schemas.events import Event
from schemas.goals import Absolute, Acceptance, Goal, Once, Recurring
from schemas.notices import Opened, decode_note
from schemas.topics import (
    ALERTS,
    DELIVERIES,
    GOAL_STATUS,
    GOALS,
    REJECTED,
    RENEWED,
    TABLE_STANDINGS,
    changelog,
)
from streams.delivery import Delivery, Outgoing
from streams.reading import read_to_end
from tests.agents.pipeline import Pipeline, pipeline
from tests.kpis.test_fold import event
from tests.streams.receivers import Webhooks, webhooks

pytestmark = pytest.mark.kafka

WAIT_S = 90.0
SESSION_TIMEOUT_S = 2.0
STOCKHOLM = Calendar("Europe/Stockholm")
PLAN = """
half_days = [2026-03-31]
[hours]
monday = ["8:00-12:00", "13:00-17:00"]
tuesday = ["8:00-12:00", "13:00-17:00"]
wednesday = ["8:00-12:00", "13:00-17:00"]
sunday = ["0:00-8:00"]
"""


def at(text: str) -> datetime:
    return STOCKHOLM.at(datetime.fromisoformat(text))


def meetings_a_day(seller: str = "anna", target: int = 8) -> Goal:
    return Goal(
        id=f"{seller}s-meetings",
        version=1,
        scope=f"seller:{seller}",
        kpi="meetings_booked",
        better="at_least",
        target=Absolute(value=str(target)),
        period=Recurring(grain="day", start=date(2026, 3, 1)),
        accepted=Acceptance(by=seller, at=datetime(2026, 2, 1, tzinfo=UTC)),
    )


def meeting(number: int, when: str, seller: str = "anna") -> Event:
    told = {"activity": f"m{number}", "kind": "meeting_booked", "seller": seller}
    found = event("activity.logged", 0, f"e{number}", **told)
    return msgspec.structs.replace(found, time=at(when))


async def heard(running: Pipeline, *moments: str) -> list[tuple[str, str]]:
    """What there was to hear at each of some moments, and by when it was."""
    known = {alert.id for alert in await running.alerts()}
    for moment in moments:
        await running.tick(at(moment))
        await running.settled()
    return [(f"{alert.at:%H:%M}", alert.kind) for alert in await running.alerts() if alert.id not in known]


def test_a_day_without_events_slips_at_the_right_minute(kafka_address: str, tmp_path: Path) -> None:
    """And is on track again when it was made up for.

    Half a day slips when half of it is gone, and a night in which the clock leaps has an hour less; on days
    off nothing does.
    """
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, "utf-8")

    async def run() -> None:
        async with pipeline(kafka_address, at("2026-03-28T12:00"), working_time=str(plan)) as running:
            running.start_worker()
            await running.give(meetings_a_day())
            await running.settled()
            night = ("00:00", "01:24", "01:25", "04:30", "04:31", "09:00")
            assert await heard(running, *(f"2026-03-29T{moment}" for moment in night)) == [
                ("01:25", "at_risk"),
                ("04:31", "slipped"),
            ]
            day = ("00:16", "09:36", "09:37", "13:00", "13:01", "13:29")
            assert await heard(running, *(f"2026-03-30T{moment}" for moment in day)) == [
                ("00:16", "missed"),
                ("09:37", "at_risk"),
                ("13:01", "slipped"),
            ]
            await running.publish(meeting(number, "2026-03-30T13:29") for number in range(7))
            await running.settled()
            status = (await running.statuses())["annas-meetings|2026-03-30"]
            # What there is is shown at once, and what it means by the clock.
            assert (status.value, status.remaining, status.standing) == (7, 1, "slipped")
            assert await heard(running, "2026-03-30T13:30", "2026-03-30T14:01") == [("14:01", "recovered")]
            half = ("00:15", "08:48", "08:49", "10:00", "10:01")
            assert await heard(running, *(f"2026-03-31T{moment}" for moment in half)) == [
                ("00:15", "missed"),
                ("08:49", "at_risk"),
                ("10:01", "slipped"),
            ]
            # A verdict that a late event turns is corrected.
            await running.publish([meeting(7, "2026-03-30T16:00")])
            await running.settled()
            assert await heard(running, "2026-03-31T10:02") == [("10:02", "corrected")]
            # The second of April is a Thursday, on which nobody works.
            off = ("2026-04-02T00:15", "2026-04-02T16:59", "2026-04-02T23:59")
            assert await heard(running, *off) == [("00:15", "missed")] * 2

    asyncio.run(run())


def test_whoever_is_killed_nothing_is_lost_and_little_comes_again(kafka_address: str) -> None:
    """Killed with -9 as standings, statuses and alerts are being written: every alert is there.

    What is there twice was being written, and has the same id. Who merely starts anew repeats none.
    """

    async def run() -> None:
        begin, own = at("2026-03-29T12:00"), {"partitions": 4, "session_timeout_s": SESSION_TIMEOUT_S}
        async with pipeline(kafka_address, begin, **own) as running:
            sellers = [f"seller-{number}" for number in range(40)]
            await running.give_everywhere(*map(meetings_a_day, sellers))
            names = running.settings
            kills = [changelog(names.app_id, TABLE_STANDINGS).name, names.topic(RENEWED.name)]
            kills += [names.topic(GOAL_STATUS.name), names.topic(ALERTS.name)]
            moments = ["30T08:00", "30T09:40", "30T13:10", "31T00:20"]
            for written, moment in zip(kills, moments, strict=True):
                worker = running.start_worker()
                await running.tick(at(f"2026-03-{moment}"))
                await running.until_it_grows(written)
                running.kill_worker(worker)
                worker = running.start_worker()
                await running.settled()
                worker.stop()
                running.workers.remove(worker)
            expected = {
                f"{seller}s-meetings|2026-03-30|{kind}|0"
                for seller in sellers
                for kind in ("at_risk", "slipped", "missed")
            }
            ids = Counter(alert.id for alert in await running.alerts())
            assert set(ids) == expected
            # Once more where the batch comes again, and once more where that of the scorecards does.
            assert max(ids.values()) <= 3
            again = running.start_worker()
            await running.settled()
            assert Counter(alert.id for alert in await running.alerts()) == ids
            again.check()

    asyncio.run(run())


def no_goals() -> dict[str, bytes]:
    """What somebody may write to the topic, by its id, which stops no worker."""
    goal = msgspec.to_builtins(meetings_a_day())
    odd = {
        "version": {"version": 0},
        "reversed": {"period": {"kind": "once", "start": "2026-04-30", "end": "2026-04-01"}},
        "accepted": {"accepted": {"by": "anna", "at": "2026-03-01T12:00:00"}},
        "endless": {"period": {"kind": "once", "start": "2026-04-01", "end": "9999-12-31"}},
        "early": {"period": {"kind": "recurring", "grain": "day", "start": "0001-01-01"}},
        "long": {"period": {"kind": "once", "start": "1995-01-01", "end": "2150-01-01"}},
        "a|b": {},
    }
    return {name: msgspec.json.encode(goal | {"id": name} | own) for name, own in odd.items()}


def test_what_is_no_goal_is_refused_and_said(kafka_address: str) -> None:
    """Once, with why; and the others are judged, by whatever name they go."""

    async def run() -> None:
        async with pipeline(kafka_address, at("2026-03-30T07:00"), partitions=2) as running:
            running.start_worker()
            topic = running.settings.topic(GOALS.name)
            async with Delivery(running.settings) as delivery:
                await delivery.write(Outgoing(topic, 0, name, value) for name, value in no_goals().items())
            named = [msgspec.structs.replace(meetings_a_day(), id=name) for name in ("goal", "2026-03-30")]
            await running.give(*named)
            # Copies for the partitions of their scopes come a moment later.
            await running.settled()
            await running.tick(at("2026-03-30T08:00"))
            await running.settled()
            refused = {
                dict(headers)["key"].decode(): dict(headers)["path"].decode()
                async for headers in read_to_end(
                    running.settings, REJECTED.name, lambda record: record.headers
                )
            }
            assert refused == {
                "version": "$.version",
                "reversed": "$.period",
                "accepted": "$.accepted.at",
                "endless": "$.period",
                "early": "$.period",
                "long": "$.period",
                "a|b": "$.id",
            }
            assert set(await running.statuses()) == {"goal|2026-03-30", "2026-03-30|2026-03-30"}

    asyncio.run(run())


def test_two_notifiers_tell_of_what_slipped_once(kafka_address: str, tmp_path: Path) -> None:
    """From an event that did not come to a message that did: with a worker that is killed in between."""

    async def run() -> None:
        with webhooks(refuse=2) as hooks:
            rules = tmp_path / "rules.yaml"
            rules.write_text(f"""
routes:
  floor:
    to: json://127.0.0.1:{hooks.port}/floor
    scopes: "*"
""")
            async with pipeline(kafka_address, at("2026-03-30T07:00"), session_timeout_s=2.0) as running:
                command = [sys.executable, "-m", "malvakt", "notify", str(rules)]
                notifiers = [
                    ChildProcess("A notifier", command, environment_of(running.settings)) for _ in range(2)
                ]
                try:
                    await told_once(running, hooks)
                finally:
                    for notifier in notifiers:
                        notifier.stop()

    asyncio.run(run())


async def told_once(running: Pipeline, hooks: Webhooks) -> None:
    await opened(running)
    # Nobody is told of what was before there was somebody to tell.
    now = datetime.now(STOCKHOLM.zone)
    soon = Once(start=now.date() - timedelta(days=20), end=now.date())
    await running.give_everywhere(
        *(msgspec.structs.replace(meetings_a_day(seller), period=soon) for seller in ("anna", "bo"))
    )
    await running.tick(now)
    worker = running.start_worker()
    await running.until_it_grows(running.settings.topic(ALERTS.name))
    running.kill_worker(worker)
    running.start_worker()
    await running.settled()
    until = monotonic() + WAIT_S
    while len(hooks.calls) < 2:
        assert monotonic() < until
        await asyncio.sleep(0.1)
    # Long enough for whoever would tell it again.
    await asyncio.sleep(3)
    assert sorted(hooks.counted().values()) == [1, 1]


async def opened(running: Pipeline) -> None:
    """Wait until the route hears of what comes about."""
    async with asyncio.timeout(WAIT_S):
        while True:
            notes = read_to_end(running.settings, DELIVERIES.name, lambda record: decode_note(record.value))
            if [note async for note in notes if isinstance(note, Opened)]:
                return
            await asyncio.sleep(0.2)
