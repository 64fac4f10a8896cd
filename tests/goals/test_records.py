"""Records of goals are read and judged as files are; what is written reads as it was."""

from datetime import UTC, date, datetime
from itertools import islice

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.figures import keys_of
from goals.judging import Scene
from goals.known import known_kpis
from goals.pace import Pace
from goals.periods import Span, baseline_of, begins, ends, first_period, periods_within, window_of
from goals.reading import Reading, read
from goals.reasons import reason
from goals.records import GoalError, faults_of, read_goal
from goals.standing import look
from goals.working_time import Plan, WorkingTime
from goals.writing import written
from kpis.calendar import Calendar, day_number, micros_of
from schemas.goals import Absolute, Acceptance, Goal, Once, Recurring, Relative, encode_goal
from tests.goals.test_standing import figured

STOCKHOLM = Calendar("Europe/Stockholm")
KNOWN = known_kpis("SEK")
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
GOAL = Goal(
    id="g",
    version=1,
    scope="company",
    kpi="revenue",
    better="at_least",
    target=Absolute(value="1000"),
    period=Once(start=date(2026, 4, 1), end=date(2026, 6, 30)),
)


def test_a_record_is_read_or_says_why_not() -> None:
    """With the path of what is wrong."""
    assert read_goal(encode_goal(GOAL)) == GOAL
    with pytest.raises(GoalError, match=r"\$\.better"):
        read_goal(encode_goal(GOAL).replace(b"at_least", b"plenty"))
    with pytest.raises(GoalError, match="no valid JSON"):
        read_goal(b"{")


def test_a_record_is_judged_as_a_file_is() -> None:
    """By the same rules."""
    wrong = msgspec.structs.replace(GOAL, kpi="revenu", scope="company")
    [fault] = faults_of(wrong, KNOWN, STOCKHOLM, micros_of(NOW))
    assert fault.reason == reason("no_kpi_but", written="revenu", meant="revenue")
    wrong = msgspec.structs.replace(GOAL, target=Absolute(value="-1"), scope="team:")
    assert len(faults_of(wrong, KNOWN, STOCKHOLM, micros_of(NOW))) == 2
    assert faults_of(GOAL, KNOWN, STOCKHOLM, micros_of(NOW)) == []


def absolute(most: int, per_unit: int) -> st.SearchStrategy[Absolute]:
    return st.integers(1, most).map(lambda amount: Absolute(value=text(amount, per_unit)))


CHANGES = st.builds(
    Relative,
    change=st.integers(-999_999, 10**7).map(lambda parts: text(parts, 10**6)),
    baseline=st.sampled_from(["span_before", "last_year"]),
)


def text(amount: int, per_unit: int) -> str:
    """A decimal string without zeros at its end."""
    whole, rest = divmod(abs(amount), per_unit)
    digits = f"{whole}.{rest:0{len(str(per_unit)) - 1}d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"-{digits}" if amount < 0 else digits


TARGETS = st.one_of(
    st.tuples(st.just("revenue"), absolute(10**14, 100)),
    st.tuples(st.just("meetings_booked"), absolute(10**9, 1)),
    st.tuples(st.just("win_rate"), absolute(10**6, 10**6)),
    st.tuples(st.just("revenue"), CHANGES),
)
ACCEPTED = st.none() | st.just(Acceptance(by="bo: x", at=NOW))

DATES = st.dates(date(2026, 4, 1), date(2031, 1, 1))
PERIODS = st.one_of(
    st.tuples(DATES, DATES).map(lambda dates: Once(start=min(dates), end=max(dates))),
    st.sampled_from(
        [
            Once(start=date(2027, 1, 1), end=date(2027, 12, 31)),
            Once(start=date(2026, 12, 28), end=date(2027, 1, 3)),
            Once(start=date(2026, 7, 1), end=date(2026, 9, 30)),
        ]
    ),
    st.builds(
        Recurring,
        grain=st.sampled_from(["day", "week", "month", "quarter", "year"]),
        start=DATES,
        until=st.none() | st.dates(date(2033, 1, 1), date(2040, 1, 1)),
    ),
)


@given(
    TARGETS,
    PERIODS,
    st.none() | st.just(Acceptance(by="bo: x", at=NOW)),
    st.sampled_from(["no", "#1", "å"]),
)
def test_what_is_written_reads_as_it_was(
    kpi_and_target: tuple[str, Absolute | Relative],
    period: Once | Recurring,
    accepted: Acceptance | None,
    owner: str,
) -> None:
    """In the language of people, exactly."""
    kpi, target = kpi_and_target
    goal = msgspec.structs.replace(
        GOAL, kpi=kpi, target=target, period=period, accepted=accepted, owner=owner, part_of="1"
    )
    given_ = Reading(KNOWN, STOCKHOLM, micros_of(NOW))
    goals, findings, _ = read(written([goal], KNOWN).encode(), given_)
    assert [finding for finding in findings if not finding.warning] == []
    assert goals == [goal]


def test_money_is_written_as_people_read_it() -> None:
    """With thousands apart, and its currency."""
    goal = msgspec.structs.replace(GOAL, target=Absolute(value="1500000.50"))
    assert "target: 1 500 000.50 SEK\n" in written([goal], KNOWN)


ANY_DATE = st.dates() | st.dates(date(2020, 1, 1), date(2030, 1, 1))
ANY_AMOUNT = st.from_regex(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", fullmatch=True)
ANY_GOAL = st.builds(
    Goal,
    id=st.just("g"),
    version=st.just(1),
    scope=st.sampled_from(["company", "seller:anna"]),
    kpi=st.sampled_from(sorted(KNOWN.kpis)),
    better=st.sampled_from(["at_least", "at_most"]),
    target=st.builds(Absolute, value=st.sampled_from(["1", "0.5", "100"]) | ANY_AMOUNT)
    | CHANGES
    | st.builds(Relative, change=ANY_AMOUNT, baseline=st.sampled_from(["span_before", "last_year"])),
    period=PERIODS
    | st.builds(Once, start=ANY_DATE, end=ANY_DATE)
    | st.builds(
        Recurring,
        grain=st.sampled_from(["day", "week", "month", "quarter", "year"]),
        start=ANY_DATE,
        until=st.none() | ANY_DATE,
    ),
    accepted=ACCEPTED,
)


@given(ANY_GOAL, st.floats(-0.1, 1.1))
def test_whatever_has_no_fault_can_be_looked_at(goal: Goal, share: float) -> None:
    """At any time, and whatever it is that has one says so."""
    if any(not fault.warning for fault in faults_of(goal, KNOWN, STOCKHOLM, micros_of(NOW))):
        return
    assert read_goal(encode_goal(goal)) == goal
    span = first_period(goal.period)
    start, end = begins(STOCKHOLM, span), ends(STOCKHOLM, span)
    working = WorkingTime(STOCKHOLM, Plan())
    scene = Scene(KNOWN, STOCKHOLM, working, Pace(STOCKHOLM, working))
    looked = look(
        goal,
        span,
        figured(goal, span, {}, scene, start),
        scene,
        start + round((end - start) * share),
        None,
        None,
        revision=1,
    )
    assert looked.status is not None
    assert len(looked.alerts) <= 1
    assert set(keys_of(goal, span, span.first))


@given(ANY_GOAL.map(lambda goal: msgspec.structs.replace(goal, kpi="hit_rate")))
def test_whatever_has_no_fault_can_be_compared(goal: Goal) -> None:
    """There is a figure of what counts persons once in each window, and in no other days."""
    if not isinstance(goal.target, Relative):
        return
    if any(not fault.warning for fault in faults_of(goal, KNOWN, STOCKHOLM, micros_of(NOW))):
        return
    days = Span(day_number(NOW.date()), day_number(date(2033, 1, 1)))
    spans = [first_period(goal.period), *islice(periods_within(goal.period, days), 60)]
    assert all(window_of(baseline_of(goal.target, span)) is not None for span in spans)
