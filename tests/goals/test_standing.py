"""A goal stands where figures and time put it, and people hear of it once."""

from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise
from operator import itemgetter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goals.figures import Figures, Records, figures_of, key_of, per_lead
from goals.judging import COURSE, LEARNING, LEAST_MICROS, Learning, Scene, see, strain, when_slips
from goals.known import known_kpis
from goals.pace import Pace
from goals.periods import Span, begins, ends, windows_in
from goals.standing import StandingRow, look
from goals.working_time import Plan, WorkingTime
from kpis.calendar import Calendar, date_of, day_number, micros_of, window_end
from kpis.scorecards import CLOSING_MICROS
from schemas.goals import Absolute, Acceptance, Alert, Amount, Better, Goal, Once, Relative
from schemas.records import Figure, KpiRecord

STOCKHOLM = Calendar("Europe/Stockholm")
WORKING = WorkingTime(STOCKHOLM, Plan())
SCENE = Scene(known_kpis("SEK"), STOCKHOLM, WORKING, Pace(STOCKHOLM, WORKING))
APRIL = Span(day_number(date(2026, 4, 1)), day_number(date(2026, 4, 30)))
START, END = begins(STOCKHOLM, APRIL), ends(STOCKHOLM, APRIL)
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


class Chance(msgspec.Struct):
    """A forecast."""

    probability: float
    low: float | None = 10.0
    expected: float | None = 20.0
    high: float | None = 30.0


def at(text: str) -> int:
    return micros_of(STOCKHOLM.at(datetime.fromisoformat(text)))


def goal_of(
    kpi: str = "new_leads", target: Amount = "100", better: Better = "at_least", *, draft: bool = False
) -> Goal:
    return Goal(
        id="april",
        version=1,
        scope="company",
        kpi=kpi,
        better=better,
        target=Absolute(value=target),
        period=Once(start=date(2026, 4, 1), end=date(2026, 4, 30)),
        name="April",
        owner="anna",
        accepted=None if draft else Acceptance(by="anna", at=datetime(2026, 3, 1, tzinfo=UTC)),
    )


def april(kpi: str, value: Figure) -> Records:
    [window] = windows_in(APRIL)
    end = window_end(*window)
    assert end is not None
    record = KpiRecord(
        scope="company",
        grain="month",
        start=date_of(window.start),
        end=date_of(end),
        state="open",
        revision=1,
        measures={},
        kpis={kpi: value},
        as_of=datetime(2026, 4, 1, tzinfo=UTC),
    )
    return {key_of("company", window): record}


def figured(goal: Goal, span: Span, records: Records, scene: Scene, now: int) -> Figures:
    """The figures of a goal, with what a lead brought by then."""
    kpi, today = scene.known.kpis[goal.kpi], scene.calendar.day(now)
    return figures_of(
        goal, span, scene.known, records, lambda: per_lead(kpi, scene.known, goal.scope, today, records)
    )


class Watch:
    """Looks at a goal as an agent does, and keeps what there was to hear."""

    def __init__(self, goal: Goal | None = None) -> None:
        self.goal = goal or goal_of()
        self.row: StandingRow | None = None
        self.alerts: list[Alert] = []
        self.statuses = 0

    def look(self, now: int, value: Figure = 0, chance: float | None = None) -> str:
        outlook = None if chance is None else Chance(chance)
        records = april(self.goal.kpi, value)
        looked = look(
            self.goal,
            APRIL,
            figured(self.goal, APRIL, records, SCENE, now),
            SCENE,
            now,
            outlook,
            self.row,
            revision=1,
        )
        self.row = looked.row
        self.alerts += looked.alerts
        self.statuses += looked.status is not None
        return looked.row.status.standing

    @property
    def heard(self) -> list[str]:
        return [alert.kind for alert in self.alerts]


def test_a_month_goes_by_in_which_nothing_happens() -> None:
    """At risk when a fifth of its time is gone, slipped when half is, and missed after its end."""
    watch = Watch()
    assert watch.look(START - 1) == "pending"
    assert watch.look(START) == "on_track"
    for hour in range(30 * 24):
        watch.look(START + hour * HOUR)
    assert watch.look(END) == "slipped"
    assert watch.look(END + CLOSING_MICROS) == "missed"
    assert watch.heard == ["at_risk", "slipped", "missed"]
    assert [alert.id for alert in watch.alerts] == [f"april|2026-04-01|{kind}|0" for kind in watch.heard]
    # Of 20 working days four are over with the 8th (there is Easter), and ten with the 16th.
    assert [alert.at.date() for alert in watch.alerts[:2]] == [date(2026, 4, 9), date(2026, 4, 17)]
    assert {alert.severity for alert in watch.alerts} == {"warning", "critical"}
    assert watch.statuses < 120


def test_it_recovers_and_is_achieved() -> None:
    """And nothing more is heard of it."""
    watch = Watch()
    watch.look(START)
    assert watch.look(at("2026-04-14T12:00"), 10) == "at_risk"
    assert watch.look(at("2026-04-15T12:00"), 60) == "on_track"
    assert watch.look(at("2026-04-28T12:00"), 100) == "achieved"
    assert watch.look(END + DAY, 120) == "achieved"
    assert watch.heard == ["at_risk", "recovered", "achieved"]


def test_what_is_less_bad_than_slipped_is_no_news() -> None:
    """Until it is on track again."""
    watch = Watch()
    assert watch.look(at("2026-04-20T12:00"), 10) == "slipped"
    assert watch.look(at("2026-04-20T13:00"), 36) == "at_risk"
    assert watch.look(at("2026-04-20T14:00"), 36) == "at_risk"
    assert watch.look(at("2026-04-21T14:30"), 20) == "slipped"
    assert watch.look(at("2026-04-22T15:00"), 95) == "on_track"
    assert watch.heard == ["slipped", "recovered"]


def test_a_draft_is_judged_and_not_heard() -> None:
    """Once it is accepted, people hear how it stands."""
    watch = Watch(goal_of(draft=True))
    assert watch.look(at("2026-04-20T12:00"), 10) == "slipped"
    assert watch.heard == []
    watch.goal = msgspec.structs.replace(goal_of(), version=2)
    assert watch.look(at("2026-04-20T12:10"), 10) == "slipped"
    assert watch.heard == ["slipped"]


def test_what_was_over_before_somebody_accepted_it_is_not_heard() -> None:
    """A goal that recurs since last year does not tell of last year."""
    watch = Watch()
    late = Acceptance(by="anna", at=datetime(2026, 5, 1, tzinfo=UTC))
    watch.goal = msgspec.structs.replace(watch.goal, accepted=late)
    assert watch.look(at("2026-05-02T12:00"), 10) == "missed"
    assert watch.heard == []


def test_late_events_correct_a_closed_period() -> None:
    """In both directions; not where the verdict stays."""
    watch = Watch()
    watch.look(START)
    watch.look(at("2026-04-02T12:00"), 100)
    assert watch.look(END + DAY, 105) == "achieved"
    assert watch.look(END + 2 * DAY, 99) == "missed"
    assert watch.look(END + 3 * DAY, 98) == "missed"
    assert watch.look(END + 4 * DAY, 101) == "achieved"
    assert watch.heard == ["achieved", "corrected", "corrected"]
    assert [alert.id[-1] for alert in watch.alerts] == ["0", "0", "1"]


def test_what_was_achieved_too_early_is_on_its_way_again() -> None:
    """An amended deal takes it back, another brings it again: nobody was told otherwise meanwhile."""
    watch = Watch()
    watch.look(at("2026-04-20T12:00"), 100)
    assert watch.look(at("2026-04-21T12:00"), 99) == "on_track"
    assert watch.look(at("2026-04-22T12:00"), 100) == "achieved"
    assert watch.look(END + CLOSING_MICROS, 100) == "achieved"
    assert [alert.id for alert in watch.alerts] == ["april|2026-04-01|achieved|0"]


def test_what_slips_though_it_was_achieved_has_slipped() -> None:
    """The period goes on, and there is something to do: somebody must see to it, as to any slip."""
    watch = Watch()
    watch.look(at("2026-04-20T12:00"), 100)
    assert watch.look(at("2026-04-27T12:00"), 10) == "slipped"
    assert watch.look(at("2026-04-28T12:00"), 99) == "on_track"
    assert watch.look(at("2026-04-29T12:00"), 100) == "achieved"
    assert watch.heard == ["achieved", "slipped", "recovered", "achieved"]
    assert watch.alerts[1].severity == "critical"


def test_the_first_verdict_corrects_none() -> None:
    """Though people heard that it was achieved: a deal was reopened on the last evening."""
    watch = Watch()
    watch.look(at("2026-04-20T12:00"), 100)
    assert watch.look(END, 99) == "achieved"
    assert watch.look(END + CLOSING_MICROS, 99) == "missed"
    assert watch.look(END + DAY, 100) == "achieved"
    assert watch.heard == ["achieved", "missed", "corrected"]


@given(st.lists(st.tuples(st.integers(0, 40 * 24), st.integers(60, 130)), min_size=1, max_size=30))
def test_only_a_verdict_is_corrected(looks: list[tuple[int, int]]) -> None:
    """Once a period is over and judged: each time that it turns, and nothing else is heard then."""
    watch = Watch()
    verdict: str | None = None
    for hours, value in sorted(looks, key=itemgetter(0)):
        now, before = START + hours * HOUR, len(watch.alerts)
        standing = watch.look(now, value)
        heard = watch.heard[before:]
        if now < END + CLOSING_MICROS:
            assert "corrected" not in heard
            continue
        assert ("corrected" in heard) == (verdict not in {None, standing})
        assert verdict is None or heard in ([], ["corrected"])
        verdict = standing


def test_the_last_quarter_of_an_hour_is_waited_for() -> None:
    """What happened just before the end comes in just after it."""
    watch = Watch()
    watch.look(at("2026-04-29T12:00"), 98)
    assert watch.look(END + CLOSING_MICROS - 1, 99) == "on_track"
    assert watch.look(END + CLOSING_MICROS, 100) == "achieved"
    assert watch.heard == ["achieved"]


def test_a_forecast_takes_the_place_of_the_pace() -> None:
    """With thresholds of its own, and is shown."""
    watch = Watch()
    assert watch.look(at("2026-04-20T12:00"), 0, chance=0.6) == "on_track"
    assert watch.look(at("2026-04-20T13:00"), 0, chance=0.45) == "at_risk"
    assert watch.look(at("2026-04-20T14:00"), 0, chance=0.55) == "at_risk"
    assert watch.look(at("2026-04-20T15:00"), 0, chance=0.1) == "slipped"
    assert watch.look(at("2026-04-20T16:00"), 0, chance=0.25) == "slipped"
    assert watch.look(at("2026-04-20T17:00"), 0, chance=0.35) == "at_risk"
    assert watch.look(at("2026-04-20T18:00"), 0, chance=0.65) == "on_track"
    assert watch.heard == ["at_risk", "slipped", "recovered"]
    assert watch.row is not None
    status = watch.row.status
    assert (status.low, status.forecast, status.high, status.probability) == (10, 20, 30, 0.65)
    unknown = Chance(0.7, low=None, expected=None, high=None)
    looked = look(
        watch.goal,
        APRIL,
        figured(watch.goal, APRIL, april("new_leads", 0), SCENE, END),
        SCENE,
        at("2026-04-21T12:00"),
        unknown,
        watch.row,
        revision=1,
    )
    assert looked.status is not None
    assert (looked.status.low, looked.status.forecast, looked.status.high) == (None, None, None)


def test_a_forecast_holds_until_the_next_is_learned() -> None:
    """A worker that starts anew judges nothing by the pace that was judged by a forecast."""
    watch = Watch()
    assert watch.look(at("2026-04-20T12:00"), 0, chance=0.6) == "on_track"
    assert watch.row is not None
    figures = figured(watch.goal, APRIL, april("new_leads", 0), SCENE, END)

    def looked(outlook: Learning | None, before: StandingRow | None) -> StandingRow:
        now = at("2026-04-22T12:00")
        return look(watch.goal, APRIL, figures, SCENE, now, outlook, before, revision=1).row

    row = looked(LEARNING, watch.row)
    assert (row.status.standing, row.status.probability, row.status.forecast) == ("on_track", 0.6, 20)
    assert looked(None, watch.row).status.standing == "slipped"
    assert looked(LEARNING, None).status.standing == "slipped"


def test_what_was_judged_by_a_learned_pace_holds_until_one_is_learned_again() -> None:
    """A worker that starts anew knows none; a goal that is reached meanwhile is."""
    watch = Watch()
    assert watch.look(at("2026-04-02T12:00"), 0) == "on_track"

    def looked(done: int, outlook: Learning | None) -> StandingRow:
        figures = figured(watch.goal, APRIL, april("new_leads", done), SCENE, END)
        now = at("2026-04-22T12:00")
        return look(watch.goal, APRIL, figures, SCENE, now, outlook, watch.row, revision=1).row

    assert looked(0, LEARNING).status.standing == "on_track"
    assert looked(0, None).status.standing == "slipped"
    assert looked(100, LEARNING).status.standing == "achieved"


@pytest.mark.parametrize(
    ("value", "standing"), [(None, "on_track"), (4_900, "on_track"), (5_200, "at_risk"), (9_000, "slipped")]
)
def test_what_must_stay_below_its_target(value: int | None, standing: str) -> None:
    """The longer it is above, the better the rest must be; reached only at the end."""
    watch = Watch(goal_of("cac", "5000", "at_most"))
    figure = None if value is None else f"{value}.00"
    assert watch.look(at("2026-04-29T12:00"), figure) == standing
    assert watch.look(END + CLOSING_MICROS, figure) == ("achieved" if value == 4_900 else "missed")


def test_a_ratio_is_judged_by_what_the_rest_would_have_to_be() -> None:
    """A bad start is no loss, a bad month is."""
    watch = Watch(goal_of("win_rate", "0.5"))
    assert watch.look(at("2026-04-02T12:00"), 0.0) == "on_track"
    assert watch.look(at("2026-04-16T12:00"), 0.3) == "at_risk"
    assert watch.look(at("2026-04-29T12:00"), 0.3) == "slipped"
    assert watch.look(at("2026-04-29T18:00"), 0.6) == "on_track"
    assert watch.look(END + CLOSING_MICROS, 0.6) == "achieved"


def test_a_target_of_nothing() -> None:
    """No growth is asked of who does not want to shrink; no quote at all of who must not send any."""
    watch = Watch(goal_of("sales_growth", "0"))
    assert watch.look(at("2026-04-16T12:00"), 0.05) == "on_track"
    assert watch.look(at("2026-04-28T12:00"), -0.05) == "at_risk"
    none = Watch(goal_of("quotes_sent", "0", "at_most"))
    assert none.look(at("2026-04-16T12:00"), 0) == "on_track"
    assert none.look(at("2026-04-17T12:00"), 1) == "slipped"


def test_a_goal_against_what_there_is_no_figure_of() -> None:
    """Asks for nothing: nobody is told that it was missed."""
    goal = msgspec.structs.replace(goal_of(), target=Relative(change="0.1", baseline="last_year"))
    watch = Watch(goal)
    assert watch.look(at("2026-04-28T12:00"), 5) == "pending"
    assert watch.row is not None
    status = watch.row.status
    assert (status.value, status.target, status.expected, status.remaining) == (5, None, None, None)
    assert watch.look(END + CLOSING_MICROS, 5) == "pending"
    assert watch.heard == []


def test_the_figures_of_a_status() -> None:
    """What there is, what is missing, and what that takes a day."""
    watch = Watch()
    watch.look(at("2026-04-15T17:00"), 40)
    assert watch.row is not None
    status = watch.row.status
    assert (status.value, status.target, status.remaining) == (40, 100, 60)
    assert (status.expected, status.pace) == (45, 0.45)
    assert status.attainment == 0.4
    # From the 16th there are eleven working days to the end of the month.
    assert status.per_working_day == pytest.approx(60 / 11)
    assert status.leads_needed is None
    assert status.key == "april|2026-04-01"
    assert status.better == "at_least"
    money = Watch(goal_of("revenue", "1000.50"))
    money.look(at("2026-04-15T17:00"), "100.25")
    assert money.row is not None
    assert (money.row.status.remaining, money.row.status.expected) == ("900.25", "450.22")


def test_the_example_of_the_guide() -> None:
    """Two of twelve meetings: at risk from Tuesday 14:20, slipped from Wednesday 16:20."""
    week = Span(day_number(date(2027, 1, 11)), day_number(date(2027, 1, 17)))
    goal = goal_of("meetings_booked", "12")
    [window] = windows_in(week)
    [record] = april("meetings_booked", 2).values()
    records = {key_of("company", window): record}
    figures = figured(goal, week, records, SCENE, END)
    slips = when_slips(goal, week, figures, SCENE)
    assert slips == at("2027-01-13T16:20:01")
    row = None
    standings: list[tuple[str, str]] = []
    for moment in ("12T14:20:00", "12T14:20:01", "13T16:20:00", "13T16:20:01"):
        row = look(goal, week, figures, SCENE, at(f"2027-01-{moment}"), None, row, revision=1).row
        standings.append((moment, row.status.standing))
    assert [standing for _, standing in standings] == ["on_track", "at_risk", "at_risk", "slipped"]


VALUES = st.integers(0, 130)
KPIS_AND_TARGETS = st.sampled_from([("new_leads", "100"), ("win_rate", "0.5"), ("new_leads", "1")])


@given(KPIS_AND_TARGETS, VALUES, st.integers(1, 600), st.integers(0, 599))
def test_a_goal_slips_when_it_is_said_to(
    kpi_and_target: tuple[str, str], value: int, every_s: int, phase_s: int
) -> None:
    """Looked at by any clock, it slips at its first look from that instant on, and not before."""
    kpi, target = kpi_and_target
    goal = goal_of(kpi, target)
    figure = value if kpi == "new_leads" else value / 130
    records = april(kpi, figure)
    figures = figured(goal, APRIL, records, SCENE, END)
    slips = when_slips(goal, APRIL, figures, SCENE)
    near = Watch(goal)
    near.look(START, figure)
    first_at_risk = _first_second_at_risk(goal, records)
    near.look(min(first_at_risk, END - 1), figure)
    if slips is None:
        assert near.look(END - 1, figure) != "slipped"
        return
    step = every_s * SECOND
    begin = slips - 5 * step + phase_s * SECOND % step
    looks = [max(now, first_at_risk) for now in range(begin, slips + 2 * step, step) if now < END]
    for now in looks:
        assert (near.look(now, figure) == "slipped") == (now >= slips)
    assert near.heard.count("slipped") == any(now >= slips for now in looks)


def _first_second_at_risk(goal: Goal, records: Records) -> int:
    low, high = START // SECOND, END // SECOND
    while low < high:
        middle = (low + high) // 2
        tense = strain(goal, see(APRIL, figured(goal, APRIL, records, SCENE, END), SCENE, middle * SECOND))
        if tense is None or tense > Fraction("1.25"):
            high = middle
        else:
            low = middle + 1
    return low * SECOND


LOOKS = st.lists(
    st.tuples(st.integers(0, 40 * 24 * 60), VALUES, st.none() | st.floats(0, 1)), min_size=1, max_size=40
)


@given(LOOKS, st.data())
def test_replays_and_restarts_repeat_alerts_and_invent_none(
    looks: list[tuple[int, int, float | None]], data: st.DataObject
) -> None:
    """From any row that was kept, the same looks lead to the same row and the same ids."""
    looks = [
        (START - DAY + minute * 60 * SECOND, *rest) for minute, *rest in sorted(looks, key=itemgetter(0))
    ]
    whole = Watch()
    rows: list[StandingRow | None] = [None]
    counts = [0]
    for now, value, chance in looks:
        whole.look(now, value, chance)
        rows.append(whole.row)
        counts.append(len(whole.alerts))
    ids = [alert.id for alert in whole.alerts]
    assert len(set(ids)) == len(ids)
    kept = data.draw(st.integers(0, len(looks)))
    again = Watch()
    row = rows[kept]
    again.row = (
        None if row is None else msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=StandingRow)
    )
    for now, value, chance in looks[kept:]:
        again.look(now, value, chance)
        # Looking twice by one clock changes nothing.
        before = again.row
        again.look(now, value, chance)
        assert again.row == before
    assert again.alerts == whole.alerts[counts[kept] :]
    if kept:
        # And a clock that was set back is not believed.
        stale = Watch()
        stale.row = row
        stale.look(looks[0][0], looks[kept - 1][1], looks[kept - 1][2])
        assert stale.row == row
        assert stale.alerts == []


@given(st.permutations(range(8)), st.integers(0, 29 * 24))
def test_the_order_of_events_between_two_looks_does_not_matter(order: list[int], hour: int) -> None:
    """A look knows the records that hold, and not how they came about."""
    amounts = [3, -2, 8, 0, 5, -1, 9, 4]
    one, other = Watch(), Watch()
    for watch, way in ((one, list(range(8))), (other, order)):
        watch.look(START)
        value = 0
        for place in way:
            value += amounts[place]
        watch.look(START + hour * HOUR, value)
    assert one.row == other.row
    assert one.alerts == other.alerts


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from([0.0, 0.3, 0.45, 0.55, 0.75, 1.0])), max_size=60)
)
def test_a_goal_stays_for_an_hour_where_it_moved(steps: list[tuple[int, float]]) -> None:
    """However its forecast jumps: between two moves lies the least time, and so it is told of seldom."""
    watch = Watch()
    now, moves = at("2026-04-10T08:00"), []
    was = watch.look(now, 0, 1.0)
    for minutes, chance in steps:
        now += minutes * 60 * SECOND
        is_ = watch.look(now, 0, chance)
        assert is_ in COURSE
        if is_ != was:
            moves.append(now)
        was = is_
    assert all(later - earlier >= LEAST_MICROS for earlier, later in pairwise(moves))
    assert len(watch.alerts) <= len(moves)


@given(st.lists(st.floats(0.41, 0.49), min_size=1, max_size=50))
def test_a_goal_at_the_border_does_not_flap(doubts: list[float]) -> None:
    """Between the two thresholds it stays what it was, for as long as that lasts."""
    watch = Watch()
    now = at("2026-04-10T08:00")
    watch.look(now, 0, 0.4)
    for doubt in doubts:
        now += 2 * HOUR
        assert watch.look(now, 0, 1 - doubt) == "at_risk"
    assert watch.heard == ["at_risk"]
