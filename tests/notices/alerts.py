"""Alerts for tests: one goal of a team's revenue in March 2026, unless said otherwise."""

from datetime import UTC, date, datetime
from typing import Any

from msgspec import structs

from schemas.goals import Alert, AlertKind, GoalStatus

STATUS = GoalStatus(
    goal="nord-march",
    goal_version=1,
    scope="team:Nord",
    kpi="revenue",
    start=date(2026, 3, 1),
    end=date(2026, 3, 31),
    standing="slipped",
    revision=7,
    value="310000.00",
    target="410000.00",
    expected="353000.00",
    attainment=0.756,
    pace=0.83,
    forecast="371234.00",
    low="350000.00",
    high="405000.00",
    probability=0.223,
    remaining="100000.00",
    per_working_day="33333.33",
    leads_needed=39.2,
    as_of=datetime(2026, 3, 26, 13, 10, tzinfo=UTC),
)


def alert(
    kind: AlertKind = "slipped",
    at: datetime = STATUS.as_of,
    count: int = 0,
    *,
    owner: str | None = None,
    name: str | None = None,
    **status: Any,
) -> Alert:
    stands = structs.replace(STATUS, **status)
    severity = {"slipped": "critical", "missed": "critical", "at_risk": "warning"}.get(kind, "info")
    return Alert(
        id=f"{stands.key}|{kind}|{count}",
        kind=kind,
        severity=severity,  # pyright: ignore[reportArgumentType]
        at=at,
        status=stands,
        owner=owner,
        name=name,
    )
