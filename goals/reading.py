"""Goals in a YAML file: read with every fault at once, each at its line, with what to do about it."""

import re
from datetime import date, datetime
from typing import Literal, NamedTuple, cast

from goals.amounts import AmountError, read_target
from goals.checking import Faults, judged
from goals.known import Known
from goals.periods import window_at
from goals.reasons import Reason, reason
from goals.scopes import scope_fault
from kpis.calendar import Calendar, Grain, date_of, day_number
from kpis.definitions.faults import closest, did_you_mean, short
from schemas.goals import Absolute, Acceptance, Better, Goal, Once, Recurring, Relative
from schemas.goals import Grain as GoalGrain
from schemas.places import Finding, Node, Spot, Table, UnreadableError, Value, read_yaml

MAX_BYTES = 1024 * 1024
MAX_GOALS = 10_000
_MAX_ID = 128
_MAX_NAME = 1024

KEYS = (
    "name",
    "scope",
    "kpi",
    "better",
    "target",
    "against",
    "period",
    "every",
    "from",
    "until",
    "owner",
    "accepted",
    "part_of",
)
_GRAINS = ("day", "week", "month", "quarter", "year")
_AGAINST = ("span_before", "last_year")
_BETTER = ("at_least", "at_most")


class Remark(NamedTuple):
    """What is wrong with a file, or worth a second look, and where."""

    line: int
    column: int
    what: str
    """The key that it is about, below its goal's id."""
    said: Reason | str
    """Of what is only in files, such as their form, the sentence."""
    warning: bool = False


class Read(NamedTuple):
    """What a file says. The goals are those that can be used, however many others cannot."""

    goals: list[Goal]
    findings: list[Remark]
    """In the order of the file."""
    places: dict[str, tuple[int, int]]
    """Where each goal stands, by its id."""

    @property
    def faults(self) -> list[Remark]:
        """The findings because of which a goal cannot be used."""
        return [finding for finding in self.findings if not finding.warning]


class Reading(NamedTuple):
    """What is known while goals are read."""

    known: Known
    calendar: Calendar
    now: int
    """In microseconds since the epoch: what is over by now is no goal."""


def read(raw: bytes, given: Reading) -> Read:
    """The goals in a YAML file, and what is to be said of them."""
    findings: list[Finding] = []
    try:
        root = read_yaml(raw, "goals", MAX_BYTES, findings)
    except UnreadableError as error:
        return Read([], [_of_the_form(error.finding)], {})
    read = _File(given, list(map(_of_the_form, findings))).read(root)
    return read._replace(findings=sorted(read.findings, key=_place))


def _of_the_form(finding: Finding) -> Remark:
    """What is said of a goal bears its id first."""
    what = finding.what.removeprefix("goals.")
    return Remark(finding.line, finding.column, what, finding.sentence, finding.warning)


def _place(finding: Remark) -> tuple[int, int]:
    return finding.line, finding.column


class _File:
    """One file: its goals so far, and what was found."""

    def __init__(self, given: Reading, findings: list[Remark]) -> None:
        self._given = given
        self._findings = findings

    def read(self, root: Node | None) -> Read:
        """All goals."""
        example = "\n\n    goals:\n      north-spring:\n        scope: team:north"
        goals: list[Goal] = []
        places: dict[str, tuple[int, int]] = {}
        nothing = Read(goals, self._findings, places)
        if root is None:
            sentence = f"the file is empty; write goals under `goals:`, as in{example}"
            self._findings.append(Remark(1, 1, "", sentence))
            return nothing
        table = self._table(root)
        if table is None:
            return nothing
        for key, spot in table.keys.items():
            if key != "goals":
                self._fault(spot, "", f"a file of goals has no `{short(key)}`, only `goals`.")
        if "goals" not in table.entries:
            self._fault(root.spot, "", f"goals stand under `goals:`, as in{example}")
            return nothing
        each = self._table(table.entries["goals"])
        if each is None:
            return nothing
        if len(each.entries) > MAX_GOALS:
            sentence = f"there are {len(each.entries)} goals; a file has at most {MAX_GOALS}."
            self._fault(root.spot, "", sentence)
            return nothing
        for name, node in each.entries.items():
            places[name] = each.keys[name][:2]
            goal = self._goal(name, each.keys[name], node)
            if goal is not None:
                goals.append(goal)
        return nothing

    def _goal(self, name: str, at: Spot, node: Node) -> Goal | None:
        before = sum(not finding.warning for finding in self._findings)
        # A key of its own that stands there twice was found already.
        before -= any(finding.what.startswith(f"{name}.") for finding in self._findings)
        if not 1 <= len(name) <= _MAX_ID:
            self._fault(at, "", f"a goal's id has 1 to {_MAX_ID} characters; this one has {len(name)}.")
        table = self._table(node)
        if table is None:
            return None
        for key, spot in table.keys.items():
            if key not in KEYS:
                hint = did_you_mean(key, KEYS)
                self._fault(spot, name, f"a goal has no `{short(key)}`{hint}")
        scope, kpi_name = self._text(name, table, "scope"), self._text(name, table, "kpi")
        for key, value, example in (
            ("scope", scope, ("company", "team:north", "seller:anna")),
            ("kpi", kpi_name, ("revenue",)),
            ("target", table.entries.get("target"), ("1 500 000", "+14 %")),
        ):
            if value is None and key not in table.entries:
                self._fault(at, name, reason("missing", key=key, example=example))
        if scope is not None:
            no_scope = scope_fault(scope)
            if no_scope is not None:
                self._fault(table.entries["scope"].spot, f"{name}.scope", no_scope)
        kpi = None if kpi_name is None else self._given.known.kpis.get(kpi_name)
        if kpi_name is not None and kpi is None:
            self._fault(table.entries["kpi"].spot, f"{name}.kpi", unknown_kpi(kpi_name, self._given.known))
        target = self._target(name, table)
        period = self._period(name, at, table)
        better = self._better(name, table)
        accepted = self._accepted(name, table)
        named = self._text(name, table, "name", _MAX_NAME)
        owner, part_of = self._text(name, table, "owner"), self._text(name, table, "part_of")
        faulty = sum(not finding.warning for finding in self._findings) > before
        if faulty or scope is None or kpi is None or target is None or period is None:
            return None
        goal = Goal(
            id=name,
            version=1,
            scope=scope,
            kpi=kpi.name,
            better=better or ("at_most" if kpi.lower_is_better else "at_least"),
            target=target,
            period=period,
            name=named,
            owner=owner,
            accepted=accepted,
            part_of=part_of,
        )
        return goal if self._judge(goal, at, table) else None

    def _judge(self, goal: Goal, at: Spot, table: Table) -> bool:
        """What a goal's parts mean together; whether it can be used."""
        faults = Faults()
        judged(goal, self._given.known, self._given.calendar, self._given.now, faults)
        for fault in faults.found:
            key = next((key for key in fault.keys if key in table.entries), None)
            spot = at if key is None else table.entries[key].spot
            what = goal.id if key is None else f"{goal.id}.{key}"
            self._findings.append(Remark(spot.line, spot.column, what, fault.reason, fault.warning))
        return not any(not fault.warning for fault in faults.found)

    def _target(self, name: str, table: Table) -> Absolute | Relative | None:
        text = self._text(name, table, "target")
        kpi = self._given.known.kpis.get(self._plain(table, "kpi") or "")
        if text is None or kpi is None:
            return None
        at = table.entries["target"].spot
        try:
            written = read_target(text, kpi, self._given.known.currency)
        except AmountError as error:
            self._fault(at, f"{name}.target", error.reason)
            return None
        against = self._choice(name, table, "against", _AGAINST)
        if not written.change:
            if "against" in table.entries:
                self._fault(table.keys["against"], f"{name}.against", reason("against_nothing"))
            return Absolute(value=written.value)
        if "against" not in table.entries:
            self._fault(at, f"{name}.target", reason("change_of_what", written=text))
        if against is None:
            return None
        baseline: Literal["span_before", "last_year"] = (
            "last_year" if against == "last_year" else "span_before"
        )
        return Relative(change=written.value, baseline=baseline)

    def _period(self, name: str, at: Spot, table: Table) -> Once | Recurring | None:
        recurring = [key for key in ("every", "from", "until") if key in table.entries]
        if "period" in table.entries:
            if recurring:
                at = table.keys[recurring[0]]
                self._fault(at, f"{name}.{recurring[0]}", reason("once_or_again"))
                return None
            text = self._text(name, table, "period")
            return None if text is None else self._once(name, table.entries["period"].spot, text)
        if "every" not in table.entries:
            self._fault(at, name, reason("no_time"))
            return None
        grain = self._choice(name, table, "every", _GRAINS)
        if "from" not in table.entries:
            self._fault(at, name, reason("no_from"))
        start, until = self._date(name, table, "from"), self._date(name, table, "until")
        if grain is None or start is None or (until is None and "until" in table.entries):
            return None
        return Recurring(grain=cast("GoalGrain", grain), start=start, until=until)

    def _once(self, name: str, at: Spot, text: str) -> Once | None:
        try:
            return read_period(text)
        except ValueError:
            self._fault(at, f"{name}.period", reason("no_period", written=short(text)))
            return None

    def _better(self, name: str, table: Table) -> Better | None:
        choice = self._choice(name, table, "better", _BETTER)
        return cast("Better | None", choice)

    def _accepted(self, name: str, table: Table) -> Acceptance | None:
        fields = table.entries.get("accepted")
        if fields is None:
            return None
        what = f"{name}.accepted"
        example = "{ by: anna, at: 2026-03-28 }"
        if not isinstance(fields, Table):
            self._fault(fields.spot, what, f"say who accepted it, and when: {example}.")
            return None
        for key, spot in fields.keys.items():
            if key not in {"by", "at"}:
                self._fault(spot, what, f"this has no `{short(key)}`; write {example}.")
        for key in ("by", "at"):
            if key not in fields.entries:
                self._fault(fields.spot, what, f"`{key}` is missing; write {example}.")
        by, text = self._text(what, fields, "by"), self._text(what, fields, "at")
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            sentence = f"`{short(text)}` is no date or time, such as 2026-03-28."
            self._fault(fields.entries["at"].spot, what, sentence)
            return None
        at = self._given.calendar.at(at) if at.tzinfo is None else at
        return None if by is None else Acceptance(by=by, at=at)

    def _date(self, name: str, table: Table, key: str) -> date | None:
        text = self._text(name, table, key)
        if text is None:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._fault(table.entries[key].spot, f"{name}.{key}", reason("no_date", written=short(text)))
            return None

    def _choice(self, name: str, table: Table, key: str, choices: tuple[str, ...]) -> str | None:
        text = self._text(name, table, key)
        if text is None or text in choices:
            return text
        hint = did_you_mean(text, choices)
        listed = f" Write {', '.join(choices[:-1])} or {choices[-1]}." if hint == "." else ""
        self._fault(table.entries[key].spot, f"{name}.{key}", f"there is no `{short(text)}`{hint}{listed}")
        return None

    def _plain(self, table: Table, key: str) -> str | None:
        node = table.entries.get(key)
        return node.text if isinstance(node, Value) else None

    def _text(self, name: str, table: Table, key: str, longest: int = _MAX_ID) -> str | None:
        """A value as it is written."""
        if key not in table.entries:
            return None
        spot, what = table.entries[key].spot, f"{name}.{key}"
        text = self._plain(table, key)
        if text is None:
            self._fault(spot, what, "this is a list or table; write one value.")
            return None
        text = text.strip()
        if not text:
            self._fault(spot, what, "there is nothing here; write a value, or leave the key out.")
            return None
        if len(text) > longest:
            self._fault(spot, what, reason("too_long", characters=len(text), most=longest))
            return None
        return text

    def _table(self, node: Node) -> Table | None:
        """A node that is a table, or else what is wrong with it."""
        if isinstance(node, Table):
            return node
        form = node.spot.finding("this must be a table: lines of `key: value`, set in below it.")
        self._findings.append(_of_the_form(form))
        return None

    def _fault(self, spot: Spot, what: str, said: Reason | str) -> None:
        self._findings.append(Remark(spot.line, spot.column, what, said))


def read_period(text: str) -> Once:
    """A period as people write it, in English or Swedish.

    Raises:
        ValueError: it is none.
    """
    between = re.fullmatch(r"\s*(\S+)\s+(?:to|till)\s+(\S+)\s*", text)
    if between is not None:
        return Once(start=date.fromisoformat(between[1]), end=date.fromisoformat(between[2]))
    found = re.fullmatch(r"([0-9]{4})(?:-(Q[1-4]|W[0-9]{2}|[0-9]{2}))?", text)
    if found is None:
        day = date.fromisoformat(text)
        return Once(start=day, end=day)
    year, part = int(found[1]), found[2]
    if part is None:
        return _window(Grain.YEAR, date(year, 1, 1))
    if part.startswith("Q"):
        return _window(Grain.QUARTER, date(year, int(part[1]) * 3 - 2, 1))
    if part.startswith("W"):
        return _window(Grain.WEEK, date.fromisocalendar(year, int(part[1:]), 1))
    return _window(Grain.MONTH, date(year, int(part), 1))


def unknown_kpi(name: str, known: Known) -> Reason:
    """Why there can be no goal for a KPI that is none."""
    if name in known.units:
        return reason("measure_no_kpi", written=short(name))
    close = closest(name, known.kpis)
    if close is None:
        return reason("no_kpi", written=short(name))
    return reason("no_kpi_but", written=short(name), meant=close)


def _window(grain: Grain, day: date) -> Once:
    span = window_at(grain, day_number(day))
    return Once(start=date_of(span.first), end=date_of(span.last))
