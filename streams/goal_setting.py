"""Goals on their topics: a change is claimed in `goals.history`, and then published on `goals`.

The history is the truth: of several who claim the same version of a goal the first in its partition has it.
What holds is then written to `goals`, in every partition, as definitions are. Whoever stops in between
leaves a version that holds and was not published; whoever reads next publishes it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from goals.history import GoalHistory
from schemas.decoding import Reason, decode_given_goal
from schemas.goals import GoalVersion, decode_version, encode_goal, encode_version
from schemas.topics import GOALS, GOALS_HISTORY
from streams.delivery import Delivery, Outgoing
from streams.partitioning import ON_EVERY_PARTITION, partition_of
from streams.reading import read_on
from streams.settings import Settings

log = structlog.get_logger(__name__)


class ChangedMeanwhileError(Exception):
    """Others were first to change goals, as they had been read; the message says who, and when."""

    def __init__(self, first: Sequence[GoalVersion]) -> None:
        named = "; ".join(f"`{each.id}` ({each.by}, {each.at:%Y-%m-%d %H:%M %Z})" for each in first)
        super().__init__(f"Somebody else changed goals meanwhile: {named}. Look again, then change them.")
        self.first = first
        """What the others made of them."""


class GoalSetting:
    """The goals of an installation, to be read and changed."""

    def __init__(self, settings: Settings, delivery: Delivery) -> None:
        self._settings = settings
        self._delivery = delivery
        self._history = GoalHistory()
        self._history_read: dict[int, int] = {}
        self._published: dict[tuple[int, str], int | None] = {}
        """By partition and goal: the version that `goals` has there, if any."""
        self._published_read: dict[int, int] = {}

    async def read(self) -> GoalHistory:
        """All versions of all goals up to now; what holds is published then, on every partition.

        Raises:
            NoSuchTopicError: there are no such topics.
        """
        topic = self._settings.topic(GOALS.name)
        # Until nothing is lacking: others, who knew less or more, may publish at the same time.
        while lacking := await self._lacking():
            latest = self._history.latest()
            await self._delivery.write(
                Outgoing(
                    topic,
                    partition,
                    name,
                    None if goal is None else encode_goal(goal),
                    [ON_EVERY_PARTITION],
                )
                for partition, name in lacking
                for goal in [latest[name].goal]
            )
        return self._history

    async def change(self, versions: Sequence[GoalVersion]) -> None:
        """Make goals what these versions, made of what was read last, say they are.

        1. Claim the versions in the history.
        2. Read who has them, and publish what holds.

        Raises:
            ChangedMeanwhileError: others have claimed some of them; the rest holds.
        """
        if not versions:
            return
        topic = self._settings.topic(GOALS_HISTORY.name)
        partitions = await self._delivery.partitions(topic)
        await self._delivery.write(
            Outgoing(topic, partition_of(each.id, partitions), each.id, encode_version(each))
            for each in versions
        )
        history = await self.read()
        holders = [(each, history.holder(each)) for each in versions]
        # Compared as written: a claim that had to be written twice is the same one.
        first = [one for each, one in holders if one and encode_version(one) != encode_version(each)]
        if first:
            raise ChangedMeanwhileError(first)

    async def _lacking(self) -> list[tuple[int, str]]:
        """Partitions and goals of which the last version is not what `goals` has there."""
        # What is published was claimed before: read later, the history has all of it.
        async for batch in read_on(self._settings, GOALS.name, self._published_read):
            for record in batch:
                name = (record.key or b"").decode(errors="replace")
                goal = None if record.value is None else decode_given_goal(name, record.value)
                if not isinstance(goal, Reason):
                    # What is no goal is refused by the agent.
                    self._published[record.partition, name] = goal and goal.version
        async for batch in read_on(self._settings, GOALS_HISTORY.name, self._history_read):
            for record in batch:
                version = _version_in(record)
                if version is not None:
                    self._history.take(version)
        partitions = await self._delivery.partitions(self._settings.topic(GOALS.name))
        return [
            (partition, name)
            for name, version in self._history.latest().items()
            for partition in range(partitions)
            if self._published.get((partition, name)) != (version.goal and version.goal.version)
        ]


def _version_in(record: Any) -> GoalVersion | None:
    """The version that a record of the history is; none where it is something else, which stays there."""
    try:
        version = decode_version(record.value or b"")
    except msgspec.MsgspecError as error:
        log.warning(
            "no version of a goal", partition=record.partition, offset=record.offset, why=str(error)
        )
        return None
    goal = version.goal
    if goal is not None and (goal.id, goal.version) != (version.id, version.version):
        log.warning("a version of another goal", partition=record.partition, offset=record.offset)
        return None
    return version
