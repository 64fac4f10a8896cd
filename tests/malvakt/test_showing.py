"""Figures and identifiers as a person at a terminal reads them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from malvakt.showing import figure, show_records
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
