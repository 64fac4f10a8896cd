"""`malvakt goals`, as whoever sets goals calls it."""

from pathlib import Path

import pytest

from goals.records import read_goal
from malvakt.commands.goals_ import check, split_
from malvakt.outcome import CallError, Fault
from schemas.goals import encode_goal
from schemas.records import encode_record
from tests.goals.test_realism import months
from tests.goals.test_splitting import WHOLE, year_before

NOW = "2026-03-20T12:00"

GOALS = """\
goals:
  north:
    scope: team:north
    kpi: revenue
    target: 1 000 000
    period: 2026-Q2
    accepted: { by: anna, at: 2026-03-01 }
  growth:
    scope: company
    kpi: revenue
    target: +14 %
    against: last_year
    every: month
    from: 2026-04-01
    until: 2027-01-01
  north.anna:
    scope: seller:anna
    kpi: revenue
    target: 400 000
    period: 2026-Q2
    part_of: north
"""


MORE = """\
goals:
  more:
    scope: company
    kpi: meetings_booked
    target: 90
    period: 2026-04
"""

OWN = """\
[kpis.calls_made]
formula = "calls"
unit = "count"
better = "higher"
name = { en = "Calls" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "goals.yaml"
    path.write_text(GOALS, "utf-8")
    return path


def test_what_goals_mean_is_said(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And that parts do not add up to their whole."""
    assert check(file, now=NOW) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "3 goals, and no fault.",
        "  north       revenue of team:north at least 1 000 000 SEK, 2026-Q2; accepted by anna",
        "  growth      revenue of company +14 % on last year, every month from 2026-04-01 until 2027-01-01;"
        " a draft",
        "  north.anna  revenue of seller:anna at least 400 000 SEK, 2026-Q2; a draft",
    ]
    assert said.err == f"{file}:2:3: warning: north: its parts ask for 600000.00 less than it does.\n"


def test_every_fault_is_shown_at_its_place(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the goals cannot be used."""
    file.write_text(GOALS.replace("team:north", "north team").replace("2026-Q2", "2025-Q2"), "utf-8")
    assert check(file, now=NOW) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"{file}:3:12: north.scope: `north team` is no scope;"
        " write company, team:ID, seller:ID or customer:ID.",
        f"{file}:20:13: north.anna.period: 2025-Q2 is over, and a goal looks ahead; choose a later period.",
        "2 faults; these goals cannot be used.",
    ]


def test_goals_are_compared_with_history(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As records say it."""
    file.write_text(MORE, "utf-8")
    history = tmp_path / "records.jsonl"
    records = months("meetings_booked", [20, 42, 31])
    history.write_bytes(b"\n".join(map(encode_record, records.values())))
    assert check(file, history=history, now=NOW) == 0
    assert ":2:3: warning: more: your best month of the last 3 was 42 (2026-01); this asks for 90." in (
        capsys.readouterr().err
    )


def test_records_are_checked_as_files_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line."""
    file = tmp_path / "goals.jsonl"
    good = encode_goal(WHOLE)
    wrong = good.replace(b'"revenue"', b'"revenu"').replace(b'"north"', b'"south"')
    file.write_bytes(b"\n".join([good, b"{", b"", wrong, good]))
    assert check(file, now=NOW) == 1
    first, second, twice, last = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{file}:2:1: this is no valid JSON")
    assert second == f"{file}:4:1: south.kpi: there is no KPI `revenu`; did you mean `revenue`?"
    assert twice == f"{file}:5:1: north: it stands here twice, first on line 1; keep one."
    assert last == "3 faults; these goals cannot be used."
    assert read_goal(good) == WHOLE


def test_a_goal_is_divided(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evenly, by weight or as last year; what is printed is a file of goals, and adds up."""
    assert split_(file, "north", "seller:anna", "seller:bo", "seller:cia", now=NOW) == 0
    printed = capsys.readouterr().out
    targets = [line.strip() for line in printed.splitlines() if "target" in line]
    assert targets == ["target: 333 333.34 SEK", "target: 333 333.33 SEK", "target: 333 333.33 SEK"]
    head, _, _ = GOALS.partition("  north.anna")
    file.write_text(head + printed.removeprefix("goals:\n"), "utf-8")
    assert check(file, now=NOW) == 0
    said = capsys.readouterr()
    assert "5 goals" in said.out
    assert said.err == ""
    assert split_(file, "north", "seller:anna", "seller:bo", weights=[3, 1], now=NOW) == 0
    assert "target: 750 000 SEK" in capsys.readouterr().out
    history = tmp_path / "records.jsonl"
    records = year_before({"seller:anna": "100.00", "seller:bo": "400.00"})
    history.write_bytes(b"\n".join(map(encode_record, records.values())))
    assert split_(file, "north", "seller:anna", "seller:bo", as_last_year=history, now=NOW) == 0
    assert "target: 200 000 SEK" in capsys.readouterr().out


def test_what_cannot_be_divided_says_why(file: Path, tmp_path: Path) -> None:
    """And a wrong call says what to call instead."""
    with pytest.raises(Fault, match="has no goal south"):
        split_(file, "south", "seller:anna", now=NOW)
    with pytest.raises(Fault, match="the same for each"):
        split_(file, "growth", "team:north", now=NOW)
    with pytest.raises(CallError, match="1 weight for 2 parts"):
        split_(file, "north", "seller:a", "seller:b", weights=[1], now=NOW)
    with pytest.raises(CallError, match="not both"):
        split_(file, "north", "seller:a", weights=[1], as_last_year=file, now=NOW)
    with pytest.raises(CallError, match="cannot be read"):
        check(tmp_path / "none.yaml")


def test_own_kpis_can_be_goals(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As they are defined."""
    definitions = tmp_path / "own.toml"
    definitions.write_text(OWN, "utf-8")
    file.write_text(MORE.replace("meetings_booked", "calls_made"), "utf-8")
    assert check(file, now=NOW) == 1
    assert "no KPI `calls_made`" in capsys.readouterr().err
    assert check(file, definitions=definitions, now=NOW) == 0
    definitions.write_text("[kpis", "utf-8")
    with pytest.raises(Fault, match="definitions have faults"):
        check(file, definitions=definitions, now=NOW)
