"""Goals on a real Kafka: of two who change one at once one does, and what a crash left is published."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from msgspec.structs import replace

from goals.history import acceptances, changes, retirements
from schemas.goals import Absolute, Goal, GoalVersion, decode_goal, encode_goal, encode_version
from schemas.topics import GOALS, GOALS_HISTORY
from streams.delivery import Delivery, Outgoing
from streams.goal_setting import ChangedMeanwhileError, GoalSetting
from streams.partitioning import partition_of
from streams.reading import NoSuchTopicError, read_to_end
from streams.settings import Settings
from streams.topic_setup import delete_topics, set_up_topics
from tests.goals.test_records import GOAL, NOW

PARTITIONS = 3


def on_kafka(broker: str, run: Callable[[Settings, Delivery], Awaitable[None]]) -> None:
    """Run something on an installation of its own."""
    name = f"test-{secrets.token_hex(4)}"
    settings = Settings(broker=broker, app_id=name, topic_prefix=f"{name}.", partitions=PARTITIONS)

    async def go() -> None:
        await set_up_topics(settings)
        async with Delivery(settings) as delivery:
            await run(settings, delivery)
        await delete_topics(settings)

    asyncio.run(go())


async def published(settings: Settings) -> list[dict[str, Goal | None]]:
    """The last that `goals` has of each goal, for each partition."""
    found: list[dict[str, Goal | None]] = [{} for _ in range(PARTITIONS)]
    async for record in read_to_end(settings, GOALS.name, lambda record: record):
        value = record.value and decode_goal(record.value)
        found[record.partition][record.key.decode()] = value
    return found


def more(amount: int) -> Goal:
    return replace(GOAL, target=Absolute(value=str(amount)))


def test_goals_are_set_accepted_and_retired_in_every_partition(kafka_address: str) -> None:
    """With all that became of them in the history, whoever reads it."""

    async def run(settings: Settings, delivery: Delivery) -> None:
        setting = GoalSetting(settings, delivery)
        history = await setting.read()
        assert history.latest() == {}
        await setting.change(changes([GOAL, replace(GOAL, id="h")], history, "anna", NOW))
        assert await published(settings) == [history.held()] * PARTITIONS
        await setting.change(acceptances(["g"], history, "bo", NOW))
        held = history.held()["g"]
        assert held.accepted is not None
        assert (held.version, held.accepted.by) == (2, "bo")
        await setting.change(retirements(["h"], history, "anna", NOW))
        assert await published(settings) == [{"g": held, "h": None}] * PARTITIONS
        await setting.change(changes([replace(GOAL, id="h")], history, "cia", NOW))
        assert history.held()["h"].version == 3
        assert await published(settings) == [history.held()] * PARTITIONS
        read = await GoalSetting(settings, delivery).read()
        assert read.latest() == history.latest()
        assert [version.by for version in read.versions("h")] == ["anna", "anna", "cia"]

    on_kafka(kafka_address, run)


def test_of_two_who_change_a_goal_at_once_one_does(kafka_address: str) -> None:
    """The other one learns who was first; what they changed besides holds."""

    async def run(settings: Settings, delivery: Delivery) -> None:
        both = [GoalSetting(settings, delivery) for _ in range(2)]
        for amount in range(1, 9):
            wanted = [[more(amount), replace(GOAL, id=f"only-{who}-{amount}")] for who in range(2)]
            claims = [
                changes(wanted[who], await both[who].read(), f"seller-{who}", NOW) for who in range(2)
            ]
            ended = await asyncio.gather(
                *(setting.change(claim) for setting, claim in zip(both, claims, strict=True)),
                return_exceptions=True,
            )
            [won] = [who for who in range(2) if ended[who] is None]
            error = ended[1 - won]
            assert isinstance(error, ChangedMeanwhileError)
            assert error.first == [claims[won][0]]
            assert f"`g` (seller-{won}, 2026-03-20 12:00 UTC)" in str(error)
            held = (await both[won].read()).held()
            assert held["g"] == claims[won][0].goal
            assert {f"only-0-{amount}", f"only-1-{amount}"} <= held.keys()
            assert await published(settings) == [held] * PARTITIONS

    on_kafka(kafka_address, run)


async def claim(settings: Settings, delivery: Delivery, *versions: GoalVersion) -> None:
    """Claim versions, and go no further."""
    topic = settings.topic(GOALS_HISTORY.name)
    await delivery.write(
        Outgoing(topic, partition_of(version.id, PARTITIONS), version.id, encode_version(version))
        for version in versions
    )


def test_whoever_reads_next_publishes_what_was_only_claimed(kafka_address: str) -> None:
    """A writer may stop after the claim, and after some of the partitions, with a goal or a retirement."""

    async def run(settings: Settings, delivery: Delivery) -> None:
        reader = GoalSetting(settings, delivery)
        history = await reader.read()
        first = changes([GOAL, replace(GOAL, id="h")], history, "anna", NOW)
        await claim(settings, delivery, *first)
        one = first[0].goal
        assert one is not None
        await delivery.write([Outgoing(settings.topic(GOALS.name), 1, "g", encode_goal(one))])
        await reader.read()
        assert await published(settings) == [{version.id: version.goal for version in first}] * PARTITIONS
        await claim(settings, delivery, *retirements(["h"], history, "bo", NOW))
        assert "h" not in (await GoalSetting(settings, delivery).read()).held()
        assert await published(settings) == [{"g": one, "h": None}] * PARTITIONS

    on_kafka(kafka_address, run)


def test_what_a_sleeper_published_late_is_put_right(kafka_address: str) -> None:
    """It claimed its version in time, and wrote it after a later one: of the two the last would be kept."""

    async def run(settings: Settings, delivery: Delivery) -> None:
        setting = GoalSetting(settings, delivery)
        history = await setting.read()
        await setting.change(changes([GOAL], history, "anna", NOW))
        old = history.held()["g"]
        await setting.change(changes([more(7)], history, "bo", NOW))
        late = [Outgoing(settings.topic(GOALS.name), place, "g", encode_goal(old)) for place in range(2)]
        await delivery.write(late)
        assert (await setting.read()).held()["g"].target == Absolute(value="7")
        assert await published(settings) == [history.held()] * PARTITIONS
        await setting.change(retirements(["g"], history, "bo", NOW))
        await delivery.write(late)
        await GoalSetting(settings, delivery).read()
        assert await published(settings) == [{"g": None}] * PARTITIONS

    on_kafka(kafka_address, run)


def test_a_claim_that_was_written_twice_is_no_rival_of_itself(kafka_address: str) -> None:
    """A broker may have taken what it did not acknowledge; times are told in whichever timezone."""

    async def run(settings: Settings, delivery: Delivery) -> None:
        setting = GoalSetting(settings, delivery)
        at = datetime.fromisoformat("2026-10-25T02:30:00+01:00")
        claims = changes([GOAL], await setting.read(), "anna", at)
        await claim(settings, delivery, *claims)
        await setting.change(claims)
        assert len((await setting.read()).versions("g")) == 1

    on_kafka(kafka_address, run)


def test_what_is_no_version_is_passed_over(kafka_address: str) -> None:
    """It stays in the log, and stops nobody."""

    async def run(settings: Settings, delivery: Delivery) -> None:
        topic = settings.topic(GOALS_HISTORY.name)
        other = GoalVersion(id="g", version=1, by="anna", at=NOW, goal=replace(GOAL, id="h"))
        odd = [b"{", b'{"id": "g"}', encode_version(other), None]
        await delivery.write(Outgoing(topic, partition_of("g", PARTITIONS), "g", value) for value in odd)
        setting = GoalSetting(settings, delivery)
        history = await setting.read()
        await setting.change(changes([GOAL], history, "anna", NOW))
        assert history.held().keys() == {"g"}
        assert await published(settings) == [history.held()] * PARTITIONS

    on_kafka(kafka_address, run)


def test_without_its_topics_nothing_is_read(kafka_address: str) -> None:
    """The message says which is missing."""

    async def run() -> None:
        settings = Settings(broker=kafka_address, topic_prefix=f"none-{secrets.token_hex(4)}.")
        async with Delivery(settings) as delivery:
            with pytest.raises(NoSuchTopicError, match=r"no topic none-.*\.goals "):
                await GoalSetting(settings, delivery).read()

    asyncio.run(run())
