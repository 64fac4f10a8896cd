"""Of several who change a goal at once one does; what changed is said as people would."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from goals.history import GoalHistory, acceptances, changes, moved, retirements, told
from goals.known import known_kpis
from goals.reasons import reason
from goals.records import GoalError
from schemas.goals import Absolute, Acceptance, Goal, GoalVersion, Recurring, Relative
from tests.goals.test_records import GOAL, KNOWN, NOW


def lived(*versions: GoalVersion) -> GoalHistory:
    """The history of a log."""
    history = GoalHistory()
    for version in versions:
        history.take(version)
    return history


def first(goal: Goal = GOAL) -> GoalVersion:
    """A goal that was just set."""
    [version] = changes([goal], GoalHistory(), "anna", NOW)
    return version


CLAIMS = st.lists(
    st.builds(
        GoalVersion,
        id=st.sampled_from(["g", "h"]),
        version=st.integers(1, 4),
        by=st.sampled_from(["anna", "bo", "cia"]),
        at=st.just(NOW),
        goal=st.none() | st.just(GOAL),
    ),
    max_size=12,
)


@given(CLAIMS, st.data())
def test_of_several_claims_the_first_holds(log: list[GoalVersion], data: st.DataObject) -> None:
    """However many come later, and however often a claim is written again after it."""
    history = lived(*log)
    for claim in log:
        assert history.holder(claim) == next(
            each for each in log if (each.id, each.version) == (claim.id, claim.version)
        )
    for name in {claim.id for claim in log}:
        numbers = [version.version for version in history.versions(name)]
        assert numbers == sorted({claim.version for claim in log if claim.id == name})
        last = history.versions(name)[-1]
        assert history.latest()[name] == last
        assert history.held().get(name) == last.goal
    again = list(log)
    for claim in data.draw(st.lists(st.sampled_from(log), max_size=5)) if log else []:
        place = data.draw(st.integers(again.index(claim) + 1, len(again)))
        again.insert(place, claim)
    assert lived(*again).latest() == history.latest()
    assert all(lived(*again).holder(claim) == history.holder(claim) for claim in log)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=30))
def test_each_version_was_made_by_one_who_saw_the_one_before(steps: list[tuple[int, int, bool]]) -> None:
    """Three people read the log and claim, in any order."""
    log: list[GoalVersion] = []
    made_of: list[GoalVersion | None] = []
    seen = [GoalHistory() for _ in range(3)]
    read = [0, 0, 0]
    for who, amount, reads in steps:
        if reads:
            for version in log[read[who] :]:
                seen[who].take(version)
            read[who] = len(log)
        wanted = replace(GOAL, target=Absolute(value=str(1000 + amount)))
        before = seen[who].latest().get("g")
        for claim in changes([wanted], seen[who], f"seller-{who}", NOW + timedelta(seconds=len(log))):
            assert claim.version == (before.version if before else 0) + 1
            log.append(claim)
            made_of.append(before)
    versions = lived(*log).versions("g")
    assert [version.version for version in versions] == list(range(1, len(versions) + 1))
    # Whose claim came first by its number had seen what holds, or a claim that did.
    for before, version in zip([None, *versions], versions, strict=False):
        assert made_of[log.index(version)] == before


def test_what_changes_is_a_new_version() -> None:
    """And nothing else is; what asks for something else must be accepted anew."""
    one = first()
    assert (one.version, one.by, one.at) == (1, "anna", NOW)
    assert one.goal == replace(GOAL, changed_by="anna", changed_at=NOW)
    history = lived(one)
    assert changes([GOAL], history, "bo", NOW) == []
    [accepted] = acceptances(["g", "g"], history, "bo", NOW)
    assert accepted.version == 2
    assert accepted.goal is not None
    assert accepted.goal.accepted == Acceptance(by="bo", at=NOW)
    history.take(accepted)
    assert acceptances(["g"], history, "cia", NOW) == []
    assert changes([GOAL], history, "anna", NOW) == []
    [renamed] = changes([replace(GOAL, name="Spring")], history, "anna", NOW)
    assert renamed.goal is not None
    assert (renamed.version, renamed.goal.accepted) == (3, Acceptance(by="bo", at=NOW))
    history.take(renamed)
    [raised] = changes([replace(GOAL, target=Absolute(value="2000"))], history, "anna", NOW)
    assert raised.goal is not None
    assert (raised.version, raised.goal.accepted, raised.goal.version) == (4, None, 4)


def test_an_acceptance_in_a_file_is_of_what_stood_there_then() -> None:
    """With another target beside it, it is of no use, nor where a retired goal is set again.

    A new one counts.
    """
    accepted = replace(GOAL, accepted=Acceptance(by="anna", at=NOW - timedelta(days=9)))
    history = lived(*changes([accepted], lived(), "anna", NOW))
    raised = replace(accepted, target=Absolute(value="2000"))
    [draft] = changes([raised], history, "anna", NOW)
    assert draft.goal is not None
    assert draft.goal.accepted is None
    history.take(draft)
    assert changes([raised], history, "anna", NOW) == []
    again = replace(raised, accepted=Acceptance(by="anna", at=NOW))
    [held] = changes([again], history, "anna", NOW)
    assert held.goal is not None
    assert held.goal.accepted == again.accepted
    history.take(held)
    for version in retirements(["g"], history, "anna", NOW):
        history.take(version)
    [back] = changes([again], history, "anna", NOW)
    assert back.goal is not None
    assert back.goal.accepted is None


def test_a_goal_is_retired_and_may_be_set_again() -> None:
    """With a higher version, so that nobody takes it for what it was."""
    history = lived(first())
    [retired] = retirements(["g"], history, "bo", NOW)
    assert retired == GoalVersion(id="g", version=2, by="bo", at=NOW)
    history.take(retired)
    assert history.held() == {}
    with pytest.raises(GoalError, match="`g` was retired by bo on 2026-03-20"):
        retirements(["g"], history, "cia", NOW)
    with pytest.raises(GoalError, match="retired by bo"):
        acceptances(["g"], history, "cia", NOW)
    [again] = changes([GOAL], history, "cia", NOW)
    assert again.version == 3
    assert told(again, retired, KNOWN) == (
        "set again: revenue of company at least 1 000 SEK, 2026-Q2; a draft"
    )


def test_what_is_no_goal_is_named() -> None:
    """With what was perhaps meant."""
    history = lived(first(replace(GOAL, id="north")))
    with pytest.raises(GoalError, match=r"no goal `norht`; did you mean `north`\? there is no goal `x`\."):
        acceptances(["norht", "x", "north"], history, "bo", NOW)


def test_a_goal_keeps_its_scope() -> None:
    """Even after it was retired: where it stood is written in another partition."""
    elsewhere = replace(GOAL, scope="team:north")
    history = lived(first())
    assert moved(GOAL, history) is None
    assert moved(elsewhere, GoalHistory()) is None
    history.take(*retirements(["g"], history, "bo", NOW))
    fault = moved(elsewhere, history)
    assert fault is not None
    assert fault.keys == ("scope",)
    assert fault.reason == reason("another_scope", id="g", scope="company", wanted="team:north")
    with pytest.raises(GoalError) as refused:
        changes([elsewhere], history, "bo", NOW)
    assert refused.value.said == fault.reason


def test_what_changed_is_said_in_words() -> None:
    """Each part with how it was, and what became of its acceptance."""
    before = replace(GOAL, accepted=Acceptance(by="bo", at=NOW), owner="anna")
    history = lived(first(before))
    after = replace(
        GOAL,
        name="Spring",
        kpi="cac",
        better="at_most",
        target=Relative(change="-0.1", baseline="last_year"),
        period=Recurring(grain="month", start=date(2026, 4, 1), until=date(2027, 1, 1)),
        part_of="all",
    )
    [version] = changes([after], history, "cia", NOW)
    assert told(version, history.latest()["g"], KNOWN) == (
        "name: Spring instead of none; KPI: cac instead of revenue; direction: at most instead of at least;"
        " target: -10 % on last year instead of 1 000 SEK;"
        " period: every month from 2026-04-01 until 2027-01-01 instead of 2026-Q2;"
        " owner: nobody instead of anna; part of: all instead of none; a draft again"
    )
    assert told(first(), None, KNOWN).startswith("set: revenue of company at least 1 000 SEK, 2026-Q2")
    assert told(retirements(["g"], history, "bo", NOW)[0], history.latest()["g"], KNOWN) == "retired"
    history = lived(first())
    assert told(acceptances(["g"], history, "bo", NOW)[0], history.latest()["g"], KNOWN) == "accepted by bo"


def test_a_goal_whose_kpi_is_gone_can_be_told_of() -> None:
    """Own KPIs come and go."""
    version = first(replace(GOAL, kpi="demos", target=Absolute(value="12.5")))
    assert "demos of company at least 12.5" in told(version, None, known_kpis("SEK"))
