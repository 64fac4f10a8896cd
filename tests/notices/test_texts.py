"""What people read, word for word in both languages; spaces that must not break are shown as others."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpis.meanings import kpi_meanings
from notices.figures import Meaning, period, written
from notices.hours import Hours
from notices.phrases import PHRASES
from notices.planning import Message, stories_of
from notices.rules import Language, Route
from notices.texts import text_of, told
from schemas.goals import Alert, AlertKind
from schemas.records import Figure
from tests.notices.alerts import STATUS, alert

GOLDEN = Path(__file__).parent / "golden"
MEANING = Meaning(kpi_meanings(), "SEK")
AT = STATUS.as_of
LATER = AT + timedelta(hours=1, minutes=50)
KINDS: tuple[AlertKind, ...] = ("at_risk", "slipped", "recovered", "achieved", "missed", "corrected")

LIMIT = {
    "kpi": "cac",
    "scope": "company",
    "value": "12400.00",
    "target": "10000.00",
    "start": date(2026, 1, 1),
    "remaining": None,
    "per_working_day": None,
    "leads_needed": None,
    "forecast": None,
}
RATE = {"kpi": "hit_rate", "scope": "seller:anna", "value": 0.129, "target": 0.15, "forecast": 0.1312} | {
    "low": 0.118,
    "high": 0.144,
    "remaining": 0.021,
    "per_working_day": None,
    "leads_needed": None,
    "start": date(2026, 3, 23),
    "end": date(2026, 3, 29),
}
COUNT = {"kpi": "meetings_booked", "scope": "customer:c-7", "value": 11, "target": 12, "remaining": 1} | {
    "per_working_day": 2.0,
    "pace": 0.9,
    "leads_needed": None,
    "forecast": 11.4,
    "low": 11,
    "high": 12,
    "start": date(2026, 3, 26),
    "end": date(2026, 3, 26),
}

GROWTH = RATE | {"kpi": "sales_growth", "scope": "company", "value": 0.08, "target": 0.14}
GROWTH |= {"forecast": 0.091, "low": -0.02, "high": 0.155, "remaining": 0.06}

TOLD: dict[str, list[Alert]] = {
    **{kind: [alert(kind)] for kind in KINDS},
    "corrected to achieved": [alert("corrected", standing="achieved", value="412000.00")],
    "slipped and recovered": [alert("slipped"), alert("recovered", LATER)],
    "slipped yesterday, missed now": [alert("slipped", AT - timedelta(days=1)), alert("missed")],
    "named": [alert("at_risk", name="Vårkampanjen", per_working_day=None)],
    "a limit": [alert("slipped", **LIMIT), alert("missed", LATER, goal="b", **LIMIT)],
    "a rate": [alert("at_risk", **RATE)],
    "a growth": [alert("at_risk", **GROWTH)],
    "a day": [alert("at_risk", **COUNT)],
    "a number of deals": [
        alert("at_risk", **(RATE | {"kpi": "deals_per_customer", "value": 1.4, "target": 1.5})),
    ],
    "a ratio of nothing": [
        alert("at_risk", **(RATE | {"value": None, "forecast": None, "probability": None}))
    ],
    "a digest": [alert("slipped"), alert("achieved", LATER, goal="b", scope="team:Syd", value="500000.00")],
}


def route(language: Language) -> Route:
    hours = Hours("Europe/Stockholm")
    return Route(
        name="r",
        to=(),
        language=language,
        scopes=("*",),
        kinds=frozenset(KINDS),
        severity="info",
        hours=hours,
    )


def shown(language: Language) -> str:
    """Every text of a language."""
    parts: list[str] = []
    for name, alerts in TOLD.items():
        text = text_of(Message("told", tuple(stories_of(alerts)), AT), route(language), MEANING)
        parts.append(f"== {name}\n{text.title}\n\n{text.body}\n")
    late = Message("escalated", ((alert(),),), AT + timedelta(days=1))
    text = text_of(late, route(language), MEANING)
    parts.append(f"== escalated\n{text.title}\n\n{text.body}\n")
    return "\n".join(parts).replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("language", PHRASES)
def test_every_text_is_as_it_was_approved(language: Language) -> None:
    assert shown(language) == (GOLDEN / f"{language}.txt").read_text("utf-8")


PERIODS = [
    (date(2026, 3, 24), date(2026, 3, 24), "den 24 mars", "on 24 March"),
    (date(2026, 3, 23), date(2026, 3, 29), "vecka 13", "in week 13"),
    (date(2026, 3, 1), date(2026, 3, 31), "i mars", "in March"),
    (date(2025, 12, 1), date(2025, 12, 31), "i december 2025", "in December 2025"),
    (date(2026, 1, 1), date(2026, 3, 31), "kvartal 1 2026", "in Q1 2026"),
    (date(2026, 10, 1), date(2026, 12, 31), "kvartal 4 2026", "in Q4 2026"),
    (date(2026, 1, 1), date(2026, 12, 31), "2026", "in 2026"),
    (date(2026, 2, 1), date(2026, 4, 30), "1 februari–30 april", "from 1 February to 30 April"),
    (
        date(2026, 12, 15),
        date(2027, 1, 15),
        "15 december–15 januari 2027",
        "from 15 December to 15 January 2027",
    ),
]


@pytest.mark.parametrize(("start", "end", "swedish", "english"), PERIODS)
def test_a_period_is_called_by_its_name(start: date, end: date, swedish: str, english: str) -> None:
    today = date(2026, 3, 26)
    assert period(start, end, today, PHRASES["sv"]) == swedish
    assert period(start, end, today, PHRASES["en"]) == english


MONEY = st.decimals(-(10**15), 10**15, places=2).map(str)
FIGURES = st.none() | MONEY | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@example("slipped", "revenue", [1e300, 1, 1e300, 1e-300, 1, 1, 1], 5e-324, 5e-324, "sv", "told")
@given(
    st.sampled_from(KINDS),
    st.sampled_from([*kpi_meanings(), "unknown"]),
    st.lists(FIGURES, min_size=7, max_size=7),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.sampled_from([*PHRASES]),
    st.sampled_from(["told", "escalated"]),
)
def test_whatever_an_alert_says_can_be_told(
    kind: AlertKind,
    kpi: str,
    figures: list[float],
    pace: float | None,
    probability: float | None,
    language: Language,
    stage: str,
) -> None:
    """A text that cannot be written would hold up all that come after it."""
    names = ("value", "target", "remaining", "per_working_day", "forecast", "low", "high")
    told = alert(
        kind, kpi=kpi, pace=pace, probability=probability, **dict(zip(names, figures, strict=True))
    )
    text = text_of(Message(stage, ((told,),), AT), route(language), MEANING)  # pyright: ignore[reportArgumentType]
    assert 0 < len(text.title) < 200
    assert "{" not in text.title + text.body
    assert "\n" not in text.title


def body_of(told: Alert) -> list[str]:
    text = text_of(Message("told", ((told,),), AT), route("en"), MEANING)
    return text.body.replace("\N{NO-BREAK SPACE}", " ").splitlines()


def test_a_goal_is_told_in_its_own_direction() -> None:
    """Though more, or less, would usually be better for its KPI."""
    few = {"value": 0.2, "target": 0.1, "leads_needed": None, "forecast": None, "probability": None}
    said, over = body_of(alert("missed", kpi="win_rate", better="at_most", **few))
    assert said == "Team Nord, win rate: 20% in March, the goal is at most 10%."
    assert over == "10% too much."
    dear = {"kpi": "cac", "better": "at_least", "value": "8000.00", "target": "10000.00"}
    said, short = body_of(alert("missed", **dear))
    assert said.endswith("SEK 8,000 in March, the goal is at least SEK 10,000.")
    assert short == "SEK 2,000 short."
    said, *rest = body_of(alert("at_risk", better="at_most", **few | {"value": "310000.00"}))
    assert "the goal is at most" in said
    assert not any("It takes" in line for line in rest)


def test_only_what_adds_up_is_so_much_of_so_much() -> None:
    """A mean is money, too, and does not."""
    said, *rest = body_of(alert("at_risk", kpi="average_deal_value", better="at_least"))
    assert said.startswith(
        "Team Nord, average deal: SEK 310,000 in March, the goal is at least SEK 410,000"
    )
    assert not any("per working day" in line for line in rest)


@pytest.mark.parametrize(
    ("currency", "value", "text"),
    [
        ("KWD", "12.345", "12.345"),
        ("SEK", "12.34", "12.34"),
        ("JPY", "12", "12"),
        ("KWD", "1234.567", "1,235"),
    ],
)
def test_money_is_told_to_the_coins_that_there_are(currency: str, value: str, text: str) -> None:
    """A dinar has a thousand fils; of larger amounts nobody counts coins."""
    said = written(Decimal(value), "money", currency, PHRASES["en"])
    assert re.sub(r"[^0-9.,]", "", said) == text


def need_told(need: Figure, kpi: str = "meetings_booked") -> str:
    """What a text says that it takes a day."""
    figures = {"kpi": kpi, "value": 0, "remaining": 1, "per_working_day": need, "leads_needed": None}
    text = text_of(Message("told", ((alert(**figures),),), AT), route("en"), MEANING)
    [said] = re.findall(r"It takes (?:SEK\s)?([0-9.,]+) per working day", text.body)
    return said.replace(",", "")


def test_what_it_takes_a_day_is_more_than_nothing() -> None:
    """One meeting in thirty days is a tenth of one a day, as nobody is told 0.0333."""
    assert need_told(1 / 30) == "0.1"
    assert need_told(1.25) == "1.3"
    assert need_told(2.0) == "2"
    assert need_told(5.401) == "5.5"
    assert need_told(1234.5) == "1240"
    assert need_told("33333.33", "revenue") == "33400"
    assert need_told("0.01", "revenue") == "0.01"


@given(st.floats(1e-9, 1e9))
def test_what_it_takes_a_day_is_never_told_as_less(need: float) -> None:
    assert Decimal(need_told(need)) >= Decimal(str(need))


def test_times_are_those_of_the_office() -> None:
    """An alert at 13:10 UTC came about at 14:10 in Stockholm."""
    late = Message("escalated", ((alert(at=datetime(2026, 3, 26, 13, 10, tzinfo=UTC)),),), AT)
    assert text_of(late, route("sv"), MEANING).body.startswith(
        "Ingen har tagit hand om detta sedan torsdag 26 mars 14:10."
    )


def test_where_there_are_pages_people_see_to_it_there() -> None:
    """Once, whatever slipped; and of what did not, nobody need see to anything."""
    slips = Message("told", ((alert("slipped"),), (alert("slipped", goal="b"),)), AT)
    body = text_of(slips, route("sv"), MEANING, "https://malvakt.example.com").body
    assert body.endswith("\n\nTa hand om det: https://malvakt.example.com/manage/alerts")
    assert body.count("https:") == 1
    assert "--ack" not in body
    [one] = slips.stories[:1]
    body = text_of(Message("told", (one,), AT), route("en"), MEANING, "https://malvakt.example.com").body
    assert body.splitlines()[-1] == "See to it: https://malvakt.example.com/manage/alerts"
    reached = Message("told", ((alert("achieved"),),), AT)
    assert "https:" not in text_of(reached, route("sv"), MEANING, "https://malvakt.example.com").body


def test_a_page_tells_an_alert_by_the_names_of_people_and_without_commands() -> None:
    """In the sentences of the messages."""
    people = {"seller:u-17": "Åsa Öberg"}
    slipped = alert("slipped", scope="seller:u-17")
    text = told(slipped, Hours("Europe/Stockholm"), Meaning(kpi_meanings(), "SEK", people), "sv")
    assert text.title == "Halkar efter: Säljare Åsa Öberg, försäljning i mars"
    message = text_of(Message("told", ((slipped,),), AT), route("sv"), MEANING)
    assert text.body.splitlines()[1:] == message.body.splitlines()[1:-1]
    assert "malvakt" not in text.body
