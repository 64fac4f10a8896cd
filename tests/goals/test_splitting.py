"""Parts of a goal add up to it, to the last of its minor units."""

from datetime import UTC, date, datetime
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.figures import Records, key_of
from goals.known import known_kpis
from goals.periods import first_period, window_of
from goals.splitting import Part, SplitError, difference, divided, last_years, parts_of, split
from kpis.calendar import Grain, Window, day_number
from notices.reasons import sentence
from schemas.goals import Absolute, Goal, Once, Relative
from schemas.records import KpiRecord

KNOWN = known_kpis("SEK")
WHOLE = Goal(
    id="north",
    version=3,
    scope="team:north",
    kpi="revenue",
    better="at_least",
    target=Absolute(value="1000000"),
    period=Once(start=date(2026, 4, 1), end=date(2026, 6, 30)),
    owner="anna",
)

CHANGE = Relative(change="0.1", baseline="last_year")


def values(goals: list[Goal]) -> list[str]:
    return [goal.target.value for goal in goals if isinstance(goal.target, Absolute)]


def test_a_goal_is_divided_evenly() -> None:
    """What cannot be divided goes to the first; parts are drafts that say what they are part of."""
    parts = split(WHOLE, [Part(f"seller:{name}", 1) for name in ("anna", "bo", "cia")], KNOWN)
    assert values(parts) == ["333333.34", "333333.33", "333333.33"]
    assert [part.id for part in parts] == ["north.anna", "north.bo", "north.cia"]
    assert {(part.part_of, part.accepted, part.version, part.owner) for part in parts} == {
        ("north", None, 1, None)
    }
    assert difference(WHOLE, parts) == 0


def test_a_count_is_divided_in_whole_numbers() -> None:
    """By weight."""
    goal = msgspec.structs.replace(WHOLE, kpi="meetings_booked", target=Absolute(value="10"))
    assert values(split(goal, [Part("seller:a", 2), Part("seller:b", 1), Part("seller:c", 0)], KNOWN)) == [
        "7",
        "3",
        "0",
    ]


@given(st.integers(0, 10**17), st.lists(st.integers(0, 10**12), min_size=1, max_size=30).filter(any))
def test_parts_add_up_and_are_fair(whole: int, weights: list[int]) -> None:
    """None is a whole unit away from its due."""
    parts = divided(whole, weights)
    assert sum(parts) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(whole * weight, sum(weights))) < 1


def year_before(amounts: dict[str, str]) -> Records:
    window = Window(Grain.QUARTER, day_number(date(2025, 4, 1)))
    return {
        key_of(scope, window): KpiRecord(
            scope=scope,
            grain="quarter",
            start=date(2025, 4, 1),
            end=date(2025, 7, 1),
            state="closed",
            revision=1,
            measures={},
            kpis={"revenue": amount},
            as_of=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for scope, amount in amounts.items()
    }


def test_a_goal_is_divided_as_last_year_was() -> None:
    """Who reached nothing gets nothing; where nobody did, it says so."""
    span = first_period(WHOLE.period)
    assert window_of(span) is not None
    scopes = ["seller:anna", "seller:bo", "seller:new"]
    records = year_before({"seller:anna": "300.00", "seller:bo": "100.00"})
    parts = last_years(WHOLE, span, scopes, KNOWN, records)
    assert values(split(WHOLE, parts, KNOWN)) == ["750000.00", "250000.00", "0.00"]
    with pytest.raises(SplitError) as refused:
        last_years(WHOLE, span, scopes, KNOWN, {})
    says = "nobody of these has any revenue from 2025-04-01 to 2025-06-30"
    assert says in sentence(refused.value.said)


def test_parts_that_do_not_add_up_show_by_how_much() -> None:
    """More is above zero, less is below."""
    parts = split(WHOLE, [Part("seller:anna", 1), Part("seller:bo", 1)], KNOWN)
    assert difference(WHOLE, parts[:1]) == -500_000
    assert difference(WHOLE, [*parts, parts[0]]) == 500_000
    assert parts_of([WHOLE, *parts]) == {"north": parts}
    relative = msgspec.structs.replace(parts[0], target=Relative(change="0.1", baseline="last_year"))
    assert difference(WHOLE, [relative]) is None
    assert difference(relative, parts) is None


@pytest.mark.parametrize(
    ("goal", "parts", "said"),
    [
        ({"kpi": "win_rate"}, [Part("seller:a", 1)], "not the sum of its sellers'"),
        (
            {"target": Relative(change="0.1", baseline="last_year")},
            [Part("seller:a", 1)],
            "the same for each",
        ),
        ({}, [], "among nobody"),
        ({}, [Part("anna", 1)], "no scope"),
        ({}, [Part("seller:a", 1), Part("seller:a", 1)], "named twice"),
        ({}, [Part("customer:a", 1)], "over teams or sellers"),
        ({}, [Part("team:north", 1)], "over teams or sellers"),
        ({}, [Part("team:south", 1)], "only the company has teams"),
        ({}, [Part("seller:a", -1)], "below zero"),
        ({}, [Part("seller:a", 0)], "all weights are zero"),
        ({"id": "x" * 128}, [Part("seller:a", 1)], "more than 128 characters"),
    ],
)
def test_what_cannot_be_divided(goal: dict[str, object], parts: list[Part], said: str) -> None:
    """Says why."""
    with pytest.raises(SplitError) as refused:
        split(msgspec.structs.replace(WHOLE, **goal), parts, KNOWN)
    assert said in sentence(refused.value.said)
