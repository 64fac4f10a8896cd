"""Texts of messages: what, how much, by when, and what it takes to get there. Plain, with a short title."""

import shlex
from decimal import Decimal, localcontext

from msgspec import Struct

from notices.figures import (
    Meaning,
    day,
    decimal,
    in_words,
    moment,
    period,
    to_read,
    to_take,
    weekday,
    written,
)
from notices.hours import Hours, local
from notices.phrases import PHRASES, Phrases
from notices.planning import Message, Story
from notices.rules import Language, Route
from schemas.goals import Alert, AlertKind, GoalStatus
from schemas.records import Figure

MAX_DIGITS = 2_000
"""A quotient of floats has no more; a text that cannot be written would hold up all that come after it."""
_OPEN: frozenset[AlertKind] = frozenset({"at_risk", "slipped", "recovered"})
"""Alerts of periods in which something can still be done."""


class Written(Struct, frozen=True):
    """A message in words."""

    title: str
    body: str


def text_of(message: Message, route: Route, meaning: Meaning, pages: str | None = None) -> Written:
    """A message as a route's people read it, with where they see to it: on `pages`, else by a command."""
    with localcontext(prec=MAX_DIGITS):
        return _text(message, route, meaning, pages)


def told(alert: Alert, hours: Hours, meaning: Meaning, language: Language) -> Written:
    """An alert by itself, on the clock of some hours, as a page tells of it."""
    phrases = PHRASES[language]
    with localcontext(prec=MAX_DIGITS):
        title = phrases.title[alert.kind].format(what=_what(alert, hours, meaning, phrases))
        return Written(title, "\n".join(_lines(alert, hours, meaning, phrases)))


def _text(message: Message, route: Route, meaning: Meaning, pages: str | None) -> Written:
    phrases = PHRASES[route.language]
    parts: list[Written] = []
    slipped = False
    for story in message.stories:
        part = _story(story, message, route, meaning, phrases)
        if story[-1].kind == "slipped":
            slipped = True
            if pages is None:
                command = phrases.acknowledge.format(id=shlex.quote(story[-1].id))
                part = Written(part.title, f"{part.body}\n{command}")
        parts.append(part)
    # One page has them all.
    end = phrases.see_to_it.format(pages=pages) if slipped and pages is not None else ""
    if len(parts) == 1:
        return Written(parts[0].title, parts[0].body + (end and f"\n{end}"))
    title = phrases.digest.format(count=in_words(len(parts), phrases))
    body = "\n\n".join(f"{part.title}\n{part.body}" for part in parts)
    return Written(title, body + (end and f"\n\n{end}"))


def _story(story: Story, message: Message, route: Route, meaning: Meaning, phrases: Phrases) -> Written:
    last = story[-1]
    hours = route.hours
    what = _what(last, hours, meaning, phrases)
    title = phrases.title[last.kind].format(what=what)
    lines = _lines(last, hours, meaning, phrases)
    seen_from = local(hours, last.at)
    if len(story) > 1:
        course = ", ".join(
            phrases.course[alert.kind].format(at=moment(local(hours, alert.at), seen_from, phrases))
            for alert in story
        )
        lines.append(phrases.course_was.format(course=course))
    if message.stage == "escalated":
        title = phrases.unacknowledged_title.format(what=what)
        since = {"day": weekday(seen_from.date(), phrases), "time": f"{seen_from:%H:%M}"}
        lines.insert(0, phrases.unacknowledged.format(**since))
    return Written(title, "\n".join(lines))


def _what(alert: Alert, hours: Hours, meaning: Meaning, phrases: Phrases) -> str:
    """What an alert is about: its goal's name, or else its KPI; whose, and when."""
    status = alert.status
    named = alert.name or meaning.name(status.kpi, phrases)
    return f"{_who(status.scope, meaning, phrases)}, {named} {_period(alert, hours, phrases)}"


def _lines(alert: Alert, hours: Hours, meaning: Meaning, phrases: Phrases) -> list[str]:
    """How it stands, and what there is to do."""
    status = alert.status
    result = _result(alert, hours, meaning, phrases)
    match alert.kind:
        case "at_risk" | "slipped" | "recovered":
            return [result, *_needs(status, meaning, phrases), *_forecast(status, meaning, phrases)]
        case "achieved":
            return [result]
        case "missed":
            return [result, *_missing(status, meaning, phrases)]
        case "corrected":
            return [phrases.corrected, result, phrases.standing[status.standing]]


def _result(alert: Alert, hours: Hours, meaning: Meaning, phrases: Phrases) -> str:
    """So much of so much in March, three working days left."""
    status = alert.status
    if _is_limit(status, meaning):
        pattern = phrases.at_most
    else:
        pattern = phrases.of_target if meaning.accumulates(status.kpi) else phrases.at_least
    said = pattern.format(
        value=_figure(status.value, status, meaning, phrases),
        target=_figure(status.target, status, meaning, phrases),
        period=_period(alert, hours, phrases),
    )
    who = f"{_who(status.scope, meaning, phrases)}, {meaning.name(status.kpi, phrases)}"
    left = "".join(f", {part}" for part in _left(alert, hours, phrases)) if alert.kind in _OPEN else ""
    return f"{who}: {said}{left}."


def _left(alert: Alert, hours: Hours, phrases: Phrases) -> list[str]:
    """By when."""
    status = alert.status
    until = phrases.until.format(date=day(status.end, local(hours, alert.at).date(), phrases))
    days = _days_left(status)
    if days is None:
        return [until]
    if days < 1:
        return [phrases.last_day]
    count = round(days)
    left = phrases.one_left if count == 1 else phrases.many_left
    return [left.format(count=in_words(count, phrases)), until]


def _needs(status: GoalStatus, meaning: Meaning, phrases: Phrases) -> list[str]:
    need = decimal(status.per_working_day)
    lines: list[str] = []
    counts = meaning.accumulates(status.kpi) and not _is_limit(status, meaning)
    if need is not None and need > 0 and counts:
        unit = meaning.unit(status.kpi)
        mean = _mean(status)
        pattern = phrases.need if mean is None else phrases.need_and_mean
        lines.append(
            pattern.format(
                need=written(to_take(need, unit, meaning.currency), unit, meaning.currency, phrases),
                mean=""
                if mean is None
                else written(to_read(mean, up=False), unit, meaning.currency, phrases),
            )
        )
    if status.leads_needed:
        leads = to_read(Decimal(str(status.leads_needed)), up=True).to_integral_value("ROUND_CEILING")
        lines.append(phrases.leads.format(count=written(leads, "count", meaning.currency, phrases)))
    return lines


def _forecast(status: GoalStatus, meaning: Meaning, phrases: Phrases) -> list[str]:
    lines: list[str] = []
    if status.forecast is not None and status.low is not None and status.high is not None:
        lines.append(
            phrases.forecast.format(
                forecast=_read(status.forecast, status, meaning, phrases),
                low=_read(status.low, status, meaning, phrases),
                high=_read(status.high, status, meaning, phrases),
            )
        )
    if status.probability is not None:
        chance = Decimal(str(status.probability)).quantize(Decimal("0.01"))
        lines.append(phrases.chance.format(chance=written(chance, "ratio", meaning.currency, phrases)))
    return lines


def _missing(status: GoalStatus, meaning: Meaning, phrases: Phrases) -> list[str]:
    value, target = decimal(status.value), decimal(status.target)
    if value is None or target is None:
        return []
    pattern = phrases.over_by if _is_limit(status, meaning) else phrases.short_by
    amount = written(abs(target - value), meaning.unit(status.kpi), meaning.currency, phrases)
    return [_capital(pattern.format(amount=amount))]


def _is_limit(status: GoalStatus, meaning: Meaning) -> bool:
    """Whether the goal is not to exceed its target, whichever way is usually better for its KPI."""
    if status.better is None:
        return meaning.lower_is_better(status.kpi)
    return status.better == "at_most"


def _days_left(status: GoalStatus) -> Decimal | None:
    """How many working days are left, as far as a status tells."""
    remaining, need = decimal(status.remaining), decimal(status.per_working_day)
    if remaining is None or not need or remaining <= 0:
        return None
    return remaining / need


def _mean(status: GoalStatus) -> Decimal | None:
    """What there was for each working day so far."""
    value, left = decimal(status.value), _days_left(status)
    if value is None or left is None or not status.pace or status.pace >= 1:
        return None
    pace = Decimal(str(status.pace))
    return value * (1 - pace) / (pace * left)


def _figure(figure: Figure, status: GoalStatus, meaning: Meaning, phrases: Phrases) -> str:
    return written(decimal(figure), meaning.unit(status.kpi), meaning.currency, phrases)


def _read(figure: Figure, status: GoalStatus, meaning: Meaning, phrases: Phrases) -> str:
    """A figure that is not exact, and so is not told as if it were."""
    value = decimal(figure)
    read = None if value is None else to_read(value, up=False)
    return written(read, meaning.unit(status.kpi), meaning.currency, phrases)


def _who(scope: str, meaning: Meaning, phrases: Phrases) -> str:
    kind, _, name = scope.partition(":")
    name = meaning.people.get(scope, name)
    match kind:
        case "team":
            # Of teams only ids are known, which here begin a sentence or follow a noun.
            return phrases.team.format(name=_capital(name))
        case "seller":
            return phrases.seller.format(name=name)
        case "customer":
            return phrases.customer.format(name=name)
        case _:
            return phrases.company


def _period(alert: Alert, hours: Hours, phrases: Phrases) -> str:
    today = local(hours, alert.at).date()
    return period(alert.status.start, alert.status.end, today, phrases)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
