"""The documentation says what the code does: names are there, examples are valid, links lead somewhere."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import get_args

import msgspec
import orjson
import pytest

from goals.known import known_kpis
from goals.reading import KEYS, Reading
from goals.reading import read as read_goals
from kpis.calendar import Calendar, Grain, micros_of
from kpis.definitions.countable import COUNTABLE
from kpis.definitions.reading import read
from kpis.definitions.recorded import read_record
from kpis.definitions.vocabulary import vocabulary
from kpis.formulas import KPIS
from kpis.measures import MEASURES
from malvakt.cli import app
from malvakt.commands.simulate_ import DAYS, START
from malvakt.mapping import read_mapping
from notices.reading import KEYS as ROUTE_KEYS
from notices.reading import read as read_rules
from schemas.decoding import Reason, ReasonCode, decode_event
from schemas.definitions import DefinitionRecord
from schemas.events import EVENT_TYPES, type_of
from schemas.export import GUIDE, guide
from schemas.goals import Absolute, AlertKind, Standing
from schemas.records import KpiRecord, encode_record
from schemas.topics import CRM_TOPICS, INTERNAL, TOPICS
from simulation.floor import Floor, events
from streams.partitioning import ON_EVERY_PARTITION
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level."""
    found = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def first_column(text: str) -> list[str]:
    """The names in the first column of the tables."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_tables_of_event_types_are_current() -> None:
    """`python -m schemas.export` was run after the last change of a struct; every type is in a table."""
    text = GUIDE.read_text("utf-8")
    assert guide(text) == text
    types = section(text, "Types")
    assert set(first_column(types)) == set(EVENT_TYPES)
    assert all(f"**`{topic.name}`**" in types for topic in CRM_TOPICS)


def test_the_header_for_copies_on_every_partition_is_named() -> None:
    """As workers look for it."""
    name, value = ON_EVERY_PARTITION
    assert f"`{name}: {value.decode()}`" in section(page("events.md"), "Where an event goes")


def test_every_reason_for_a_refusal_is_explained() -> None:
    """And none that there is not."""
    explained = first_column(section(page("events.md"), "What is refused"))
    assert sorted(explained) == sorted(code.value for code in ReasonCode)


def test_how_long_every_topic_is_kept_is_said() -> None:
    """Of those of one installation under the name it gives them."""
    kept = section(page("retention.md"), "What is kept where")
    for topic in TOPICS:
        name = f"<app id>.{topic.name}" if topic.name in INTERNAL else topic.name
        assert f"`{name}`" in kept


def test_every_measure_and_kpi_is_defined() -> None:
    """In the order in which records show them."""
    text = page("kpis.md")
    assert first_column(section(text, "Measures: what is counted")) == list(MEASURES)
    assert first_column(section(text, "KPIs: what is read")) == list(KPIS)
    for name, kpi in KPIS.items():
        row = next(
            line for line in section(text, "KPIs: what is read").splitlines() if f"| `{name}` " in line
        )
        assert kpi.question in row or "worth pursuing" in row


def test_the_examples_of_an_event_and_a_record_are_valid() -> None:
    """As they stand on the page."""
    for example in blocks(page("events.md"), "json"):
        assert not isinstance(decode_event(orjson.dumps(orjson.loads(example))), Reason)
    [record] = (msgspec.json.decode(example, type=KpiRecord) for example in blocks(page("kpis.md"), "json"))
    assert record.measures.keys() <= MEASURES.keys()
    assert record.kpis.keys() <= KPIS.keys()


def test_the_mappings_in_the_guide_can_be_used(tmp_path: Path) -> None:
    """The whole one, and the part that stands for a file's events."""
    whole, part = blocks(page("importing.md"), "toml")
    for text in (whole, f'source = "csv://x"\n[[files]]\nname = "deals.csv"\n{part}'):
        path = tmp_path / "mapping.toml"
        path.write_text(text, "utf-8")
        assert read_mapping(path).files[-1].events


def test_the_examples_of_definitions_can_be_used() -> None:
    """Each by itself, and all in one file; the record too."""
    text = page("definitions.md")
    examples = blocks(text, "toml")
    for example in [*examples, "\n".join(examples)]:
        definitions, faults = read(example.encode(), vocabulary())
        assert not faults, example
        assert definitions.measures or definitions.kpis
    [record] = blocks(text, "json")
    assert isinstance(read_record("measures/demos", record.encode()), DefinitionRecord)


def test_everything_that_can_be_counted_is_listed() -> None:
    """As `malvakt definitions check` says it."""
    text = section(page("definitions.md"), "Measures")
    for event, countable in COUNTABLE.items():
        assert f"| `{event}` | {countable.things} | {countable.at} |" in text


def test_the_examples_of_goals_can_be_used() -> None:
    """As they stand on the page, where every key is explained, every standing and every alert."""
    text = page("goals.md")
    given = Reading(
        known_kpis("SEK"), Calendar("Europe/Stockholm"), micros_of(datetime(2026, 12, 20, tzinfo=UTC))
    )
    for example in blocks(text, "yaml"):
        goals, findings, _ = read_goals(example.encode(), given)
        assert goals
        assert not findings, example
    keys = re.findall(
        r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \|", section(text, "The keys"), re.MULTILINE))
    )
    assert sorted(keys) == sorted(KEYS)
    assert first_column(section(text, "Where a goal stands")) == list(get_args(Standing))
    assert first_column(section(text, "What people hear")) == list(get_args(AlertKind))


def test_the_examples_of_dividing_a_goal_can_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they stand on the page, with the goals that stand there; the parts add up to what is divided."""
    text = page("goals.md")
    examples = "".join(block.removeprefix("goals:\n") for block in blocks(text, "yaml"))
    (tmp_path / "goals.yaml").write_text(f"goals:\n{examples}", "utf-8")
    reached = {"seller:anna": "300.00", "seller:bo": "100.00"}
    records = [
        KpiRecord(
            scope=scope,
            grain=Grain.QUARTER,
            start=date(2026, 7, 1),
            end=date(2026, 10, 1),
            state="closed",
            revision=1,
            measures={"revenue": revenue},
            kpis={"revenue": revenue},
            as_of=datetime(2026, 10, 2, tzinfo=UTC),
        )
        for scope, revenue in reached.items()
    ]
    (tmp_path / "records.jsonl").write_bytes(b"\n".join(map(encode_record, records)))
    monkeypatch.chdir(tmp_path)
    dividing = section(text, "Dividing a goal")
    found: list[list[Fraction]] = []
    for call in re.findall(r"^    malvakt (goals split .*)$", dividing, re.MULTILINE):
        ended = app(
            [*call.split(), "--now", "2026-12-20"], exit_on_error=False, result_action="return_value"
        )
        assert ended == 0, call
        given = Reading(known_kpis("SEK"), Calendar("Europe/Stockholm"), micros_of(records[0].as_of))
        parts, findings, _ = read_goals(capsys.readouterr().out.encode(), given)
        assert not findings
        found.append([Fraction(part.target.value) for part in parts if isinstance(part.target, Absolute)])
    assert [sum(shares) for shares in found] == [1_000_000] * 3
    for share in found[0]:
        assert f"{float(share):,.2f}".replace(",", " ") in dividing
    assert found[2] == [750_000, 250_000]


def test_the_rules_in_the_guide_can_be_used() -> None:
    """And every key of a route is explained."""
    [example] = blocks(page("notify.md"), "yaml")
    assert read_rules(example.encode(), "Europe/Stockholm").faults == []
    assert sorted(first_column(section(page("notify.md"), "Rules"))) == sorted(ROUTE_KEYS)


def test_every_setting_is_listed() -> None:
    """By its variable."""
    listed = first_column(section(page("running.md"), "Settings"))
    assert sorted(listed) == sorted(f"MALVAKT_{name.upper()}" for name in Settings.__struct_fields__)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """To a file that is there, and a heading that is in it."""
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings
            }


def test_a_year_of_twelve_sellers_has_as_many_events_as_the_page_says() -> None:
    """Of every type, and exactly: the same floor is the same events."""
    floor = Floor(currencies=("EUR", "USD"))
    life = events(floor, START, START + timedelta(days=DAYS))
    counted = Counter(type_of(event) for event in life)
    rows = re.findall(
        r"^\| `([a-z.]+)` \| ([\d,]+) \|$", section(page("simulating.md"), "How many"), re.MULTILINE
    )
    assert {kind: int(count.replace(",", "")) for kind, count in rows} == counted
