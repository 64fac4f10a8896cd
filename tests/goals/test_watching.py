"""A partition's goals, looked at as the clock ticks: a crash repeats what was to hear, and no more."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from goals.watching import WATCH_ROWS, Given, Said, Watching, WatchRow
from schemas.goals import Alert, Recurring
from schemas.records import KpiRecord
from tests.goals.test_standing import DAY, END, HOUR, SCENE, START, april, goal_of

GOAL = goal_of()


class Partition:
    """Rows that are kept, and the view over them; `restart` builds it from what was packed."""

    def __init__(self) -> None:
        self.rows: dict[str, WatchRow] = {}
        self.records: dict[str, KpiRecord] = {}
        self.restart()

    def restart(self) -> None:
        packed = {key: WATCH_ROWS.pack(row, 1) for key, row in self.rows.items()}
        self.rows = {key: WATCH_ROWS.unpack(raw) for key, raw in packed.items()}
        self.view = Watching(self.rows, lambda _: SCENE, self.records)
        for key, row in self.rows.items():
            self.view.learn(key, row)

    def take(self, *given: Given, ticks: tuple[int, ...] = ()) -> Said:
        said = self.view.take(given, ticks)
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
    before = dict(crashing.rows)
    crashing.restart()
    again = [name for now in clocks for name in ids(crashing.take(ticks=(now,)).alerts)]
    assert set(again) <= set(expected)
    assert crashing.rows == before


def test_a_retired_goal_leaves_nothing() -> None:
    """Its statuses are taken back, again where that is said again, and it is not looked at any more."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START,))
    assert partition.take(Given("april", None)).statuses == {"april|2026-04-01": None}
    partition.restart()
    assert partition.take(Given("april", None)).statuses == {"april|2026-04-01": None}
    assert partition.take(ticks=(END,)).statuses == {}


def test_a_goal_that_recurs_gets_every_verdict() -> None:
    """Of the weeks that went by without a tick, too; a late event corrects one, once."""
    weekly = msgspec.structs.replace(GOAL, period=Recurring(grain="week", start=goal_of().period.start))
    partition = Partition()
    partition.take(Given("april", weekly), ticks=(START + 7 * DAY,))
    said = partition.take(ticks=(START + 28 * DAY,))
    assert [alert.id for alert in said.alerts if alert.kind == "missed"] == [
        f"april|2026-04-{day}|missed|0" for day in ("06", "13", "20")
    ]


def test_a_goal_whose_kpi_is_gone_waits() -> None:
    """And nothing else is stopped by it."""
    gone = msgspec.structs.replace(GOAL, id="gone", kpi="was_ours")
    partition = Partition()
    said = partition.take(Given("gone", gone), Given("april", GOAL), ticks=(START,))
    assert set(said.statuses) == {"april|2026-04-01"}


def test_an_older_version_changes_nothing() -> None:
    """The higher holds, whichever comes last."""
    newer = msgspec.structs.replace(GOAL, version=2)
    partition = Partition()
    partition.take(Given("april", newer), Given("april", GOAL), ticks=(START,))
    status = partition.take(Given("april", GOAL), ticks=(START,)).statuses["april|2026-04-01"]
    assert status is not None
    assert status.goal_version == 2


def test_what_is_over_is_looked_at_again_where_figures_changed() -> None:
    """And not before: the cost of a tick does not grow with history. A worker that starts looks once."""
    partition = Partition()
    partition.take(Given("april", GOAL), ticks=(START,))
    assert [alert.kind for alert in partition.take(ticks=(END + DAY,)).alerts] == ["missed"]
    partition.records.update(april("new_leads", 120))
    assert partition.take(ticks=(END + 2 * DAY,)).rows == {}
    partition.view.changed("company")
    assert [alert.kind for alert in partition.take(ticks=(END + 3 * DAY,)).alerts] == ["corrected"]
    partition.records.update(april("new_leads", 99))
    partition.restart()
    assert [alert.kind for alert in partition.take(ticks=(END + 4 * DAY,)).alerts] == ["corrected"]
