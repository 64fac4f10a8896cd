"""Goals as people set them: listed, set, accepted, divided and retired, each with what became of it."""

import asyncio
from typing import Annotated, Any

from litestar import Request, Router, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from goals.figures import shown
from goals.history import GoalHistory, acceptances, changes, retirements
from goals.records import GoalError
from goals.splitting import difference, parts_of
from goals.writing import target_text
from notices.rules import Language
from schemas.events import Id
from schemas.goals import (
    Absolute,
    Goal,
    GoalStatus,
    GoalVersion,
    decode_goal,
    decode_status,
    decode_version,
)
from schemas.records import Figure
from streams.goal_setting import ChangedMeanwhileError
from wall.accounts.door import guard
from wall.entries import holding
from wall.managing.desk import MakeVersions, UnwrittenError
from wall.managing.drafts import Checked, Divided, Division, Draft, checked, divided, in_language, known_at
from wall.managing.place import Place
from wall.refusing import refuse

Asked = Request[Any, Any, Any]
LANGUAGE = QueryParameter(name="lang")


class Listed(Struct, frozen=True, kw_only=True):
    """A goal, as the page lists it."""

    goal: Goal
    target: str
    """As somebody would write it."""
    version: int
    """The last in its history."""
    status: GoalStatus | None
    """Where it stands in the period that today is in."""
    parts: int
    beyond: Figure
    """How much its parts ask for beyond it, below zero where less; none where they add up to it."""
    divides: bool
    """Whether it can be divided over others."""


class Named(Struct, frozen=True, forbid_unknown_fields=True):
    """A goal, and the version of it that was looked at."""

    id: Id
    version: int


def routes(place: Place) -> Router:
    """All of them."""
    return Router(
        "/api/manage/goals",
        route_handlers=[*_looking(place), *_changing(place)],
        guards=[guard(place.door.manages)],
    )


def _looking(place: Place) -> list[ControllerRouterHandler]:
    @get("/", sync_to_thread=True)
    def goals() -> list[Listed]:
        """All goals that hold, drafts too."""
        return listed(place)

    @get("/history", sync_to_thread=True)
    def history(name: Annotated[str, QueryParameter(name="id")]) -> list[GoalVersion]:
        """What became of a goal, the first version first."""
        return sorted(map(decode_version, place.view.versions(name)), key=lambda one: one.version)

    @post("/check", sync_to_thread=True, status_code=200)
    def check(data: JSONBody[Draft], language: Annotated[Language, LANGUAGE] = "sv") -> Checked:
        """What is to be said of a goal that somebody writes; nothing is changed."""
        return checked(place, data, language)

    @post("/division", sync_to_thread=True, status_code=200)
    def division(data: JSONBody[Division], language: Annotated[Language, LANGUAGE] = "sv") -> Divided:
        """A goal's parts as they would be; nothing is changed."""
        return Divided(divided(place, data, language))

    return [goals, history, check, division]


def _changing(place: Place) -> list[ControllerRouterHandler]:
    door = place.door

    @post("/", status_code=200)
    async def put(
        request: Asked, data: JSONBody[Draft], language: Annotated[Language, LANGUAGE] = "sv"
    ) -> Checked:
        """Set a goal; one with faults is not set, and they are told."""
        by, at = door.signed_in(request).account.name, place.now()
        found = await asyncio.to_thread(checked, place, data, language)
        goal = found.goal
        if goal is not None:
            wanted = Named(goal.id, data.version)
            await _change(
                place, lambda history: changes([goal], _as_seen([wanted], history), by, at), language
            )
        return found

    @post("/accept", status_code=200)
    async def accept(request: Asked, data: JSONBody[list[Named]]) -> None:
        """Accept goals: they hold from now on, and people hear of them."""
        by, at, names = door.signed_in(request).account.name, place.now(), [one.id for one in data]
        await _change(place, lambda history: acceptances(names, _as_seen(data, history), by, at))

    @post("/retire", status_code=200)
    async def retire(request: Asked, data: JSONBody[list[Named]]) -> None:
        """Retire goals; what became of them stays in their history."""
        by, at, names = door.signed_in(request).account.name, place.now(), [one.id for one in data]
        await _change(place, lambda history: retirements(names, _as_seen(data, history), by, at))

    @post("/divide", status_code=200)
    async def divide(
        request: Asked, data: JSONBody[Division], language: Annotated[Language, LANGUAGE] = "sv"
    ) -> Divided:
        """Set a goal's parts, as drafts."""
        by, at = door.signed_in(request).account.name, place.now()
        parts = await asyncio.to_thread(divided, place, data, language)
        await _change(place, lambda history: changes(parts, history, by, at), language)
        return Divided(parts)

    return [put, accept, retire, divide]


async def _change(place: Place, make: MakeVersions, language: Language = "sv") -> None:
    try:
        await place.desk.change_goals(make)
    except GoalError as error:
        refuse(409, "goal", in_language(place, language)(error.said))
    except ChangedMeanwhileError as error:
        refuse(409, "clash", str(error))
    except UnwrittenError:
        refuse(503, "kafka", "Kafka does not answer, so nothing is changed. Try again.")


def _as_seen(named: list[Named], history: GoalHistory) -> GoalHistory:
    """The history, unless a goal has changed since somebody looked at it; a new one is version 0."""
    latest = history.latest()
    others = [
        last for one in named for last in [latest.get(one.id)] if last and last.version != one.version
    ]
    if others:
        raise ChangedMeanwhileError(others)
    return history


def listed(place: Place) -> list[Listed]:
    """All goals that hold."""
    known, today = known_at(place), place.now().date()
    held = {goal.id: goal for goal in map(decode_goal, place.view.of_kind("goal"))}
    parts = parts_of(held.values())
    statuses = map(decode_status, holding(today, place.view.of_kind("status")))
    now = {status.goal: status for status in statuses}
    found: list[Listed] = []
    for goal in held.values():
        kpi = known.kpis.get(goal.kpi)
        alike = [part for part in parts.get(goal.id, []) if part.period == goal.period]
        beyond = difference(goal, alike) if alike else None
        found.append(
            Listed(
                goal=goal,
                target=target_text(goal, known),
                version=goal.version,
                status=now.get(goal.id),
                parts=len(alike),
                beyond=shown(beyond, kpi.unit, known.digits) if kpi and beyond else None,
                divides=kpi is not None and kpi.additive and _is_whole(goal),
            )
        )
    return found


def _is_whole(goal: Goal) -> bool:
    """Whether it is of several people, and so much for all of them."""
    return isinstance(goal.target, Absolute) and goal.scope.partition(":")[0] in {"company", "team"}
