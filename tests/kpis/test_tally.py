"""Tallies: adding and taking back are inverse, and distinct persons are distinct."""

from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import Grain, windows_of
from kpis.measures import counted_in
from kpis.tally import COMPANY, CellKey, Tally, scopes_of
from schemas.internal import Measures
from schemas.rows import Share

MONDAY = 20_003

shares = st.builds(
    Share,
    day=st.integers(20_000, 20_040),
    seller=st.sampled_from([None, "anna", "bo"]),
    team=st.sampled_from([None, "north"]),
    customer=st.sampled_from([None, "c1"]),
    person=st.sampled_from([None, "p1", "p2"]),
    measures=st.fixed_dictionaries({"calls": st.integers(1, 3)}),
)


def tallied(told: list[Share]) -> Tally:
    tally = Tally()
    for share in told:
        tally.add(share)
    return tally


def cells(tally: Tally) -> dict[CellKey, Measures]:
    """Every cell that counts anything."""
    scopes = [COMPANY, "seller:anna", "seller:bo", "team:north", "customer:c1"]
    everywhere = [(scope, day) for scope in scopes for day in range(20_000, 20_041)]
    return {cell: measures for cell in everywhere if (measures := tally.measures(cell))}


@given(st.lists(shares), st.lists(shares))
def test_what_is_taken_back_leaves_no_trace(kept: list[Share], passing: list[Share]) -> None:
    """A tally that counted shares and took them back equals one that never saw them."""
    tally = tallied(passing + kept)
    for share in passing:
        tally.remove(share)
    assert cells(tally) == cells(tallied(kept))


@given(st.lists(shares))
def test_persons_met_in_a_window_are_the_sum_of_its_days(told: list[Share]) -> None:
    """For every scope and grain the days' first contacts add up to the distinct persons."""
    found = cells(tallied(told))
    for grain in Grain:
        counted: dict[tuple[str, int], int] = {}
        persons: dict[tuple[str, int], set[str]] = {}
        for (scope, day), measures in found.items():
            window = next(w for w in windows_of(day) if w.grain == grain)
            key = (scope, window.start)
            counted[key] = counted.get(key, 0) + measures.get(counted_in("contacts", grain), 0)
        for share in told:
            window = next(w for w in windows_of(share.day) if w.grain == grain)
            for scope in scopes_of(share):
                if share.person is not None:
                    persons.setdefault((scope, window.start), set()).add(share.person)
        assert {k: n for k, n in counted.items() if n} == {k: len(who) for k, who in persons.items()}


@given(st.lists(shares, max_size=8), st.lists(shares, max_size=8), st.data())
def test_every_cell_that_changed_is_touched(
    kept: list[Share], others: list[Share], data: st.DataObject
) -> None:
    """Asked after the change, of what came and what went: so that a replay tells whom it concerned."""
    gone = data.draw(st.lists(st.sampled_from(kept), unique_by=id)) if kept else []
    tally = tallied(kept)
    before = cells(tally)
    for share in gone:
        tally.remove(share)
    for share in others:
        tally.add(share)
    after = cells(tally)
    touched = {cell for share in [*gone, *others] for cell in tally.touched_by(share)}
    assert {cell for cell in before.keys() | after.keys() if before.get(cell) != after.get(cell)} <= touched


def test_a_person_met_twice_in_a_week_is_one_contact_of_the_week() -> None:
    """One on each day, one for the week, one for the company though two sellers called."""
    tally = tallied(
        [
            Share(MONDAY, "anna", None, None, "p1", {"calls": 1}),
            Share(MONDAY + 1, "bo", None, None, "p1", {"calls": 1}),
        ]
    )
    day, week = counted_in("contacts", Grain.DAY), counted_in("contacts", Grain.WEEK)
    assert tally.measures((COMPANY, MONDAY))[week] == 1
    tuesday = tally.measures((COMPANY, MONDAY + 1))
    assert tuesday == {"calls": 1, day: 1}
    assert tally.measures(("seller:bo", MONDAY + 1))[week] == 1


def test_a_copy_is_given_away() -> None:
    """Whoever changes what they were given changes nothing here."""
    tally = tallied([Share(20_000, None, None, None, None, {"calls": 1})])
    tally.measures((COMPANY, 20_000))["calls"] = 7
    assert tally.measures((COMPANY, 20_000)) == {"calls": 1}
