"""`malvakt definitions check`, as the one who writes definitions calls it."""

from pathlib import Path

import pytest

from malvakt.commands.definitions_ import check

OWN = """\
[measures.demos_booked]
event = "activity.logged"
where = { kind = "meeting_booked", campaign = ["demo", "test"], hot = true }

[measures.reached]
event = "activity.logged"
count = "distinct person"

[measures.seats]
event = "deal.won"
count = "sum seats"
where = { prodct = "CRM" }

[kpis.demo_rate]
formula = "demos_booked / contacts"
unit = "ratio"
better = "higher"
name = { sv = "Demograd" }
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file with definitions, to change at will."""
    path = tmp_path / "own.toml"
    path.write_text(OWN, "utf-8")
    return path


def test_what_definitions_mean_is_said(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And which fields events must state for it, with a word on those that look misspelt."""
    assert check(own) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.splitlines() == [
        "3 measures and 1 KPI, and no fault.",
        "  demos_booked  activities of every kind, where kind is 'meeting_booked'"
        " and campaign is 'demo' or 'test' and hot is true; at the latest activity.logged",
        "  reached       distinct persons in activities of every kind; at the latest activity.logged",
        "  seats         the sum of `seats` of deals whose outcome is won, where prodct is 'CRM';"
        " at won_at, else the deal.won that decided it",
        "  demo_rate     demos_booked / contacts; a ratio, higher is better",
        "Fields of your own, which events must state:",
        "  campaign of an activity.",
        "  hot of an activity.",
        "  prodct of a deal; did you mean `product`?",
        "  seats of a deal.",
    ]


def test_every_fault_is_shown_at_its_place(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the line, and a caret beneath it."""
    own.write_text(OWN.replace("contacts", "contcts").replace("deal.won", "deal.one"), "utf-8")
    assert check(own) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"{own}:10:9: measures.seats.event: there is no event type `deal.one`; did you mean `deal.won`?",
        '    event = "deal.one"',
        "            ^",
        f"{own}:15:27: kpis.demo_rate.formula: there is no measure `contcts`; did you mean `contacts`?",
        '    formula = "demos_booked / contcts"',
        "                              ^",
        "2 faults; nothing is defined.",
    ]
