"""The wall's API, read only, and the page: what a screen asks, and what is pushed to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.config.compression import CompressionConfig
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions.responses import (
    create_exception_response,  # pyright: ignore[reportUnknownVariableType]
)
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from litestar.static_files import create_static_files_router  # pyright: ignore[reportUnknownVariableType]
from litestar.types import Message
from litestar.types import Scope as ASGIScope
from msgspec import Struct

from kpis.calendar import Grain
from schemas.records import Figure, decode_record
from wall.accounts.discretion import NAMED, discreet_bodies, discreet_moment
from wall.accounts.door import Door, guard
from wall.accounts.routes import routes
from wall.database import AwayError
from wall.entries import decode_member, decode_named, holding
from wall.freshness import Heartbeat
from wall.hub import Hub, position_of
from wall.managing import managed
from wall.managing.desk import Desk
from wall.managing.place import Place
from wall.refusing import refusal
from wall.view import View
from wall.vocabulary import kpis_in

STATIC = Path(__file__).parent / "static"
MAX_MOMENTS = 100
JSON = "application/json"

SCOPE = QueryParameter(name="scope")
FIRST, LAST = QueryParameter(name="from"), QueryParameter(name="to")

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


Asked = Request[Any, Any, Any]
Background = Callable[[], Coroutine[Any, Any, None]]


class Scope(Struct, frozen=True, kw_only=True):
    """Something there are figures of."""

    scope: str
    name: str
    team: str | None = None
    """Of a seller: the team they are in now."""


class Point(Struct, frozen=True):
    """A figure of one window."""

    start: date
    value: Figure


def build_app(
    view: View,
    hub: Hub,
    heartbeat: Callable[[], Heartbeat],
    background: Background | None = None,
    door: Door | None = None,
    desk: Desk | None = None,
) -> Litestar:
    """The web application; what runs in the background keeps the view current.

    Without a door it is open: whoever reaches it reads everything, and there is nothing to sign in to. The
    desk is what people who are signed in write with.
    """

    @get("/api/now", sync_to_thread=False)
    def now() -> Heartbeat:
        """What time it is to the pipeline, and how fresh the figures are."""
        return heartbeat()

    @get("/api/records", sync_to_thread=True)
    def records(
        request: Asked,
        of: Annotated[str | None, SCOPE] = None,
        grain: FromQuery[Grain | None] = None,
        first: Annotated[date | None, FIRST] = None,
        last: Annotated[date | None, LAST] = None,
    ) -> Response[bytes]:
        """KPI records: of a scope or a kind (`team:`), a grain, and starts from one date to another."""
        # The position first: what changes in between is then told again, and nothing is missed.
        position = hub.position
        found = view.records(of, grain, _iso(first), _iso(last))
        return _listing(position, "records", _seen(request, found))

    @get("/api/series", sync_to_thread=True)
    def series(
        request: Asked,
        of: Annotated[str, SCOPE],
        kpi: FromQuery[str],
        grain: FromQuery[Grain],
        first: Annotated[date, FIRST],
        last: Annotated[date, LAST],
    ) -> Response[bytes]:
        """How a KPI, or else a measure, of a scope developed: a point for each window that has a record."""
        position = hub.position
        bodies = _seen(request, view.records(of, grain, _iso(first), _iso(last)))
        found = [decode_record(body) for body in bodies]
        points = [
            Point(record.start, record.kpis[kpi] if kpi in record.kpis else record.measures.get(kpi))
            for record in found
        ]
        return _listing(position, "points", map(msgspec.json.encode, points))

    @get("/api/scopes", sync_to_thread=True)
    def scopes(request: Asked) -> Response[bytes]:
        """The company, its teams and the sellers in them, with what they are called."""
        position = hub.position
        return _listing(position, "scopes", _seen(request, map(msgspec.json.encode, _scopes(view))))

    @get("/api/kpis", sync_to_thread=True)
    def kpis() -> Response[bytes]:
        """What KPIs are called and how they are written, an organisation's own too."""
        position = hub.position
        return _listing(position, "kpis", map(msgspec.json.encode, kpis_in(view, heartbeat().currency)))

    @get("/api/feed", sync_to_thread=True)
    def feed(
        request: Asked, limit: Annotated[int, QueryParameter(ge=1, le=MAX_MOMENTS)] = 10
    ) -> Response[bytes]:
        """The deals won last, the latest first."""
        position = hub.position
        moments = islice(view.latest("moment"), limit)
        return _listing(position, "moments", moments if _named(request) else map(discreet_moment, moments))

    @get("/api/stream", sync_to_thread=False)
    def stream(request: Asked, since: FromQuery[str | None] = None) -> Stream:
        """All that changes after a position, as Server-Sent Events; a browser says which."""
        # What the browser has seen since is later than what the page began with.
        known = request.headers.get("last-event-id") or since
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        position = None if known is None else position_of(known)
        events = hub.stream(position)
        watched = events if door is None else door.watched(request, events)
        return Stream(watched, media_type="text/event-stream", headers=headers)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        task = None if background is None else asyncio.create_task(background())
        yield
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    managing = (
        []
        if door is None
        else [*routes(door), *(managed(Place(view, door, desk, heartbeat)) if desk else [])]
    )
    page = create_static_files_router("/", [STATIC], html_mode=True)
    reading = Router(
        "/",
        route_handlers=[now, records, series, scopes, kpis, feed, *_of_goals(view, hub), stream],
        guards=None if door is None else [guard(door.reads)],
    )
    return Litestar(
        [reading, *managing, page],
        lifespan=[lifespan],
        before_send=[_with_headers],
        exception_handlers={AwayError: _away},
        openapi_config=None,
        compression_config=CompressionConfig("gzip", exclude="/api/((tv/)?stream|manage/behind$)"),
        logging_config=None,
    )


def _of_goals(view: View, hub: Hub) -> list[HTTPRouteHandler]:
    """What is asked of goals, where they stand and what happened to them."""

    @get("/api/alerts", sync_to_thread=True)
    def alerts(
        request: Asked, limit: Annotated[int, QueryParameter(ge=1, le=MAX_MOMENTS)] = 10
    ) -> Response[bytes]:
        """What happened to goals last, the latest first."""
        position = hub.position
        told = islice(_seen(request, view.latest("alert")), limit)
        return _listing(position, "alerts", told)

    @get("/api/goals", sync_to_thread=True)
    def goals(request: Asked) -> Response[bytes]:
        """The goals themselves."""
        position = hub.position
        return _listing(position, "goals", _seen(request, view.of_kind("goal")))

    @get("/api/statuses", sync_to_thread=True)
    def statuses(request: Asked, on: FromQuery[date | None] = None) -> Response[bytes]:
        """Where each goal stands, in each of its periods, or in those that hold a day."""
        position = hub.position
        found = view.of_kind("status") if on is None else holding(on, view.of_kind("status"))
        return _listing(position, "statuses", _seen(request, found))

    return [alerts, goals, statuses]


async def _with_headers(message: Message, _: ASGIScope) -> None:
    """On every answer, files included."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            # A stream says by itself that nobody may keep it.
            if name not in headers:
                headers[name] = value


def _away(request: Asked, _: AwayError) -> Response[Any]:
    """What it said is for who runs the server, and in its log."""
    answer = refusal(503, "away", "The view's database does not answer. Try again in a moment.")
    return create_exception_response(request, answer)  # pyright: ignore[reportUnknownVariableType]


def _named(request: Asked) -> bool:
    """Whether sellers may be told apart; always, where nobody stands at the door."""
    return bool(request.state.get(NAMED, True))


def _seen(request: Asked, bodies: Iterable[bytes]) -> Iterable[bytes]:
    """What whoever asks may see of these. Nobody but the view knows for certain what a query brings: every
    route that reads records, goals or what became of them looks here, whatever the door looked at."""
    return bodies if _named(request) else discreet_bodies(bodies)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _listing(position: object, name: str, bodies: Iterable[bytes]) -> Response[bytes]:
    """An answer that says up to where in the log it holds, put together from what is encoded already."""
    content = b'{"position":"%b","%b":[%b]}' % (str(position).encode(), name.encode(), b",".join(bodies))
    return Response(content, media_type=JSON)


def _scopes(view: View) -> list[Scope]:
    names = {named.scope: named.name for named in map(decode_named, view.of_kind("name"))}
    members = {member.scope: member.team for member in map(decode_member, view.of_kind("member"))}
    years = [decode_record(body) for body in view.records("seller:", "year")]
    latest = max((record.start for record in years), default=None)
    counted = {record.scope for record in years if record.start == latest}
    teams = {f"team:{team}" for team in members.values() if team is not None}
    # Sellers who left have figures, and no place on the wall; of those of whom nobody says, nobody knows.
    sellers = counted - set(members)
    sellers |= {scope for scope, team in members.items() if team is not None}
    found = [Scope(scope="company", name="")]
    found += [Scope(scope=scope, name=_id(scope)) for scope in sorted(teams)]
    found += [
        Scope(scope=scope, name=names.get(scope, _id(scope)), team=members.get(scope))
        for scope in sorted(sellers)
    ]
    return found


def _id(scope: str) -> str:
    return scope.partition(":")[2]
