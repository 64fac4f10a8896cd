"""Rules in a YAML file: what they say, or all that is wrong with them, at its line and what to do."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import time, timedelta
from typing import NamedTuple, TypeVar, cast, get_args

from msgspec import Struct

from kpis.calendar import Calendar, UnknownTimezoneError
from kpis.definitions.faults import did_you_mean, short
from kpis.public_holidays import countries
from notices.hours import Hours, Quiet
from notices.rules import (
    SEVERITIES,
    Daily,
    Digest,
    Escalation,
    Hourly,
    Immediately,
    Language,
    Route,
    Rules,
)
from schemas.goals import AlertKind
from schemas.places import Finding, Items, Node, Spot, Table, UnreadableError, Value, read_yaml

MAX_BYTES = 256 * 1024
MAX_ROUTES = 1_000
MAX_HOURS = 200
"""Of open time before a slip is escalated: a month."""

KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
LANGUAGES: tuple[Language, ...] = get_args(Language)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KEYS = (
    *("to", "language", "scopes", "kinds", "severity"),
    *("quiet", "working_days", "country", "digest", "escalate"),
)
"""Of a route; those from `language` on, but for `scopes` and `escalate`, may be said for all of them."""
SHARED = tuple(key for key in KEYS if key not in {"to", "scopes", "escalate"})

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_QUIET = re.compile(rf"({_TIME.pattern})\s*-\s*({_TIME.pattern})")
_DAILY = re.compile(r"daily\s+(?:at\s+)?(\S+)")
_PAGES = re.compile(r"https?://[^\s/?#]+/?")
_SCOPE = re.compile(r"\*|company|(team|seller|customer|owner):.{1,128}")
_AFTER = re.compile(r"(\d+(?:\.\d+)?)\s*(?:h|hours?)?")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Item = TypeVar("Item")


class Read(NamedTuple):
    """What a file says. There are no rules where there are faults."""

    rules: Rules
    faults: list[Finding]


class _Said(Struct, frozen=True):
    """A route's own keys over those that hold for all."""

    table: Table
    shared: Table | None
    timezone: str

    def get(self, key: str) -> Node | None:
        """What is said for a key, here or for all routes."""
        own = self.table.entries.get(key)
        return own if own is not None or self.shared is None else self.shared.entries.get(key)


def read(raw: bytes, timezone: str) -> Read:
    """The rules of a file; where it names no timezone, clocks show the given one."""
    faults: list[Finding] = []
    try:
        node = _yaml(raw, faults)
    except UnreadableError as error:
        return Read(Rules({}), [error.finding])
    rules = _rules(node, timezone, faults)
    # What is said for all routes is wrong once, however many there are.
    faults = sorted(set(faults), key=lambda fault: (fault.line, fault.column))
    return Read(Rules({}) if faults else rules, faults)


def variables_of(to: str) -> list[str]:
    """The variables of the environment that an address names."""
    return _VARIABLE.findall(to)


def filled(to: str, environment: Mapping[str, str]) -> str:
    """An address with its variables filled in, all of which must be there."""
    return _VARIABLE.sub(lambda found: environment[found[1]], to)


def check_addresses(
    raw: bytes, environment: Mapping[str, str], usable: Callable[[str], bool]
) -> list[Finding]:
    """What is wrong with the addresses of rules without other faults, as they are in this environment."""
    faults: list[Finding] = []
    for spot, to in _addresses(_yaml(raw, faults)):
        missing = [name for name in variables_of(to) if not environment.get(name)]
        if missing:
            faults.append(spot.finding(f"{', '.join(missing)} is not set; set it in the environment."))
        elif not usable(filled(to, environment)):
            faults.append(
                spot.finding(
                    "this is no address that Apprise knows; see https://appriseit.com/services for how it"
                    " writes yours."
                )
            )
    return faults


def _yaml(raw: bytes, faults: list[Finding]) -> Node:
    found = read_yaml(raw, "rules", MAX_BYTES, faults)
    return Table(Spot(1, 1, ()), {}, {}) if found is None else found


def _addresses(node: Node) -> Iterable[tuple[Spot, str]]:
    routes = node.entries["routes"] if isinstance(node, Table) else None
    for route in routes.entries.values() if isinstance(routes, Table) else ():
        to = route.entries["to"] if isinstance(route, Table) else None
        for item in to.items if isinstance(to, Items) else (to,):
            if isinstance(item, Value):
                yield item.spot, item.text


def _rules(node: Node, timezone: str, faults: list[Finding]) -> Rules:
    if not isinstance(node, Table):
        faults.append(node.spot.finding("rules are a table with `routes`."))
        return Rules({})
    _keys(node, ("timezone", "pages", "all", "routes"), ("routes",), "a file of rules", faults)
    pages = _pages(node.entries.get("pages"), faults)
    timezone = _timezone(node.entries.get("timezone"), timezone, faults)
    shared = node.entries.get("all")
    if shared is not None and not isinstance(shared, Table):
        faults.append(shared.spot.finding("this is what holds for all routes: write a table."))
        shared = None
    if shared is not None:
        _keys(shared, SHARED, (), "what holds for all routes", faults)
    routes = node.entries.get("routes")
    if routes is None:
        return Rules({})
    if not isinstance(routes, Table) or not routes.entries:
        faults.append(routes.spot.finding("this holds the routes by their names; name at least one."))
        return Rules({})
    if len(routes.entries) > MAX_ROUTES:
        faults.append(
            routes.spot.finding(f"there are {len(routes.entries)}; at most {MAX_ROUTES} will do.")
        )
        return Rules({})
    found: dict[str, Route] = {}
    for name, each in routes.entries.items():
        if not _NAME.fullmatch(name):
            sentence = "a route's name has small letters, digits, - and _; rename it."
            faults.append(routes.keys[name].finding(sentence))
        if isinstance(each, Table):
            found[name] = _route(name, _Said(each, shared, timezone), faults)
        else:
            faults.append(each.spot.finding("a route is a table with `to` and `scopes`."))
    _targets(found, routes, faults)
    return Rules(found, pages)


def _route(name: str, said: _Said, faults: list[Finding]) -> Route:
    _keys(said.table, KEYS, ("to",), "a route", faults)
    quiet = _quiet(said.get("quiet"), faults)
    hours = Hours(
        said.timezone,
        quiet,
        _weekdays(said.get("working_days"), faults),
        _country(said.get("country"), faults),
    )
    return Route(
        name=name,
        to=tuple(_to(node, faults) for node in _each(said.get("to"), "an address", faults)),
        language=_one(said.get("language"), LANGUAGES, "sv", faults),
        scopes=tuple(_scope(node, faults) for node in _each(said.get("scopes"), "a scope", faults)),
        kinds=_kinds(said.get("kinds"), faults),
        severity=_one(said.get("severity"), SEVERITIES, "info", faults),
        hours=hours,
        digest=_digest(said.get("digest"), quiet, faults),
        escalate=_escalation(said.get("escalate"), faults),
    )


def _targets(routes: Mapping[str, Route], table: Table, faults: list[Finding]) -> None:
    """What is escalated goes to another route, and a route that hears of nothing is escalated to."""
    targets = {route.escalate.to for route in routes.values() if route.escalate}
    for name, route in routes.items():
        entries = cast("Table", table.entries[name])
        if route.escalate and route.escalate.to == name:
            sentence = "a route escalates to another one; name that."
            faults.append(entries.entries["escalate"].spot.finding(sentence))
        elif route.escalate and route.escalate.to and route.escalate.to not in table.entries:
            hint = did_you_mean(route.escalate.to, table.entries)
            sentence = f"there is no route `{short(route.escalate.to)}`{hint}"
            faults.append(entries.entries["escalate"].spot.finding(sentence))
        if "scopes" not in entries.entries and name not in targets:
            sentence = "the route hears of nothing: give it `scopes`, or let another one escalate to it."
            faults.append(table.keys[name].finding(sentence))


def _keys(
    table: Table, known: tuple[str, ...], required: tuple[str, ...], what: str, faults: list[Finding]
) -> None:
    for key, spot in table.keys.items():
        if key not in known:
            hint = did_you_mean(key, known)
            listed = f" It has {', '.join(known)}." if hint == "." else ""
            faults.append(spot.finding(f"{what} has no `{short(key)}`{hint}{listed}"))
    faults.extend(
        table.spot.finding(f"{what} needs `{key}`, which is missing.")
        for key in required
        if key not in table.entries
    )


def _each(node: Node | None, what: str, faults: list[Finding]) -> list[Value]:
    """One value, or each of a list."""
    if node is None:
        return []
    nodes = node.items if isinstance(node, Items) else (node,)
    found = [each for each in nodes if isinstance(each, Value) and each.text]
    if len(found) < len(nodes) or not nodes:
        faults.append(node.spot.finding(f"write {what}, or a list of several."))
    return found


def _value(node: Node | None, example: str, faults: list[Finding]) -> Value | None:
    if node is None or isinstance(node, Value):
        return node
    faults.append(node.spot.finding(f"write one value, such as {example}."))
    return None


def _one(node: Node | None, choices: tuple[Item, ...], default: Item, faults: list[Finding]) -> Item:
    value = _value(node, str(default), faults)
    if value is None:
        return default
    for choice in choices:
        if value.text == choice:
            return choice
    listed = ", ".join(map(str, choices))
    faults.append(value.spot.finding(f"`{short(value.text)}` is none of {listed}."))
    return default


def _kinds(node: Node | None, faults: list[Finding]) -> frozenset[AlertKind]:
    if node is None:
        return frozenset(KINDS)
    return frozenset(_one(each, KINDS, KINDS[0], faults) for each in _each(node, "a kind", faults))


def _to(value: Value, faults: list[Finding]) -> str:
    for name in variables_of(value.text):
        if not _VARIABLE_NAME.fullmatch(name):
            sentence = f"`{short(name)}` is no name of a variable; write one such as ${{SLACK_URL}}."
            faults.append(value.spot.finding(sentence))
    return value.text


def _scope(value: Value, faults: list[Finding]) -> str:
    if not _SCOPE.fullmatch(value.text):
        sentence = (
            f"`{short(value.text)}` is no scope; write company, team:north, seller:anna, customer:c-7,"
            " owner:anna (goals that she answers for), team:* and so on, or * for all."
        )
        faults.append(value.spot.finding(sentence))
    return value.text


def _pages(node: Node | None, faults: list[Finding]) -> str | None:
    value = _value(node, "https://malvakt.example.com", faults)
    if value is None:
        return None
    if not _PAGES.fullmatch(value.text):
        sentence = (
            f"`{short(value.text)}` is no address of a server; write one such as https://malvakt.example.com,"
            " with nothing behind it."
        )
        faults.append(value.spot.finding(sentence))
        return None
    return value.text.rstrip("/")


def _timezone(node: Node | None, default: str, faults: list[Finding]) -> str:
    value = _value(node, default, faults)
    if value is None:
        return default
    try:
        Calendar(value.text)
    except UnknownTimezoneError:
        sentence = f"`{short(value.text)}` is no timezone; write one such as Europe/Stockholm."
        faults.append(value.spot.finding(sentence))
        return default
    return value.text


def _quiet(node: Node | None, faults: list[Finding]) -> Quiet | None:
    value = _value(node, "18:00-08:00", faults)
    if value is None or value.text == "none":
        return None
    found = _QUIET.fullmatch(value.text)
    if found is None or found[1] == found[4]:
        sentence = f"`{short(value.text)}` are no quiet hours; write them as 18:00-08:00, or none."
        faults.append(value.spot.finding(sentence))
        return None
    return Quiet(_time(found[1]), _time(found[4]))


def _weekdays(node: Node | None, faults: list[Finding]) -> frozenset[int]:
    if node is None:
        return frozenset(range(7))
    days = [_one(each, WEEKDAYS, WEEKDAYS[0], faults) for each in _each(node, "a weekday", faults)]
    return frozenset(map(WEEKDAYS.index, days)) or frozenset(range(7))


def _country(node: Node | None, faults: list[Finding]) -> str | None:
    value = _value(node, "SE", faults)
    if value is None or value.text == "none":
        return None
    if value.text not in countries():
        sentence = (
            f"`{short(value.text)}` is no country whose holidays are known; write SE, NO, DE and so on."
        )
        faults.append(value.spot.finding(sentence))
        return None
    return value.text


def _digest(node: Node | None, quiet: Quiet | None, faults: list[Finding]) -> Digest:
    value = _value(node, "at once", faults)
    if value is None or value.text == "at once":
        return Immediately()
    if value.text == "hourly":
        return Hourly()
    found = _DAILY.fullmatch(value.text)
    if found is None or not _TIME.fullmatch(found[1]):
        sentence = f"`{short(value.text)}` is no digest; write at once, hourly, or daily at 08:30."
        faults.append(value.spot.finding(sentence))
        return Immediately()
    at = _time(found[1])
    if quiet is not None and _is_quiet(at, quiet):
        faults.append(value.spot.finding("that is in the quiet hours; choose a time outside of them."))
    return Daily(at)


def _escalation(node: Node | None, faults: list[Finding]) -> Escalation | None:
    if node is None:
        return None
    if not isinstance(node, Table):
        faults.append(node.spot.finding("write whom to tell, and when: {after: 4 hours, to: directors}."))
        return None
    _keys(node, ("after", "to"), ("after", "to"), "an escalation", faults)
    after = _value(node.entries.get("after"), "4 hours", faults)
    to = _value(node.entries.get("to"), "directors", faults)
    hours = 0.0
    if after is not None:
        found = _AFTER.fullmatch(after.text)
        hours = float(found[1]) if found else 0.0
        if not 0 < hours <= MAX_HOURS:
            sentence = (
                f"`{short(after.text)}` is no time; write working hours up to {MAX_HOURS}, as 4 hours."
            )
            faults.append(after.spot.finding(sentence))
    return Escalation(timedelta(hours=hours), to.text if to else "")


def _is_quiet(at: time, quiet: Quiet) -> bool:
    if quiet.start < quiet.end:
        return quiet.start <= at < quiet.end
    return at >= quiet.start or at < quiet.end


def _time(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))
