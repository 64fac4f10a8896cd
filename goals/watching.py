"""The goals of one partition: which hold, which of their periods are looked at, and what there is to say.

Rows hold the goals and where each stands in each of its periods, with the alerts of the look that last had
any: a look that comes again after a crash says them again, and no others. Figures are handed in.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

import msgspec
from msgspec import Struct

from goals.figures import Figures, Records, figures_of, per_lead
from goals.history import asks_for_the_same
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


class GoalRow(Struct, frozen=True, tag="goal", omit_defaults=True):
    """A goal; none where it was retired."""

    goal: Goal | None
    asks_since: int = 0
    """The first of its versions that asks for what it asks for now."""
    watched_from: int | None = None
    """The day on which that was first looked at: no period that was over by then is judged."""


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

_GOAL = "|goal|"
"""How keys of goals begin; those of periods begin with an id, and none is empty."""


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


class _Period(NamedTuple):
    """A period in which a goal stands somewhere."""

    span: Span
    back: int
    """From how many days before it on figures matter, to what it is compared with."""


class _Watched:
    """What is known of a goal besides what its rows say."""

    def __init__(self) -> None:
        self.row = GoalRow(None)
        self.periods: dict[str, _Period] = {}
        """Those where it stands somewhere, by their keys."""
        self.live: dict[str, PeriodRow] = {}
        """The rows of those that want to be looked at, by their keys: each tick needs every one of them."""
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
            standing: list[tuple[_Watched, str, int]] = []
            for key, row in self._rows.items():
                if isinstance(row, GoalRow):
                    self._hold(key.removeprefix(_GOAL), row)
                    continue
                self._note(key, row)
                if row.standing is not None:
                    newest = max(newest, row.standing.as_of)
                    standing.append((self._of(row.goal), key, row.standing.as_of))
            for watched, key, as_of in standing:
                if as_of == newest:
                    # The last batch may come again, and what it had to say must be said.
                    watched.live[key] = self._held(key)
        return self._watched

    def _of(self, name: str) -> _Watched:
        return self._all().setdefault(name, _Watched())

    def _hold(self, name: str, row: GoalRow) -> None:
        watched = self._of(name)
        if watched.row.goal is not None:
            self._of_scope[watched.row.goal.scope].discard(name)
        watched.row, watched.begun = row, None
        if row.goal is not None:
            self._of_scope.setdefault(row.goal.scope, set()).add(name)

    def _keep_goal(self, name: str, row: GoalRow) -> None:
        self._fresh[_GOAL + name] = row
        self._hold(name, row)

    def _note(self, key: str, row: PeriodRow) -> None:
        watched = self._of(row.goal)
        if row.standing is None:
            watched.periods.pop(key, None)
            watched.live.pop(key, None)
            watched.ended.add(key)
            return
        watched.ended.discard(key)
        status = row.standing.status
        span = Span(day_number(status.start), day_number(status.end))
        # What has no verdict is looked at anyhow.
        back = 0 if row.verdict_on is None else _looks_back(row.verdict_on, span)
        watched.periods[key] = _Period(span, back)
        if row.settled:
            watched.live.pop(key, None)
        else:
            watched.live[key] = row

    def _keep(self, key: str, row: PeriodRow) -> None:
        self._fresh[key] = row
        self._note(key, row)

    def _period(self, key: str) -> PeriodRow | None:
        row = self._fresh.get(key) or self._rows.get(key)
        assert row is None or isinstance(row, PeriodRow)
        return row

    def _held(self, key: str) -> PeriodRow:
        row = self._period(key)
        assert row is not None
        return row

    def _hear(self, given: Given, said: Said) -> None:
        """Take in a goal. One that is known already may be a replay: what it ended is said again."""
        if given.goal is None and given.name not in self._all():
            return
        watched = self._of(given.name)
        before, goal = watched.row.goal, given.goal
        if goal is not None and before is not None and before.version > goal.version:
            return
        if goal is None and before is not None:
            self._keep_goal(given.name, GoalRow(None))
        elif goal is not None and before != goal:
            new = GoalRow(goal, goal.version)
            if before is not None and asks_for_the_same(before, goal):
                new = GoalRow(goal, watched.row.asks_since, watched.row.watched_from)
            self._keep_goal(given.name, new)
        for key in sorted(watched.ended):
            said.statuses[key] = None
        for key in sorted(watched.periods):
            row = self._held(key)
            assert row.standing is not None
            if _stays(row, row.standing.status, goal):
                if key in watched.live and row.verdict_on is not None:
                    # It may have been kept and not been told, and of a retired goal nobody would again.
                    self._say(key, row.standing.status, said)
                    said.alerts.extend(row.alerts)
            else:
                self._end(key, row, row.standing, said)

    def _say(self, key: str, status: GoalStatus, said: Said) -> None:
        said.statuses[key] = msgspec.structs.replace(status, revision=self._version)

    def _end(self, key: str, row: PeriodRow, standing: StandingRow, said: Said) -> None:
        said.statuses[key] = None
        self._renewed.pop(key, None)
        # Should the period come again, its alerts are others.
        self._keep(key, PeriodRow(row.goal, None, heard=standing.alerts))

    def _unsettle(self, watched: _Watched, days: Span) -> None:
        """Figures of some days changed: periods whose verdicts may be others want to be looked at."""
        for key, (span, back) in watched.periods.items():
            if key in watched.live or not (days.first <= span.last and span.first - back <= days.last):
                continue
            self._fresh[key] = watched.live[key] = msgspec.structs.replace(self._held(key), settled=False)

    def _look(self, watched: _Watched, earliest: int, now: int, said: Said) -> None:
        goal = watched.row.goal
        if goal is None:
            return
        scene = self._scene(goal.scope)
        clocks = Span(scene.calendar.day(earliest), scene.calendar.day(now))
        spans = {key: watched.periods[key].span for key in watched.live}
        spans |= self._begin_periods(goal, watched, scene, clocks)
        for key, span in sorted(spans.items()):
            self._look_at(key, span, watched, goal, scene, earliest, now, said)

    def _begin_periods(self, goal: Goal, watched: _Watched, scene: Scene, clocks: Span) -> dict[str, Span]:
        """The periods that began since the last known of them, or else those that the clocks passed.

        What recurs asks for nothing on days off: one in which nobody works at all is none.
        """
        today = clocks.last
        if watched.begun == today:
            return {}
        if watched.row.watched_from is None:
            row = msgspec.structs.replace(watched.row, watched_from=clocks.first)
            self._keep_goal(goal.id, row)
        watched.begun = today
        if isinstance(goal.period, Once):
            spans = [span_of(goal.period)]
        else:
            since = watched.row.watched_from
            assert since is not None
            latest = max((period.span.first for period in watched.periods.values()), default=since)
            begun = periods_within(goal.period, Span(min(max(latest, since), today), today))
            spans = [span for span in begun if any(map(scene.working.works, range(span.first, span.end)))]
        keys = {f"{goal.id}|{date_of(span.first)}": span for span in spans}
        return {key: span for key, span in keys.items() if key not in watched.periods}

    def _look_at(
        self,
        key: str,
        span: Span,
        watched: _Watched,
        goal: Goal,
        scene: Scene,
        earliest: int,
        now: int,
        said: Said,
    ) -> None:
        row = watched.live.get(key) or self._period(key) or PeriodRow(goal.id, None)
        goal = row.verdict_on or goal
        if goal.kpi not in scene.known.kpis:
            # Own KPIs come and go; it is looked at once its KPI is there again.
            return
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
            since=min(watched.row.asks_since, goal.version),
            heard=row.heard,
        )
        alerts, alerted_at = row.alerts, row.alerted_at
        # The look that had them may have ended in a crash before they were written.
        again = alerts if alerted_at is not None and alerted_at >= earliest else []
        told = [*again, *looked.alerts]
        if looked.alerts:
            alerts, alerted_at = told, looked.row.as_of
        said.alerts.extend(told)
        # Of the status, too; or it was renewed, perhaps by another, since it was written.
        unsaid = not self._all_said or (standing is not None and standing.as_of >= earliest)
        if self._renewed.pop(key, None) is not None or unsaid or looked.status is not None:
            self._say(key, looked.row.status, said)
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
        goal = watched.row.goal
        assert goal is not None
        scene = self._scene(goal.scope)
        if goal.kpi not in scene.known.kpis:
            return
        for key, row in sorted(watched.live.items()):
            assert row.standing is not None
            if row.verdict_on is not None or row.standing.status.goal_version != goal.version:
                # The clock judges it, and has not yet.
                continue
            span = watched.periods[key].span
            figures = self._figured.of(key, goal, span, scene, row.standing.as_of)
            if says_else(self._renewed.get(key, row.standing.status), figures):
                status = renewed(goal, span, figures, scene, row.standing, revision=self._version)
                self._renewed[key] = said.statuses[key] = status


def _stays(row: PeriodRow, status: GoalStatus, goal: Goal | None) -> bool:
    """Whether a period stays one of its goal, which may be another now, or retired.

    A verdict is history, and stays; but not where there is more time now, or less.
    """
    span = None if goal is None else period_at(goal.period, day_number(status.start))
    if span == Span(day_number(status.start), day_number(status.end)):
        return True
    return row.verdict_on is not None and (span is None or span.first != day_number(status.start))


def _looks_back(goal: Goal, span: Span) -> int:
    """How many days before a period figures matter to a goal: a year and its length, where it compares."""
    compares = not isinstance(goal.target, Absolute) or (goal.kpi in KPIS and KPIS[goal.kpi].compares)
    return 366 + span.end - span.first if compares else 0
