"""Alerts as a list, and acknowledging them, over the real application; and through a real Kafka."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.goals import AlertKind, GoalStatus
from schemas.notices import Ack, decode_ack
from schemas.topics import ACKS
from streams.reading import read_to_end
from streams.settings import Settings
from tests.wall.goals import MARCH, alert_of, goal_of, standing
from tests.wall.office import Office
from tests.wall.test_keeping import topics
from tests.wall.test_view import NOON
from tests.wall.visiting import Client, browser, paired, reason
from wall.accounts.door import CSRF_HEADER, SESSION_COOKIE, Door
from wall.managing.desk import UnwrittenError
from wall.managing.writing import acknowledge


def status_of(scope: str) -> GoalStatus:
    return standing(scope, "revenue", MARCH, 310_000, 410_000, NOON, "slipped", 0.8)


def happen(office: Office, scope: str, *kinds: AlertKind, minute: int = 0) -> list[str]:
    """Have a goal be told of, a minute apart; the ids of the alerts."""
    status = status_of(scope)
    told = [
        alert_of(status, kind, NOON + timedelta(minutes=minute + nth)) for nth, kind in enumerate(kinds)
    ]
    office.tell(goals=[goal_of(status)], statuses=[status], alerts=told)
    return [alert.id for alert in told]


def listed(client: Client, language: str = "en") -> list[dict[str, Any]]:
    answer = client.get("/api/manage/alerts", params={"lang": language})
    assert answer.status_code == 200
    return answer.json()["alerts"]


def test_what_asks_for_somebody_comes_first_and_the_latest_of_it(office: Office, manager: Client) -> None:
    """What has recovered, is good news, or is of a retired goal asks for nobody."""
    happen(office, "team:norr", "slipped", "recovered")
    happen(office, "team:öst", "achieved", minute=9)
    slipped = happen(office, "company", "at_risk", "slipped", minute=3)
    missed = happen(office, "seller:anna", "missed", minute=5)
    happen(office, "team:väst", "slipped", minute=7)
    office.retire(status_of("team:väst").goal)
    found = listed(manager)
    assert [one["alert"]["id"] for one in found if one["open"]] == [*missed, slipped[1]]
    kinds = [(one["alert"]["status"]["scope"], one["alert"]["kind"]) for one in found if not one["open"]]
    assert kinds == [
        ("team:öst", "achieved"),
        ("team:väst", "slipped"),
        ("company", "at_risk"),
        ("team:norr", "recovered"),
        ("team:norr", "slipped"),
    ]


def test_it_says_what_how_much_by_when_and_what_it_takes(office: Office, manager: Client) -> None:
    """In either language, and by the names of people."""
    happen(office, "seller:anna", "slipped")
    [english] = listed(manager)
    assert english["title"] == "Slipping: Seller Anna, revenue in March"
    says = " ".join(english["says"]).replace("\N{NO-BREAK SPACE}", " ")
    assert says.startswith("Seller Anna, revenue: SEK 310,000 of SEK 410,000 in March, nine working days")
    assert "It takes SEK 11,200 per working day" in says
    assert "13 new leads" in says
    assert "chance of reaching the goal is 11" in says
    assert "malvakt" not in says
    [swedish] = listed(manager, "sv")
    assert swedish["title"].startswith("Halkar efter: ")
    assert "nio arbetsdagar kvar" in " ".join(swedish["says"])


def test_an_alert_is_acknowledged_once_by_whoever_is_signed_in(office: Office, manager: Client) -> None:
    """The first holds, by the account's name; then it asks for nobody."""
    [slipped] = happen(office, "team:norr", "slipped")
    done = manager.post("/api/manage/acks", json={"alert": slipped})
    assert (done.status_code, done.json()["by"]) == (200, "Eva")
    [one] = listed(manager)
    assert not one["open"]
    assert one["acknowledged"] == done.json()
    office.tell(acks=[Ack(slipped, "Bo", NOON + timedelta(days=9_000))])
    again = manager.post("/api/manage/acks", json={"alert": slipped})
    assert again.json() == done.json()
    assert reason(manager.post("/api/manage/acks", json={"alert": "none"})) == "alert"


def test_nothing_is_acknowledged_where_kafka_does_not_answer(
    office: Office, door: Door, manager: Client
) -> None:
    """And it is said, with a word that the page has a sentence for."""
    [slipped] = happen(office, "team:norr", "slipped")

    async def fail(_: Ack) -> None:
        raise UnwrittenError

    office.desk = replace(office.desk, acknowledge=fail)
    other = browser(office, door)
    other.cookies.set(SESSION_COOKIE, manager.cookies[SESSION_COOKIE])
    other.headers[CSRF_HEADER] = manager.headers[CSRF_HEADER]
    answer = other.post("/api/manage/acks", json={"alert": slipped})
    assert (answer.status_code, reason(answer)) == (503, "kafka")
    assert listed(manager)[0]["open"]


def test_a_television_neither_lists_nor_acknowledges(office: Office, door: Door, manager: Client) -> None:
    """Nor hears by name who did, where it hides sellers."""
    [slipped] = happen(office, "team:norr", "slipped")
    tv, _, _ = paired(office, door, manager)
    assert tv.get("/api/manage/alerts").status_code == 401
    assert tv.post("/api/manage/acks", json={"alert": slipped}).status_code == 401
    assert listed(manager)[0]["open"]


def test_through_kafka_it_is_as_the_command_line_writes_it(kafka_address: str) -> None:
    """A record on `alert.acks` that notifiers and `malvakt alerts` read."""

    async def run() -> None:
        async with topics(kafka_address) as settings:
            ack = Ack("g|2026-03-01|slipped|0", "Eva", NOON)
            await acknowledge(settings, ack)
            found = [ack async for ack in read_to_end(settings, ACKS.name, lambda r: decode_ack(r.value))]
            assert found == [ack]

    asyncio.run(run())


def test_where_no_kafka_is_it_says_so_and_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of keeping somebody waiting who pressed a button."""
    monkeypatch.setattr("wall.managing.writing.WRITTEN_S", 1.0)
    with pytest.raises(UnwrittenError):
        asyncio.run(acknowledge(Settings(broker="127.0.0.1:1"), Ack("a", "Eva", NOON)))
