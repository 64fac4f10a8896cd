"""The goals of one partition: which hold, which of their periods are looked at, and what there is to say.

Rows hold the goals and where each stands in each of its periods, with the alerts of the look that last had
any: a look that comes again after a crash says them again, and no others. Figures are handed in.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from goals.figures import Records
from goals.judging import Scene
from goals.periods import Span, ends, period_at, periods_within, span_of
from goals.standing import StandingRow, look
from kpis.calendar import date_of, day_number
from kpis.scorecards import CLOSING_MICROS
from kpis.versions import first_version
from schemas.goals import Alert, Goal, GoalStatus, Once
from schemas.packing import Packing


class GoalRow(Struct, frozen=True, tag="goal"):
    """A goal; none where it was retired."""

    goal: Goal | None


class PeriodRow(Struct, frozen=True, tag="period"):
    """Where a goal stands in one of its periods; nowhere, where it is no period of it any longer."""

    goal: str
    standing: StandingRow | None
    alerts: list[Alert] = []
    """Of the last look that had any."""
    alerted_at: int | None = None
    """By which clock that was."""


WatchRow = GoalRow | PeriodRow

WATCH_ROWS: Packing[WatchRow] = Packing(WatchRow)
"""How the rows of the table of standings are written."""

_GOAL = "goal|"


class Given(NamedTuple):
    """A goal as its topic has it; `None` retires it."""

    name: str
    goal: Goal | None


class Said(NamedTuple):
    """What came of a batch."""

    version: int
    rows: dict[str, WatchRow]
    statuses: dict[str, GoalStatus | None]
    """By key, `goal|start`; `None` where there is no such period any longer."""
    alerts: list[Alert]


class Watching:
    """One partition's goals."""

    def __init__(
        self, rows: Mapping[str, WatchRow], scene: Callable[[str], Scene], records: Records, term: int = 1
    ) -> None:
        self._rows = rows
        self._scene = scene
        self._records = records
        self._version = first_version(term)
        self._periods: dict[str, set[str]] = {}
        """By goal: the keys of the periods that there are rows of."""
        self._goals: set[str] = set()
        self._settled: dict[str, set[str]] = {}
        """By scope: the periods that had their verdict by figures that have not changed since."""
        self._fresh: dict[str, WatchRow] = {}

    def begin_term(self, term: int) -> None:
        """Write under a new term from now on, if it is above the one in use."""
        self._version = max(self._version, first_version(term))

    def learn(self, key: str, row: WatchRow) -> None:
        """Take a row that was recovered into account."""
        if isinstance(row, PeriodRow):
            self._periods.setdefault(row.goal, set()).add(key)
        elif row.goal is None:
            self._goals.discard(key)
        else:
            self._goals.add(key)

    def relearn(self, key: str, old: WatchRow | None, new: WatchRow) -> None:  # noqa: ARG002
        """Take a row into account, in the place of another."""
        self.learn(key, new)

    def changed(self, scope: str) -> None:
        """Figures of a scope changed: its verdicts may be others."""
        self._settled.pop(scope, None)

    def take(self, given: Iterable[Given], ticks: Iterable[int]) -> Said:
        """Take in goals, and look at all of them by the latest clock of a batch, if it has one."""
        self._version += 1
        self._fresh = {}
        said = Said(self._version, self._fresh, {}, [])
        for each in given:
            self._hear(each, said)
        clocks = sorted(ticks)
        if clocks:
            for key in sorted(self._goals):
                row = self._row(key)
                assert isinstance(row, GoalRow)
                assert row.goal is not None
                self._look(row.goal, clocks[0], clocks[-1], said)
        return said

    def _row(self, key: str) -> WatchRow | None:
        return self._fresh.get(key) or self._rows.get(key)

    def _keep(self, key: str, row: WatchRow) -> None:
        self._fresh[key] = row
        self.learn(key, row)

    def _hear(self, given: Given, said: Said) -> None:
        key = _GOAL + given.name
        row = self._row(key)
        before = row.goal if isinstance(row, GoalRow) else None
        if given.goal is None:
            # Said again where it was known already: this may be a replay.
            for period in sorted(self._periods.get(given.name, ())):
                self._end(given.name, period, said)
            if before is not None:
                self._keep(key, GoalRow(None))
        elif before is None or before.version < given.goal.version:
            self._keep(key, GoalRow(given.goal))
            self.changed(given.goal.scope)

    def _end(self, goal: str, key: str, said: Said) -> None:
        said.statuses[key] = None
        row = self._row(key)
        assert isinstance(row, PeriodRow)
        if row.standing is not None:
            self._keep(key, PeriodRow(goal, None))

    def _look(self, goal: Goal, earliest: int, now: int, said: Said) -> None:
        scene = self._scene(goal.scope)
        if goal.kpi not in scene.known.kpis:
            # Own KPIs come and go; the goal is looked at once its KPI is there again.
            return
        settled = self._settled.setdefault(goal.scope, set())
        for key in sorted(self._periods.get(goal.id, set()) - settled):
            row = self._row(key)
            assert isinstance(row, PeriodRow)
            if row.standing is not None and not self._is_period(goal, row.standing.status):
                self._end(goal.id, key, said)
        for span in self._spans(goal, scene, now):
            self._look_at(goal, span, scene, earliest, now, said)

    def _is_period(self, goal: Goal, status: GoalStatus) -> bool:
        span = period_at(goal.period, day_number(status.start))
        return span == Span(day_number(status.start), day_number(status.end))

    def _spans(self, goal: Goal, scene: Scene, now: int) -> list[Span]:
        """The periods that are known, and those that began since the last of them, or hold today."""
        if isinstance(goal.period, Once):
            return [span_of(goal.period)]
        today = scene.calendar.day(now)
        keys = self._periods.get(goal.id)
        first = today if not keys else min(today, day_number(date.fromisoformat(min(keys)[-10:])))
        return list(periods_within(goal.period, Span(first, today)))

    def _look_at(self, goal: Goal, span: Span, scene: Scene, earliest: int, now: int, said: Said) -> None:
        key = f"{goal.id}|{date_of(span.first)}"
        settled = self._settled[goal.scope]
        if key in settled:
            return
        before = self._row(key)
        assert before is None or isinstance(before, PeriodRow)
        standing = None if before is None else before.standing
        looked = look(goal, span, self._records, scene, now, None, standing)
        alerts, alerted_at = ([], None) if before is None else (before.alerts, before.alerted_at)
        if alerted_at is not None and alerted_at >= earliest:
            # The look that had them may have ended in a crash before they were written.
            said.alerts.extend(alerts)
        if looked.alerts:
            alerts, alerted_at = looked.alerts, looked.row.as_of
            said.alerts.extend(alerts)
        if looked.status is not None or (standing is not None and standing.as_of >= earliest):
            said.statuses[key] = looked.row.status
        over = now >= ends(scene.calendar, span) + CLOSING_MICROS
        if standing is None or looked.status is not None or looked.alerts or not over:
            # What is over and says nothing new needs no later clock.
            self._keep(key, PeriodRow(goal.id, looked.row, alerts, alerted_at))
        if over:
            settled.add(key)
