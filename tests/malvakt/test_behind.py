"""What is behind a figure, as the pages ask: from events in hand, and from a real Kafka."""

import asyncio
import threading
from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from functools import cache, partial

import anyio
import pytest

from audit.books import Room
from kpis.definitions.holding import NOTHING, Held, only
from kpis.replay import Replay
from malvakt.behind import Explainer, Source, Topics
from malvakt.reaching import send
from schemas.definitions import Definitions
from schemas.events import Event
from schemas.records import KpiRecord
from simulation.floor import Floor, events
from streams.settings import Settings
from tests.kpis.test_own import kpi, measure
from tests.wall.office import BUSINESS, Heard
from tests.wall.test_keeping import topics, until
from tests.wall.test_view import NOON
from wall.managing.desk import Explained, Question, Stage, UnexplainedError

START = date(2026, 2, 2)


@cache
def floor() -> list[Event]:
    told = events(Floor(sellers=4, teams=2), START, NOON.date())
    return [event for event in told if event.time <= NOON]


OWN = Definitions(
    {"big_wins": measure("deal.won", "sum value")}, {"mean_win": kpi("big_wins / deals_won", "money")}
)
RISEN = Definitions(OWN.measures, {"mean_win": kpi("big_wins / deals_won / 1000", "money")})


def nothing_defined(goes_on: Callable[[], None]) -> Held:
    goes_on()
    return NOTHING


def records(defined: Definitions | None = None) -> dict[str, KpiRecord]:
    replay = Replay(BUSINESS, definitions=defined or Definitions())
    replay.feed(floor())
    return {record.key: record for record in replay.records(NOON)}


def question(figure: str, as_of: datetime | None = NOON, scope: str = "company") -> Question:
    return Question(scope=scope, grain="month", start=date(2026, 3, 1), figure=figure, as_of=as_of)


async def answer(explainer: Explainer, asked: Question) -> tuple[list[Stage], Explained]:
    stages: list[Stage] = []
    async for said in explainer.explain(asked):
        if isinstance(said, Explained):
            return stages, said
        stages.append(said)
    raise AssertionError("it ended without an answer")


def add_up(explained: Explained) -> None:
    """That the parts of each sum are the whole of it, to the last fraction."""
    for each in explained.sums:
        assert sum((Fraction(item.share) for item in each.items), Fraction()) == Fraction(each.total)


def test_shares_add_up_to_what_the_record_says() -> None:
    """Of each figure of a month: amounts, counts and what is divided."""
    published = records()["company|month|2026-03-01"]

    async def run() -> None:
        explainer = Explainer(nothing_defined, partial(Heard, floor()))
        for figure in ("revenue", "new_leads", "win_rate", "average_deal_value", "deals_won", "calls"):
            _, explained = await answer(explainer, question(figure))
            value = published.kpis.get(figure, published.measures.get(figure))
            assert explained.value == value
            add_up(explained)
            assert explained.sums[0].items
        explainer.close()

    asyncio.run(run())


def test_one_question_at_a_time_and_the_next_waits() -> None:
    """Saying so."""
    going, go = threading.Event(), threading.Event()

    class Slow(Heard):
        def read(self, heard: Callable[[int], None]) -> None:
            going.set()
            assert go.wait(20)
            super().read(heard)

    async def run() -> None:
        explainer = Explainer(nothing_defined, partial(Slow, floor()))
        first = asyncio.create_task(answer(explainer, question("revenue")))
        await asyncio.to_thread(going.wait)
        stages = explainer.explain(question("new_leads"))
        assert await anext(stages) == Stage("waiting")
        go.set()
        _, revenue = await first
        assert revenue.figure == "revenue"
        found = [said async for said in stages]
        assert isinstance(found[-1], Explained)
        explainer.close()

    asyncio.run(run())


def test_whoever_leaves_stops_it_and_the_next_is_answered() -> None:
    """In the middle of reading; and the books, being in the middle of something, are made anew."""
    opened: list[Source] = []
    reading = threading.Event()

    class Endless(Heard):
        def read(self, heard: Callable[[int], None]) -> None:
            if len(opened) > 1:
                super().read(heard)
                return
            while True:
                reading.set()
                heard(1)

    def open_(shown: Definitions) -> Source:
        opened.append(Endless(floor(), shown))
        return opened[-1]

    async def run() -> None:
        explainer = Explainer(nothing_defined, open_)
        # As a connection that ends: wherever it waits then, it is cancelled, again and again.
        async with anyio.create_task_group() as connection:
            connection.start_soon(answer, explainer, question("revenue"))
            await asyncio.to_thread(reading.wait)
            connection.cancel_scope.cancel()
        _, explained = await answer(explainer, question("revenue"))
        add_up(explained)
        assert len(opened) == 2
        explainer.close()

    asyncio.run(run())


def test_a_question_to_the_books_is_interrupted_too() -> None:
    """One that would take for ever."""

    class Counting(Heard):
        def read(self, heard: Callable[[int], None]) -> None:
            heard(0)
            self.books.ask("select count(*) from range(100000000) a, range(100000000) b")

    async def run() -> None:
        explainer = Explainer(nothing_defined, partial(Counting, floor()), longest_s=1.5)
        with pytest.raises(UnexplainedError) as refused:
            await answer(explainer, question("revenue"))
        assert refused.value.reason == "long"
        explainer.close()

    asyncio.run(run())


def test_books_are_closed_after_a_while_without_questions() -> None:
    """They take memory, and disk."""
    opened: list[Heard] = []

    def open_(shown: Definitions) -> Source:
        opened.append(Heard(floor(), shown))
        return opened[-1]

    async def run() -> None:
        explainer = Explainer(nothing_defined, open_, kept_s=0.1)
        await answer(explainer, question("revenue"))
        await asyncio.to_thread(until, lambda: explainer._source is None)
        await answer(explainer, question("revenue"))
        assert len(opened) == 2
        explainer.close()

    asyncio.run(run())


def test_what_cannot_be_explained_is_refused_with_a_word() -> None:
    """None of the name, with those that there are; one that is not shown yet, or no more; nothing to count,
    no Kafka."""
    held = Held(
        OWN, Definitions(OWN.measures | {"calls_home": measure("activity.logged")}), frozenset({"gone"})
    )

    async def refused(open_: Callable[[Definitions], Source], figure: str) -> UnexplainedError:
        explainer = Explainer(lambda _: held, open_)
        with pytest.raises(UnexplainedError) as error:
            await answer(explainer, question(figure, None))
        explainer.close()
        return error.value

    unknown = asyncio.run(refused(partial(Heard, []), "hires"))
    assert unknown.reason == "figure"
    assert {"revenue", "calls", "big_wins", "mean_win"} <= set(unknown.figures)
    assert asyncio.run(refused(partial(Heard, []), "calls_home")).reason == "uncounted"
    assert asyncio.run(refused(partial(Heard, []), "gone")).reason == "removed"
    assert asyncio.run(refused(partial(Heard, []), "revenue")).reason == "events"
    nowhere = partial(Topics, Settings(broker="127.0.0.1:1"))
    assert asyncio.run(refused(nowhere, "revenue")).reason == "kafka"


def test_own_figures_are_explained_by_the_definition_that_records_show() -> None:
    """What it reads, and the objects of that; books are made anew for another one."""
    held = only(OWN)
    opened: list[Source] = []

    def open_(shown: Definitions) -> Source:
        opened.append(Heard(floor(), shown))
        return opened[-1]

    async def run() -> None:
        nonlocal held
        explainer = Explainer(lambda _: held, open_)
        for said, since in (OWN, None), (RISEN, "changed"), (Definitions(), "removed"):
            held = Held(OWN, said, frozenset())
            published = records(OWN)["company|month|2026-03-01"]
            _, mean = await answer(explainer, question("mean_win"))
            assert (mean.value, mean.since) == (published.kpis["mean_win"], since)
            assert mean.formula == "big_wins / deals_won"
            assert [each.name for each in mean.sums] == ["big_wins", "deals_won"]
            add_up(mean)
            assert mean.sums[0].items
        assert len(opened) == 1
        held = only(RISEN)
        _, risen = await answer(explainer, question("mean_win"))
        assert risen.value == records(RISEN)["company|month|2026-03-01"].kpis["mean_win"] != mean.value
        assert len(opened) == 2
        explainer.close()

    asyncio.run(run())


def test_from_topics_the_second_question_reads_what_came_since(kafka_address: str) -> None:
    """And the figures are those that the replay counts."""
    published = records()
    early, late = floor()[:-200], floor()[-200:]

    async def run() -> None:
        async with topics(kafka_address) as settings:
            await send(settings, early)
            explainer = Explainer(nothing_defined, partial(Topics, settings))
            _, before = await answer(explainer, question("revenue"))
            add_up(before)
            await send(settings, late)
            stages, revenue = await answer(explainer, question("revenue"))
            assert max(stage.events for stage in stages) < len(early)
            assert revenue.value == published["company|month|2026-03-01"].kpis["revenue"]
            add_up(revenue)
            _, norr = await answer(explainer, question("calls", scope="team:norr"))
            assert norr.value == published["team:norr|month|2026-03-01"].measures["calls"]
            explainer.close()

    asyncio.run(run())


def test_what_needs_more_memory_than_there_is_for_it_is_refused() -> None:
    """The server goes on, and the next question begins anew."""
    rooms = iter([Room(memory_mb=1, chunk_events=50), Room(memory_mb=200, chunk_events=50)])

    async def run() -> None:
        explainer = Explainer(nothing_defined, lambda shown: Heard(floor(), shown, next(rooms)))
        with pytest.raises(UnexplainedError) as refused:
            await answer(explainer, question("revenue"))
        assert refused.value.reason == "memory"
        _, revenue = await answer(explainer, question("revenue"))
        assert revenue.value == records()["company|month|2026-03-01"].kpis["revenue"]
        add_up(revenue)
        explainer.close()

    asyncio.run(run())
