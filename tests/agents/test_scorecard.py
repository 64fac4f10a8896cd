"""What the scorecard agent says of what it has written."""

from agents.scorecard import SCOPES_A_RECORD, renewals
from kpis.spans import place_of
from kpis.window_sums import Touched
from schemas.internal import encode_renewed


def test_all_scopes_at_once_are_told_in_records_that_a_broker_takes() -> None:
    """As where a definition is new. Only the last says that the clock ticked: by then all is known."""
    scopes = [f"customer:{number:0128}" for number in range(2 * SCOPES_A_RECORD + 1)]
    windows = ("day|2026-03-02", "day|2026-03-09", "ever|1970-01-01")
    keys = [f"{scope}|{window}" for scope in scopes for window in windows]
    touched: Touched = {key: place_of(key) for key in keys}
    told = list(renewals(7, touched, ticked=True))
    assert [said.ticked for said in told] == [False, False, True]
    assert {said.now for said in told} == {7}
    assert max(len(encode_renewed(said)) for said in told) < 512 * 1024
    together = {scope: days for said in told for scope, days in said.days.items()}
    assert list(together) == scopes
    assert {last - first for first, last in together.values()} == {7}


def test_a_tick_that_renews_nothing_is_told() -> None:
    """Goals are judged by the clock."""
    [said] = renewals(7, {}, ticked=True)
    assert said.ticked
    assert not said.days
