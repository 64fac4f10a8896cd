"""Rules: which routes there are, what each hears of and when. `reading` reads a file of them."""

from datetime import time, timedelta
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from notices.hours import Hours
from schemas.goals import Alert, AlertKind

Language = Literal["sv", "en"]
Severity = Literal["info", "warning", "critical"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""The least severe first."""


class Immediately(Struct, frozen=True):
    """Each story as soon as the route is open."""


class Hourly(Struct, frozen=True):
    """All stories of an hour together, on the hour."""


class Daily(Struct, frozen=True):
    """All stories of a day together, at a time of day."""

    at: time


Digest = Immediately | Hourly | Daily


class Escalation(Struct, frozen=True):
    """Whom to tell, and after how much open time, where nobody acknowledges a slip."""

    after: timedelta
    to: str


class Route(Struct, frozen=True, kw_only=True):
    """Who hears of what, when and in which language."""

    name: str
    to: tuple[str, ...]
    """Apprise URLs, in which `${NAME}` stands for a variable of the environment."""
    language: Language
    scopes: tuple[str, ...]
    """`*`, `company`, `team:ID`, `team:*`, `owner:ID` and so on; a route that only hears of what was
    escalated to it has none."""
    kinds: frozenset[AlertKind]
    severity: Severity
    hours: Hours
    digest: Digest = Immediately()
    escalate: Escalation | None = None


class Rules(Struct, frozen=True):
    """All routes, by name."""

    routes: dict[str, Route]
    pages: str | None = None
    """Where the pages are on which people see to alerts, as these people reach them; none are known of."""


def address_of(route: Route, to: str) -> str:
    """What one of a route's addresses is called in records and logs, which must hold no secret."""
    return f"{route.name}/{sha256(to.encode()).hexdigest()[:12]}"


def hears_of(route: Route, alert: Alert) -> bool:
    """Whether a route is told of an alert."""
    return (
        alert.kind in route.kinds
        and SEVERITIES.index(alert.severity) >= SEVERITIES.index(route.severity)
        and any(_covers(pattern, alert) for pattern in route.scopes)
    )


def _covers(pattern: str, alert: Alert) -> bool:
    kind, _, name = pattern.partition(":")
    if kind == "owner":
        return alert.owner is not None and name in {"*", alert.owner}
    if name == "*":
        return alert.status.scope.startswith(f"{kind}:")
    return pattern in {"*", alert.status.scope}
