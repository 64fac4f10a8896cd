"""`malvakt notify check` and `malvakt alerts`: what they say, and how they end, without a broker."""

from pathlib import Path

import pytest

from malvakt.cli import main

RULES = """
routes:
  managers:
    to: ["${HOOK}", "jsons://example.com/team"]
    scopes: ["team:*", company]
    quiet: 18:00-08:00
    digest: daily at 08:30
    escalate: {after: 4 hours, to: directors}
  directors: {to: "mailtos://a:b@example.com"}
"""


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_check_says_what_rules_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOOK", "json://localhost/hook")
    file = tmp_path / "rules.yaml"
    file.write_text(RULES)
    assert ended("notify", "check", str(file)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 routes, and no fault.",
        "  managers: 2 addresses; team:*, company daily at 08:30; not 18:00-08:00;"
        " to directors where nobody has seen to it after 4 hours",
        "  directors: 1 address; what is escalated to it",
    ]


def test_rules_with_faults_tell_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where they are checked and where they are to be used, before anybody asks for a broker."""
    file = tmp_path / "rules.yaml"
    file.write_text(RULES.replace("${HOOK}", "no-address"))
    for command in (["notify", "check"], ["notify"]):
        assert ended(*command, str(file)) == 1
        shown = capsys.readouterr().err
        assert f"{file}:4:10: routes.managers.to.1: this is no address that Apprise knows" in shown
        assert "1 fault; nobody is told." in shown


def test_a_call_that_lacks_something_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("notify", str(tmp_path / "none.yaml")) == 2
    assert ended("alerts", "--ack", "some-alert") == 2
    assert "--by WHO" in capsys.readouterr().err
