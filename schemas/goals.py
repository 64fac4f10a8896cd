"""Goals, their versions, where they stand, and alerts, as they travel on their topics.

A goal is SMART: specific (scope and KPI), measurable (target), accepted (by somebody, or it is a draft),
realistic (compared with history when it is set) and time-bound (its period). What makes one valid, and how
it is judged, is in `goals/`.
"""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from schemas.events import Id, Instant, Text
from schemas.records import Figure

Scope = Annotated[
    str,
    Meta(
        pattern=r"^(company|(team|seller|customer):.{1,128})$(?!\n)",
        description="`company`, `team:ID`, `seller:ID` or `customer:ID`.",
    ),
]

Amount = Annotated[
    str,
    Meta(
        pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$(?!\n)",
        description="A decimal string in the KPI's own unit: 42, 1500000.00, 0.35 for 35 %.",
    ),
]

Grain = Literal["day", "week", "month", "quarter", "year"]

Better = Literal["at_least", "at_most"]


class Absolute(Struct, frozen=True, kw_only=True, tag_field="kind", tag="absolute"):
    """So much, in each period."""

    value: Amount


class Relative(Struct, frozen=True, kw_only=True, tag_field="kind", tag="relative"):
    """So much more or less than something else was."""

    change: Amount
    """As a ratio: 0.14 is 14 % more, -0.1 is 10 % less."""
    baseline: Literal["span_before", "last_year"]
    """Right before the period as many days, or months where it is whole months; or the same dates a year
    earlier."""


class Once(Struct, frozen=True, kw_only=True, tag_field="kind", tag="once"):
    """One period, both dates included."""

    start: date
    end: date


class Recurring(Struct, frozen=True, kw_only=True, tag_field="kind", tag="recurring"):
    """Every calendar window of a grain from one date on, and before another where there is one."""

    grain: Grain
    start: date
    until: date | None = None


class Acceptance(Struct, frozen=True, kw_only=True):
    """Who accepted a goal, and when."""

    by: Id
    at: Instant


class Goal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A goal. On the topic its key is its id, null retires it, and of two the higher version holds."""

    id: Id
    version: Annotated[int, Meta(ge=1)]
    scope: Scope
    kpi: Id
    better: Better
    target: Absolute | Relative
    period: Once | Recurring
    name: Text | None = None
    owner: Id | None = None
    """Who answers for it."""
    accepted: Acceptance | None = None
    """A goal that nobody accepted is a draft, and raises no alert."""
    part_of: Id | None = None
    """The goal that it is a share of, where a team's was split over its sellers."""
    changed_by: Id | None = None
    changed_at: datetime | None = None


class GoalVersion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version of a goal, under the goal's id as key: of several with the same number the first holds."""

    id: Id
    version: Annotated[int, Meta(ge=1)]
    """One more than the version before, whether that one set the goal or retired it."""
    by: Id
    """Who made it so,"""
    at: Instant
    """and when."""
    goal: Goal | None = None
    """What the goal is since; none where it was retired."""


Standing = Literal["pending", "on_track", "at_risk", "slipped", "achieved", "missed"]


class GoalStatus(Struct, frozen=True, kw_only=True):
    """Where a goal stands in one of its periods. Its key on the topic is `goal|start`."""

    goal: str
    goal_version: int
    scope: str
    kpi: str
    start: date
    end: date
    """The last day of the period."""
    standing: Standing
    revision: int
    """Only grows; of two records with the same key the higher one holds."""
    value: Figure
    target: Figure
    expected: Figure
    """What there should be by now, if the goal is to be reached at an even pace."""
    attainment: float | None
    """Value by target."""
    pace: float | None
    """The share of the period's working time that has passed."""
    forecast: Figure
    low: Figure
    high: Figure
    """In four of five periods the result lies between them."""
    probability: float | None
    """Of reaching the goal."""
    remaining: Figure
    """What is missing to the target; of one that must not be exceeded, what is left below it."""
    per_working_day: Figure
    """What is missing, for each working day that is left."""
    leads_needed: float | None
    """What is missing, in leads, if each brings what new leads brought in the last 90 days."""
    as_of: datetime
    better: Better | None = None
    """Which way the goal goes; of statuses from before it was said, as is better for the KPI."""

    @property
    def key(self) -> str:
        """The record's key on the topic."""
        return f"{self.goal}|{self.start}"


AlertKind = Literal["at_risk", "slipped", "recovered", "achieved", "missed", "corrected"]


class Alert(Struct, frozen=True, kw_only=True):
    """Something that a person should hear of."""

    id: str
    """Made of what it is about, so that a replay repeats it and never invents another:
    `goal|start|kind|count`, where `count` is how often the period had an alert of the kind before."""
    kind: AlertKind
    severity: Literal["info", "warning", "critical"]
    at: datetime
    """When it came about, by the clock of the ticks or the record that caused it."""
    status: GoalStatus
    """Where the goal stood then."""
    name: str | None = None
    owner: str | None = None


encode_goal = msgspec.json.Encoder().encode
decode_goal = msgspec.json.Decoder(Goal).decode
encode_version = msgspec.json.Encoder().encode
decode_version = msgspec.json.Decoder(GoalVersion).decode
encode_status = msgspec.json.Encoder().encode
decode_status = msgspec.json.Decoder(GoalStatus).decode
encode_alert = msgspec.json.Encoder().encode
decode_alert = msgspec.json.Decoder(Alert).decode
