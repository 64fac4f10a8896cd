"""The page through a web process that is killed and a Kafka that is started again, while figures change."""

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from pathlib import Path
from queue import SimpleQueue

import msgspec
import pytest
from msgspec import Struct
from playwright.sync_api import Browser, Page, expect

from bench.machine import free_port
from bench.serving import web_process
from goals.history import changes
from kpis.calendar import micros_of
from kpis.replay import Replay
from malvakt.workers import WorkerProcess
from schemas.events import EVENT_TYPES, Event
from schemas.goals import Absolute, Acceptance, Goal, Recurring
from schemas.records import Figure, KpiRecord
from streams.delivery import Delivery
from streams.goal_setting import GoalSetting
from streams.local_kafka import LocalKafka
from streams.publishing import Publisher
from streams.settings import Settings
from streams.topic_setup import set_up_topics

WAIT_S = 60.0
POLL_S = 0.1
PAUSE_S = 0.15
"""Between two things that happen."""
SELLERS = {"anna": "norr", "bo": "norr", "cia": "syd", "dag": "syd"}
SCOPES = ["company", "team:norr", "team:syd", *(f"seller:{name}" for name in SELLERS)]
GRAINS = {"day": "Today", "week": "Week", "month": "Month"}
KPIS = ["deals_won", "meetings_booked", "quotes_sent", "new_leads", "win_rate", "average_deal_value"]
KINDS = ["call", "email", "meeting_booked", "meeting_held", "quote_sent", "visit"]
ACTIVITIES = ["calls", "emails", "meetings_booked", "meetings_held", "quotes_sent", "visits"]
TARGET = 1_000_000
FEED_ROWS = 6
"""As many as a phone shows."""


class Telling:
    """A floor that goes on all the while, through whatever becomes of Kafka.

    On a thread of its own: no second event loop may run beside the browser's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.told: list[Event] = []
        """What Kafka has."""
        self.deals: list[str] = []
        """What each deal was worth, in the order in which they were won."""
        self._wanted: SimpleQueue[Event] = SimpleQueue()
        self._numbers = count(1)
        self._goes = threading.Event()
        self._rests = threading.Event()
        self._over = threading.Event()
        self._fell: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def win(self) -> None:
        """Have a deal won, as soon as Kafka can be told of it."""
        number = next(self._numbers)
        value = str(10_007 * len(self.deals) + 10_000)
        self.deals.append(value)
        data = {"deal": f"d{number}", "customer": f"c{number}", "seller": _seller(number), "value": value}
        self._wanted.put(_event("deal.won", number, data))

    def go_on(self) -> None:
        """Let things happen."""
        self._rests.clear()
        self._goes.set()

    def rest(self) -> None:
        """Let nothing happen any more, and wait until Kafka has what did."""
        self._goes.clear()
        assert self._rests.wait(WAIT_S)
        assert self._fell == []

    def close(self) -> None:
        self._over.set()
        self._goes.set()
        # Where a test ended in between, Kafka may be away for good.
        self._thread.join(WAIT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._tell())
        except BaseException as error:
            self._fell.append(error)
            self._rests.set()
            raise

    async def _tell(self) -> None:
        await set_up_topics(self.settings)
        async with Delivery(self.settings) as delivery:
            publisher = Publisher(delivery, self.settings)
            await self._publish(publisher, _founding())
            await _set_goal(self.settings, delivery)
            while not self._over.is_set():
                if not self._goes.is_set() and self._wanted.empty():
                    self._rests.set()
                    await asyncio.to_thread(self._goes.wait)
                await self._publish(publisher, [_bit(next(self._numbers)), *self._due()])
                await asyncio.sleep(PAUSE_S)

    async def _publish(self, publisher: Publisher, events: list[Event]) -> None:
        # This waits for a Kafka that is away.
        await publisher.publish(events)
        self.told += events

    def _due(self) -> Iterator[Event]:
        while not self._wanted.empty():
            yield self._wanted.get()


def _founding() -> list[Event]:
    return [
        _event("seller.assigned", number, {"seller": seller, "team": team, "name": seller.capitalize()})
        for number, (seller, team) in enumerate(SELLERS.items())
    ]


async def _set_goal(settings: Settings, delivery: Delivery) -> None:
    now = datetime.now(UTC)
    goal = Goal(
        id="all",
        version=1,
        scope="company",
        kpi="revenue",
        better="at_least",
        target=Absolute(value=str(TARGET)),
        period=Recurring(grain="month", start=now.date().replace(day=1)),
        accepted=Acceptance(by="eva", at=now),
    )
    setting = GoalSetting(settings, delivery)
    await setting.change(changes([goal], await setting.read(), "eva", now))


def _bit(number: int) -> Event:
    """Something that a seller does: a lead, or an activity."""
    if number % 4 == 0:
        return _event("lead.created", number, {"lead": f"l{number}", "seller": _seller(number // 4)})
    activity = {"activity": f"a{number}", "kind": KINDS[number % len(KINDS)], "seller": _seller(number)}
    return _event("activity.logged", number, {**activity, "customer": f"c{number % 7}"})


def _seller(number: int) -> str:
    # Some do more than others, so that there is a first and a last.
    return list(SELLERS)[number % 10 % 7 % len(SELLERS)]


def _event(kind: str, number: int, data: Mapping[str, str]) -> Event:
    about = {"specversion": "1.0", "id": f"{kind}-{number}", "source": "test://", "type": kind}
    return msgspec.convert({**about, "time": datetime.now(UTC), "data": data}, EVENT_TYPES[kind])


class Cells(Struct, frozen=True, kw_only=True):
    """All that a view shows."""

    hero: str
    figures: dict[str, str]
    board: list[list[str]]
    goal: str
    feed: list[str]


_CELLS = """() => {
  const text = (node) => node.textContent;
  const all = (selector) => [...document.querySelectorAll(selector)];
  return {
    hero: text(document.querySelector("#hero")),
    figures: Object.fromEntries(all("#figures dd").map((one) => [one.dataset.kpi, text(one)])),
    board: all("#board-rows li").map((row) =>
      [".place", ".name", ".value"].map((part) => text(row.querySelector(part)))),
    goal: document.querySelector("#goal").hidden ? "" : text(document.querySelector("#goal-share b")),
    feed: all("#feed-rows li:not([data-alert]) .value").map(text),
  };
}"""

_WATCH = """() => {
  const found = window.found = { feeds: [], cheers: [] };
  const rows = document.querySelector("#feed-rows");
  const prize = document.querySelector("#prize");
  const values = () => [...rows.querySelectorAll("li:not([data-alert]) .value")];
  const look = () => found.feeds.push(values().map((one) => one.textContent));
  new MutationObserver(look).observe(rows, { childList: true });
  new MutationObserver(() => found.cheers.push(prize.textContent)).observe(prize, { childList: true });
  look();
}"""
"""Notes each feed that is seen, and each celebration."""


class Truth:
    """What the page should show, counted from all that was told."""

    def __init__(self, telling: Telling) -> None:
        replay = Replay(telling.settings.business())
        replay.feed(telling.told)
        now = datetime.now(UTC)
        self._records = {record.key: record for record in replay.records(now)}
        calendar = telling.settings.business().calendar
        today = calendar.local(micros_of(now)).date()
        monday = today.fromordinal(today.toordinal() - today.weekday())
        self._starts = {"day": today, "week": monday, "month": today.replace(day=1)}
        self._deals = telling.deals

    def cells(self, scope: str, grain: str, alerts: int) -> Cells:
        """Of one view, with so many alerts among what just happened."""
        record = self._of(scope, grain)
        return Cells(
            hero=_money("0" if record is None else record.kpis["revenue"]),
            figures={kpi: _figure(kpi, record) for kpi in KPIS},
            board=self._board(scope, grain),
            goal=self._goal() if scope == "company" else "",
            feed=[_money(value) for value in self._deals[::-1][: FEED_ROWS - alerts]],
        )

    def _of(self, scope: str, grain: str) -> KpiRecord | None:
        return self._records.get(f"{scope}|{grain}|{self._starts[grain]}")

    def _board(self, scope: str, grain: str) -> list[list[str]]:
        kind, _, name = scope.partition(":")
        team = SELLERS[name] if kind == "seller" else name
        done = {
            seller: sum(int(record.measures.get(activity) or 0) for activity in ACTIVITIES)
            for seller in sorted(SELLERS)
            if not team or SELLERS[seller] == team
            for record in [self._of(f"seller:{seller}", grain)]
            if record is not None
        }
        placed = sorted(done, key=lambda seller: -done[seller])
        return [
            [str(place), seller.capitalize(), f"{done[seller]:,}"] for place, seller in enumerate(placed, 1)
        ]

    def _goal(self) -> str:
        record = self._of("company", "month")
        revenue = "0" if record is None else str(record.kpis["revenue"])
        return f"{_whole(Decimal(revenue) * 100 / TARGET)}%"


def _figure(kpi: str, record: KpiRecord | None) -> str:
    if record is None:
        return "–"
    value = record.kpis[kpi] if kpi in record.kpis else record.measures.get(kpi, 0)
    if value is None:
        return "–"
    return f"{_whole(Decimal(str(value)) * 100)}%" if kpi == "win_rate" else f"{_whole(value):,}"


def _whole(value: Figure | Decimal) -> int:
    return int(Decimal(str(value)).quantize(Decimal(1), ROUND_HALF_UP))


def _money(value: Figure) -> str:
    return f"kr\N{NO-BREAK SPACE}{_whole(value):,}"


def cells_of(page: Page) -> Cells:
    return msgspec.convert(page.evaluate(_CELLS), Cells)


def all_right(page: Page, telling: Telling, scopes: Iterable[str] = SCOPES) -> None:
    """Every cell of every view is what it should be, once the page has heard of everything."""
    telling.rest()
    expect(page.locator("#fresh")).to_have_attribute("data-state", "fresh", timeout=WAIT_S * 1_000)
    for scope in scopes:
        page.get_by_label("Show").select_option(scope)
        for grain, name in GRAINS.items():
            page.get_by_role("button", name=name).click()
            deadline = time.monotonic() + WAIT_S
            while (seen := cells_of(page)) != (due := _due(page, telling, scope, grain)):
                assert time.monotonic() < deadline, f"{scope}, {grain}:\n{seen}\n{due}"
                time.sleep(POLL_S)
    expect(page.locator("#warning")).to_be_hidden()
    page.get_by_label("Show").select_option("company")
    telling.go_on()


def _due(page: Page, telling: Telling, scope: str, grain: str) -> Cells:
    return Truth(telling).cells(scope, grain, page.locator("#feed-rows [data-alert]").count())


@pytest.fixture
def telling(own_kafka: LocalKafka) -> Iterator[Telling]:
    settings = Settings(
        broker=own_kafka.address,
        partitions=2,
        metrics_port=0,
        ticks_s=1.0,
        forecast=False,
        session_timeout_s=10.0,
    )
    floor = Telling(settings)
    with contextlib.closing(floor):
        floor.rest()
        yield floor


@pytest.mark.timeout(600)
def test_whatever_is_restarted_no_figure_is_wrong_or_missing(
    chromium: Browser, own_kafka: LocalKafka, telling: Telling, tmp_path: Path
) -> None:
    """It says so while it is cut off, and is back by itself; no deal is cheered twice, or left out."""
    port = free_port()
    worker = WorkerProcess(telling.settings)
    web = web_process(telling.settings, port, tmp_path)
    try:
        telling.win()
        telling.go_on()
        page = opened(chromium, f"http://127.0.0.1:{port}/?lang=en")
        page.evaluate(_WATCH)
        warning = page.locator("#warning")
        all_right(page, telling, ["company"])

        telling.win()
        web.kill()
        expect(page.locator("#warning")).to_contain_text(
            "No contact with the server", timeout=WAIT_S * 1_000
        )
        telling.win()
        web.stop()
        web = web_process(telling.settings, port, tmp_path)
        expect(warning).to_be_hidden(timeout=WAIT_S * 1_000)
        telling.win()
        all_right(page, telling)

        own_kafka.stop()
        telling.win()
        expect(warning).to_contain_text("Kafka does not answer", timeout=WAIT_S * 1_000)
        own_kafka.start()
        deadline = time.monotonic() + WAIT_S
        while warning.is_visible():
            worker.check()
            assert time.monotonic() < deadline, f"{warning.inner_text()}\n{worker.last_lines()}"
            page.wait_for_timeout(100)
        telling.win()
        all_right(page, telling)

        expect(page.locator("#celebration")).to_be_hidden(timeout=WAIT_S * 1_000)
        found = page.evaluate("() => window.found")
        deals = [_money(value) for value in telling.deals]
        # The first may have been counted before the page was there to cheer.
        assert sorted({deals[0], *found["cheers"]}) == sorted(deals)
        assert len(found["cheers"]) == len(set(found["cheers"]))
        assert {value for feed in found["feeds"] for value in feed} == set(deals)
        assert all(len(feed) == len(set(feed)) for feed in found["feeds"])
    finally:
        web.stop()
        worker.stop()


def opened(chromium: Browser, address: str) -> Page:
    """The page as a phone shows it, once the server is there."""
    page = chromium.new_context(viewport={"width": 900, "height": 1400}, reduced_motion="reduce").new_page()
    deadline = time.monotonic() + WAIT_S
    while True:
        with contextlib.suppress(Exception):
            page.goto(address)
            break
        assert time.monotonic() < deadline
        time.sleep(POLL_S)
    expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes", timeout=WAIT_S * 1_000)
    expect(page.locator("h1")).to_have_text(re.compile("Whole company"))
    return page
