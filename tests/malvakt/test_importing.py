"""The import language, on a small CRM of our own: what rows become, and what is said of the others."""

import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from kpis.calendar import Calendar
from malvakt.importing import import_files
from malvakt.mapping import MappingError, read_mapping
from schemas.events import Event
from tests.malvakt.calling import malvakt, said

CRM = Path(__file__).parent / "crm"
FILES = ["companies.csv", "deals.csv", "sellers.csv"]
STOCKHOLM = Calendar("Europe/Stockholm")


@pytest.fixture
def crm(tmp_path: Path) -> Path:
    """A folder with the mapping and its files, to change at will."""
    shutil.copytree(CRM, tmp_path, dirs_exist_ok=True)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def imported(folder: Path, *rest: str) -> list[Event]:
    """The events of a folder."""
    return import_files(
        read_mapping(folder / "mapping.toml"), [folder / name for name in rest or FILES], STOCKHOLM
    ).events


def by_row(events: list[Event]) -> dict[str, Event]:
    """Events by what the mapping says is their id, without the digest of their content."""
    return {event.id.partition("#")[0]: event for event in events}


def test_rows_become_events() -> None:
    """The organisation first, then by time; aliased, looked up, in the business timezone."""
    events = imported(CRM)
    assert [event.id.partition("#")[0] for event in events] == [
        "Anna Ek/assigned",
        "Bo Dal/assigned",
        "D1/created",
        "D2/created",
        "D3/created",
        "D1/won",
        "D1/won-at",
        "D2/lost",
    ]
    found = by_row(events)
    assert {event.source for event in events} == {"csv://small"}
    lost: Any = found["D2/created"].data
    assert (lost.customer, lost.seller, lost.value) == ("Öst; Väst AB", "Anna Ek", None)
    assert found["D1/won"].time.isoformat() == "2026-03-31T09:15:00+02:00"
    assert found["D3/created"].time.isoformat() == "2026-03-04T00:00:00+01:00"
    amended: Any = found["D1/won-at"].data
    assert amended.won_at.isoformat() == "2026-03-31T12:00:00+02:00"


REJECTED = [
    ("sellers.csv", 4, "no event of the mapping fits it."),
    ("deals.csv", 5, "`Company` says 'Ghost', which companies.csv does not list."),
    ("deals.csv", 6, "`Company` is empty, and deal.created needs a customer."),
    ("deals.csv", 7, "`Modified` is empty, and deal.won needs its time."),
    ("deals.csv", 8, "`$.data.value`: "),
    ("deals.csv", 10, "it has 3 cells, the header has 8."),
    ("deals.csv", 11, "'4 March 2026' is no date and time such as 2026-03-31 12:00."),
    ("deals.csv", 12, "`Deal ID` is empty, and deal.created needs its id."),
    ("deals.csv", 13, "'2026-02-30 12:00' is no date and time such as 2026-03-31 12:00."),
]


def test_a_row_that_cannot_become_events_is_kept_with_its_line_and_the_reason(tmp_path: Path) -> None:
    """Whole: nothing of it goes through, and the rest does. The exit status is 0."""
    events, rejected = tmp_path / "events.jsonl", tmp_path / "rejected.jsonl"
    files = [CRM / name for name in ["sellers.csv", "companies.csv", "deals.csv"]]
    done = malvakt("import", CRM / "mapping.toml", *files, "--to", events, "--rejected", rejected)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    rows = [orjson.loads(line) for line in rejected.read_bytes().splitlines()]
    for row, (file, line, reason) in zip(rows, REJECTED, strict=True):
        assert (row["file"], row["line"]) == (file, line)
        assert row["reason"].startswith(reason)
    objects = {orjson.loads(line)["data"].get("deal") for line in events.read_bytes().splitlines()}
    assert objects == {"D1", "D2", "D3", None}
    assert "14 rows read: 8 events (1 deal.amended, 3 deal.created, 1 deal.lost, 1 deal.won," in said(done)
    assert "9 rows could not become events:" in said(done)
    assert "deals.csv line 10: it has 3 cells, the header has 8." in said(done)


def test_without_to_the_events_go_to_standard_output() -> None:
    """What is said to a person does not come between."""
    done = malvakt("import", CRM / "mapping.toml", *(CRM / name for name in FILES))
    assert done.returncode == 0
    assert [orjson.loads(line)["specversion"] for line in done.stdout.splitlines()] == ["1.0"] * 8


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('seller = "{Name}", team', 'selller = "{Name}", team', "seller.assigned has no field `selller`"),
        ('seller = "{Name}", ', "", "seller.assigned needs the field `seller`."),
        ('delimiter = ";"', 'delimiter = ";;"', "the delimiter ';;'; give one character"),
        ('delimiter = ";"', 'delimiter = ""', "the delimiter ''; give one character"),
        ('delimiter = ";"', "delimiter = '\"'", "give one character"),
        ('delimiter = ";"', 'delimiter = ","', "deals.csv has no column"),
        ('"deal.won"', '"deal.wonn"', "no event type 'deal.wonn'. Known: activity.deleted,"),
        ('name = "sellers.csv"', 'name = "companies.csv"', "two of its files have the same name"),
        ('Company = "companies.csv"', 'Company = "sellers.csv"', "no file here with a key"),
        ('Company = "companies.csv"', 'Company = "firms.csv"', "no file here with a key"),
        ("{Created}", "{Born}", "deals.csv has no column Born; it has Deal ID,"),
        ('source = "csv://small"', "", "missing required field `source`"),
        ("[[files.events]]", "[[files.event]]", "unknown field `event`"),
        ("[[files]]", "[[files", "is no valid TOML"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_to_mend(
    crm: Path, old: str, new: str, sentence: str
) -> None:
    """With exit status 2, before anything is written."""
    edit(crm / "mapping.toml", old, new)
    done = malvakt("import", crm / "mapping.toml", *(crm / name for name in FILES))
    assert done.returncode == 2
    assert done.stdout == ""
    assert sentence in said(done)


def test_two_files_of_one_name_are_refused(crm: Path) -> None:
    """Neither is dropped for the other."""
    (crm / "feb").mkdir()
    shutil.copy(crm / "deals.csv", crm / "feb")
    with pytest.raises(MappingError, match=r"deals\.csv and .*deals\.csv are both deals\.csv"):
        imported(crm, *FILES, "feb/deals.csv")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["deals.csv"], "deals.csv looks things up in companies.csv: give it too."),
        (["mapping.toml"], "The mapping has no file mapping.toml; it knows companies.csv,"),
        (["companies.csv", "deals.csv", "missing/sellers.csv"], "sellers.csv cannot be read: No such"),
    ],
)
def test_files_that_do_not_go_with_the_mapping_are_refused(files: list[str], sentence: str) -> None:
    """The message says which are expected."""
    with pytest.raises(MappingError, match=re.escape(sentence)):
        imported(CRM, *files)


def test_a_column_that_is_there_twice_is_refused(crm: Path) -> None:
    """Nobody can say which is meant."""
    edit(crm / "deals.csv", "Owner;Stage", "Owner;Owner")
    edit(crm / "mapping.toml", 'Stage = ["Closed Won"]', 'Owner = ["Closed Won"]')
    edit(crm / "mapping.toml", 'Stage = ["Closed Won"]', 'Owner = ["Closed Won"]')
    edit(crm / "mapping.toml", 'Stage = ["Closed Lost"]', 'Owner = ["Closed Lost"]')
    with pytest.raises(MappingError, match="more than one column Owner"):
        imported(crm)


def test_what_is_no_csv_is_refused(crm: Path) -> None:
    """Latin-1, for one."""
    (crm / "companies.csv").write_bytes("Company,City\nAcme,Umeå\n".encode("latin-1"))
    with pytest.raises(MappingError, match="no CSV in UTF-8"):
        imported(crm)


def test_the_same_export_again_is_the_same_events(crm: Path) -> None:
    """By id, whatever the order of its rows; so that nothing counts twice."""
    rows = (crm / "deals.csv").read_text("utf-8").splitlines()
    before = imported(crm)
    (crm / "deals.csv").write_text("\n".join([rows[0], *reversed(rows[1:])]), "utf-8")
    assert imported(crm) == before


def test_a_changed_row_is_another_event(crm: Path) -> None:
    """Its ids carry what it says, so that it is not taken for the event it corrects."""
    before = by_row(imported(crm))
    edit(crm / "deals.csv", "Won;1000.00;", "Won;1200.00;")
    after = by_row(imported(crm))
    changed = {name for name in before if before[name].id != after[name].id}
    assert changed == {"D1/created", "D1/won"}


def test_where_a_row_says_when_it_was_modified_the_newest_export_holds(crm: Path, tmp_path: Path) -> None:
    """Both exports together, in either order, give the newer one's figures: value, date and outcome."""

    def export(name: str) -> Path:
        path = tmp_path / name
        done = malvakt("import", crm / "mapping.toml", *(crm / file for file in FILES), "--to", path)
        assert done.returncode == 0, done.stderr
        return path

    older = export("older.jsonl")
    edit(
        crm / "deals.csv",
        "Won;1000.00;2026-03-02;2026-03-31;2026-03-31",
        "Won;900.00;2026-03-02;2026-02-27;2026-04-07",
    )
    edit(
        crm / "deals.csv",
        "A. Ek;Closed Lost;;2026-03-03;2026-04-01;2026-04-01",
        "Bo Dal;Closed Won;50;2026-03-03;2026-03-31;2026-04-02",
    )
    newer = export("newer.jsonl")
    both = [malvakt("replay", *files, "--json").stdout for files in ((older, newer), (newer, older))]
    assert both[0] == both[1]
    records = {(r["scope"], r["grain"], r["start"]): r for r in map(orjson.loads, both[0].splitlines())}
    assert records["company", "month", "2026-02-01"]["measures"]["revenue"] == "900.00"
    assert records["seller:Bo Dal", "month", "2026-03-01"]["measures"]["revenue"] == "50.00"
    assert "deals_lost" not in records["company", "ever", "1970-01-01"]["measures"]
