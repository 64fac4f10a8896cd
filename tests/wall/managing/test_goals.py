"""Goals over the real application: checked, set, accepted, divided, retired; and through a real Kafka."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from goals.history import GoalHistory, changes
from goals.records import GoalError
from schemas.goals import Absolute, Goal, GoalVersion, Once, decode_goal
from schemas.topics import GOALS
from streams.goal_setting import ChangedMeanwhileError
from streams.reading import read_to_end
from streams.settings import Settings
from tests.wall.goals import MARCH, goal_of, standing
from tests.wall.office import Office
from tests.wall.test_keeping import topics
from tests.wall.test_view import NOON
from tests.wall.visiting import Client, paired, reason
from wall.accounts.door import Door
from wall.managing.desk import UnwrittenError
from wall.managing.writing import change_goals

DRAFT = {"scope": "team:norr", "kpi": "revenue", "target": "1 500 000 kr", "period": "2026-04"}


def put(client: Client, **draft: object) -> dict[str, Any]:
    answer = client.post("/api/manage/goals?lang=en", json={**DRAFT, **draft})
    assert answer.status_code == 200, answer.text
    return answer.json()


def goals(client: Client) -> dict[str, dict[str, Any]]:
    return {one["goal"]["id"]: one for one in client.get("/api/manage/goals").json()}


def history(client: Client, name: str) -> list[dict[str, Any]]:
    return client.get("/api/manage/goals/history", params={"id": name}).json()


def test_a_goal_is_set_as_a_draft_changed_accepted_and_retired(manager: Client) -> None:
    """Each by whoever is signed in; and all that became of it is kept."""
    goal = put(manager)["goal"]
    name = goal["id"]
    assert name == "norr-revenue-2026-04"
    assert goals(manager)[name]["target"] == "1 500 000 SEK"
    assert "accepted" not in goals(manager)[name]["goal"]
    accepted = manager.post("/api/manage/goals/accept", json=[{"id": name, "version": 1}])
    assert accepted.status_code == 200
    assert goals(manager)[name]["goal"]["accepted"]["by"] == "Eva"
    # Another name is no other goal; another target is, and asks to be accepted again.
    put(manager, id=name, version=2, name="Vår")
    assert goals(manager)[name]["goal"]["accepted"]["by"] == "Eva"
    put(manager, id=name, version=3, name="Vår", target="2 000 000")
    assert "accepted" not in goals(manager)[name]["goal"]
    assert manager.post("/api/manage/goals/retire", json=[{"id": name, "version": 4}]).status_code == 200
    assert name not in goals(manager)
    kept = history(manager, name)
    assert [one["version"] for one in kept] == [1, 2, 3, 4, 5]
    assert {one["by"] for one in kept} == {"Eva"}
    assert "goal" not in kept[-1]
    assert put(manager)["goal"]["id"] == f"{name}-2"


@pytest.mark.parametrize(
    ("draft", "key", "says"),
    [
        ({"target": "35 %"}, "target", "no share"),
        ({"target": ""}, "", "`target` is missing"),
        ({"target": "+14 %"}, "target", "of what?"),
        ({"kpi": "revenu"}, "kpi", "did you mean `revenue`"),
        ({"period": "2026-02"}, "period", "is over"),
        ({"period": "spring"}, "period", "is no period"),
        ({"period": "", "every": "month"}, "", "`from` is missing"),
        ({"scope": "floor:1"}, "scope", "is no scope"),
        ({"kpi": "clv"}, "kpi", "over all time"),
        ({"target": "- [a, {b: &c *c}]"}, "target", "is no target"),
    ],
)
def test_what_is_wrong_is_said_where_it_is_and_nothing_is_set(
    manager: Client, draft: dict[str, str], key: str, says: str
) -> None:
    """In the sentences that a file of goals gets, with what to do about it."""
    asked = manager.post("/api/manage/goals/check?lang=en", json={**DRAFT, **draft}).json()
    set_ = put(manager, **draft)
    for found in (asked, set_):
        assert found["goal"] is None
        [fault] = [one for one in found["remarks"] if not one["warning"]][:1]
        assert fault["key"] == key
        assert says in fault["sentence"]
    assert goals(manager) == {}


def test_it_is_compared_with_what_there_was(office: Office, manager: Client) -> None:
    """What looks unrealistic is said, in the language of the page, and set all the same."""
    draft = {
        "scope": "company",
        "kpi": "meetings_booked",
        "target": "9999",
        "every": "day",
        "from": "2026-03-23",
    }
    for language, says in ("en", "best day of the last"), ("sv", "det bästa under de senaste 10 dagarna"):
        checked = manager.post(f"/api/manage/goals/check?lang={language}", json=draft).json()
        [remark] = [one for one in checked["remarks"] if one["key"] == "target"]
        assert remark["warning"]
        assert says in remark["sentence"]
        assert checked["goal"] is not None


def test_who_looked_at_another_version_changes_nothing(manager: Client) -> None:
    """And is told who was first."""
    name = put(manager)["goal"]["id"]
    put(manager, id=name, version=1, target="2 000 000")
    for path, body in (
        ("goals", {**DRAFT, "id": name, "version": 1, "target": "3 000 000"}),
        ("goals/accept", [{"id": name, "version": 1}]),
        ("goals/retire", [{"id": name, "version": 1}]),
    ):
        refused = manager.post(f"/api/manage/{path}", json=body)
        assert (refused.status_code, reason(refused)) == (409, "clash")
        assert "Eva" in refused.json()["detail"]
    assert goals(manager)[name]["target"] == "2 000 000 SEK"
    moved = manager.post(
        "/api/manage/goals", json={**DRAFT, "id": name, "version": 2, "scope": "team:söder"}
    )
    assert (moved.status_code, reason(moved)) == (409, "goal")
    none = manager.post("/api/manage/goals/accept", json=[{"id": "none", "version": 1}])
    assert (none.status_code, reason(none)) == (409, "goal")


def test_a_goal_is_divided_exactly_and_the_difference_is_told(office: Office, manager: Client) -> None:
    """Evenly, by weight and as last year; until somebody changes a part."""
    name = put(manager, target="1 000 000", period="2026")["goal"]["id"]
    over = [{"scope": f"seller:{who}"} for who in ("anna", "bo", "cia")]
    asked = {"id": name, "how": "evenly", "over": over}

    def targets(answer: dict[str, Any]) -> list[str]:
        return [part["target"]["value"] for part in answer["parts"]]

    evenly = manager.post("/api/manage/goals/division", json=asked).json()
    assert targets(evenly) == ["333333.34", "333333.33", "333333.33"]
    assert len(goals(manager)) == 1
    weighed = [{**one, "weight": weight} for one, weight in zip(over, (2, 1, 1), strict=True)]
    by_weight = {"id": name, "how": "weights", "over": weighed}
    assert targets(manager.post("/api/manage/goals/division", json=by_weight).json()) == [
        "500000.00", "250000.00", "250000.00",
    ]  # fmt: skip
    last_year = manager.post("/api/manage/goals/division", json={**asked, "how": "last_year"})
    assert "ingen av dem nådde något (försäljning)" in last_year.json()["detail"]
    nobody = manager.post("/api/manage/goals/division", json={**asked, "over": []})
    assert (nobody.status_code, reason(nobody)) == (400, "goal")
    assert manager.post("/api/manage/goals/divide", json=asked).status_code == 200
    whole = goals(manager)[name]
    assert (whole["parts"], whole["beyond"], whole["divides"]) == (3, None, True)
    part = f"{name}.anna"
    assert goals(manager)[part]["goal"]["part_of"] == name
    assert not goals(manager)[part]["divides"]
    put(manager, id=part, version=1, scope="seller:anna", target="400 000", period="2026")
    assert goals(manager)[part]["goal"]["part_of"] == name
    assert goals(manager)[name]["beyond"] == "66666.66"


def test_goals_are_listed_with_where_they_stand(office: Office, manager: Client) -> None:
    """In the period that today is in."""
    march = standing("team:norr", "revenue", MARCH, 310_000, 410_000, NOON, "at_risk", 0.8)
    before = standing("team:söder", "revenue", (MARCH[0].replace(month=1), MARCH[0]), 1, 2, NOON)
    office.tell(goals=[goal_of(march), goal_of(before)], statuses=[march, before])
    found = goals(manager)
    assert found[march.goal]["status"]["standing"] == "at_risk"
    assert found[before.goal]["status"] is None


def test_a_television_changes_no_goal(office: Office, door: Door, manager: Client) -> None:
    """Nor does whoever lacks the header of the session; and nobody's draft is looked at."""
    tv, _, _ = paired(office, door, manager)
    name = put(manager)["goal"]["id"]
    seen = [{"id": name, "version": 1}]
    bodies = {"goals": DRAFT, "goals/check": DRAFT, "goals/accept": seen, "goals/retire": seen}
    for path, body in bodies.items():
        assert tv.post(f"/api/manage/{path}", json=body).status_code == 401
    for path in ("goals", f"goals/history?id={name}"):
        assert tv.get(f"/api/manage/{path}").status_code == 401
    manager.headers["x-csrf-token"] = "none"
    for path, body in bodies.items():
        assert manager.post(f"/api/manage/{path}", json=body).status_code == 403
    assert "accepted" not in goals(manager)[name]["goal"]


def test_through_kafka_goals_hold_and_of_two_who_change_one_the_first_does(kafka_address: str) -> None:
    """As those that `malvakt goals` sets."""
    at = datetime(2026, 3, 19, 12, tzinfo=UTC)
    goal = Goal(
        id="g",
        version=1,
        scope="team:norr",
        kpi="revenue",
        better="at_least",
        target=Absolute(value="100.00"),
        period=Once(start=MARCH[0], end=MARCH[1]),
    )

    async def run() -> None:
        async with topics(kafka_address) as settings:
            change = partial(change_goals, settings)
            await change(lambda history: changes([goal], history, "Eva", at))
            found = [one async for one in read_to_end(settings, GOALS.name, lambda r: decode_goal(r.value))]
            assert {(one.id, one.version, one.changed_by) for one in found} == {("g", 1, "Eva")}
            with pytest.raises(GoalError):
                await change(_refuse)
            with pytest.raises(ChangedMeanwhileError):
                # Made of what was read before the first one.
                await change(lambda history: changes([goal], type(history)(), "Bo", at))

    asyncio.run(run())


def _refuse(_: GoalHistory) -> list[GoalVersion]:
    raise GoalError("no")


def test_where_no_kafka_is_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is said soon."""
    monkeypatch.setattr("wall.managing.writing.WRITTEN_S", 1.0)
    with pytest.raises(UnwrittenError):
        asyncio.run(change_goals(Settings(broker="127.0.0.1:1"), lambda _: []))
