"""Why a goal cannot be is said in words that whoever sets it understands, in either language."""

from datetime import date
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from goals.periods import Span
from goals.reading import Remark
from goals.reasons import Code, Figure, Reason, reason
from kpis.calendar import Grain, day_number
from kpis.meanings import kpi_meanings
from notices.figures import Meaning
from notices.phrases import PHRASES
from notices.reasons import WORDING, finding, sentence
from notices.rules import Language
from tests.goals.test_reading import FAULTS, WARNINGS, one

GOLDEN = Path(__file__).parent / "golden"
MEANING = Meaning(kpi_meanings(), "SEK")
MAY = Span(day_number(date(2026, 5, 1)), day_number(date(2026, 5, 31)))
DAYS = Span(day_number(date(2026, 5, 2)), day_number(date(2026, 5, 9)))

HISTORY = {"best": Figure("31500.50"), "asks": Figure("90000.00"), "mean": Figure("20000.00")}
MORE = [
    reason("id_with_bar"),
    reason("over_all_time", kpi="clv", kpis=("revenue", "cac")),
    reason("no_kpi", written="zzz"),
    reason("no_kpi_but", written="revenu", meant="revenue"),
    reason("missing", key="target", example=("1 500 000", "+14 %")),
    reason("never_measured", kpi="revenue"),
    reason("best_so_far", kind=Grain.MONTH, count=12, span=MAY, **HISTORY),
    reason("lowest_so_far", kind=8, count=3, span=DAYS, **HISTORY),
    reason("another_scope", id="g", scope="company", wanted="team:north"),
    reason("nobody_reached", kpi="revenue", span=MAY),
    reason("among_nobody", id="g"),
    reason("no_weight"),
]
"""What is found elsewhere than in one goal of a file."""


def found() -> list[Reason]:
    """A reason of each kind."""
    remarks = [remark for keys, _ in [*FAULTS, *WARNINGS] for remark in one(**keys).findings]
    said = [*(remark.said for remark in remarks if isinstance(remark.said, Reason)), *MORE]
    return list({each.code: each for each in reversed(said)}.values())[::-1]


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_reason_reads_as_it_should(language: Language) -> None:
    """As pages say it: `golden/reasons.*.txt` is to be read by whoever changes the words."""
    reasons = sorted(found(), key=lambda each: get_args(Code).index(each.code))
    assert [each.code for each in reasons] == list(get_args(Code))
    lines = [sentence(each, language, lambda kpi: MEANING.name(kpi, PHRASES[language])) for each in reasons]
    assert "\n".join(lines) + "\n" == (GOLDEN / f"reasons.{language}.txt").read_text("utf-8")


def test_both_languages_say_all_there_is() -> None:
    """And of a reason nothing that it is not about."""
    for wording in WORDING.values():
        assert set(wording.sentences) == set(get_args(Code))
        for each in found():
            said = {name for _, name, _, _ in Formatter().parse(wording.sentences[each.code]) if name}
            assert said <= each.about.keys() | {"dates", "kinds"}


def test_files_call_kpis_by_their_names() -> None:
    """Where it stands comes first; what is only in files is said as it is."""
    remark = Remark(4, 10, "may.target", reason("below_zero", kpi="average_deal_value"))
    assert str(finding(remark)) == (
        "4:10: may.target: average_deal_value is never below zero; write a target above it."
    )
    assert str(finding(Remark(1, 1, "", "this is not UTF-8.", warning=True))) == (
        "1:1: warning: this is not UTF-8."
    )
