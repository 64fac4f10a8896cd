"""Tallies: adding and taking back are inverse, and distinct persons are distinct."""

from hypothesis import given
from hypothesis import strategies as st

from kpis.calendar import Grain, Window, windows_of
from kpis.tally import Tally, cells_of
from schemas.rows import Share

shares = st.builds(
    Share,
    day=st.integers(20_000, 20_040),
    seller=st.sampled_from([None, "anna", "bo"]),
    team=st.sampled_from([None, "north"]),
    customer=st.sampled_from([None, "c1"]),
    person=st.sampled_from([None, "p1", "p2"]),
    measures=st.fixed_dictionaries({"calls": st.integers(1, 3)}),
)


@given(st.lists(shares), st.lists(shares))
def test_what_is_taken_back_leaves_no_trace(kept: list[Share], passing: list[Share]) -> None:
    """A tally that counted shares and took them back equals one that never saw them."""
    one, other = Tally(), Tally()
    for share in kept:
        one.add(share)
        other.add(share)
    for share in passing:
        one.add(share)
    for share in passing:
        one.remove(share)
    cells = {cell for share in kept + passing for cell in cells_of(share)}
    assert all(one.measures(cell) == other.measures(cell) for cell in cells)


def test_a_person_met_twice_in_a_week_is_one_contact_of_the_week() -> None:
    """One on each day, one for the week, one for the company though two sellers called."""
    tally = Tally()
    monday = 20_003
    assert windows_of(monday)[1].start == windows_of(monday + 1)[1].start
    tally.add(Share(monday, "anna", None, None, "p1", {"calls": 1}))
    tally.add(Share(monday + 1, "bo", None, None, "p1", {"calls": 1}))
    week = windows_of(monday)[1]
    assert tally.measures(("company", week)) == {"contacts": 1}
    assert tally.measures(("seller:anna", week)) == {"contacts": 1}
    assert tally.measures(("company", Window(Grain.DAY, monday))) == {"calls": 1, "contacts": 1}


def test_a_copy_is_given_away() -> None:
    """Whoever changes what they were given changes nothing here."""
    tally = Tally()
    share = Share(20_000, None, None, None, None, {"calls": 1})
    tally.add(share)
    cell = ("company", Window(Grain.DAY, 20_000))
    tally.measures(cell)["calls"] = 7
    assert tally.measures(cell) == {"calls": 1}
