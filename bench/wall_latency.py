"""`./run bench wall-latency`: from an event produced to the pixel that changed, with all between."""

import asyncio
import random
import tempfile
import time
from pathlib import Path

from msgspec import Struct
from playwright.async_api import Page
from rich.console import Console
from rich.table import Table

from bench.chromium import launched_beside, needed_chromium
from bench.deals import deal_won
from bench.machine import free_port, write_report
from bench.serving import PATIENCE_S, connected, web_process
from malvakt.outcome import CallError, Fault
from malvakt.through_kafka import temporary_kafka
from malvakt.workers import WorkerProcess
from streams.delivery import Delivery
from streams.settings import Settings
from streams.topic_setup import set_up_topics

PARTITIONS = 8
LEAST_PAUSE_S, MOST_PAUSE_S = 0.2, 1.0
WARM_UP = 10
POLL_S = 0.005

_WATCH = """
() => {
    const painted = window.painted = [];
    const figure = document.querySelector("#hero");
    let shown = figure.textContent;
    const look = () => {
        // The frame after the one in which it was drawn: then it is on the screen.
        if (figure.textContent !== shown) {
            shown = figure.textContent;
            requestAnimationFrame(() => painted.push(Date.now()));
        }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}
"""


class WallLatency(Struct, frozen=True, kw_only=True):
    """How long it took from events until the wall showed them, in milliseconds."""

    events: int
    p50_ms: float
    p95_ms: float
    worst_ms: float


def wall_latency(*, events: int = 200, json: Path | None = None, smoke: bool = False) -> int:
    """Measure how long it takes from a deal produced until a wall in Chromium shows the new revenue.

    Kafka, a worker, the web process and the browser all run on this machine. Each deal is produced a moment
    after the one before is seen.

    Parameters
    ----------
    events
        How many deals are timed.
    json
        A file for the results.
    smoke
        Few events: sees that it works, and nothing of time.
    """
    events = 5 if smoke else events
    if events < 1:
        raise CallError("--events is above 0.")
    browser = needed_chromium()
    with temporary_kafka() as address, tempfile.TemporaryDirectory(prefix="malvakt-wall-") as folder:
        settings = Settings(broker=address, partitions=PARTITIONS, metrics_port=0, ticks_s=1.0)
        result = asyncio.run(_measured(settings, browser, Path(folder), events))
    _show(result)
    if json is not None:
        write_report(json, wall_latency=result)
    return 0


async def _measured(settings: Settings, browser: str, folder: Path, events: int) -> WallLatency:
    await set_up_topics(settings)
    port = free_port()
    processes = [web_process(settings, port, folder), WorkerProcess(settings)]
    try:
        async with Delivery(settings) as delivery, launched_beside(browser) as chromium:
            page = await chromium.new_page(viewport={"width": 1920, "height": 1080})
            _, writer = await connected(port, processes)
            writer.close()
            await page.goto(f"http://127.0.0.1:{port}/?lang=en&scope=company&period=day&rotate=0")
            await page.wait_for_selector("#slide[data-loaded=yes]", timeout=PATIENCE_S * 1_000)
            await page.evaluate(_WATCH)
            took = [await _seen(settings, delivery, page, number) for number in range(WARM_UP + events)]
    finally:
        for process in processes:
            process.stop()
    counted = sorted(took[WARM_UP:])
    p50, p95, worst = (
        round(1_000 * counted[min(len(counted) - 1, int(len(counted) * part))], 1)
        for part in (0.5, 0.95, 1.0)
    )
    return WallLatency(events=events, p50_ms=p50, p95_ms=p95, worst_ms=worst)


async def _seen(settings: Settings, delivery: Delivery, page: Page, number: int) -> float:
    """How many seconds a deal takes to the screen."""
    await asyncio.sleep(random.uniform(LEAST_PAUSE_S, MOST_PAUSE_S))
    shown = await page.evaluate("() => window.painted.length")
    produced = time.time()
    await delivery.write([deal_won(settings, number, f"c{number}", PARTITIONS)])
    until = produced + PATIENCE_S
    while await page.evaluate("() => window.painted.length") == shown:
        if time.time() > until:
            raise Fault(f"The wall did not show deal {number} within {PATIENCE_S:.0f} s.")
        await asyncio.sleep(POLL_S)
    first: float = await page.evaluate("at => window.painted[at]", shown)
    return first / 1_000 - produced


def _show(result: WallLatency) -> None:
    table = Table(title=f"{result.events} deals, from produced to seen, in milliseconds")
    for heading in ("p50", "p95", "worst"):
        table.add_column(heading, justify="right")
    table.add_row(f"{result.p50_ms:,.0f}", f"{result.p95_ms:,.0f}", f"{result.worst_ms:,.0f}")
    Console().print(table)
