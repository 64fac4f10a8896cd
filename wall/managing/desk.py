"""What the pages can do beside reading the view: the installation's own, or a test's."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from goals.history import GoalHistory
from kpis.definitions.holding import Absent, Since
from schemas.goals import GoalVersion
from schemas.notices import Ack
from schemas.records import Figure

Unexplained = Literal[Absent, "events", "lost", "kafka", "long", "memory"]
"""No record shows such a figure; there are no events, or not all of them any more; Kafka does not answer;
it takes too long, or more memory than a server gives it."""


class UnwrittenError(Exception):
    """Nothing was written, or nobody knows whether it was: Kafka does not answer."""


class UnexplainedError(Exception):
    """There is no answer to what is behind a figure; the word says why."""

    def __init__(self, reason: Unexplained, figures: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.reason: Unexplained = reason
        self.figures = figures
        """Those that there are, where there is none of the name."""


class Question(Struct, frozen=True, kw_only=True):
    """What is behind a figure of a scope in a window?"""

    scope: str
    grain: str
    start: date
    figure: str
    """A KPI or a measure."""
    as_of: datetime | None = None
    """By which clock; that of the latest event, where that is not said."""


class Stage(Struct, frozen=True):
    """How far an answer is."""

    stage: Literal["waiting", "reading", "balancing", "counting"]
    """`waiting` for others' questions, `reading` events, putting them in order, and then counting."""
    events: int = 0
    """How many were read."""


class Behind(Struct, frozen=True, kw_only=True):
    """One object behind a figure."""

    object: str
    customer: str | None
    seller: str | None
    team: str | None
    first_day: date
    last_day: date
    share: str
    """Exactly: a decimal where it is one, else a fraction such as `10000/3`."""
    size: float
    """About how much that is, to put large ones first."""
    through: tuple[str, ...] = ()
    """The activities that reached a person."""


class Sum(Struct, frozen=True, kw_only=True):
    """One of the sums in a figure's formula, and all that it is made of."""

    name: str
    start: date
    end: date | None
    """The first day after it; none for all time."""
    total: str
    items: list[Behind]
    """By when they came about."""


class Explained(Struct, frozen=True, kw_only=True):
    """A figure, how it comes about, and what it is made of."""

    figure: str
    formula: str
    value: Figure
    as_of: datetime
    sums: list[Sum]
    since: Since | None
    """What became of the organisation's own definition that the figure is by."""


MakeVersions = Callable[[GoalHistory], Sequence[GoalVersion]]
"""What is to become of goals, from what became of them."""

Explain = Callable[[Question], AsyncGenerator[Stage | Explained]]


class Desk(Struct, frozen=True, kw_only=True):
    """What managing needs of an installation."""

    acknowledge: Callable[[Ack], Awaitable[None]]
    """Write that somebody sees to an alert.

    Raises:
        UnwrittenError: it is not known to be written.
    """
    change_goals: Callable[[MakeVersions], Awaitable[None]]
    """Change goals as they are in their history now.

    Raises:
        GoalError: there is no such goal, or it cannot change so.
        ChangedMeanwhileError: others changed it at the same time, and were first.
        UnwrittenError: it is not known to be written.
    """
    explain: Explain
    """Say how far it is, again and again, and at last what is behind a figure. Whoever stops listening
    stops it.

    Raises:
        UnexplainedError: there is no answer.
    """
