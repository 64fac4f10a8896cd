"""Goals that a wall is shown in tests and pictures, and where they stand: made up."""

from datetime import date, datetime

from msgspec.structs import replace

from schemas.goals import Absolute, Acceptance, Alert, AlertKind, Goal, GoalStatus, Once, Standing

MARCH = date(2026, 3, 1), date(2026, 3, 31)
QUARTER = date(2026, 1, 1), date(2026, 3, 31)
WEEK = date(2026, 3, 16), date(2026, 3, 22)


def standing(
    scope: str,
    kpi: str,
    period: tuple[date, date],
    value: float,
    target: float,
    at: datetime,
    judged: Standing = "on_track",
    pace: float = 0.65,
) -> GoalStatus:
    """Where a goal stands, which is named after its scope, KPI and last day."""
    money = kpi in {"revenue", "average_deal_value", "cac"}

    def figure(amount: float) -> str | float:
        return f"{amount:.2f}" if money else round(amount, 1)

    missing = max(target - value, 0)
    return GoalStatus(
        goal=f"{scope}/{kpi}/{period[1]}",
        goal_version=1,
        scope=scope,
        kpi=kpi,
        start=period[0],
        end=period[1],
        standing=judged,
        revision=1,
        value=figure(value),
        target=figure(target),
        expected=figure(target * pace),
        attainment=value / target,
        pace=pace,
        forecast=figure(value / pace),
        low=figure(value / pace * 0.9),
        high=figure(value / pace * 1.1),
        probability={"on_track": 0.74, "at_risk": 0.37, "slipped": 0.11}.get(judged),
        remaining=figure(missing),
        per_working_day=figure(missing / 9),
        leads_needed=12.4,
        as_of=at,
    )


def goal_of(
    status: GoalStatus, name: str | None = None, *, accepted: bool = True, at_most: bool = False
) -> Goal:
    """The goal that a status is of."""
    return Goal(
        id=status.goal,
        version=1,
        scope=status.scope,
        kpi=status.kpi,
        better="at_most" if at_most else "at_least",
        target=Absolute(value=str(status.target)),
        period=Once(start=status.start, end=status.end),
        name=name,
        accepted=Acceptance(by="anna", at=status.as_of) if accepted else None,
    )


def alert_of(status: GoalStatus, kind: AlertKind, at: datetime, name: str | None = None) -> Alert:
    """Something that happened to it."""
    judged: Standing = {"recovered": "on_track", "corrected": "at_risk"}.get(kind, kind)
    return Alert(
        id=f"{status.key}|{kind}|0",
        kind=kind,
        severity="info",
        at=at,
        status=replace(status, standing=judged),
        name=name,
    )
