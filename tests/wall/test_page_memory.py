"""What the page keeps in memory of all that it is told: what it shows."""

import time
from datetime import date, timedelta
from typing import Any

import msgspec
from playwright.sync_api import Browser, CDPSession, expect

from schemas.events import Event, SellerAssigned, SellerAssignedData
from schemas.goals import GoalStatus
from schemas.records import KpiRecord, decode_record
from tests.wall.goals import MARCH, alert_of, standing
from tests.wall.office import Office, serving
from tests.wall.test_page import deal_won, worth
from tests.wall.test_view import NOON

ROUNDS = 25
A_ROUND = 80
"""Updates."""
CELEBRATED = 500
"""Of so many deals the page remembers that they were celebrated."""
SCATTER = {"nodes": 60, "objects": 60, "entries": 60 + CELEBRATED}
"""How many more there may be, by the moment at which one looks."""
WAIT_S = 20.0


def test_two_thousand_updates_leave_nothing_behind(chromium: Browser, office: Office) -> None:
    """Of periods that are over, days that are not shown, deals, alerts, names: no object and no node."""
    with serving(office) as server:
        page = chromium.new_page()
        page.goto(f"{server.address}/?lang=en&rotate=0&scope=company&period=month")
        expect(page.locator("#slide")).to_have_attribute("data-loaded", "yes")
        hero = page.locator("#hero")
        looking = page.context.new_cdp_session(page)
        tell(office, 0)
        expect(hero).to_contain_text("100,000")
        before = kept(looking)
        for number in range(1, ROUNDS + 1):
            tell(office, number)
        expect(hero).to_contain_text(f"{100_000 + ROUNDS:,}")
        most = {**before, **{kind: before[kind] + more for kind, more in SCATTER.items()}}
        # What a frame or a timer still holds is collected when that is over.
        deadline = time.monotonic() + WAIT_S
        while exceeding := {kind: count for kind, count in kept(looking).items() if count > most[kind]}:
            assert time.monotonic() < deadline, (exceeding, before)
            page.wait_for_timeout(500)
        page.close()


def tell(office: Office, number: int) -> None:
    """A round of updates of each kind; the last of them is what the company's month says."""
    numbers = range(number * A_ROUND // 4, (number + 1) * A_ROUND // 4)
    statuses = [_status(n) for n in numbers]
    office.tell(statuses=statuses, alerts=[alert_of(one, "missed", NOON) for one in statuses])
    office.tell(told=[*(deal_won(n, 0, f"{n}.00") for n in numbers), _named(number)])
    office.tell(records=[*(_past(office, n) for n in numbers), _month(office, number)])


def _status(number: int) -> GoalStatus:
    """Of a day that is over."""
    day = MARCH[0] - timedelta(days=number + 1)
    return standing("seller:anna", "revenue", (day, day), 1_000, 2_000, NOON, "missed")


def _named(number: int) -> Event:
    data = SellerAssignedData(seller="anna", team="norr", name=f"Anna {number}")
    time = NOON + timedelta(seconds=number)
    return SellerAssigned(specversion="1.0", id=f"named-{number}", source="test://", time=time, data=data)


def _past(office: Office, number: int) -> KpiRecord:
    """Of a day before any that is shown."""
    start = date(2020, 1, 1) + timedelta(days=number)
    end = start + timedelta(days=1)
    return msgspec.structs.replace(_month(office, 0), grain="day", start=start, end=end)


def _month(office: Office, number: int) -> KpiRecord:
    [body] = office.view.records("company", "month", MARCH[0].isoformat(), MARCH[0].isoformat())
    return worth(decode_record(body), f"{100_000 + number}.00")


def kept(looking: CDPSession) -> dict[str, float]:
    """How much of each is in memory, once all that nobody holds is collected."""
    said(looking, "Performance.enable")
    said(looking, "HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in said(looking, "Performance.getMetrics")["metrics"]}
    return {
        "nodes": found["Nodes"],
        "listeners": found["JSEventListeners"],
        "documents": found["Documents"],
        # Of plain objects all is made that the server tells, and in maps and sets it is kept.
        "objects": counted(looking, "Object", "Object.getPrototypeOf(one) === Object.prototype"),
        "entries": counted(looking, "Map", "one.size") + counted(looking, "Set", "one.size"),
    }


def counted(looking: CDPSession, kind: str, size: str) -> int:
    """What the sizes of all objects of a kind amount to."""
    prototype = said(looking, "Runtime.evaluate", {"expression": f"{kind}.prototype"})["result"]["objectId"]
    found = said(looking, "Runtime.queryObjects", {"prototypeObjectId": prototype})["objects"]["objectId"]
    summing = f"function() {{ return this.reduce((sum, one) => sum + Number({size}), 0) }}"
    given: dict[str, Any] = {"objectId": found, "functionDeclaration": summing, "returnByValue": True}
    total: int = said(looking, "Runtime.callFunctionOn", given)["result"]["value"]
    said(looking, "Runtime.releaseObject", {"objectId": found})
    return total


def said(looking: CDPSession, method: str, asked: dict[str, Any] | None = None) -> dict[str, Any]:
    """What Chromium answers."""
    session: Any = looking
    return session.send(method, asked)
