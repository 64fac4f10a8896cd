"""What is behind a figure: the objects it is made of, each with its share, counted again from events."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Router, get
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream
from msgspec import Struct

from goals.scopes import scope_fault
from kpis.calendar import Grain, Window, day_number, windows_of
from kpis.definitions.holding import Since
from notices.reasons import sentence
from schemas.records import Figure, decode_record
from wall.accounts.door import guard
from wall.managing.desk import Behind, Explained, Question, Stage, Sum, UnexplainedError
from wall.managing.place import Place
from wall.refusing import refuse
from wall.view import View

MAX_ITEMS = 1_000
"""How many objects of a sum a page shows; a spreadsheet has all."""

_encode = msgspec.json.Encoder().encode


class Published(Struct, frozen=True):
    """The figure as a record says it."""

    value: Figure
    as_of: datetime


class Shown(Struct, frozen=True, kw_only=True):
    """A sum, as the page shows it."""

    name: str
    start: date
    end: date | None
    total: str
    count: int
    items: list[Behind]
    """The largest first, and no more than the page shows."""


class Answer(Struct, frozen=True, kw_only=True):
    """A figure and what is behind it, beside what the record says."""

    figure: str
    formula: str
    value: Figure
    as_of: datetime
    published: Published | None
    sums: list[Shown]
    since: Since | None


class Refused(Struct, frozen=True):
    """Why there is no answer."""

    reason: str
    figures: Sequence[str]
    """What could be asked for, where there is none of the name."""


def routes(place: Place) -> Router:
    """All of them."""
    view, door, desk = place.view, place.door, place.desk

    @get("/behind", sync_to_thread=True)
    def behind(
        of: Annotated[str, QueryParameter(name="scope")],
        grain: FromQuery[Grain],
        start: FromQuery[date],
        figure: Annotated[str, QueryParameter(name="kpi", max_length=64)],
    ) -> Stream:
        """How far the answer is, and then the answer, as Server-Sent Events; whoever leaves stops it."""
        question, published = asked(view, of, grain, start, figure)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        events = _events(desk.explain(question), published)
        return Stream(events, media_type="text/event-stream", headers=headers)

    return Router("/api/manage", route_handlers=[behind], guards=[guard(door.manages)])


def asked(
    view: View, scope: str, grain: Grain, start: date, figure: str
) -> tuple[Question, Published | None]:
    """The question, by the clock of the record where there is one, and the figure as it says it."""
    fault = scope_fault(scope)
    if fault is not None:
        refuse(400, "scope", sentence(fault))
    day = day_number(start)
    if Window(grain, day) not in windows_of(day):
        refuse(400, "window", f"No {grain.value} starts on {start}.")
    body = view.entry("record", f"{scope}|{grain.value}|{start}")
    record = None if body is None else decode_record(body)
    question = Question(
        scope=scope,
        grain=grain.value,
        start=start,
        figure=figure,
        as_of=None if record is None else record.as_of,
    )
    if record is None:
        return question, None
    value = record.kpis[figure] if figure in record.kpis else record.measures.get(figure)
    return question, Published(value, record.as_of)


async def _events(
    told: AsyncGenerator[Stage | Explained], published: Published | None
) -> AsyncIterator[bytes]:
    async with aclosing(told):
        try:
            async for said in told:
                if isinstance(said, Stage):
                    yield _event("stage", said)
                else:
                    yield _event("answer", _answer(said, published))
        except UnexplainedError as error:
            yield _event("refused", Refused(error.reason, error.figures))


def _event(name: str, data: Struct) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode(data))


def _answer(explained: Explained, published: Published | None) -> Answer:
    return Answer(
        figure=explained.figure,
        formula=explained.formula,
        value=explained.value,
        as_of=explained.as_of,
        published=published,
        sums=[_shown(each) for each in explained.sums],
        since=explained.since,
    )


def _shown(whole: Sum) -> Shown:
    # Of equal ones those that came first, as they stand.
    largest = sorted(whole.items, key=lambda item: -abs(item.size))[:MAX_ITEMS]
    return Shown(
        name=whole.name,
        start=whole.start,
        end=whole.end,
        total=whole.total,
        count=len(whole.items),
        items=largest,
    )
