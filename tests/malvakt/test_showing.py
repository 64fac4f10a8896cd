"""Figures and identifiers as a person at a terminal reads them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from malvakt.showing import figure, show_records, window
from schemas.records import Figure, KpiRecord


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal in which nothing is wrapped."""
    monkeypatch.setenv("COLUMNS", "240")


def record(scope: str = "company", **kpis: Figure) -> KpiRecord:
    return KpiRecord(
        scope=scope,
        grain="day",
        start=date(2026, 3, 2),
        end=date(2026, 3, 3),
        state="open",
        revision=1,
        measures={},
        kpis=kpis,
        as_of=datetime(2026, 3, 2, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("kpi", "value", "shown"),
    [
        ("revenue", "0.00", "0"),
        ("revenue", "0.50", "0.50"),
        ("revenue", "-0.50", "-0.50"),
        ("revenue", "-1234567.00", "-1 234 567"),
        ("revenue", "1234567.80", "1 234 567.80"),
        ("revenue", "-3", "-3"),
        ("average_deal_value", "2467.55", "2 468"),
        ("average_deal_value", "67.55", "67.55"),
        ("win_rate", 0.25, "25%"),
        ("sales_cycle_days", 11.04, "11.0"),
        ("new_leads", 3, "3"),
        ("hit_rate", None, "–"),
    ],
)
def test_a_figure_reads_as_what_it_is(kpi: str, value: Any, shown: str) -> None:
    """The sign of an amount stays, whole amounts lose their minor unit, and a gap is a dash."""
    assert figure(record(**{kpi: value}), kpi) == shown


@pytest.mark.parametrize("name", ["[bold]north[/bold]", "[/]", ":smile:", "[link=http://x]a"])
def test_an_identifier_is_shown_as_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it means to the library that draws the table."""
    show_records([record(f"team:{name}")])
    assert f"team:{name}" in capsys.readouterr().out


def test_an_identifier_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """An escape, a newline: a mark stands in their place."""
    show_records([record("team:\x1b[31mred\n\r")])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "team:�[31mred��" in out


def test_a_column_of_which_nobody_has_anything_is_left_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what there is fits a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    show_records([record("team:north", revenue="1234567.00", new_leads=0, win_rate=0.5, hit_rate=None)])
    out = capsys.readouterr().out
    assert "team:north" in out
    assert "2026-03-02" in out
    assert "1 234 567" in out
    assert "50%" in out
    assert "leads" not in out


@pytest.mark.parametrize(
    ("grain", "start", "shown"),
    [
        ("day", "2026-03-02", "2026-03-02"),
        ("week", "2026-12-28", "2026-W53"),
        ("month", "2026-03-01", "2026-03"),
        ("quarter", "2026-10-01", "2026-Q4"),
        ("year", "2026-01-01", "2026"),
        ("ever", "1970-01-01", "ever"),
    ],
)
def test_a_window_is_named_as_people_name_it(grain: Any, start: str, shown: str) -> None:
    """By its grain; a week by its ISO number."""
    assert window(replace(record(), grain=grain, start=date.fromisoformat(start))) == shown
