"""What is known of each day: the highest revision of each record, whatever came when."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.knowing import Figures, is_key_read, is_read
from kpis.calendar import Grain, Window, date_of, day_number
from schemas.records import KpiRecord

FIRST = day_number(date(2026, 1, 1))
DAYS = 10


def record(scope: str, place: int, revision: int, **measures: Any) -> KpiRecord:
    start = date_of(FIRST + place)
    return KpiRecord(
        scope=scope,
        grain="day",
        start=start,
        end=start + timedelta(days=1),
        state="open",
        revision=revision,
        measures=measures,
        kpis={},
        as_of=None,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("scope", ["company", "team:a|b", "seller:s", "customer:c", "elsewhere"])
@pytest.mark.parametrize("grain", list(Grain))
def test_a_key_tells_what_is_read(scope: str, grain: Grain) -> None:
    """Days of company, teams and sellers, whatever they are called."""
    expected = grain is Grain.DAY and scope.split(":", maxsplit=1)[0] in {"company", "team", "seller"}
    assert is_read(scope, Window(grain, FIRST)) == expected
    assert is_key_read(f"{scope}|{grain}|2026-01-01") == expected


@pytest.mark.parametrize("key", ["", "company", "company|day", "|day|2026-01-01"])
def test_what_is_no_key_is_not_read(key: str) -> None:
    """Whoever wrote it."""
    assert not is_key_read(key)


STATED = st.tuples(st.sampled_from(["company", "seller:s"]), st.integers(0, DAYS - 1), st.integers(1, 4))


@given(stated=st.lists(STATED), data=st.data())
def test_the_highest_revision_holds_in_any_order(
    stated: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    """Each as often as it may come; a measure that a later one lacks fell to zero."""
    records = [
        record(scope, place, revision, **{"deals_won" if revision % 2 else "leads_new": revision})
        for scope, place, revision in stated
    ]
    figures = Figures(FIRST, FIRST + DAYS - 1)
    figures.read(data.draw(st.permutations(records + records)))
    highest: dict[tuple[str, int], int] = {}
    for scope, place, revision in stated:
        highest[scope, place] = max(revision, highest.get((scope, place), 0))
    assert figures.records == len(highest)
    for scope in ("company", "seller:s"):
        for place in range(DAYS):
            holds = highest.get((scope, place), 0)
            done = figures.done(scope, ["deals_won", "leads_new"], FIRST + place, FIRST + place)
            assert done == {"deals_won": holds * (holds % 2), "leads_new": holds * (1 - holds % 2)}
            assert figures.holds(scope, FIRST + place) == (holds > 0)


@given(places=st.sets(st.integers(0, DAYS - 1), min_size=1), begun=st.integers(0, DAYS - 1))
def test_where_figures_begin_they_stay_what_they_are(places: set[int], begun: int) -> None:
    """Empty days before the first record are let go, and all others keep their figures."""
    figures = Figures(FIRST, FIRST + DAYS - 1)
    figures.read(record("company", place, 1, deals_won=place + 1) for place in places)
    figures.begin()
    assert figures.first == FIRST + min(places)
    for place in range(DAYS):
        day = FIRST + place
        assert figures.holds("company", day) == (place in places)
        assert figures.done("company", ["deals_won"], day, day)["deals_won"] == (
            place + 1 if place in places else 0
        )


def test_days_beyond_those_that_are_kept_are_left_out() -> None:
    """A CRM with the wrong century is no reason to keep figures for it."""
    figures = Figures(FIRST, FIRST + DAYS - 1)
    figures.read([record("company", -1, 1, deals_won=1), record("company", DAYS, 1, deals_won=1)])
    assert figures.records == 0
    assert figures.done("company", ["deals_won"], FIRST - 10, FIRST + 100) == {"deals_won": 0.0}
