"""`malvakt goals set`, `accept`, `retire`, `list`, `show` and `split --apply` on a real Kafka."""

import asyncio
import re
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from msgspec.structs import replace

from goals.history import acceptances, changes
from malvakt.goal_changes import carry_out, opened
from malvakt.outcome import Fault
from schemas.goals import Goal, GoalStatus, Once, decode_goal, decode_version, encode_status
from schemas.records import KpiRecord, encode_record
from schemas.topics import GOAL_STATUS, GOALS, SCORECARDS
from streams.delivery import Delivery, Outgoing
from streams.goal_setting import GoalSetting
from streams.reading import read_to_end
from streams.settings import from_environment
from tests.goals.test_records import GOAL, NOW, STOCKHOLM
from tests.malvakt.calling import malvakt as called

GOALS_FILE = """\
goals:
  north:
    name: The north
    scope: team:north
    kpi: revenue
    target: 1 000 000
    period: 2090-Q2
    owner: anna
  meetings:
    scope: seller:anna
    kpi: meetings_booked
    target: 9
    every: week
    from: 2090-01-02
"""

MORE = """\
goals:
  more:
    scope: company
    kpi: meetings_booked
    target: 90
    every: month
    from: 2090-01-01
"""

Malvakt = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def malvakt(kafka_address: str, monkeypatch: pytest.MonkeyPatch) -> Malvakt:
    """Calls a command on an installation of its own: how it ended, and the lines it wrote."""
    name = f"goals-{secrets.token_hex(4)}"
    monkeypatch.setenv("MALVAKT_BROKER", kafka_address)
    monkeypatch.setenv("MALVAKT_TOPIC_PREFIX", f"{name}.")
    monkeypatch.setenv("MALVAKT_APP_ID", name)
    monkeypatch.setenv("MALVAKT_PARTITIONS", "3")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LOGNAME", "cia")

    def call(*arguments: object) -> tuple[int, list[str], list[str]]:
        done = called(*map(str, arguments))
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()

    return call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "goals.yaml"
    path.write_text(GOALS_FILE, "utf-8")
    return path


def held() -> dict[str, int]:
    """The version of each goal on `goals`, which every partition has."""
    settings = from_environment()

    async def read() -> list[dict[str, int]]:
        found: list[dict[str, int]] = [{} for _ in range(3)]
        async for record in read_to_end(settings, GOALS.name, lambda record: record):
            found[record.partition].pop(record.key.decode(), None)
            if record.value is not None:
                goal = decode_goal(record.value)
                found[record.partition][goal.id] = goal.version
        return found

    first, *others = asyncio.run(read())
    assert others == [first, first]
    return first


def publish(topic: str, key: str, value: bytes) -> None:
    """What workers publish."""

    async def write() -> None:
        settings = from_environment()
        async with Delivery(settings) as delivery:
            await delivery.write([Outgoing(settings.topic(topic), 0, key, value)])

    asyncio.run(write())


def test_goals_are_set_accepted_changed_and_retired(malvakt: Malvakt, file: Path) -> None:
    """Each with who did it; the history says it all, and what holds already is no change."""
    assert malvakt("goals", "set", file, "--by", "anna") == (
        0,
        [
            "north: set: revenue of team:north at least 1 000 000 SEK, 2090-Q2; a draft",
            "meetings: set: meetings_booked of seller:anna at least 9, every week from 2090-01-02; a draft",
        ],
        [],
    )
    assert malvakt("goals", "set", file) == (0, ["All of it holds already."], [])
    assert malvakt("goals", "accept", "north", "meetings", "--by", "bo")[1] == [
        "north: accepted by bo",
        "meetings: accepted by bo",
    ]
    assert malvakt("goals", "accept", "north") == (0, ["north: bo accepted it before."], [])
    file.write_text(GOALS_FILE.replace("1 000 000", "1 200 000"), "utf-8")
    assert malvakt("goals", "set", file)[1] == [
        "north: target: 1 200 000 SEK instead of 1 000 000 SEK; a draft again"
    ]
    assert malvakt("goals", "retire", "meetings")[1] == ["meetings: retired"]
    assert held() == {"north": 3}
    status, lines, _ = malvakt("goals", "show", "north")
    assert status == 0
    assert lines[:3] == [
        "revenue of team:north at least 1 200 000 SEK, 2090-Q2; a draft",
        "name: The north",
        "owner: anna",
    ]
    rows = [re.split(r"\s{2,}|(?<=\d) (?=\d{4}-)|(?<=:\d\d) ", line.strip()) for line in lines[-4:-1]]
    assert [(row[0], row[2]) for row in rows] == [("1", "anna"), ("2", "bo"), ("3", "cia")]
    assert rows[1][3] == "accepted by bo"
    versions = [decode_version(line.encode()) for line in malvakt("goals", "show", "meetings", "--json")[1]]
    assert [(version.by, version.goal is None) for version in versions][-1] == ("cia", True)
    assert malvakt("goals", "show", "meetings")[1][0] == "retired"


def test_a_dry_run_writes_nothing(malvakt: Malvakt, file: Path) -> None:
    """And says what would change."""
    malvakt("goals", "set", file)
    file.write_text(GOALS_FILE.replace("owner: anna", "owner: bo"), "utf-8")
    would = "This is what would change; nothing was written."
    assert malvakt("goals", "set", file, "--dry-run")[1] == ["north: owner: bo instead of anna", would]
    assert malvakt("goals", "accept", "north", "--dry-run")[1] == ["north: accepted by cia", would]
    assert malvakt("goals", "retire", "north", "--dry-run")[1] == ["north: retired", would]
    assert held() == {"north": 1, "meetings": 1}


def test_a_file_with_a_fault_sets_nothing(malvakt: Malvakt, file: Path) -> None:
    """Every fault is at its place, also that a goal moved to another scope."""
    file.write_text(GOALS_FILE.replace("meetings_booked", "meetings_boked"), "utf-8")
    status, out, err = malvakt("goals", "set", file)
    assert (status, out) == (1, [])
    assert err[0].startswith(f"{file}:11:10: meetings.kpi: there is no KPI `meetings_boked`; did you mean")
    assert err[1] == "1 fault; these goals cannot be used."
    assert held() == {}
    file.write_text(GOALS_FILE, "utf-8")
    malvakt("goals", "set", file)
    file.write_text(
        GOALS_FILE.replace("team:north", "team:south").replace("target: 9", "target: 8"), "utf-8"
    )
    status, out, err = malvakt("goals", "set", file)
    assert (status, out) == (1, [])
    assert err[0].startswith(f"{file}:2:3: north.scope: `north` is about team:north, and no goal moves")
    assert held() == {"north": 1, "meetings": 1}


def test_what_is_no_goal_is_named(malvakt: Malvakt, file: Path) -> None:
    """And nothing is changed for it."""
    malvakt("goals", "set", file)
    assert malvakt("goals", "accept", "north", "meeting") == (
        1,
        [],
        ["malvakt: there is no goal `meeting`; did you mean `meetings`?"],
    )
    assert malvakt("goals", "show", "nrth")[2] == [
        "malvakt: there is no goal `nrth`; did you mean `north`?"
    ]
    assert malvakt("goals", "retire")[0] == 2
    assert malvakt("goals", "set", file, "--by", "")[0] == 2
    assert held() == {"north": 1, "meetings": 1}


def test_what_is_over_is_not_accepted(malvakt: Malvakt, file: Path) -> None:
    """It would be judged at once."""
    malvakt("goals", "set", file)
    past = replace(GOAL, id="past", period=Once(start=date(2020, 4, 1), end=date(2020, 6, 30)))
    asyncio.run(changed([past]))
    status, out, err = malvakt("goals", "accept", "north", "past")
    assert (status, out) == (1, [])
    assert err == [
        "malvakt: past: 2020-Q2 is over, and a goal looks ahead; choose a later period.",
        "Nothing is changed.",
    ]
    assert held() == {"north": 1, "meetings": 1, "past": 1}


async def changed(goals: list[Goal]) -> None:
    """Somebody else sets goals."""
    settings = from_environment()
    async with Delivery(settings) as delivery:
        setting = GoalSetting(settings, delivery)
        await setting.change(changes(goals, await setting.read(), "bo", NOW))


def test_who_is_not_first_is_told_who_was(
    malvakt: Malvakt, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What they changed besides is said, and holds."""
    malvakt("goals", "set", file)

    async def late() -> None:
        async with opened(from_environment()) as goals:
            renamed = replace(goals.history.held()["north"], name="Spring")
            versions = acceptances(["north", "meetings"], goals.history, "anna", NOW)
            await changed([renamed])
            await carry_out(goals, versions, dry_run=False)

    with pytest.raises(Fault, match=r"`north` \(bo, 2026-03-20 12:00 UTC\)\. Look again"):
        asyncio.run(late())
    assert capsys.readouterr().out == "meetings: accepted by anna\n"
    assert held() == {"north": 2, "meetings": 2}


def test_goals_are_listed_with_where_they_stand(malvakt: Malvakt, file: Path) -> None:
    """As the workers last said of what holds now; a retired one is listed no longer."""
    malvakt("goals", "set", file)
    listed = malvakt("goals", "list")[1]
    assert [line.split()[0] for line in listed if "2090" in line] == ["meetings", "north"]
    assert any("a draft" in line and "1 000 000 SEK" in line for line in listed)
    status = GoalStatus(
        goal="north",
        goal_version=1,
        scope="team:north",
        kpi="revenue",
        start=date(2090, 4, 1),
        end=date(2090, 6, 30),
        standing="at_risk",
        revision=2,
        value="250000.00",
        target="1000000.00",
        expected=None,
        attainment=0.25,
        pace=0.5,
        forecast=None,
        low=None,
        high=None,
        probability=0.4,
        remaining="750000.00",
        per_working_day=None,
        leads_needed=None,
        as_of=NOW,
    )
    old = replace(status, revision=1, standing="on_track")
    for one in (old, status, replace(old, goal="meetings", goal_version=7)):
        publish(GOAL_STATUS.name, one.key, encode_status(one))
    [north] = [line for line in malvakt("goals", "list")[1] if "north" in line]
    assert "at risk" in north
    assert "250 000" in north
    lines = [orjson.loads(line) for line in malvakt("goals", "list", "--json")[1]]
    assert [(line["id"], line["status"] and line["status"]["standing"]) for line in lines] == [
        ("meetings", None),
        ("north", "at_risk"),
    ]
    said = "at risk, 250 000 where 1 000 000 is asked for; 40% likely to be reached"

    assert f"2090-04-01 to 2090-06-30: {said}" in malvakt("goals", "show", "north")[1]
    malvakt("goals", "accept", "north")
    assert "no worker has said yet where it stands" in malvakt("goals", "show", "north")[1]
    malvakt("goals", "retire", "north", "meetings")
    assert malvakt("goals", "list")[1] == ["There are no goals; see docs/goals.md."]


def test_goals_are_compared_with_what_was_published(malvakt: Malvakt, file: Path) -> None:
    """When they are set; it is a warning, and no fault."""
    malvakt("goals", "list")
    file.write_text(MORE, "utf-8")
    assert malvakt("goals", "set", file, "--dry-run")[0] == 1, "no worker ever ran"
    malvakt("goals", "set", file)
    malvakt("goals", "retire", "more")
    first = datetime.now(STOCKHOLM.zone).date().replace(day=1)
    for months, booked in enumerate((20, 42, 31), 1):
        end = first
        first = (first - timedelta(days=1)).replace(day=1)
        record = KpiRecord(
            scope="company",
            grain="month",
            start=first,
            end=end,
            state="closed",
            revision=months,
            measures={"meetings_booked": booked},
            kpis={"meetings_booked": booked},
            as_of=NOW,
        )
        publish(SCORECARDS.name, record.key, encode_record(record))
    status, out, err = malvakt("goals", "set", file)
    assert status == 0
    assert out[0].startswith("more: set again: meetings_booked of company at least 90")
    [warning] = err
    assert warning.startswith(f"{file}:2:3: warning: more: your best month of the last 3 was 42")


def test_a_goal_is_divided_and_its_parts_are_set(malvakt: Malvakt, file: Path) -> None:
    """Once it holds as the file has it; what does not add up any more is said."""
    split = ("goals", "split", file, "north", "seller:anna", "seller:bo")
    assert malvakt(*split, "--by", "anna")[0] == 2
    malvakt("goals", "set", file)
    assert malvakt(*split, "--apply") == (
        0,
        [
            "north.anna: set: revenue of seller:anna at least 500 000 SEK, 2090-Q2; a draft",
            "north.bo: set: revenue of seller:bo at least 500 000 SEK, 2090-Q2; a draft",
        ],
        [],
    )
    status, out, err = malvakt(*split, "--weights", "3", "1", "--apply", "--by", "anna", "--dry-run")
    assert (status, err) == (0, [])
    assert out[0] == "north.anna: target: 750 000 SEK instead of 500 000 SEK"
    assert "parts: north.anna, north.bo" in malvakt("goals", "show", "north")[1]
    apart = "malvakt: warning: north: its parts ask for 500000.00 less than it does."
    assert malvakt("goals", "retire", "north.bo")[2] == [apart]
    status, out, err = malvakt(*split, "--weights", "1", "0", "--apply")
    assert (status, out) == (1, [])
    assert err[0].startswith("malvakt: north.bo: at least 0 is reached by doing nothing")
    file.write_text(GOALS_FILE.replace("1 000 000", "1 200 000"), "utf-8")
    status, out, err = malvakt(*split, "--apply")
    assert (status, out) == (1, [])
    assert f"set it first: malvakt goals set {file}" in err[0]
    assert held() == {"north": 1, "meetings": 1, "north.anna": 1}
