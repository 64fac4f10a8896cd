"""`malvakt definitions`, as the one who writes definitions calls it."""

import secrets
from datetime import date
from itertools import islice
from pathlib import Path

import pytest

from malvakt.commands.definitions_ import apply, check, list_, preview, remove
from malvakt.outcome import CallError
from schemas.events import encode_event
from simulation.floor import Floor, events

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


WINS = """\
[measures.big_wins]
event = "deal.won"
count = "sum value"

[kpis.mean_win]
formula = "big_wins / deals_won"
unit = "money"
better = "higher"
name = { en = "Mean win" }
"""


def test_a_preview_shows_todays_figures_as_they_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From recorded events, in every window that holds the latest."""
    file, told = tmp_path / "own.toml", tmp_path / "events.jsonl"
    file.write_text(WINS, "utf-8")
    floor = islice(events(Floor(sellers=3), date(2026, 1, 1)), 4_000)
    told.write_bytes(b"\n".join(map(encode_event, floor)))
    assert preview(file, told) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12
    ever = next(line for line in lines if line.startswith("ever") and "big_wins" in line)
    assert ": none -> " in ever
    assert float(ever.rpartition(" ")[2]) > 0


def test_definitions_are_put_in_force_and_taken_away(
    tmp_path: Path,
    kafka_address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A second time nothing changes; another formula is another version; what is not there is named."""
    name = f"definitions-{secrets.token_hex(4)}"
    monkeypatch.setenv("MALVAKT_TOPIC_PREFIX", f"{name}.")
    monkeypatch.setenv("MALVAKT_APP_ID", name)
    file = tmp_path / "own.toml"
    file.write_text(WINS, "utf-8")
    assert apply(file, broker=kafka_address) == 0
    assert "kpis/mean_win is in force as version" in capsys.readouterr().out
    file.write_text(WINS.replace("big_wins / deals_won", "big_wins/deals_won"), "utf-8")
    assert apply(file, broker=kafka_address) == 0
    assert capsys.readouterr().out == "All of it is in force already.\n"
    file.write_text(WINS.replace("deals_won", "calls").partition("[kpis")[0], "utf-8")
    assert apply(file, only=True, broker=kafka_address) == 0
    assert capsys.readouterr().out == "kpis/mean_win is taken away\n"
    assert list_(broker=kafka_address) == 0
    assert capsys.readouterr().out.startswith("measures/big_wins (version ")
    with pytest.raises(CallError, match="mean_win"):
        remove("mean_win", broker=kafka_address)
    assert remove("big_wins", broker=kafka_address) == 0
    assert list_(broker=kafka_address) == 0
    assert "Nothing is defined" in capsys.readouterr().out
