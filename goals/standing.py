"""Where a goal stands in one of its periods, and what people should hear of it.

A standing moves only when the clock is looked at, by all figures that are known then: so it depends neither
on the order in which events came in before, nor on how often something was worked out again. What is kept
from one look to the next is one row; looking again by the same clock changes nothing.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from goals.figures import Figures, shown
from goals.judging import COURSE, Learning, Outlook, Scene, Seen, judged, see
from goals.periods import Span, begins, ends
from kpis.calendar import date_of, micros_of
from kpis.scorecards import CLOSING_MICROS
from schemas.goals import Alert, AlertKind, Goal, GoalStatus, Standing
from schemas.records import Figure

NOTICED = 0.01
"""By how much time must have passed, or a probability changed, for a status that says nothing else new."""

_SEVERITIES: dict[AlertKind, Literal["info", "warning", "critical"]] = {
    "at_risk": "warning",
    "slipped": "critical",
    "recovered": "info",
    "achieved": "info",
    "missed": "critical",
    "corrected": "warning",
}

_VERDICTS: frozenset[Standing | None] = frozenset({"achieved", "missed"})
_NO_NEWS: frozenset[tuple[Standing | None, Standing]] = frozenset(
    {("slipped", "at_risk"), ("achieved", "on_track")}
)


class StandingRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a goal in one of its periods, from one look to the next."""

    status: GoalStatus
    """As it was last written."""
    as_of: int
    """By which clock, in microseconds, it was last looked at; nothing is judged by an earlier one."""
    moved_at: int | None = None
    """When it last moved between on track, at risk and slipped."""
    told: Standing | None = None
    """The standing that people last heard of."""
    alerts: dict[AlertKind, int] = {}
    """How many there were of each kind."""


class _LastOutlook(NamedTuple):
    """What was expected when a status was written."""

    low: float | None
    expected: float | None
    high: float | None
    probability: float


class Looked(Struct, frozen=True):
    """What came of looking at a goal."""

    row: StandingRow
    status: GoalStatus | None
    """The status to write; `None` where it says nothing new."""
    alerts: list[Alert]


def look(
    goal: Goal,
    span: Span,
    figures: Figures,
    scene: Scene,
    now: int,
    outlook: Outlook | Learning | None,
    before: StandingRow | None,
    *,
    revision: int,
    since: int | None = None,
    heard: Mapping[AlertKind, int] | None = None,
) -> Looked:
    """Judge a goal in a period as the clock ticks; `now` is in microseconds since the epoch.

    A status that says something new has this `revision`. A goal asks for the same `since` some version, or
    only in its own: what was judged of others is not continued. `heard` counts the alerts that there were
    of the period where nothing else is known `before`.
    """
    was: Standing | None = None
    moved_at = None
    if before is not None:
        now = max(now, before.as_of)
        if before.status.goal_version >= (goal.version if since is None else since):
            was, moved_at = before.status.standing, before.moved_at
    learning = isinstance(outlook, Learning)
    if isinstance(outlook, Learning):
        # A worker that starts anew must not judge by the pace what was judged by a forecast: who heard of
        # that would soon hear the contrary.
        outlook = None if before is None else _last_outlook(before.status)
    seen = see(span, figures, scene, now)
    standing = judged(goal, span, seen, scene, now, outlook, was, moved_at)
    if learning and outlook is None and was in COURSE and standing in COURSE:
        # Nor by an even pace what was judged by one that it is about to learn.
        standing = was
    if was != standing:
        moved_at = now if was in COURSE and standing in COURSE else None
    news = None
    if before is None or _is_news(before.status, goal, span, seen, standing, outlook):
        news = status = _status(goal, span, seen, scene, now, outlook, standing, revision)
    else:
        status = before.status
    told = None if before is None else before.told
    if before is not None and was is None and told in _VERDICTS:
        # Another version of the goal asks for something else: its verdict corrects none.
        told = None
    row = StandingRow(
        status=status,
        as_of=now,
        moved_at=moved_at,
        told=told,
        alerts=dict(heard or {}) if before is None else before.alerts,
    )
    if not is_heard(goal, span, scene):
        return Looked(row, news, [])
    row, alerts = _tell(goal, span, row, scene, None if before is None else before.as_of)
    return Looked(row, news, alerts)


def _last_outlook(status: GoalStatus) -> _LastOutlook | None:
    if status.probability is None:
        return None
    low, expected, high = (
        None if figure is None else float(figure) for figure in (status.low, status.forecast, status.high)
    )
    return _LastOutlook(low, expected, high, status.probability)


def renewed(
    goal: Goal, span: Span, figures: Figures, scene: Scene, row: StandingRow, *, revision: int
) -> GoalStatus:
    """A status with the figures of now, by the clock of the last look.

    Where the goal stands and what is to be expected of it moves with the clock only.
    """
    last = row.status
    seen = see(span, figures, scene, row.as_of)
    status = _status(goal, span, seen, scene, row.as_of, None, last.standing, revision)
    return msgspec.structs.replace(
        status,
        forecast=last.forecast,
        low=last.low,
        high=last.high,
        probability=last.probability,
    )


def is_heard(goal: Goal, span: Span, scene: Scene) -> bool:
    """Whether people hear of it: not of drafts, nor of what was over before somebody accepted it."""
    return goal.accepted is not None and micros_of(goal.accepted.at) < ends(scene.calendar, span)


def _tell(
    goal: Goal, span: Span, row: StandingRow, scene: Scene, last_look: int | None
) -> tuple[StandingRow, list[Alert]]:
    was_final = (
        row.told in _VERDICTS
        and last_look is not None
        and last_look >= ends(scene.calendar, span) + CLOSING_MICROS
    )
    kind = _news(row.told, row.status.standing, was_final)
    if kind is None:
        told = row.told or _unheard(row.status.standing)
        return msgspec.structs.replace(row, told=told), []
    count = row.alerts.get(kind, 0)
    alert = Alert(
        id=f"{goal.id}|{row.status.start}|{kind}|{count}",
        kind=kind,
        severity=_SEVERITIES[kind],
        at=scene.calendar.local(row.as_of),
        status=row.status,
        name=goal.name,
        owner=goal.owner,
    )
    told = row.status.standing
    return msgspec.structs.replace(row, told=told, alerts={**row.alerts, kind: count + 1}), [alert]


def _unheard(standing: Standing) -> Standing | None:
    """What is as it should be needs no telling, and counts as heard."""
    return "on_track" if standing == "on_track" else None


def _news(told: Standing | None, standing: Standing, was_final: bool) -> AlertKind | None:
    """What is to be told of a standing, given what was told last, and whether that was the final verdict.

    A goal that slipped and is merely at risk again is no news until it is on track, or slips for good; and
    one that was achieved is none while it is on track to be so again.
    """
    if standing in {"pending", told} or (told, standing) in _NO_NEWS:
        return None
    if was_final:
        return "corrected"
    match standing:
        case "on_track":
            return None if told is None else "recovered"
        case "at_risk" | "slipped" | "achieved" | "missed":
            return standing
        case "pending":
            return None


def says_else(written: GoalStatus, figures: Figures) -> bool:
    """Whether a status that was written has other figures."""
    return (written.value, written.target, written.remaining) != (
        figures.shown_value,
        figures.shown_target,
        figures.shown_missing,
    )


def _is_news(
    written: GoalStatus, goal: Goal, span: Span, seen: Seen, standing: Standing, outlook: Outlook | None
) -> bool:
    """Whether there is something new to say: more than that a little time has passed."""
    return (
        written.standing != standing
        or written.goal_version != goal.version
        or says_else(written, seen.figures)
        or _changed(written.pace, float(seen.passed))
        or _changed(written.probability, None if outlook is None else outlook.probability)
        or (written.scope, written.kpi, written.end) != (goal.scope, goal.kpi, date_of(span.last))
    )


def _changed(before: float | None, now: float | None) -> bool:
    if before is None or now is None:
        return before != now
    return abs(now - before) >= NOTICED or (before != now and now in {0.0, 1.0})


def _status(
    goal: Goal,
    span: Span,
    seen: Seen,
    scene: Scene,
    now: int,
    outlook: Outlook | None,
    standing: Standing,
    revision: int,
) -> GoalStatus:
    kpi, value, target, missing, _, a_lead, *_ = seen.figures
    due = seen.due if kpi.accumulates else Fraction(1)
    days = scene.working.days_left(max(now, begins(scene.calendar, span)), span.last)
    a_day = missing / Fraction(days) if missing is not None and kpi.accumulates and days else None

    def figure(number: Fraction | None) -> Figure:
        return shown(number, kpi.unit, scene.known.digits)

    def likely(number: float | None) -> Figure:
        return None if number is None else figure(Fraction(number))

    return GoalStatus(
        goal=goal.id,
        goal_version=goal.version,
        scope=goal.scope,
        kpi=goal.kpi,
        start=date_of(span.first),
        end=date_of(span.last),
        standing=standing,
        revision=revision,
        value=seen.figures.shown_value,
        target=seen.figures.shown_target,
        expected=None if target is None else figure(target * due),
        attainment=float(value / target) if value is not None and target else None,
        pace=float(seen.passed),
        forecast=likely(None if outlook is None else outlook.expected),
        low=likely(None if outlook is None else outlook.low),
        high=likely(None if outlook is None else outlook.high),
        probability=None if outlook is None else outlook.probability,
        remaining=seen.figures.shown_missing,
        per_working_day=figure(a_day),
        leads_needed=float(missing / a_lead) if missing is not None and a_lead and a_lead > 0 else None,
        as_of=scene.calendar.local(now),
        better=goal.better,
    )
