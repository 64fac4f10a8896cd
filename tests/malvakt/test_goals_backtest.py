"""`malvakt goals backtest`, as a person calls it."""

from pathlib import Path

import orjson
import pytest

from tests.malvakt.calling import malvakt


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten months of three sellers."""
    path = tmp_path_factory.mktemp("floor") / "events.jsonl"
    done = malvakt("simulate", "--sellers", "3", "--teams", "1", "--days", "300", "--to", path)
    assert done.returncode == 0, done.stderr
    return path


def test_goals_of_teams_set_from_history(floor: Path) -> None:
    """The report has a row for each kind of scope and KPI, and one for all."""
    done = malvakt("goals", "backtest", floor, "--json", "--scopes", "team", "--kpis", "revenue,cac")
    assert done.returncode == 0, done.stderr
    report = orjson.loads(done.stdout)
    assert [(row["scopes"], row["kpi"]) for row in report["scores"]] == [
        ("all", "all"),
        ("team", "all"),
        ("team", "cac"),
        ("team", "revenue"),
    ]
    assert report["forecasts"] >= report["scores"][0]["judgements"] > 50
    shown = malvakt("goals", "backtest", floor, "--scopes", "team", "--kpis", "revenue")
    assert shown.returncode == 0, shown.stderr
    assert "Brier score" in shown.stdout


def test_goals_from_a_file(floor: Path, tmp_path: Path) -> None:
    """Monthly revenue of the company, against what last month brought."""
    goals = tmp_path / "goals.jsonl"
    goal = {
        "id": "g",
        "version": 1,
        "scope": "company",
        "kpi": "revenue",
        "better": "at_least",
        "target": {"kind": "relative", "change": "0.1", "baseline": "span_before"},
        "period": {"kind": "recurring", "grain": "month", "start": "2026-03-01"},
    }
    goals.write_bytes(orjson.dumps(goal) + b"\n")
    done = malvakt("goals", "backtest", floor, "--json", "--goals", goals)
    assert done.returncode == 0, done.stderr
    assert [row["scopes"] for row in orjson.loads(done.stdout)["scores"]] == ["all", "company", "company"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("--kpis", "hit_rate"), "there are forecasts of"),
        (("--scopes", "customer"), "give some of company, team, seller"),
        (("--country", "Atlantis"), "give a country such as"),
        (("--goals", "no-such-file"), "cannot be read"),
    ],
)
def test_a_wrong_call_is_told_what_to_give(floor: Path, wrong: tuple[str, str], sentence: str) -> None:
    """With status 2."""
    done = malvakt("goals", "backtest", floor, *wrong)
    assert done.returncode == 2
    assert sentence in done.stderr


def test_too_little_history_is_a_fault(floor: Path, tmp_path: Path) -> None:
    """With status 1 and what it takes."""
    short = tmp_path / "short.jsonl"
    short.write_bytes(b"\n".join(floor.read_bytes().splitlines()[:500]))
    done = malvakt("goals", "backtest", short)
    assert done.returncode == 1
    assert "too little history" in done.stderr
