"""Files for a spreadsheet: records, goals with their standings, and what is behind a figure; bit by bit."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from datetime import date
from fractions import Fraction
from typing import Annotated

from litestar import Router, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream

from goals.known import known_kpis
from goals.writing import target_text
from kpis.calendar import Grain
from kpis.meanings import called
from notices.rules import Language
from schemas.goals import Goal, GoalStatus, decode_goal, decode_status
from schemas.records import Figure, KpiRecord, decode_record
from wall.accounts.door import guard
from wall.entries import decode_member, decode_named, holding
from wall.managing.behind import asked
from wall.managing.desk import Behind, Explained, UnexplainedError
from wall.managing.place import Place
from wall.managing.sheets import BOM, Cell, Number, lines
from wall.refusing import refuse
from wall.view import View
from wall.vocabulary import definitions_of, kpis_in

PAGE = 1_000
"""How many rows are written at a time."""
DIGITS = 9
"""Of a share that has no end."""

LANGUAGE = QueryParameter(name="lang")
SCOPE = QueryParameter(name="scope", pattern=r"^(company|team:.*|seller:.*|customer:.*)$")
FIRST, LAST = QueryParameter(name="from"), QueryParameter(name="to")

STATUS = (
    *("standing", "value", "target", "expected", "attainment", "pace", "forecast", "low", "high"),
    *("probability", "remaining", "per_working_day", "leads_needed", "as_of"),
)
GOAL = ("goal", "name", "scope", "who", "team", "kpi", "better", "asks", "owner", "accepted_by", "part_of")
BEHIND = ("sum", "object", "share", "customer", "seller", "who", "team", "first_day", "last_day", "through")


class People:
    """What scopes are called, and which team they are in."""

    def __init__(self, view: View) -> None:
        self._names = {named.scope: named.name for named in map(decode_named, view.of_kind("name"))}
        self._teams = {one.scope: one.team for one in map(decode_member, view.of_kind("member"))}

    def name(self, scope: str) -> str:
        """What people call it."""
        return self._names.get(scope, scope.partition(":")[2])

    def team(self, scope: str) -> str | None:
        """The team that it is, or is in now."""
        return scope.partition(":")[2] if scope.startswith("team:") else self._teams.get(scope)


def routes(place: Place) -> Router:
    """All of them."""
    view, door, desk = place.view, place.door, place.desk

    @get("/records.csv", sync_to_thread=False)
    def records(
        of: Annotated[str, SCOPE],
        grain: FromQuery[Grain],
        first: Annotated[date, FIRST],
        last: Annotated[date, LAST],
        language: Annotated[Language, LANGUAGE] = "sv",
    ) -> Stream:
        """KPI records of a scope or a kind, a row each: its KPIs, and the measures they are read off."""
        name = f"malvakt-{of.partition(':')[0]}-{grain.value}-{first}-{last}"
        return _file(name, _records(view, place.currency, of, grain, first, last, language))

    @get("/standings.csv", sync_to_thread=False)
    def standings(
        on: FromQuery[date | None] = None, language: Annotated[Language, LANGUAGE] = "sv"
    ) -> Stream:
        """Goals, a row for each of their periods, or for those that hold a day."""
        name = f"malvakt-goals-{on}" if on else "malvakt-goals"
        return _file(name, _standings(view, place.currency, on, language))

    @get("/behind.csv")
    async def behind(
        of: Annotated[str, QueryParameter(name="scope")],
        grain: FromQuery[Grain],
        start: FromQuery[date],
        figure: Annotated[str, QueryParameter(name="kpi", max_length=64)],
        language: Annotated[Language, LANGUAGE] = "sv",
    ) -> Stream:
        """What is behind a figure, all of it, once it is counted."""
        question, _ = await asyncio.to_thread(asked, view, of, grain, start, figure)
        try:
            async with aclosing(desk.explain(question)) as told:
                found = [said async for said in told if isinstance(said, Explained)]
        except UnexplainedError as error:
            known = f" There are {', '.join(error.figures)}." if error.figures else ""
            refuse(503, error.reason, f"There is no answer to what is behind {figure}.{known}")
        people = await asyncio.to_thread(People, view)
        return _file(f"malvakt-{figure}-{start}", _behind(found[-1], people, language))

    return Router("/api/manage", route_handlers=[records, standings, behind], guards=[guard(door.manages)])


def _file(name: str, parts: AsyncIterator[bytes]) -> Stream:
    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "cache-control": "no-store"}
    return Stream(parts, media_type="text/csv", headers=headers)


async def _records(
    view: View, currency: str, of: str, grain: Grain, first: date, last: date, language: Language
) -> AsyncIterator[bytes]:
    columns = await asyncio.to_thread(Columns, view, currency, language)
    yield columns.head

    def page(after: str) -> tuple[bytes, str]:
        days = first.isoformat(), last.isoformat()
        found = [
            decode_record(body) for body in view.records(of, grain.value, *days, after=after, limit=PAGE)
        ]
        return lines(map(columns.row, found), language), found[-1].key if found else ""

    written, after = await asyncio.to_thread(page, "")
    while after:
        yield written
        written, after = await asyncio.to_thread(page, after)


class Columns:
    """What a record's row has."""

    def __init__(self, view: View, currency: str, language: Language) -> None:
        self._people = People(view)
        kpis = kpis_in(view, currency)
        self._kpis = [kpi.kpi for kpi in kpis]
        self._measures = list(known_kpis(currency, definitions_of(view)).units)
        names = [called(kpi.name, language, kpi.kpi) for kpi in kpis]
        about = ["scope", "who", "team", "grain", "start", "as_of"]
        self.head = BOM.encode() + lines([[*about, *names, *self._measures]], language)

    def row(self, record: KpiRecord) -> list[Cell]:
        """A record."""
        figures = [record.kpis.get(name) for name in self._kpis]
        figures += [record.measures.get(name) for name in self._measures]
        scope = record.scope
        who = [scope, self._people.name(scope), self._people.team(scope)]
        return [*who, record.grain, record.start, record.as_of, *map(_cell, figures)]


async def _standings(
    view: View, currency: str, on: date | None, language: Language
) -> AsyncIterator[bytes]:
    goals = await asyncio.to_thread(view.of_kind, "goal")
    standing = await asyncio.to_thread(Standings, view, currency, on)
    yield BOM.encode() + lines([[*GOAL, "start", "end", *STATUS]], language)

    def page(part: list[bytes]) -> bytes:
        return lines((row for body in part for row in standing.rows(decode_goal(body))), language)

    for first in range(0, len(goals), PAGE):
        yield await asyncio.to_thread(page, goals[first : first + PAGE])


class Standings:
    """Where goals stand, in each of their periods or in those that hold a day."""

    def __init__(self, view: View, currency: str, on: date | None) -> None:
        self._people = People(view)
        self._known = known_kpis(currency, definitions_of(view))
        self._of: dict[str, list[GoalStatus]] = {}
        found = view.of_kind("status")
        for status in map(decode_status, found if on is None else holding(on, found)):
            self._of.setdefault(status.goal, []).append(status)

    def rows(self, goal: Goal) -> Iterator[list[Cell]]:
        """A goal, in each period; in none, where nobody has looked at it yet."""
        scope, people = goal.scope, self._people
        asks = target_text(goal, self._known) if goal.kpi in self._known.kpis else None
        accepted = goal.accepted.by if goal.accepted else None
        about: list[Cell] = [goal.id, goal.name, scope, people.name(scope), people.team(scope)]
        about += [goal.kpi, goal.better, asks, goal.owner, accepted, goal.part_of]
        for status in self._of.get(goal.id, []):
            figures = (getattr(status, name) for name in STATUS[1:-1])
            stands: list[Cell] = [status.standing, *map(_cell, figures), status.as_of]
            yield [*about, status.start, status.end, *stands]
        if goal.id not in self._of:
            yield [*about, *[None] * (len(STATUS) + 2)]


async def _behind(explained: Explained, people: People, language: Language) -> AsyncIterator[bytes]:
    yield BOM.encode() + lines([BEHIND], language)
    for each in explained.sums:
        for first in range(0, len(each.items), PAGE):
            part = each.items[first : first + PAGE]
            yield await asyncio.to_thread(lines, _items(each.name, part, people), language)


def _items(name: str, items: list[Behind], people: People) -> Iterator[list[Cell]]:
    for item in items:
        who = None if item.seller is None else people.name(f"seller:{item.seller}")
        share = Number(item.share) if "/" not in item.share else round(float(Fraction(item.share)), DIGITS)
        about: list[Cell] = [name, item.object, share, item.customer, item.seller, who, item.team]
        yield [*about, item.first_day, item.last_day, ", ".join(item.through)]


def _cell(figure: Figure) -> Cell:
    """A record's amounts are numbers in digits, though they are texts."""
    return Number(figure) if isinstance(figure, str) else figure
