"""Alerts as a list of what goes on, and a word that somebody sees to one."""

import asyncio
from typing import Annotated, Any

from litestar import Request, Router, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from notices.hours import Hours
from notices.rules import Language
from notices.texts import told
from schemas.goals import Alert, AlertKind, decode_alert, decode_goal
from schemas.notices import Ack, decode_ack
from wall.accounts.door import guard
from wall.managing.desk import UnwrittenError
from wall.managing.place import Place
from wall.refusing import refuse
from wall.vocabulary import meaning_in

LOOKED_THROUGH = 2_000
"""Among how many of the latest alerts those that are open are looked for."""
SHOWN = 60
"""How many of the others are shown, besides those."""
MAX_OPEN = 100
"""And of those that are open: each is put in words."""

Asked = Request[Any, Any, Any]

ASKING: frozenset[AlertKind] = frozenset({"at_risk", "slipped", "missed", "corrected"})
"""Kinds that somebody should see to; the others are good news."""


class Shown(Struct, frozen=True, kw_only=True):
    """An alert, as the page shows it."""

    alert: Alert
    open: bool
    """Whether it asks for somebody: nobody acknowledged it, and no later alert of its period followed."""
    acknowledged: Ack | None
    title: str
    """What happened to whose goal for which period, as messages are called."""
    says: list[str]
    """How it stands and what it takes, in sentences."""


class Listed(Struct, frozen=True):
    """The alerts, those that are open first, each part the latest first."""

    alerts: list[Shown]
    open: int
    more: bool
    """Whether there are others that are not shown."""


class Acknowledged(Struct, frozen=True, forbid_unknown_fields=True):
    """The alert that somebody sees to."""

    alert: Annotated[str, Meta(max_length=1_024)]


def routes(place: Place) -> Router:
    """All of them."""
    view, door, desk = place.view, place.door, place.desk

    @get("/alerts", sync_to_thread=True)
    def alerts(language: Annotated[Language, QueryParameter(name="lang")] = "sv") -> Listed:
        """What goes on, in words."""
        return listed(place, language)

    @post("/acks", status_code=200)
    async def acknowledge(request: Asked, data: JSONBody[Acknowledged]) -> Ack:
        """Say that one sees to an alert; whoever said so first does."""
        held = await asyncio.to_thread(view.entry, "alert", data.alert)
        if held is None:
            refuse(404, "alert", "There is no such alert.")
        first = await asyncio.to_thread(view.entry, "ack", data.alert)
        if first is not None:
            return decode_ack(first)
        ack = Ack(data.alert, door.signed_in(request).account.name, place.now())
        try:
            await desk.acknowledge(ack)
        except UnwrittenError:
            refuse(503, "kafka", "Kafka does not answer, so nothing was noted. Try again.")
        return ack

    return Router("/api/manage", route_handlers=[alerts, acknowledge], guards=[guard(door.manages)])


def listed(place: Place, language: Language) -> Listed:
    """The latest alerts, in a language."""
    view, meaning = place.view, meaning_in(place.view, place.currency)
    hours = Hours(place.timezone)
    there = set(map(_id_of, view.of_kind("goal")))
    asking: list[tuple[Alert, Ack | None]] = []
    others: list[tuple[Alert, Ack | None]] = []
    followed: set[str] = set()
    for body, acked in view.alerts(LOOKED_THROUGH):
        alert, ack = decode_alert(body), None if acked is None else decode_ack(acked)
        asks = alert.kind in ASKING and ack is None and alert.status.goal in there
        (asking if asks and alert.status.key not in followed else others).append((alert, ack))
        followed.add(alert.status.key)

    def shown(alert: Alert, ack: Ack | None, *, is_open: bool) -> Shown:
        words = told(alert, hours, meaning, language)
        says = words.body.splitlines()
        return Shown(alert=alert, open=is_open, acknowledged=ack, title=words.title, says=says)

    return Listed(
        [
            *(shown(*each, is_open=True) for each in asking[:MAX_OPEN]),
            *(shown(*each, is_open=False) for each in others[:SHOWN]),
        ],
        len(asking),
        len(asking) > MAX_OPEN or len(others) > SHOWN,
    )


def _id_of(goal: bytes) -> str:
    return decode_goal(goal).id
