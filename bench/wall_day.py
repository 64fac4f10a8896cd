"""`./run bench wall-day`: a simulated day on a wall in Chromium, and the memory it takes hour by hour."""

import asyncio
import re
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import takewhile
from pathlib import Path
from statistics import linear_regression
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from playwright.async_api import Browser, CDPSession, Page
from rich.console import Console
from rich.table import Table

from bench.chromium import launched_beside, needed_chromium
from bench.goals import goals_of
from bench.machine import free_port, write_report
from bench.measuring import resident_mb
from bench.serving import PATIENCE_S, connected, web_process
from goals.history import changes
from kpis.calendar import micros_of
from malvakt.outcome import CallError, Fault
from malvakt.through_kafka import kafka_in, settled
from malvakt.workers import ChildProcess, WorkerProcess
from schemas.events import DealWon, Recorded, SellerAssigned
from simulation.floor import Floor, leads_for, told
from streams.delivery import Delivery
from streams.goal_setting import GoalSetting
from streams.publishing import Publisher, published
from streams.reading import read_scorecards
from streams.settings import Settings
from streams.ticking import tick
from streams.topic_setup import set_up_topics

PARTITIONS = 8
START = date(2026, 4, 27)
"""Of the floor's life: long enough before its day for deals to be won."""
BEGIN = datetime(2026, 6, 2, 6, tzinfo=ZoneInfo(Settings().timezone))
"""A Tuesday. Midnight turns when three quarters of the 24 hours are over."""
HOURS = 24
STEP_S = 0.25
"""What happens within so many seconds of ours is told together."""
ROTATE_S = 0.5
"""The page looks each second whether it is time for the next view: so it turns each second."""
A_WORKING_DAY = 1.22
"""How many events a working day has, for each that a calendar day has in the long run."""
MORE_NODES = 1.1
MORE_HEAP = 1.2
"""How much more there may be at the end than when all views had been seen; what is shown differs."""
KB = 1024

_NOTE = """
window.told = { changes: 0, moments: 0, shown: 0, cheers: 0, views: new Set() };
const add = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (kind, listener) {
  add.call(this, kind, (event) => {
    told.changes += ["error", "heartbeat", "reset"].includes(kind) ? 0 : 1;
    told.moments += kind === "moment" ? 1 : 0;
    listener(event);
  });
};
addEventListener("DOMContentLoaded", () => {
  const watch = (id, how, see) => new MutationObserver(see).observe(document.getElementById(id), how);
  const slide = document.getElementById("slide");
  watch("prize", { childList: true }, () => told.cheers += 1);
  watch("slide", { attributeFilter: ["data-loaded"] }, () => {
    if (slide.dataset.loaded !== "yes") return;
    told.shown += 1;
    told.views.add(`${document.title} ${document.querySelector("#periods [aria-current=true]").value}`);
  });
});
"""
"""Notes what the page is told and shows."""

_TOLD = (
    """() => ({ ...told, views: told.views.size, due: document.getElementById("dots").children.length })"""
)

_TURN = """([view, period]) => {
  const scope = document.getElementById("scope");
  const before = [scope.value, document.querySelector("#periods [aria-current=true]").value];
  document.getElementById("pause").click();
  scope.value = view;
  scope.dispatchEvent(new Event("change"));
  document.querySelector(`#periods [value=${period}]`).click();
  return before;
}"""
"""Shows a view, and rests there or goes on from there; says which was shown."""
MEASURED = ["company", "month"]
"""What is measured is always the same view."""

_RESTS = """() => document.getElementById("slide").dataset.loaded === "yes"
  && document.title.startsWith("Whole company")
  && document.querySelector("#periods [value=month]").getAttribute("aria-current") === "true"
"""


class Told(Struct, frozen=True):
    """What the page noted until now."""

    changes: int
    moments: int
    shown: int
    cheers: int
    views: int
    due: int
    """How many views there are to see."""


class Hour(Struct, frozen=True, kw_only=True):
    """What is in memory at the end of a simulated hour, once garbage was collected."""

    until: str
    """The floor's time."""
    changes: int
    """How many the page was told of until then."""
    seen: bool
    """Whether every view had been seen."""
    heap_kb: int
    nodes: int
    listeners: int
    documents: int
    page_mb: float | None
    """The browser's process with the page in it,"""
    web_mb: float | None
    """and the web process."""


class WallDay(Struct, frozen=True, kw_only=True):
    """A day on a wall."""

    events: int
    """How many the floor told on that day."""
    deals: int
    """How many deals were won among them."""
    changes: int
    """How many changes the page was told of over Server-Sent Events,"""
    moments: int
    """and how many of these were deals."""
    views: int
    """How many views there are,"""
    shown: int
    """and how often one was shown."""
    cheers: int
    """How many celebrations there were."""
    seconds: float
    settled: str
    """Until when every view had been seen."""
    first_kb: int
    """The heap then,"""
    last_kb: int
    """at the end,"""
    peak_kb: int
    """at most,"""
    slope_kb: float
    """and by how much it grew a simulated hour, by least squares, from then on."""
    grew: list[str]
    """What there is more of at the end than there may be."""
    hours: list[Hour]


def wall_day(
    *,
    events: int = 20_000,
    seconds: float = 720.0,
    sellers: int = 40,
    json: Path | None = None,
    smoke: bool = False,
) -> int:
    """Let a sales floor live through 24 hours before a wall in Chromium, and measure the page's memory.

    Kafka, a worker, the web process and the browser all run on this machine. Exit status 1 if the page
    holds more at the end than when all its views had been seen once.

    Parameters
    ----------
    events
        About how many events the day has.
    seconds
        How long the day takes.
    sellers
        How many sellers the floor has, in teams of eight.
    json
        A file for the results.
    smoke
        Few events and views: sees that it works, and judges nothing of memory.
    """
    if smoke:
        events, seconds, sellers = 500, 48.0, 4
    if events < 1 or seconds <= 0 or sellers < 1:
        raise CallError("--events, --seconds and --sellers are above 0.")
    browser = needed_chromium()
    floor = Floor(
        sellers=sellers,
        teams=max(1, sellers // 8),
        leads_per_seller_per_day=leads_for(events / A_WORKING_DAY, sellers),
    )
    with tempfile.TemporaryDirectory(prefix="malvakt-wall-day-") as name, kafka_in(Path(name)) as address:
        settings = Settings(
            broker=address, partitions=PARTITIONS, metrics_port=0, ticks_s=0.0, forecast=False
        )
        result = asyncio.run(_measured(settings, browser, Path(name), floor, seconds))
    _show(result)
    if json is not None:
        write_report(json, wall_day=result)
    return 1 if result.grew and not smoke else 0


async def _measured(
    settings: Settings, browser: str, folder: Path, floor: Floor, seconds: float
) -> WallDay:
    await set_up_topics(settings)
    port = free_port()
    worker, web = WorkerProcess(settings), web_process(settings, port, folder)
    try:
        async with Delivery(settings) as delivery, launched_beside(browser) as chromium:
            day = await _begun(settings, delivery, floor, worker)
            _, writer = await connected(port, [web, worker])
            writer.close()
            page = await chromium.new_page(viewport={"width": 1920, "height": 1080})
            await page.add_init_script(_NOTE)
            await page.goto(f"http://127.0.0.1:{port}/?lang=en&rotate={ROTATE_S}")
            await page.wait_for_selector("#slide[data-loaded=yes]", timeout=PATIENCE_S * 1_000)
            looking = _Looking(chromium, page, await page.context.new_cdp_session(page), web)
            began = time.monotonic()
            hours = [
                await looking.look(BEGIN + timedelta(hours=number + 1))
                async for number in _lived(settings, delivery, day, seconds / HOURS, [worker, web])
            ]
            took = time.monotonic() - began
            await settled(settings, [worker])
            await _see_that_it_is_right(settings, page)
            noted = await looking.told()
    finally:
        worker.stop()
        web.stop()
    return _day(day, hours, noted, took)


async def _begun(
    settings: Settings, delivery: Delivery, floor: Floor, worker: WorkerProcess
) -> list[Recorded]:
    """Tell what was before the day, and set goals; what will happen on it."""
    happening = told(floor, START, (BEGIN + timedelta(days=2)).date())
    first: list[Recorded] = []
    sellers: dict[str, None] = {}

    def past() -> Iterator[Recorded]:
        for recorded in happening:
            if recorded.event.time >= BEGIN:
                first.append(recorded)
                return
            if isinstance(recorded.event, SellerAssigned):
                sellers[recorded.event.data.seller] = None
            yield recorded

    # First the clock: what is past is history, and closed.
    await tick(settings, delivery, micros_of(BEGIN))
    async for _ in published(settings, past()):
        worker.check()
    goals = [msgspec.structs.replace(goal, scope="company") for goal in goals_of("company")]
    goals += [goal for seller in sellers for goal in goals_of(seller)]
    setting = GoalSetting(settings, delivery)
    await setting.change(changes(goals, await setting.read(), "bench", BEGIN))
    await settled(settings, [worker])
    end = BEGIN + timedelta(hours=HOURS)
    return [*first, *takewhile(lambda recorded: recorded.event.time < end, happening)]


async def _lived(
    settings: Settings,
    delivery: Delivery,
    day: list[Recorded],
    hour_s: float,
    processes: list[ChildProcess],
) -> AsyncIterator[int]:
    """Let the day happen, as evenly as the clock goes; each hour as it is over."""
    publisher = Publisher(delivery, settings)
    steps = max(1, round(hour_s / STEP_S))
    told_until = 0
    for number in range(HOURS):
        began = time.monotonic()
        for step in range(1, steps + 1):
            now = BEGIN + timedelta(hours=number + step / steps)
            due = list(takewhile(lambda one, now=now: one.event.time <= now, day[told_until:]))
            told_until += len(due)
            await publisher.publish(due)
            await tick(settings, delivery, micros_of(now))
            await asyncio.sleep(max(0.0, began + step * hour_s / steps - time.monotonic()))
        for process in processes:
            process.check()
        yield number


class _Looking:
    """Looks at the page's memory."""

    def __init__(self, chromium: Browser, page: Page, session: CDPSession, web: ChildProcess) -> None:
        self._chromium = chromium
        self._page = page
        # Playwright does not say what Chromium answers.
        self._session: Any = session
        self._web = web

    async def look(self, until: datetime) -> Hour:
        """What is in memory, with the page at rest; it goes on afterwards."""
        before = await self._page.evaluate(_TURN, MEASURED)
        await self._page.wait_for_function(_RESTS, timeout=PATIENCE_S * 1_000)
        await self._session.send("Performance.enable")
        # What the first collection lets go may have held something else.
        for _ in range(2):
            await self._session.send("HeapProfiler.collectGarbage")
        metrics = (await self._session.send("Performance.getMetrics"))["metrics"]
        found = {one["name"]: int(one["value"]) for one in metrics}
        noted = await self.told()
        hour = Hour(
            until=f"{until:%H:%M}",
            changes=noted.changes,
            seen=noted.views >= noted.due,
            heap_kb=found["JSHeapUsedSize"] // KB,
            nodes=found["Nodes"],
            listeners=found["JSEventListeners"],
            documents=found["Documents"],
            page_mb=await self._page_mb(),
            web_mb=_rounded(resident_mb([self._web.process.pid])),
        )
        await self._page.evaluate(_TURN, before)
        return hour

    async def told(self) -> Told:
        """What the page noted."""
        return msgspec.convert(await self._page.evaluate(_TOLD), Told)

    async def _page_mb(self) -> float | None:
        browser: Any = await self._chromium.new_browser_cdp_session()
        processes = (await browser.send("SystemInfo.getProcessInfo"))["processInfo"]
        await browser.detach()
        return _rounded(resident_mb(int(one["id"]) for one in processes if one["type"] == "renderer"))


def _rounded(megabytes: float | None) -> float | None:
    return None if megabytes is None else round(megabytes, 1)


async def _see_that_it_is_right(settings: Settings, page: Page) -> None:
    """See that the page comes to show the revenue that is published.

    Raises:
        Fault: it does not.
    """
    month = (BEGIN + timedelta(hours=HOURS)).date().replace(day=1)
    record = (await read_scorecards(settings))[f"company|month|{month}"]
    due = str(Decimal(str(record.kpis["revenue"])).quantize(Decimal(1), ROUND_HALF_UP))
    await page.evaluate(_TURN, MEASURED)
    until = time.monotonic() + PATIENCE_S
    while True:
        await page.wait_for_function(_RESTS, timeout=PATIENCE_S * 1_000)
        shown = re.sub(r"\D", "", await page.inner_text("#hero"))
        if shown == due:
            return
        if time.monotonic() > until:
            raise Fault(f"The page says {shown} where {due} is published.")
        await asyncio.sleep(STEP_S)


def _day(day: list[Recorded], hours: list[Hour], noted: Told, took: float) -> WallDay:
    # Where not all was seen, as in a short run, nothing settled but at the end.
    settled_from = next((nth for nth, hour in enumerate(hours) if hour.seen), len(hours) - 1)
    after = hours[settled_from:]
    first, last = after[0], after[-1]
    heaps = [hour.heap_kb for hour in after]
    slope = linear_regression(range(len(heaps)), heaps).slope if len(heaps) > 1 else 0.0
    more = {
        "nodes": last.nodes > first.nodes * MORE_NODES,
        "listeners": last.listeners > first.listeners,
        "documents": last.documents > first.documents,
        "heap": last.heap_kb > first.heap_kb * MORE_HEAP,
    }
    return WallDay(
        events=len(day),
        deals=sum(isinstance(recorded.event, DealWon) for recorded in day),
        changes=noted.changes,
        moments=noted.moments,
        views=noted.due,
        shown=noted.shown,
        cheers=noted.cheers,
        seconds=round(took, 1),
        settled=first.until,
        first_kb=first.heap_kb,
        last_kb=last.heap_kb,
        peak_kb=max(hour.heap_kb for hour in hours),
        slope_kb=round(slope, 1),
        grew=[name for name, grows in more.items() if grows],
        hours=hours,
    )


def _show(result: WallDay) -> None:
    title = (
        f"24 hours in {result.seconds:,.0f} s: {result.events:,} events, {result.deals:,} deals won,"
        f" {result.changes:,} changes told, {result.shown:,} views shown, {result.cheers:,} celebrations"
    )
    table = Table(title=title)
    for heading in ("until", "changes", "heap kB", "nodes", "listeners", "documents", "page MB", "web MB"):
        table.add_column(heading, justify="right")
    for hour in result.hours:
        counts = (hour.changes, hour.heap_kb, hour.nodes, hour.listeners, hour.documents)
        megabytes = ("–" if mb is None else f"{mb:,.0f}" for mb in (hour.page_mb, hour.web_mb))
        table.add_row(hour.until, *(f"{count:,}" for count in counts), *megabytes)
    console = Console()
    console.print(table)
    console.print(
        f"All {result.views} views were seen by {result.settled}. From then on the heap went from"
        f" {result.first_kb:,} to {result.last_kb:,} kB, {result.slope_kb:+,.1f} kB an hour; at most"
        f" {result.peak_kb:,} kB. More than there may be: {', '.join(result.grew) or 'nothing'}."
    )
