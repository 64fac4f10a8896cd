"""What is to be told now, to whom, and when to look again: a function of what is known and the clock.

A message tells a *story*: all that is new of one goal's period, so that a slip that recovered before it
could be told is told once. Quiet hours and digests postpone; nothing is dropped.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from itertools import groupby

from msgspec import Struct

from notices.hours import Hours, after_open, instant, is_open, local, next_open, open_spans
from notices.rules import Daily, Digest, Hourly, Immediately, Route, Rules, hears_of
from schemas.goals import Alert
from schemas.notices import Ack, Delivered, Stage

_HOUR = timedelta(hours=1)
_ONE_DAY = timedelta(days=1)

Story = tuple[Alert, ...]
"""What is new of one goal's period, the oldest first."""


class Known(Struct, frozen=True):
    """What the topics say."""

    alerts: Mapping[str, Alert]
    acks: Mapping[str, Ack]
    done: frozenset[tuple[Stage, str]] | set[tuple[Stage, str]]
    """What this address has been told, or need not be: stage and alert."""
    since: datetime
    """What came about before this address was opened is history to it."""


class Message(Struct, frozen=True):
    """What is sent to an address in one go."""

    stage: Stage
    stories: tuple[Story, ...]
    due: datetime
    """Since when it should have been sent."""

    def notes(self, address: str, at: datetime) -> list[Delivered]:
        """What to note once it was sent."""
        return [
            Delivered(address=address, stage=self.stage, alert=alert.id, at=at)
            for story in self.stories
            for alert in story
        ]


class Plan(Struct, frozen=True):
    """What there is to do for one address."""

    messages: tuple[Message, ...]
    """To send now, in this order."""
    moot: tuple[str, ...]
    """Slips that need no escalation any more, or never did: to be noted as that."""
    unsettled: frozenset[str]
    """The alerts of which something is to be told, now or later."""
    next: datetime | None
    """When there will be more to do, unless something happens before."""


def plan(rules: Rules, route: Route, known: Known, now: datetime) -> Plan:
    """What there is to do for an address of a route."""
    recent = [alert for alert in known.alerts.values() if known.since <= alert.at]
    told = _told(route, known, recent, now)
    escalated = _escalated(rules, route, known, recent, now)
    return Plan(
        (*told.messages, *escalated.messages),
        escalated.moot,
        told.unsettled | escalated.unsettled,
        min(filter(None, (told.next, escalated.next)), default=None),
    )


def due_at(route: Route, alert: Alert) -> datetime:
    """When a route is to hear of an alert: the first moment that is open and that its digest allows."""
    hours = route.hours
    match route.digest:
        case Immediately():
            return next_open(hours, alert.at)
        case Hourly():
            return next_open(hours, _on_the_hour(hours, alert.at))
        case Daily(at):
            return _daily(hours, at, alert.at)


def _told(route: Route, known: Known, recent: list[Alert], now: datetime) -> Plan:
    new = [alert for alert in recent if hears_of(route, alert) and ("told", alert.id) not in known.done]
    due = {alert.id: due_at(route, alert) for alert in new}
    ready = [alert for alert in new if due[alert.id] <= now]
    opens = next_open(route.hours, now)
    waiting = [at for at in due.values() if at > now]
    messages: tuple[Message, ...] = ()
    if ready and opens > now:
        # It should have been told before the route closed, and could not be.
        waiting.append(opens)
    elif ready:
        messages = tuple(_messages(route.digest, ready, due))
    return Plan(messages, (), frozenset(due), min(waiting, default=None))


def _messages(digest: Digest, ready: list[Alert], due: Mapping[str, datetime]) -> Iterator[Message]:
    stories = stories_of(ready)
    if not isinstance(digest, Immediately):
        yield Message("told", tuple(stories), min(due[alert.id] for alert in ready))
        return
    for story in stories:
        yield Message("told", (story,), min(due[alert.id] for alert in story))


def stories_of(alerts: Iterable[Alert]) -> list[Story]:
    """Alerts by the goal's period that they are of; in the order of the stories' ends."""

    def period(alert: Alert) -> str:
        return alert.status.key

    ordered = sorted(alerts, key=lambda alert: (period(alert), alert.at))
    stories = [tuple(of_period) for _, of_period in groupby(ordered, key=period)]
    return sorted(stories, key=lambda story: story[-1].at)


def _escalated(rules: Rules, route: Route, known: Known, recent: list[Alert], now: datetime) -> Plan:
    """What nobody acknowledged in time of what other routes told, and escalate to this one."""
    messages: list[Message] = []
    moot: list[str] = []
    unsettled: set[str] = set()
    waiting: list[datetime] = []
    sources = [
        other for other in rules.routes.values() if other.escalate and other.escalate.to == route.name
    ]
    for alert in recent if sources else ():
        if alert.kind != "slipped" or ("escalated", alert.id) in known.done:
            continue
        deadlines = [_deadline(other, alert) for other in sources if hears_of(other, alert)]
        if not deadlines:
            continue
        due = next_open(route.hours, min(deadlines))
        if alert.id in known.acks or _ended(alert, recent):
            moot.append(alert.id)
            continue
        unsettled.add(alert.id)
        if due <= now and is_open(route.hours, now):
            messages.append(Message("escalated", ((alert,),), due))
        else:
            waiting.append(max(due, next_open(route.hours, now)))
    return Plan(tuple(messages), tuple(moot), frozenset(unsettled), min(waiting, default=None))


def _deadline(route: Route, alert: Alert) -> datetime:
    """By when a slip must be acknowledged: so much open time after it was due on the route."""
    assert route.escalate is not None, "a source escalates"
    return after_open(route.hours, due_at(route, alert), route.escalate.after)


def _ended(slip: Alert, recent: list[Alert]) -> bool:
    """Whether a slip is over: recovered, or the period has its result."""
    return any(
        other.status.key == slip.status.key
        and other.at >= slip.at
        and other.kind in {"recovered", "achieved", "missed"}
        for other in recent
    )


def _on_the_hour(hours: Hours, at: datetime) -> datetime:
    """The first full hour on the wall, at or after an instant."""
    shown = local(hours, at)
    past = timedelta(minutes=shown.minute, seconds=shown.second, microseconds=shown.microsecond)
    return at.astimezone(UTC) + (_HOUR - past if past else past)


def _daily(hours: Hours, time_of_day: time, at: datetime) -> datetime:
    """The first open day's time of day, at or after an instant."""
    for span in open_spans(hours, at):
        day = local(hours, span.start).date()
        told = instant(hours, day, time_of_day)
        if at <= told and is_open(hours, told):
            return told
    raise AssertionError("open_spans ends with an error where there is no more")
