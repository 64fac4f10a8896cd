"""The steps of the order of effects, and the name of the place before, within and after each."""

from typing import Literal, NamedTuple, get_args

from schemas.topics import PARTIALS, SCORECARDS, TABLE_OBJECTS, TABLE_SCORECARDS

Agent = Literal["ledger", "scorecard"]
Step = Literal["rows", "outputs", "finish", "commit"]
Place = Literal["before", "within", "after"]

STATUS = 86
"""What a worker that crashed on purpose ends with."""


class Point(NamedTuple):
    """Where a worker ends as kill -9 would end it."""

    agent: Agent
    step: Step
    place: Place
    """`within` a write: some partitions' records are with the broker, others are on their way or not."""

    def __str__(self) -> str:
        return f"{self.agent}-{self.step}-{self.place}"


def points_of(agent: Agent) -> list[Point]:
    """Every point of an agent, in the order of effects; only writes have a within."""
    return [
        Point(agent, step, place)
        for step in get_args(Step)
        for place in get_args(Place)
        if place != "within" or step in {"rows", "outputs"}
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
    for table, agent in ((TABLE_OBJECTS, "ledger"), (TABLE_SCORECARDS, "scorecard")):
        if topic.endswith(f"-{table}-changelog"):
            return agent, "rows"
    return ("scorecard" if topic.endswith(SCORECARDS.name) else "ledger"), "outputs"


def read_by(topic: str) -> Agent:
    """Which agent reads a topic."""
    return "scorecard" if topic.endswith(PARTIALS.name) else "ledger"
