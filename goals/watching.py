"""The goals of one partition: which hold, which of their periods are looked at, and what there is to say.

Rows hold the goals and where each stands in each of its periods, with the alerts of the look that last had
any: a look that comes again after a crash says them again, and no others. Figures are handed in.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import NamedTuple

import msgspec
from msgspec import Struct

from goals.figures import Figures, Records, figures_of, per_lead
from goals.judging import Learning, Outlook, Scene
from goals.periods import Span, ends, period_at, periods_within, span_of
from goals.standing import StandingRow, look, renewed, says_else
from kpis.calendar import date_of, day_number
from kpis.formulas import KPIS
from kpis.scorecards import CLOSING_MICROS
from kpis.versions import first_version
from schemas.goals import Absolute, Alert, AlertKind, Goal, GoalStatus, Once
from schemas.internal import Renewed
from schemas.packing import Packing


class GoalRow(Struct, frozen=True, tag="goal"):
    """A goal; none where it was retired."""

    goal: Goal | None


class PeriodRow(Struct, frozen=True, tag="period", omit_defaults=True):
    """Where a goal stands in one of its periods; nowhere, where it is no period of it any longer."""

    goal: str
    standing: StandingRow | None
    verdict_on: Goal | None = None
    """The goal as it was at its first verdict: by no other is judged what comes late."""
    settled: bool = False
    """Whether there was a verdict by figures that have not changed since."""
    heard: dict[AlertKind, int] = {}
    """How many alerts of each kind there were, where it stands nowhere."""
    alerts: list[Alert] = []
    """Of the last look that had any."""
    alerted_at: int | None = None
    """By which clock that was."""


WatchRow = GoalRow | PeriodRow

WATCH_ROWS: Packing[WatchRow] = Packing(WatchRow)
"""How the rows of the table of standings are written."""

_GOAL = "goal|"

_MOST_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


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


class _Watched:
    """What is known of a goal besides what its rows say."""

    def __init__(self) -> None:
        self.goal: Goal | None = None
        self.periods: dict[str, int] = {}
        """The first days of those where it stands somewhere, by their keys."""
        self.live: set[str] = set()
        """Those that want to be looked at."""
        self.ended: set[str] = set()
        """Those that are none of its periods any longer."""
        self.begun: int | None = None
        """The day by which all of its periods are known that began."""


class _Figured:
    """Figures of goals, kept until they may be others: ticks ask for the same again and again."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._today = 0
        self._figures: dict[str, dict[str, tuple[Goal, Figures]]] = {}
        """By scope, and the key of a period."""
        self._leads: dict[str, dict[str, Fraction | None]] = {}
        """By scope and KPI: how much a new lead brought in the days before today."""

    def of(self, key: str, goal: Goal, span: Span, scene: Scene, now: int) -> Figures:
        """The figures of a goal in a period, by the records that hold."""
        today = scene.calendar.day(now)
        if today != self._today:
            self._today, self._figures, self._leads = today, {}, {}
        of_scope = self._figures.setdefault(goal.scope, {})
        kpi = scene.known.kpis[goal.kpi]
        known = of_scope.get(key)
        if known is not None and known[0] is goal and known[1].kpi is kpi:
            return known[1]

        def a_lead() -> Fraction | None:
            leads = self._leads.setdefault(goal.scope, {})
            if goal.kpi not in leads:
                leads[goal.kpi] = per_lead(kpi, scene.known, goal.scope, today, self._records)
            return leads[goal.kpi]

        figures = figures_of(goal, span, scene.known, self._records, a_lead)
        of_scope[key] = goal, figures
        return figures

    def forget(self, scope: str, days: Span) -> None:
        """Figures of a scope's days are others."""
        self._figures.pop(scope, None)
        if days.first < self._today:
            self._leads.pop(scope, None)


class Watching:
    """One partition's goals."""

    def __init__(
        self,
        rows: Mapping[str, WatchRow],
        scene: Callable[[str], Scene],
        records: Records,
        outlook: Callable[[Goal, Span, int], Outlook | Learning | None],
        term: int = 1,
    ) -> None:
        self._rows = rows
        self._scene = scene
        self._figured = _Figured(records)
        self._outlook = outlook
        self._version = first_version(term)
        self._watched: dict[str, _Watched] | None = None
        """By id; made of the rows when a batch is first taken in."""
        self._of_scope: dict[str, set[str]] = {}
        self._renewed: dict[str, GoalStatus] = {}
        """By key: what was said of a period since its row was written."""
        self._all_said = False
        """Whether all that is live was said since the rows were taken over: an earlier owner may have
        renewed it otherwise."""
        self._fresh: dict[str, WatchRow] = {}

    def begin_term(self, term: int) -> None:
        """Write under a new term from now on, if it is above the one in use."""
        self._version = max(self._version, first_version(term))
        self._all_said = False

    def learn(self, key: str, row: WatchRow) -> None:  # noqa: ARG002
        """A row was recovered: what was made of all of them is made anew."""
        self._watched = None

    def relearn(self, key: str, old: WatchRow | None, new: WatchRow) -> None:  # noqa: ARG002
        """A row was recovered, in the place of another."""
        self.learn(key, new)

    def take(self, given: Iterable[Given], renewals: Iterable[Renewed]) -> Said:
        """Take in goals, and what became of the figures; look at all goals by the latest tick, if one came.

        Between ticks only the figures of statuses are renewed.
        """
        watched = self._all()
        self._version += 1
        self._fresh = {}
        said = Said(self._version, self._fresh, {}, [])
        for each in given:
            self._hear(each, said)
        ticks: list[int] = []
        touched: set[str] = set()
        for renewal in renewals:
            if renewal.ticked:
                ticks.append(renewal.now)
            for scope, days in renewal.days.items():
                names = self._of_scope.get(scope, set())
                touched |= names
                self._figured.forget(scope, Span(*days))
                for name in names:
                    self._unsettle(watched[name], Span(*days))
        if ticks:
            for name in sorted(watched):
                self._look(watched[name], min(ticks), max(ticks), said)
            self._all_said = True
        else:
            for name in sorted(touched):
                self._renew(watched[name], said)
        return said

    def _all(self) -> dict[str, _Watched]:
        if self._watched is None:
            self._watched, self._of_scope = {}, {}
            newest = 0
            settled: list[tuple[_Watched, str, int]] = []
            for key, row in self._rows.items():
                if isinstance(row, GoalRow):
                    self._hold(key.removeprefix(_GOAL), row.goal)
                    continue
                self._note(key, row)
                if row.standing is not None:
                    newest = max(newest, row.standing.as_of)
                    settled.append((self._of(row.goal), key, row.standing.as_of))
            for watched, key, as_of in settled:
                if as_of == newest:
                    # The last batch may come again, and what it had to say must be said.
                    watched.live.add(key)
        return self._watched

    def _of(self, name: str) -> _Watched:
        return self._all().setdefault(name, _Watched())

    def _hold(self, name: str, goal: Goal | None) -> None:
        watched = self._of(name)
        if watched.goal is not None:
            self._of_scope[watched.goal.scope].discard(name)
        watched.goal, watched.begun = goal, None
        if goal is not None:
            self._of_scope.setdefault(goal.scope, set()).add(name)

    def _note(self, key: str, row: PeriodRow) -> None:
        watched = self._of(row.goal)
        if row.standing is None:
            watched.periods.pop(key, None)
            watched.live.discard(key)
            watched.ended.add(key)
            return
        watched.ended.discard(key)
        watched.periods[key] = day_number(row.standing.status.start)
        if row.settled:
            watched.live.discard(key)
        else:
            watched.live.add(key)

    def _keep(self, key: str, row: PeriodRow) -> None:
        self._fresh[key] = row
        self._note(key, row)

    def _period(self, key: str) -> PeriodRow | None:
        row = self._fresh.get(key) or self._rows.get(key)
        assert row is None or isinstance(row, PeriodRow)
        return row

    def _hear(self, given: Given, said: Said) -> None:
        """Take in a goal. One that is known already may be a replay: what it ended is said again."""
        if given.goal is None and given.name not in self._all():
            return
        watched = self._of(given.name)
        before = watched.goal
        if given.goal is not None and before is not None and before.version > given.goal.version:
            return
        if before != given.goal:
            self._fresh[_GOAL + given.name] = GoalRow(given.goal)
            self._hold(given.name, given.goal)
        for key in sorted(watched.ended):
            said.statuses[key] = None
        for key in sorted(watched.live):
            row = self._period(key)
            assert row is not None
            assert row.standing is not None
            # A verdict is history, and stays.
            if row.verdict_on is None and not _is_period(given.goal, row.standing.status):
                self._end(key, row, row.standing, said)

    def _end(self, key: str, row: PeriodRow, standing: StandingRow, said: Said) -> None:
        said.statuses[key] = None
        self._renewed.pop(key, None)
        # Should the period come again, its alerts are others.
        self._keep(key, PeriodRow(row.goal, None, heard=standing.alerts))

    def _unsettle(self, watched: _Watched, days: Span) -> None:
        """Figures of some days changed: periods whose verdicts may be others want to be looked at."""
        goal = watched.goal
        assert goal is not None
        for key, first in watched.periods.items():
            if key in watched.live or not _may_move(goal, first, days):
                continue
            row = self._period(key)
            assert row is not None
            self._fresh[key] = msgspec.structs.replace(row, settled=False)
            watched.live.add(key)

    def _look(self, watched: _Watched, earliest: int, now: int, said: Said) -> None:
        goal = watched.goal
        if goal is None:
            return
        scene = self._scene(goal.scope)
        if goal.kpi not in scene.known.kpis:
            # Own KPIs come and go; the goal is looked at once its KPI is there again.
            return
        clocks = Span(scene.calendar.day(earliest), scene.calendar.day(now))
        keys = watched.live | self._begin_periods(goal, watched, scene, clocks)
        for key in sorted(keys):
            self._look_at(key, goal, scene, earliest, now, said)

    def _begin_periods(self, goal: Goal, watched: _Watched, scene: Scene, clocks: Span) -> set[str]:
        """The periods that began since the last known of them, or else those that the clocks passed.

        What recurs asks for nothing on days off: one in which nobody works at all is none.
        """
        today = clocks.last
        if watched.begun == today:
            return set()
        watched.begun = today
        if isinstance(goal.period, Once):
            spans = [span_of(goal.period)]
        else:
            latest = max(watched.periods.values(), default=clocks.first)
            begun = periods_within(goal.period, Span(min(latest, today), today))
            spans = [span for span in begun if any(map(scene.working.works, range(span.first, span.end)))]
        return {f"{goal.id}|{date_of(span.first)}" for span in spans} - watched.periods.keys()

    def _look_at(self, key: str, goal: Goal, scene: Scene, earliest: int, now: int, said: Said) -> None:
        row = self._period(key) or PeriodRow(goal.id, None)
        goal = row.verdict_on or goal
        span = period_at(goal.period, day_number(date.fromisoformat(key.rpartition("|")[2])))
        assert span is not None, "periods that are none have ended"
        standing = row.standing
        looked = look(
            goal,
            span,
            self._figured.of(key, goal, span, scene, now),
            scene,
            now,
            self._outlook(goal, span, now),
            standing,
            revision=self._version,
            heard=row.heard,
        )
        alerts, alerted_at = row.alerts, row.alerted_at
        if alerted_at is not None and alerted_at >= earliest:
            # The look that had them may have ended in a crash before they were written.
            said.alerts.extend(alerts)
        if looked.alerts:
            alerts, alerted_at = looked.alerts, looked.row.as_of
            said.alerts.extend(alerts)
        # Of the status, too; or it was renewed, perhaps by another, since it was written.
        unsaid = not self._all_said or (standing is not None and standing.as_of >= earliest)
        if self._renewed.pop(key, None) is not None or unsaid or looked.status is not None:
            said.statuses[key] = msgspec.structs.replace(looked.row.status, revision=self._version)
        over = now >= ends(scene.calendar, span) + CLOSING_MICROS
        if standing is None or looked.status is not None or looked.alerts or over:
            kept = PeriodRow(
                goal.id,
                looked.row,
                verdict_on=goal if over else None,
                settled=over,
                alerts=alerts,
                alerted_at=alerted_at,
            )
            self._keep(key, kept)

    def _renew(self, watched: _Watched, said: Said) -> None:
        goal = watched.goal
        assert goal is not None
        scene = self._scene(goal.scope)
        if goal.kpi not in scene.known.kpis:
            return
        for key in sorted(watched.live):
            row = self._period(key)
            assert row is not None
            assert row.standing is not None
            if row.verdict_on is not None or row.standing.status.goal_version != goal.version:
                # The clock judges it, and has not yet.
                continue
            span = period_at(goal.period, watched.periods[key])
            assert span is not None
            figures = self._figured.of(key, goal, span, scene, row.standing.as_of)
            if says_else(self._renewed.get(key, row.standing.status), figures):
                status = renewed(goal, span, figures, scene, row.standing, revision=self._version)
                self._renewed[key] = said.statuses[key] = status


def _is_period(goal: Goal | None, status: GoalStatus) -> bool:
    """Whether what a status is about is still a period of its goal, which may be retired."""
    if goal is None:
        return False
    first = day_number(status.start)
    return period_at(goal.period, first) == Span(first, day_number(status.end))


def _may_move(goal: Goal, first: int, days: Span) -> bool:
    """Whether what changed on some days may change what a goal is at in a period that begins on another.

    By what is in the period, and by what that is compared with: a year before at most, or what came right
    before it, for a target or a KPI that looks back.
    """
    period = goal.period
    length = span_of(period).end - first if isinstance(period, Once) else _MOST_DAYS[period.grain]
    looks_back = not isinstance(goal.target, Absolute) or (goal.kpi in KPIS and KPIS[goal.kpi].compares)
    back = _MOST_DAYS["year"] + length if looks_back else 0
    return days.first < first + length and first - back <= days.last
