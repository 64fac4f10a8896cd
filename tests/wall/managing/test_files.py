"""Files for a spreadsheet over the real application: what they hold is what the API says."""

import csv
from io import StringIO

from msgspec.structs import replace

from schemas.records import decode_record
from tests.wall.goals import MARCH, goal_of, standing
from tests.wall.office import Office
from tests.wall.test_view import NOON
from tests.wall.visiting import Client, paired
from wall.accounts.door import Door

YEAR = {"grain": "month", "from": "2026-01-01", "to": "2026-12-31"}


def rows(client: Client, path: str, **given: str) -> list[dict[str, str]]:
    answer = client.get(f"/api/manage/{path}", params=given)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment; filename=" in answer.headers["content-disposition"]
    text = answer.content.decode()
    assert text.startswith("\ufeff")
    delimiter = "," if given.get("lang") == "en" else ";"
    return list(csv.DictReader(StringIO(text[1:], newline=""), delimiter=delimiter))


def test_records_of_a_kind_are_a_row_each(office: Office, manager: Client) -> None:
    """In Swedish with a comma, in English with a point; with names beside ids, whatever they begin with."""
    held = [decode_record(body) for body in office.view.records("seller:", "month", "2026-01-01")]
    found = rows(manager, "records.csv", scope="seller:", **YEAR)
    assert [row["scope"] for row in found] == [record.scope for record in held]
    for row, record in zip(found, held, strict=True):
        assert row["Försäljning"].replace(",", ".") == record.kpis["revenue"]
        assert row["calls"] == str(record.measures["calls"])
        assert row["who"].lower() == record.scope.partition(":")[2]
        assert row["team"] in {"norr", "söder"}
    english = rows(manager, "records.csv", scope="seller:", lang="en", **YEAR)
    assert english[0]["Revenue"] == held[0].kpis["revenue"]
    company = rows(manager, "records.csv", scope="company", lang="en", **YEAR)
    assert {(row["scope"], row["team"]) for row in company} == {("company", "")}


def test_more_than_a_page_of_records_comes_whole(office: Office, manager: Client) -> None:
    """Each once, and none left out."""
    [body] = office.view.records("company", "month", "2026-03-01", "2026-03-01")
    one = decode_record(body)
    told = [replace(one, scope=f"customer:={number:05}") for number in range(2_500)]
    office.tell(told)
    found = rows(manager, "records.csv", scope="customer:", **YEAR)
    assert [row["scope"] for row in found if "=" in row["scope"]] == [one.scope for one in told]
    assert {row["who"] for row in found if "=" in row["scope"]} == {
        f"'={number:05}" for number in range(2_500)
    }


def test_goals_have_a_row_for_each_period_and_one_where_there_is_none(
    office: Office, manager: Client
) -> None:
    """Drafts too; a formula that somebody called a goal is none."""
    march = standing("team:norr", "revenue", MARCH, 310_000, 410_000, NOON, "at_risk", 0.8)
    draft = goal_of(standing("seller:anna", "calls", MARCH, 1, 2, NOON), "=1+1", accepted=False)
    office.tell(goals=[goal_of(march, "Vår"), draft], statuses=[march])
    found = {row["scope"]: row for row in rows(manager, "standings.csv")}
    norr, anna = found["team:norr"], found["seller:anna"]
    assert (norr["name"], norr["standing"], norr["value"]) == ("Vår", "at_risk", "310000,00")
    assert (norr["probability"], norr["asks"]) == ("0,37", "410 000 SEK")
    assert (anna["name"], anna["who"], anna["standing"], anna["start"]) == ("'=1+1", "Anna", "", "")
    later = {row["scope"]: row for row in rows(manager, "standings.csv", on="2026-04-01", lang="en")}
    assert later["team:norr"]["standing"] == ""


def test_what_is_behind_a_figure_comes_whole(office: Office, manager: Client) -> None:
    """All of each sum, and the shares are its total."""
    asked = {"scope": "company", "grain": "month", "start": "2026-03-01", "lang": "en"}
    found = rows(manager, "behind.csv", kpi="average_deal_value", **asked)
    [body] = office.view.records("company", "month", "2026-03-01", "2026-03-01")
    record = decode_record(body)
    revenue = sum(float(row["share"]) for row in found if row["sum"] == "revenue")
    assert f"{revenue:.2f}" == record.kpis["revenue"]
    assert sum(row["sum"] == "deals_won" for row in found) == record.measures["deals_won"]
    assert found[0]["who"].lower() == found[0]["seller"]
    refused = manager.get("/api/manage/behind.csv", params={**asked, "kpi": "hires"})
    assert refused.status_code == 503


def test_files_are_for_those_signed_in(office: Office, door: Door, manager: Client) -> None:
    """A television has no use for them."""
    tv, _, _ = paired(office, door, manager)
    for path in ("records.csv", "standings.csv", "behind.csv", "measures"):
        assert tv.get(f"/api/manage/{path}").status_code == 401
    assert manager.get("/api/manage/records.csv", params={**YEAR, "scope": "floor"}).status_code == 400
