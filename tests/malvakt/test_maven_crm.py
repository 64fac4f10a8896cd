"""The Maven CRM data, imported and replayed, against the facts stated with it."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.malvakt.calling import malvakt
from tests.malvakt.test_commands import without_revision

MAPPING = Path(__file__).parents[2] / "examples" / "maven-crm.toml"
QUARTERS = {
    "2017-01-01": (531, 116, "1134672.00"),
    "2017-04-01": (1254, 778, "3086111.00"),
    "2017-07-01": (1257, 790, "2982255.00"),
    "2017-10-01": (1196, 789, "2802496.00"),
}
CYCLE_DAYS = [65.63, 6.10, 61.56, 66.41, 6.43, 61.66, 63.39, 6.16, 57.11, 67.26]


@pytest.fixture(scope="module")
def imported(maven_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The events of the four files."""
    path = tmp_path_factory.mktemp("maven") / "events.jsonl"
    done = malvakt("import", MAPPING, *sorted(maven_crm.glob("*.csv")), "--to", path)
    assert done.returncode == 0, done.stderr
    assert "1088 x `account` is empty, and deal.created needs a customer." in done.stderr
    assert "500 x `engage_date` is empty, and deal.created needs its time." in done.stderr
    return path


@pytest.fixture(scope="module")
def replay(imported: Path) -> str:
    done = malvakt("replay", imported, "--currency", "USD", "--json")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_maven_crm_meets_every_stated_fact(replay: str) -> None:
    """Totals, quarters, the top seller and manager, and the cycle of each month, to the dollar."""
    records = {(r["scope"], r["grain"], r["start"]): r for r in map(orjson.loads, replay.splitlines())}

    def figures(scope: str, grain: str = "ever", start: str = "1970-01-01") -> Any:
        measures = records[scope, grain, start]["measures"]
        return measures["deals_won"], measures["deals_lost"], measures["revenue"]

    assert figures("company") == (4238, 2473, "10005534.00")
    for start, expected in QUARTERS.items():
        assert figures("company", "quarter", start) == expected
    months = [records["company", "month", f"2017-{month:02}-01"] for month in range(3, 13)]
    assert [round(month["kpis"]["sales_cycle_days"], 2) for month in months] == CYCLE_DAYS

    def top(kind: str) -> Any:
        ever = [r for (scope, grain, _), r in records.items() if scope.startswith(kind) and grain == "ever"]
        best = max(ever, key=lambda r: float(r["measures"]["revenue"]))
        return best["scope"], best["measures"]["deals_won"], best["measures"]["revenue"]

    assert top("seller:") == ("seller:Darcel Schlecht", 349, "1153214.00")
    assert top("team:") == ("team:Central, Melvin Marxen", 882, "2251930.00")


@pytest.mark.kafka
def test_maven_crm_through_kafka_is_identical(imported: Path, replay: str, kafka_address: str) -> None:
    """Two workers on a real Kafka print what the replay in process prints."""
    through = malvakt(
        *("replay", imported, "--currency", "USD", "--json"),
        *("--through", "kafka", "--workers", "2", "--broker", kafka_address),
    )
    assert through.returncode == 0, through.stderr
    assert without_revision(through.stdout) == without_revision(replay)
