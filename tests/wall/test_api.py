"""The API over real HTTP: what a screen asks, and what is pushed to it without gaps."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from kpis.replay import Replay
from schemas.events import Event
from schemas.goals import AlertKind
from schemas.records import KpiRecord, encode_record
from simulation.floor import Floor, events
from tests.wall.goals import MARCH, WEEK, alert_of, standing
from tests.wall.office import BUSINESS, Office, Server, serving
from tests.wall.test_view import NOON, record
from wall.hub import HEARTBEAT_S, KEPT_CHANGES, position_of
from wall.view import View

ANSWER_S = 30.0


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    view = View(tmp_path / "view.sqlite")
    yield Office(view, NOON)
    view.close()


@pytest.fixture
def server(office: Office) -> Iterator[Server]:
    with serving(office) as running:
        yield running


def asked(server: Server, path: str, **given: str) -> httpx.Response:
    return httpx.get(f"{server.address}/api/{path}", params=given, timeout=ANSWER_S)


class Wall:
    """A client that reads the stream as a browser does, and remembers the last id."""

    def __init__(self, server: Server, since: str | None = None) -> None:
        self._address = f"{server.address}/api/stream"
        self.last = since

    def events(self) -> Iterator[tuple[str, str]]:
        """Each event's name and data, until the connection ends."""
        headers = {} if self.last is None else {"last-event-id": self.last}
        name = ""
        with httpx.stream("GET", self._address, headers=headers, timeout=ANSWER_S) as answer:
            for line in answer.iter_lines():
                field, _, value = line.partition(": ")
                if field == "id":
                    self.last = value
                elif field == "event":
                    name = value
                elif field == "data":
                    yield name, value

    def revisions(self, count: int) -> list[int]:
        """The revisions of so many records, and then the connection is dropped."""
        found: list[int] = []
        for name, data in self.events():
            if name == "record":
                found.append(json.loads(data)["revision"])
            if len(found) == count:
                break
        return found


def days(count: int, revision: int = 1) -> list[KpiRecord]:
    """A record for each of so many teams."""
    return [record(f"team:{number:05}", 1, revision) for number in range(count)]


def test_what_was_missed_comes_after_a_reconnect(office: Office, server: Server) -> None:
    """Each change once and in order, whether the connection, the server or both were gone."""
    begun = asked(server, "records").json()["position"]
    wall = Wall(server, begun)
    office.tell(record("company", 1, number) for number in [1])
    assert wall.revisions(1) == [1]
    for number in (2, 3):
        office.tell([record(f"team:{number}", 1, number)])
    assert wall.revisions(2) == [2, 3]
    server.stop()
    office.tell([record("team:4", 1, 4)])
    server.start()
    office.tell([record("team:5", 1, 5)])
    assert wall.revisions(2) == [4, 5]


def test_a_wall_that_was_long_away_is_told_from_the_view(office: Office, server: Server) -> None:
    """More than is kept in memory, in pieces, without a gap."""
    count = KEPT_CHANGES + 700
    wall = Wall(server, asked(server, "records").json()["position"])
    for revision in (1, 2):
        office.tell(days(count // 2, revision))
    office.tell(record(f"seller:{number:05}", 1, 3) for number in range(count - count // 2))
    found = wall.revisions(count)
    assert found == [2] * (count // 2) + [3] * (count - count // 2)


def test_another_life_of_the_view_is_told_as_such(office: Office, server: Server) -> None:
    """Positions of an earlier life, or beyond the end, mean nothing: the page begins anew."""
    office.tell([record("company", 1, 1)])
    for foreign in ("beef-1", f"{office.view.life}-99"):
        wall = Wall(server, foreign)
        assert next(wall.events())[0] == "reset"
        assert wall.last == str(office.hub.position)
    assert position_of("no position") is None
    assert position_of(f"beef-{'9' * 30}") is None
    office.view.recognise({"kpi.scorecards": "one"}, {})
    wall = Wall(server)
    names = (name for name, _ in wall.events())
    assert next(names) == "heartbeat"
    office.view.recognise({"kpi.scorecards": "two"}, {})
    office.in_server(office.hub.restarted)
    assert next(names) == "reset"


def test_heartbeats_come_while_nothing_happens_and_while_much_does(office: Office, server: Server) -> None:
    """With the pipeline's clock and how fresh the figures are."""
    stop = threading.Event()

    def busy() -> None:
        number = 0
        while not stop.wait(0.02):
            number += 1
            office.tell([record("company", 1, number)])

    begun = time.monotonic()
    quiet = [json.loads(data) for name, data in _some(Wall(server), 2) if name == "heartbeat"]
    assert HEARTBEAT_S * 0.9 < time.monotonic() - begun < HEARTBEAT_S * 2
    assert quiet[0]["state"] == "fresh"
    assert quiet[0]["clock"] == "2026-03-19T12:00:00Z"
    assert quiet[0]["now"] < quiet[1]["now"]
    thread = threading.Thread(target=busy)
    thread.start()
    try:
        assert len(list(_some(Wall(server), 2))) > 20
        assert time.monotonic() - begun < HEARTBEAT_S * 4
    finally:
        stop.set()
        thread.join()


def _some(wall: Wall, heartbeats: int) -> Iterator[tuple[str, str]]:
    for event in wall.events():
        yield event
        heartbeats -= event[0] == "heartbeat"
        if not heartbeats:
            return


def test_a_slow_wall_skips_what_changed_again_and_nothing_else(office: Office) -> None:
    """Nothing is queued for it: it is sent what holds once it takes something."""
    hub = office.hub

    async def run() -> list[int]:
        stream = hub.stream(hub.position)
        assert (await anext(stream)).startswith(b"retry")
        assert b"heartbeat" in await anext(stream)
        for revision in (1, 2):
            office.tell(days(KEPT_CHANGES, revision))
        found: list[int] = []
        while len(found) < KEPT_CHANGES:
            got = (await anext(stream)).decode()
            lines = [line[6:] for line in got.splitlines() if line.startswith("data: ")]
            found.extend(json.loads(line)["revision"] for line in lines)
        await stream.aclose()
        return found

    assert asyncio.run(run()) == [2] * KEPT_CHANGES
    assert hub.walls == 0


def test_records_series_scopes_and_feed_answer_from_the_same_figures(
    office: Office, server: Server
) -> None:
    """Of a floor's winter, as the replay counts them."""
    first = date(2026, 1, 5)
    clock = NOON
    told: list[Event] = [
        e for e in events(Floor(sellers=4), first, first + timedelta(days=75)) if e.time <= clock
    ]
    replay = Replay(BUSINESS)
    replay.feed(told)
    records = list(replay.records(clock))
    office.tell(records, told)
    shown = [r for r in records if not r.scope.startswith("customer:")]
    week = asked(server, "records", grain="week", **{"from": "2026-03-16", "to": "2026-03-16"}).text
    for one in shown:
        if one.grain == "week" and one.start == date(2026, 3, 16):
            assert encode_record(one).decode() in week
    assert "customer:" not in week
    customers = asked(server, "records", scope="customer:", grain="month").json()["records"]
    assert len(customers) == sum(r.scope.startswith("customer:") and r.grain == "month" for r in records)
    by_day = {
        r.start.isoformat(): r.kpis["revenue"]
        for r in records
        if r.scope == "company" and r.grain == "day" and r.start.month == 3
    }
    points = asked(
        server,
        "series",
        scope="company",
        kpi="revenue",
        grain="day",
        **{"from": "2026-03-01", "to": "2026-03-31"},
    ).json()["points"]
    assert {p["start"]: p["value"] for p in points} == by_day
    calls = asked(
        server,
        "series",
        scope="company",
        kpi="calls",
        grain="year",
        **{"from": "2026-01-01", "to": "2026-01-01"},
    ).json()["points"]
    [year] = [r for r in records if r.key == "company|year|2026-01-01"]
    assert [p["value"] for p in calls] == [year.measures["calls"]]
    scopes = asked(server, "scopes").json()["scopes"]
    assert [s["scope"] for s in scopes if not s["scope"].startswith("seller:")] == [
        "company", "team:norr", "team:söder", "team:öst",
    ]  # fmt: skip
    assert {s["scope"]: (s["name"], s["team"]) for s in scopes if s["scope"] == "seller:anna"} == {
        "seller:anna": ("Anna", "norr")
    }
    moments = asked(server, "feed", limit="100").json()["moments"]
    assert len(moments) == year.measures["deals_won"] > 0
    assert [m["at"] for m in moments] == sorted((m["at"] for m in moments), reverse=True)


def test_statuses_are_asked_for_by_a_day_of_their_period(office: Office, server: Server) -> None:
    """Both its first and its last day are part of it."""
    march = standing("company", "revenue", MARCH, 1, 2, NOON)
    week = standing("company", "revenue", WEEK, 1, 2, NOON)
    office.tell(statuses=[march, week])

    def on(day: str) -> list[str]:
        return [one["start"] for one in asked(server, "statuses", on=day).json()["statuses"]]

    assert on("2026-03-01") == on("2026-03-31") == ["2026-03-01"]
    assert on("2026-03-16") == on("2026-03-22") == ["2026-03-16", "2026-03-01"]
    assert on("2026-04-01") == []


def test_alerts_come_the_latest_first_and_no_more_than_asked_for(office: Office, server: Server) -> None:
    """By when they came about, in whichever order they were read."""
    status = standing("company", "revenue", MARCH, 1, 2, NOON)
    kinds: list[tuple[AlertKind, int]] = [("slipped", 5), ("at_risk", 3), ("recovered", 9)]
    office.tell(alerts=[alert_of(status, kind, NOON + timedelta(hours=hour)) for kind, hour in kinds])
    found = asked(server, "alerts", limit="2").json()["alerts"]
    assert [one["kind"] for one in found] == ["recovered", "slipped"]


@pytest.mark.parametrize(
    "path", ["records?from=yesterday", "records?grain=hour", "series?scope=company", "feed?limit=0"]
)
def test_a_question_that_makes_no_sense_is_refused(path: str, server: Server) -> None:
    """With 400, and not with something else."""
    assert httpx.get(f"{server.address}/api/{path}", timeout=ANSWER_S).status_code == 400


def test_the_page_is_served_with_all_it_needs_and_allows_nothing_else(server: Server) -> None:
    """From this server alone, so that it works where there is no other."""
    page = httpx.get(server.address, timeout=ANSWER_S)
    assert "<title>Målvakt</title>" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    for name in ("wall.css", "js/main.js", "fonts/Inter-Regular.woff2", "icon.svg"):
        assert httpx.get(f"{server.address}/{name}", timeout=ANSWER_S).status_code == 200
    assert httpx.get(f"{server.address}/api/nothing", timeout=ANSWER_S).status_code == 404
    assert httpx.post(f"{server.address}/api/records", timeout=ANSWER_S).status_code in {404, 405}


def test_many_walls_are_told_and_forgotten_when_they_leave(office: Office, server: Server) -> None:
    """Each of them, and none is kept once its connection has ended."""
    count, told = 20, 3
    found: list[list[int]] = []

    def one(position: str) -> None:
        found.append(Wall(server, position).revisions(told))

    position = str(office.hub.position)
    threads = [threading.Thread(target=one, args=(position,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for revision in range(told):
        office.tell([record(f"team:{revision}", 1, revision)])
    for thread in threads:
        thread.join(ANSWER_S)
    assert found == [list(range(told))] * count
    deadline = time.monotonic() + HEARTBEAT_S + ANSWER_S
    while office.hub.walls and time.monotonic() < deadline:
        time.sleep(0.05)
    assert office.hub.walls == 0
