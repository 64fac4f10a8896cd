"""A file of goals says what people mean, or everything that is wrong with it, in words they understand."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.known import known_kpis
from goals.reading import Read, Reading, Remark, read, read_period
from kpis.calendar import Calendar, micros_of
from notices.reasons import finding
from schemas.definitions import Definitions, MeasureDefinition
from schemas.goals import Absolute, Acceptance, Goal, Once, Recurring, Relative

STOCKHOLM = Calendar("Europe/Stockholm")
OWN = Definitions({"demos": MeasureDefinition(event="activity.logged")}, {})
GIVEN = Reading(known_kpis("SEK", OWN), STOCKHOLM, micros_of(datetime(2026, 3, 20, 12, tzinfo=UTC)))

GOOD = """\
goals:
  north-spring:
    name: Spring in the north
    scope: team:north
    kpi: revenue
    target: +14 %
    against: span_before
    period: 2026-Q2
    owner: no
    accepted: { by: anna, at: 2026-03-19T08:00 }

  annas-meetings:
    scope: seller:anna
    kpi: meetings_booked
    target: 12
    every: week
    from: 2026-03-30
    until: 2026-07-01

  cheaper-customers:
    scope: company
    kpi: cac
    better: at_most
    target: 12 500,50 kr
    period: 2026-04-07 to 2026-05-15
"""


def said(text: str) -> Read:
    return read(text.encode(), GIVEN)


def one(**keys: str) -> Read:
    """A goal for the company's revenue in May, with other keys."""
    lines = {"scope": "company", "kpi": "revenue", "target": "1000", "period": "2026-05"} | keys
    written = "".join(f"    {key.rstrip('_')}: {value}\n" for key, value in lines.items() if value != "-")
    return said(f"goals:\n  may:\n{written}")


def test_goals_are_read() -> None:
    """As they are meant; what is left out follows from the KPI."""
    goals, findings, places = said(GOOD)
    assert findings == []
    assert goals == [
        Goal(
            id="north-spring",
            version=1,
            scope="team:north",
            kpi="revenue",
            better="at_least",
            target=Relative(change="0.14", baseline="span_before"),
            period=Once(start=date(2026, 4, 1), end=date(2026, 6, 30)),
            name="Spring in the north",
            owner="no",
            accepted=Acceptance(by="anna", at=STOCKHOLM.at(datetime(2026, 3, 19, 8))),  # noqa: DTZ001
        ),
        Goal(
            id="annas-meetings",
            version=1,
            scope="seller:anna",
            kpi="meetings_booked",
            better="at_least",
            target=Absolute(value="12"),
            period=Recurring(grain="week", start=date(2026, 3, 30), until=date(2026, 7, 1)),
        ),
        Goal(
            id="cheaper-customers",
            version=1,
            scope="company",
            kpi="cac",
            better="at_most",
            target=Absolute(value="12500.5"),
            period=Once(start=date(2026, 4, 7), end=date(2026, 5, 15)),
        ),
    ]
    assert places == {"north-spring": (2, 3), "annas-meetings": (12, 3), "cheaper-customers": (20, 3)}


def test_a_period_may_be_said_in_swedish() -> None:
    """As the page does that asks in Swedish."""
    [english], [swedish] = (one(period=f"2026-04-07 {to}  2026-05-15").goals for to in ("to", "till"))
    assert english.period == swedish.period == Once(start=date(2026, 4, 7), end=date(2026, 5, 15))


FAULTY = """\
goals:
  first:
    scope: team north
    kpi: revenu
    taget: 5
    period: 2026-13
  second:
    scope: seller:anna
    kpi: clv
    target: 5000
    period: 2026-04
  third:
    scope: company
    kpi: win_rate
    target: 35
    period: 2025
    accepted: anna
  second: {}
"""


def test_all_faults_are_found_at_once() -> None:
    """Each at its line, and the goals without one can be used."""
    goals, findings, _ = said(FAULTY + GOOD.removeprefix("goals:\n"))
    assert [goal.id for goal in goals] == ["north-spring", "annas-meetings", "cheaper-customers"]
    assert [str(finding(remark)) for remark in findings] == [
        "2:3: first: `target` is missing; write one, such as target: 1 500 000 or +14 %.",
        "3:12: first.scope: `team north` is no scope; write team:north.",
        "4:10: first.kpi: there is no KPI `revenu`; did you mean `revenue`?",
        "5:5: first: a goal has no `taget`; did you mean `target`?",
        "6:13: first.period: `2026-13` is no period; write one as 2026, 2026-Q2, 2026-04, 2026-W15,"
        " 2026-04-07 or 2026-04-07 to 2026-05-15.",
        "9:10: second.kpi: clv is a figure over all time, and changes too slowly for a period; set the goal"
        " for one that is counted anew in each, such as average_deal_value or cac or revenue.",
        "17:15: third.accepted: say who accepted it, and when: { by: anna, at: 2026-03-28 }.",
        "18:3: second: this key stands on line 7 already; keep one.",
    ]


FAULTS: list[tuple[dict[str, str], str]] = [
    ({"kpi": "demos"}, "`demos` is a measure, and goals are set for KPIs"),
    (
        {"kpi": "win_rate", "target": "35"},
        "win_rate is a part of a whole, and 3500 % is above 100 %; write 35 %.",
    ),
    ({"kpi": "hit_rate", "target": "135 %"}, "135 % is above 100 %; write a share such as 35 %."),
    ({"period": "2025"}, "2025 is over, and a goal looks ahead"),
    ({"period": "2026-03-19"}, "2026-03-19 is over"),
    ({"period": "2026-05-02 to 2026-05-01"}, "ends before it begins"),
    ({"period": "2026-05-02 to 2066-05-01"}, "at most 3660"),
    (
        {"target": "14 %"},
        "revenue is money, in SEK, and no share; write an amount such as 1 500 000 SEK, or +14 %",
    ),
    ({"target": "1000 EUR"}, "revenue is in SEK, not in EUR"),
    ({"target": "30 days"}, "revenue is in SEK, not in days"),
    (
        {"kpi": "new_leads", "target": "30 kr"},
        "new_leads is a count, not in kr; write a number such as 42.",
    ),
    ({"kpi": "new_leads", "target": "12.5"}, "new_leads has whole numbers"),
    ({"target": "1,500"}, "can be read in two ways; write 1 500 or 1.500."),
    ({"target": "10.005"}, "at most 2 decimals"),
    ({"target": "0"}, "at least 0 is reached by doing nothing"),
    ({"target": "-5"}, "never below zero"),
    ({"target": "+5"}, "neither a figure nor a change"),
    ({"target": "a lot"}, "`a lot` is no target; write an amount"),
    ({"target": "1.2.3"}, "is no number"),
    ({"target": "+14 %"}, "+14 % of what? Write `against: span_before`"),
    ({"target": "+14.123456 %", "against": "last_year"}, "more decimals than are kept"),
    ({"target": "-100 %", "against": "last_year"}, "leaves nothing"),
    ({"target": "+14 %", "against": "last"}, "there is no `last`"),
    ({"against": "last_year"}, "only a change, such as +14 %"),
    ({"kpi": "sales_growth", "target": "+14 %", "against": "last_year"}, "is a change already"),
    (
        {"kpi": "growth_accumulated", "target": "14 %"},
        "no growth_accumulated of a month; there is one of a year.",
    ),
    (
        {"kpi": "hit_rate", "target": "20 %", "period": "2026-05-02 to 2026-05-09"},
        "counts each person once",
    ),
    (
        {"kpi": "sales_growth", "target": "20 %", "period": "2026-05-02 to 2026-05-09"},
        "compares calendar windows",
    ),
    (
        {"kpi": "hit_rate", "target": "+5 %", "against": "last_year", "period": "2026-W20"},
        "the same dates a year earlier are no whole week",
    ),
    (
        {
            "kpi": "hit_rate",
            "target": "+5 %",
            "against": "last_year",
            "period": "-",
            "every": "week",
            "from": "2026-05-04",
        },
        "the same dates a year earlier are no whole week",
    ),
    ({"every": "month"}, "either one `period`, or recurs"),
    ({"period": "-"}, "the time is missing"),
    ({"period": "-", "every": "month"}, "`from` is missing"),
    ({"period": "-", "every": "fortnight", "from": "2026-01-01"}, "there is no `fortnight`"),
    ({"period": "-", "every": "month", "from": "January"}, "`January` is no date"),
    (
        {"period": "-", "every": "month", "from": "2026-01-01", "until": "2025-01-01"},
        "before it begins",
    ),
    (
        {"period": "-", "every": "month", "from": "2026-04-02", "until": "2026-04-09"},
        "no whole month begins",
    ),
    (
        {"period": "-", "every": "month", "from": "2025-01-01", "until": "2026-01-01"},
        "it ended with 2026-01-01",
    ),
    (
        {
            "period": "-",
            "every": "week",
            "from": "2026-01-05",
            "kpi": "growth_accumulated",
            "target": "5 %",
        },
        "there is no",
    ),
    ({"period": "9999"}, "`9999` is no period"),
    ({"period": "2201"}, "goals are for the years 1990 to 2200"),
    ({"period": "-", "every": "year", "from": "9999-06-01"}, "goals are for the years"),
    ({"period": "0001-01-01"}, "goals are for the years"),
    ({"better": "less"}, "there is no `less`"),
    ({"scope": "'seller:'"}, "write seller:ID."),
    ({"scope": "everybody"}, "write company, team:ID"),
    ({"scope": "teamnorth"}, "write team:north."),
    ({"name": "[]"}, "this is a list or table"),
    ({"name": '" "'}, "there is nothing here"),
    ({"owner": "x" * 129}, "has 129 characters"),
    ({"accepted": "{ by: anna }"}, "`at` is missing"),
    ({"accepted": "{ by: anna, at: soon }"}, "`soon` is no date"),
    ({"accepted": "{ by: anna, at: 2026-03-01, why: x }"}, "this has no `why`"),
    ({"period": "2025", "accepted": "{ by: anna, at: 2026-03-01 }"}, "2025 is over"),
]


@pytest.mark.parametrize(("keys", "sentence"), FAULTS)
def test_each_fault_says_what_to_do(keys: dict[str, str], sentence: str) -> None:
    """And no goal comes of it."""
    goals, findings, _ = one(**keys)
    assert goals == []
    said = [str(finding(remark)) for remark in findings if not remark.warning]
    assert any(sentence in text for text in said), said


WARNINGS: list[tuple[dict[str, str], str]] = [
    ({"kpi": "cac", "better": "at_least"}, "of cac less is better"),
    ({"better": "at_most"}, "of revenue more is better"),
    ({"kpi": "cac", "target": "+5 %", "against": "last_year"}, "5 % goes the other way"),
    ({"target": "-5 %", "against": "last_year"}, "-5 % goes the other way"),
    ({"target": "+0 %", "against": "last_year"}, "as much as before"),
    ({"period": "2026-03"}, "2026-03 has begun"),
    ({"period": "-", "every": "month", "from": "2026-04-02"}, "is not the first day of a month"),
    ({"kpi": "sales_growth", "target": "35"}, "35 is 3500 %; if 35 % is meant, write the %."),
]


@pytest.mark.parametrize(("keys", "sentence"), WARNINGS)
def test_what_is_probably_not_meant_is_a_warning(keys: dict[str, str], sentence: str) -> None:
    """The goal can be used all the same."""
    goals, findings, _ = one(**keys)
    assert len(goals) == 1
    [remark] = findings
    assert remark.warning
    assert sentence in str(finding(remark))
    assert ": warning: may" in str(finding(remark))


def test_an_id_does_not_break_keys() -> None:
    """Of which it is a part."""
    goals, findings, _ = said(GOOD.replace("north-spring", "north|spring"))
    assert len(goals) == 2
    assert [(remark.line, remark.what) for remark in findings] == [(2, "north|spring")]


def test_a_past_goal_that_was_accepted_in_time_is_history() -> None:
    """Files can be kept."""
    goals, findings, _ = one(period="2025", accepted="{ by: anna, at: 2025-01-02 }")
    assert len(goals) == 1
    assert findings == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the file is empty"),
        ("goals:\n  a: [", "2:7: this is no valid YAML"),
        ("goals: 5", "1:8: goals: this must be a table"),
        ("- a", "1:1: this must be a table"),
        ("gaols: {}", "1:1: a file of goals has no `gaols`"),
        ("goals:\n  ? [a]\n  : b", "2:5: goals: a key must be a word."),
        ("goals:\n  a: b", "2:6: a: this must be a table"),
        ("goals: {a: {}}\n---\n{}", "2:1: this is no valid YAML"),
        ("goals: " + "[" * 5000, "1:1: lists or tables nest too deep"),
        ("goals: \x00", "1:1: this is no valid YAML"),
    ],
)
def test_what_is_no_file_of_goals(text: str, expected: str) -> None:
    """Says so where it stands."""
    assert str(finding(said(text).findings[0])).startswith(expected)


def test_a_goal_with_a_key_twice_cannot_be_used() -> None:
    """Which of the two is meant?"""
    goals, findings, _ = said(
        GOOD.replace("    scope: team:north\n", "    scope: team:north\n    scope: company\n")
    )
    assert [str(finding(remark)) for remark in findings] == [
        "5:5: north-spring.scope: this key stands on line 4 already; keep one."
    ]
    assert [goal.id for goal in goals] == ["annas-meetings", "cheaper-customers"]


def test_what_is_no_text() -> None:
    """Says on which line."""
    assert read(b"goals:\n  \xff: {}", GIVEN).findings == [Remark(2, 1, "", "this is not UTF-8.")]
    assert "at most" in read(b"#" * 1_048_577, GIVEN).findings[0].said


@given(st.text(alphabet="goals: {}[]\n-&*!|>%#'\"abc0123,."))
def test_no_text_is_beyond_reading(text: str) -> None:
    """Whatever it is, it has goals or findings."""
    goals, findings, _ = said(text)
    assert goals or findings or text.strip().startswith(("goals: {}", "goals:"))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-02-03", date(2026, 2, 3), date(2026, 2, 3)),
        ("2026-02-03  to  2026-03-04", date(2026, 2, 3), date(2026, 3, 4)),
    ],
)
def test_periods(text: str, first: date, last: date) -> None:
    """By name or by dates, of which both are part of it."""
    assert read_period(text) == Once(start=first, end=last)
