"""Goals while somebody writes them: read and checked as in a file, compared with history, and divided."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from goals.known import Known, known_kpis
from goals.periods import first_period
from goals.reading import Reading, read
from goals.realism import unrealistic
from goals.reasons import Reason
from goals.splitting import Part, SplitError, last_years, split
from kpis.calendar import Calendar, micros_of
from notices.phrases import PHRASES
from notices.reasons import sentence
from notices.rules import Language
from schemas.events import Id, Text
from schemas.goals import Goal, decode_goal
from schemas.records import KpiRecord, decode_record
from wall.managing.place import Place
from wall.refusing import refuse
from wall.view import View
from wall.vocabulary import definitions_of, meaning_in

MAX_PARTS = 1_000
MAX_SLUG = 80
"""Of an id that is made up, so that its parts' can be longer."""

Line = Annotated[str, Meta(max_length=1_024)]


class Draft(Struct, forbid_unknown_fields=True, kw_only=True):
    """A goal as somebody writes it, key by key as in a file (docs/goals.md); what is empty is left out."""

    id: Annotated[str, Meta(max_length=128)] = ""
    """Of a goal that there is; a new one gets one."""
    version: int = 0
    """The version that was looked at while this was written."""
    name: Line = ""
    scope: Line = ""
    kpi: Line = ""
    better: Line = ""
    target: Line = ""
    against: Line = ""
    period: Line = ""
    every: Line = ""
    from_: Line = msgspec.field(default="", name="from")
    until: Line = ""
    owner: Line = ""


class Remark(Struct, frozen=True):
    """What is wrong with a goal, or worth a second look."""

    key: str
    """Which of the draft's keys it is about; empty for the whole."""
    sentence: str
    warning: bool


class Checked(Struct, frozen=True):
    """What is to be said of a draft, and the goal that it would be."""

    goal: Goal | None
    remarks: list[Remark]


class Share(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to reach a part of a goal."""

    scope: Text
    weight: Annotated[int, Meta(ge=0, le=1_000_000)] = 1


class Division(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a goal is to be divided."""

    id: Id
    how: Literal["evenly", "weights", "last_year"]
    over: Annotated[list[Share], Meta(max_length=MAX_PARTS)]


class Divided(Struct, frozen=True):
    """A goal's parts, which add up to it."""

    parts: list[Goal]


class Held(Mapping[str, KpiRecord]):
    """KPI records by their keys, as the view has them."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __getitem__(self, key: str) -> KpiRecord:
        body = self._view.entry("record", key)
        if body is None:
            raise KeyError(key)
        return decode_record(body)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def checked(place: Place, draft: Draft, language: Language) -> Checked:
    """A draft, read as a file with this one goal would be, and compared with what there was."""
    say = in_language(place, language)
    known = known_at(place)
    name = draft.id or _slug(place.view, draft)
    calendar = Calendar(place.timezone)
    now = micros_of(place.now())
    table = {
        key: value.strip()
        for key, value in msgspec.to_builtins(draft).items()
        if key not in {"id", "version"} and value.strip()
    }
    found = read(yaml.safe_dump({"goals": {name: table}}).encode(), Reading(known, calendar, now))
    remarks = [
        Remark(one.what.removeprefix(name).removeprefix("."), say(one.said), one.warning)
        for one in found.findings
    ]
    if not found.goals:
        return Checked(None, remarks)
    [goal] = found.goals
    before = place.view.entry("goal", name)
    if before is not None:
        # What it is a part of is nothing that is written here.
        goal = msgspec.structs.replace(goal, part_of=decode_goal(before).part_of)
    doubts = unrealistic(goal, known, Held(place.view), calendar.day(now))
    return Checked(goal, [*remarks, *(Remark("target", say(doubt), True) for doubt in doubts)])


def in_language(place: Place, language: Language) -> Callable[[Reason | str], str]:
    """How reasons are told on a page."""
    meaning, phrases = meaning_in(place.view, place.currency), PHRASES[language]
    return lambda reason: sentence(reason, language, lambda kpi: meaning.name(kpi, phrases))


def divided(place: Place, asked: Division, language: Language) -> list[Goal]:
    """A goal's parts."""
    known = known_at(place)
    body = place.view.entry("goal", asked.id)
    if body is None:
        refuse(404, "gone", f"There is no goal {asked.id}.")
    goal = decode_goal(body)
    scopes = [share.scope for share in asked.over]
    try:
        match asked.how:
            case "evenly":
                parts = [Part(scope, 1) for scope in scopes]
            case "weights":
                parts = [Part(share.scope, share.weight) for share in asked.over]
            case "last_year":
                parts = last_years(goal, first_period(goal.period), scopes, known, Held(place.view))
        return split(goal, parts, known)
    except SplitError as error:
        refuse(400, "goal", in_language(place, language)(error.said))


def known_at(place: Place) -> Known:
    """What goals can be set for."""
    return known_kpis(place.currency, definitions_of(place.view))


def _slug(view: View, draft: Draft) -> str:
    """An id that says what it is about, and that no goal has or had."""
    whose = draft.scope.partition(":")[2] or draft.scope or "goal"
    when = draft.period or draft.every or "always"
    base = "-".join(f"{whose} {draft.kpi} {when}".replace("|", " ").split())[:MAX_SLUG]
    name, number = base, 1
    while view.versions(name):
        number += 1
        name = f"{base}-{number}"
    return name
