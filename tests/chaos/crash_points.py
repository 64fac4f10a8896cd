"""Where a worker can end: before, within and after each step of the order of effects.

And of what it does before any batch, the announcement of its term.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from kpis import ledger, scorecards
from schemas.topics import (
    ALERTS,
    GOAL_STATUS,
    GOALS_TOPICS,
    RENEWED,
    SCORECARD_TOPICS,
    SCORECARDS,
    TABLE_OBJECTS,
    TABLE_SCORECARDS,
    TABLE_STANDINGS,
)
from streams.delivery import Outgoing
from streams.tables import TERM_KEY

Agent = Literal["ledger", "scorecard", "goals"]
Step = Literal["announcement", "rows", "outputs", "finish", "commit"]
Place = Literal["before", "within", "after"]

STATUS = 86
"""What a worker that crashed on purpose ends with."""

_OF_TERMS_AND_TIME = {TERM_KEY, ledger.TERMS, scorecards.TERMS, scorecards.CLOCK}


_TABLES: tuple[tuple[str, Agent], ...] = (
    (TABLE_OBJECTS, "ledger"),
    (TABLE_SCORECARDS, "scorecard"),
    (TABLE_STANDINGS, "goals"),
)
_OUTPUTS: tuple[tuple[Agent, tuple[str, ...]], ...] = (
    ("scorecard", (SCORECARDS.name, RENEWED.name)),
    ("goals", (GOAL_STATUS.name, ALERTS.name)),
)
"""The ledger's are all others."""
_INPUTS: tuple[tuple[Agent, tuple[str, ...]], ...] = (
    ("scorecard", tuple(SCORECARD_TOPICS)),
    ("goals", tuple(GOALS_TOPICS)),
)


class Point(NamedTuple):
    """Where a worker ends as kill -9 would end it."""

    agent: Agent
    step: Step
    place: Place
    """`within` a write: some partitions' records are with the broker, others are on their way or not."""

    @property
    def in_takeover(self) -> bool:
        """Whether it comes before all batches."""
        return self.step == "announcement"

    def __str__(self) -> str:
        return f"{self.agent}-{self.step}-{self.place}"


def points_of(agent: Agent) -> list[Point]:
    """Every point of an agent, in order; only writes have a within, and only the ledger announces."""
    return [
        Point(agent, step, place)
        for step in get_args(Step)
        for place in get_args(Place)
        if (place != "within" or step in {"announcement", "rows", "outputs"})
        and (agent == "ledger" or step != "announcement")
    ]


def point_called(name: str) -> Point:
    """The point of that name.

    Raises:
        ValueError: there is none.
    """
    for agent in get_args(Agent):
        for point in points_of(agent):
            if str(point) == name:
                return point
    raise ValueError(f"There is no crash point {name}.")


def written_as(topic: str) -> tuple[Agent, Step]:
    """Whose effect, and which, a record for a topic is."""
    for table, agent in _TABLES:
        if topic.endswith(f"-{table}-changelog"):
            return agent, "rows"
    return next((agent for agent, names in _OUTPUTS if topic.endswith(names)), "ledger"), "outputs"


def read_by(topic: str) -> Agent:
    """Which agent reads a topic."""
    return next((agent for agent, names in _INPUTS if topic.endswith(names)), "ledger")


def leads_to_nothing(rows: Iterable[Outgoing]) -> bool:
    """Whether rows hold only what was announced, or what time it is."""
    return all(row.key in _OF_TERMS_AND_TIME for row in rows)
