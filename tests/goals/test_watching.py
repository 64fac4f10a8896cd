"""A partition's goals, looked at as the clock ticks: a crash repeats what was to hear, and no more."""

from datetime import date

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from goals.known import known_kpis
from goals.watching import WATCH_ROWS, Given, Said, Watching, WatchRow
from kpis.calendar import date_of
from schemas.goals import Alert, Goal, GoalStatus, Once, Recurring, Relative
from schemas.internal import Renewed
from schemas.records import KpiRecord
from tests.goals.test_standing import APRIL, DAY, END, HOUR, SCENE, START, april, goal_of

GOAL = goal_of()
KEY = "april|2026-04-01"


class Partition:
    """Rows that are kept, and the view over them; `restart` takes it over as another worker does."""

    def __init__(self) -> None:
        self.rows: dict[str, WatchRow] = {}
        self.records: dict[str, KpiRecord] = {}
        self.scene = SCENE._replace(known=known_kpis("SEK"))
        self.term = 0
        self.restart()

    def restart(self) -> None:
        packed = {key: WATCH_ROWS.pack(row, 1) for key, row in self.rows.items()}
        self.rows = {key: WATCH_ROWS.unpack(raw) for key, raw in packed.items()}
        self.view = Watching(self.rows, lambda _: self.scene, self.records, lambda *_: None)
        self.term += 1
        self.view.begin_term(self.term)

    def take(
        self, *given: Given, ticks: tuple[int, ...] = (), touched: tuple[int, int] | None = None
    ) -> Said:
        renewals = [Renewed(now, True, {}) for now in ticks]
        if touched is not None:
            renewals.append(Renewed(START, False, {"company": touched}))
        said = self.view.take(given, renewals)
        self.rows.update(said.rows)
        return said


def ids(alerts: list[Alert]) -> list[str]:
    return [alert.id for alert in alerts]


def test_a_month_without_events_slips_and_recovers() -> None:
    """Only the clock ticks; then a lead or eighty."""
    partition = Partition()
    partition.take(Given("april", GOAL))
    heard: list[str] = []
    for hour in range(20 * 24):
        heard += [alert.kind for alert in partition.take(ticks=(START + hour * HOUR,)).alerts]
    assert heard == ["at_risk", "slipped"]
    partition.records.update(april("new_leads", 95))
    assert [alert.kind for alert in partition.take(ticks=(START + 20 * DAY,)).alerts] == ["recovered"]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.data())
def test_a_crash_after_the_rows_says_the_same_again(hours: list[int], data: st.DataObject) -> None:
    """Whichever batch it was in, and however the ticks are batched then: the same ids, each of them."""
    clocks = [START + sum(hours[: number + 1]) * 24 * HOUR // 3 for number in range(len(hours))]
    whole, crashing = Partition(), Partition()
    expected: list[str] = []
    for partition in (whole, crashing):
        partition.take(Given("april", GOAL))
    crash = data.draw(st.integers(0, len(clocks) - 1))
    heard: list[str] = []
    for number, now in enumerate(clocks):
        expected += ids(whole.take(ticks=(now,)).alerts)
        said = crashing.take(ticks=(now,))
        if number == crash:
            # The rows are safe, and nothing was written. The batch comes again, by itself or with the next.
            crashing.restart()
            said = crashing.take(ticks=tuple(clocks[number : number + 1 + data.draw(st.integers(0, 1))]))
        heard += ids(said.alerts)
    assert list(dict.fromkeys(heard)) == expected
    crashing.restart()
    again = [name for now in clocks for name in ids(crashing.take(ticks=(now,)).alerts)]
    assert set(again) <= set(expected)


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 130)), min_size=1, max_size=10), st.data())
def test_whoever_reads_has_what_is_in_the_rows(looks: list[tuple[int, int]], data: st.DataObject) -> None:
    """Whatever was renewed between ticks, and whoever took over: of two statuses the later has the higher
    revision, and after a tick it says what a worker that was never interrupted says.
    """
    whole, interrupted = Partition(), Partition()
    read: list[dict[str, GoalStatus]] = [{}, {}]
    now = START
    for partition in (whole, interrupted):
        partition.take(Given("april", GOAL))
    for hours, leads in looks:
        now += hours * 8 * HOUR
        for number, partition in enumerate((whole, interrupted)):
            partition.records.update(april("new_leads", leads))
            touched: tuple[int, int] | None = APRIL
            if number and data.draw(st.booleans()):
                _read(partition.take(touched=touched).statuses, read[number])
                touched = None
            if number and data.draw(st.booleans()):
                partition.restart()
            _read(partition.take(ticks=(now,), touched=touched).statuses, read[number])
        assert _but_time(read[0]) == _but_time(read[1])


def _read(said: dict[str, GoalStatus | None], read: dict[str, GoalStatus]) -> None:
    for key, status in said.items():
        assert status is not None
        assert key not in read or status.revision > read[key].revision
        read[key] = status


def _but_time(statuses: dict[str, GoalStatus]) -> list[dict[str, object]]:
    """All that says something new; the rest may be said at another time."""
    names = ("standing", "value", "target", "remaining")
    return [{name: getattr(status, name) for name in names} for status in statuses.values()]


def test_figures_are_renewed_between_ticks() -> None:
    """Where the goal stands is not: that takes the clock. What changes nothing is not said."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START + 20 * DAY,))
    partition.records.update(april("new_leads", 120))
    said = partition.take(touched=APRIL)
    assert (said.rows, said.alerts) == ({}, [])
    status = said.statuses[KEY]
    assert status is not None
    assert (status.value, status.remaining, status.standing) == (120, 0, "slipped")
    assert partition.take(touched=APRIL).statuses == {}
    partition.records.update(april("new_leads", 0))
    back = partition.take(ticks=(START + 20 * DAY,), touched=APRIL).statuses[KEY]
    assert back is not None
    assert (back.value, back.revision > status.revision) == (0, True)


def test_a_retired_goal_leaves_only_its_verdicts() -> None:
    """Its statuses are taken back, again where that is said again, and it is not looked at any more."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START,))
    assert partition.take(Given("april", None)).statuses == {KEY: None}
    partition.restart()
    assert partition.take(Given("april", None)).statuses == {KEY: None}
    assert partition.take(ticks=(END,)).statuses == {}
    over = Partition()
    over.take(Given("april", GOAL), ticks=(END + DAY,))
    assert over.take(Given("april", None)).statuses == {}


def test_alerts_of_a_goal_that_comes_back_are_others() -> None:
    """Whoever knows the ids of the first would take them for the same."""
    partition = Partition()
    partition.take(Given("april", GOAL))
    assert ids(partition.take(ticks=(START + 20 * DAY,)).alerts) == [f"{KEY}|slipped|0"]
    partition.take(Given("april", None))
    partition.take(Given("april", msgspec.structs.replace(GOAL, version=3)))
    assert ids(partition.take(ticks=(START + 21 * DAY,)).alerts) == [f"{KEY}|slipped|1"]


def test_a_goal_that_recurs_gets_every_verdict() -> None:
    """Of the weeks that went by without a tick, too; a late event corrects one, once."""
    weekly = msgspec.structs.replace(GOAL, period=Recurring(grain="week", start=goal_of().period.start))
    partition = Partition()
    partition.take(Given("april", weekly), ticks=(START + 7 * DAY,))
    said = partition.take(ticks=(START + 28 * DAY,))
    assert [alert.id for alert in said.alerts if alert.kind == "missed"] == [
        f"april|2026-04-{day}|missed|0" for day in ("06", "13", "20")
    ]


def test_a_verdict_is_on_the_goal_as_it_was() -> None:
    """Who asks for more from now on asks for no more of what is over, however late figures come."""
    partition = Partition()
    partition.take(Given("april", GOAL))
    partition.records.update(april("new_leads", 110))
    assert ids(partition.take(ticks=(END + DAY,)).alerts) == [f"{KEY}|achieved|0"]
    more = msgspec.structs.replace(goal_of(target="200"), version=2)
    assert partition.take(Given("april", more), ticks=(END + 2 * DAY,)).alerts == []
    partition.records.update(april("new_leads", 105))
    said = partition.take(ticks=(END + 3 * DAY,), touched=APRIL)
    assert said.alerts == []
    status = said.statuses[KEY]
    assert status is not None
    assert (status.standing, status.value, status.target, status.goal_version) == ("achieved", 105, 100, 1)


def test_a_goal_whose_kpi_is_gone_waits() -> None:
    """And nothing else is stopped by it."""
    gone = msgspec.structs.replace(GOAL, id="gone", kpi="was_ours")
    partition = Partition()
    said = partition.take(Given("gone", gone), Given("april", GOAL), ticks=(START,))
    assert set(said.statuses) == {KEY}
    assert partition.take(touched=APRIL).statuses == {}


def test_an_older_version_changes_nothing() -> None:
    """The higher holds, whichever comes last."""
    newer = msgspec.structs.replace(GOAL, version=2)
    partition = Partition()
    partition.take(Given("april", newer), Given("april", GOAL), ticks=(START,))
    status = partition.take(Given("april", GOAL), ticks=(START,)).statuses[KEY]
    assert status is not None
    assert status.goal_version == 2


def test_what_is_over_is_looked_at_again_where_figures_changed() -> None:
    """And not before: ticks do not cost more with history. Who crashes before that still knows it."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START,))
    assert [alert.kind for alert in partition.take(ticks=(END + DAY,)).alerts] == ["missed"]
    partition.records.update(april("new_leads", 120))
    assert partition.take(ticks=(END + 2 * DAY,)).rows == {}
    may = APRIL.end
    assert partition.take(touched=(may, may + 2)).rows == {}
    assert partition.take(touched=(APRIL.first, may)).rows.keys() == {KEY}
    partition.restart()
    assert [alert.kind for alert in partition.take(ticks=(END + 3 * DAY,)).alerts] == ["corrected"]
    assert partition.take(ticks=(END + 4 * DAY,)).statuses == {}


def test_what_a_target_is_compared_with_counts_too() -> None:
    """A year before; but not what came after."""
    relative = msgspec.structs.replace(GOAL, target=Relative(change="0.1", baseline="last_year"))
    partition = Partition()
    partition.take(Given("april", relative), ticks=(END + DAY,))
    assert partition.take(touched=(APRIL.first - 365, APRIL.first - 364)).rows.keys() == {KEY}
    partition.take(ticks=(END + 2 * DAY,))
    assert partition.take(touched=(APRIL.end, APRIL.end)).rows == {}
    assert partition.take(touched=(APRIL.first - 800, APRIL.first - 799)).rows == {}


def test_who_is_called_otherwise_is_not_heard_of_again() -> None:
    """Another owner or name asks for nothing else: what people heard of holds, as the least hour does."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START,))
    partition.records.update(april("new_leads", 110))
    achieved = partition.take(ticks=(START + 20 * DAY,), touched=APRIL)
    assert ids(achieved.alerts) == [f"{KEY}|achieved|0"]
    renamed = msgspec.structs.replace(GOAL, version=2, owner="bo")
    assert partition.take(Given("april", renamed)).alerts == []
    partition.restart()
    said = partition.take(ticks=(START + 21 * DAY,))
    assert said.alerts == []
    status = said.statuses[KEY]
    assert status is not None
    assert status.goal_version == 2
    assert partition.take(ticks=(END + DAY,)).alerts == []


def weekly(version: int) -> Goal:
    return msgspec.structs.replace(
        GOAL, version=version, period=Recurring(grain="week", start=goal_of().period.start)
    )


def test_nobody_hears_of_when_a_goal_did_not_hold() -> None:
    """Of one that was retired and comes back; or of the weeks before a monthly goal became a weekly one."""
    partition = Partition()
    partition.take(Given("april", weekly(1)), ticks=(START + 7 * DAY,))
    partition.take(ticks=(START + 14 * DAY,))
    partition.take(Given("april", None))
    partition.take(Given("april", weekly(3)), ticks=(START + 80 * DAY,))
    later = partition.take(ticks=(START + 88 * DAY,))
    assert {alert.status.start for alert in later.alerts} == {date(2026, 6, 15), date(2026, 6, 22)}


def test_no_period_is_lost_that_passed_while_nobody_worked() -> None:
    """Also of a goal that had none before."""
    partition = Partition()
    later = msgspec.structs.replace(GOAL, period=Recurring(grain="week", start=date_of(APRIL.first + 14)))
    partition.take(Given("april", later), ticks=(START,))
    partition.restart()
    alerts = partition.take(ticks=(START + 35 * DAY,)).alerts
    assert {alert.status.start for alert in alerts if alert.kind == "missed"} == {
        date(2026, 4, 20),
        date(2026, 4, 27),
    }


def test_a_goal_that_is_given_more_time_is_judged_again() -> None:
    """After its verdict, too, and its alerts are others."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(END + DAY,))
    longer = msgspec.structs.replace(
        GOAL, version=2, period=Once(start=date(2026, 4, 1), end=date(2026, 6, 30))
    )
    partition.take(Given("april", longer))
    status = partition.take(ticks=(END + 2 * DAY,)).statuses[KEY]
    assert status is not None
    assert (status.end, status.standing) == (date(2026, 6, 30), "at_risk")


def test_a_late_figure_corrects_a_verdict_on_another_version() -> None:
    """A month that was missed stays a month where the goal is for weeks by now."""
    monthly = msgspec.structs.replace(GOAL, period=Recurring(grain="month", start=date(2026, 4, 1)))
    partition = Partition()
    partition.take(Given("april", monthly), ticks=(START,))
    partition.take(ticks=(END + DAY,))
    partition.take(Given("april", weekly(2)), ticks=(END + 2 * DAY,))
    partition.records.update(april("new_leads", 120))
    late = APRIL.first + 20
    said = partition.take(ticks=(END + 3 * DAY,), touched=(late, late))
    assert ids(said.alerts) == [f"{KEY}|corrected|0"]


def test_a_verdict_whose_kpi_is_gone_waits() -> None:
    """Though the goal asks for another by now."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START,))
    partition.take(ticks=(END + DAY,))
    other = msgspec.structs.replace(goal_of(kpi="revenue"), version=2)
    partition.take(Given("april", other))
    del partition.scene.known.kpis["new_leads"]
    assert partition.take(ticks=(END + 2 * DAY,), touched=APRIL).alerts == []


def test_a_second_crash_loses_none_of_the_first() -> None:
    """The batch that comes again raises another alert, and comes again once more: with both."""
    partition = Partition()
    partition.take(Given("april", GOAL))
    first = (START + 20 * DAY,)
    assert ids(partition.take(ticks=first).alerts) == [f"{KEY}|slipped|0"]
    partition.restart()
    both = [f"{KEY}|slipped|0", f"{KEY}|missed|0"]
    assert ids(partition.take(ticks=(*first, END + DAY)).alerts) == both
    partition.restart()
    assert ids(partition.take(ticks=(*first, END + DAY)).alerts) == both


def test_a_verdict_is_told_though_the_goal_was_retired_before_it_could_be() -> None:
    """The row was kept, and then came the crash."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START,))
    partition.take(ticks=(END + DAY,))
    partition.restart()
    said = partition.take(Given("april", None), ticks=(END + DAY,))
    assert ids(said.alerts) == [f"{KEY}|missed|0"]
    status = said.statuses[KEY]
    assert status is not None
    assert status.standing == "missed"
