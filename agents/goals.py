"""The goals agent: goals, and what became of figures; where goals stand and what to hear of them out."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from goals.checking import unfit
from goals.judging import Scene
from goals.scenes import Scenes
from goals.watching import Given, Said, Watching
from goals.working_plan import WorkingPlan
from kpis.scorecards import Scorecards
from notices.reasons import sentence
from schemas.decoding import Reason, ReasonCode, decode_given_goal
from schemas.goals import Goal, encode_alert, encode_status
from schemas.internal import Renewed, decode_renewed
from schemas.records import KpiRecord
from schemas.topics import ALERTS, GOAL_STATUS, GOALS, REJECTED
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import Consequences, carry_out
from streams.forecasting import Forecaster
from streams.partitioning import partition_of
from streams.publishing import copies
from streams.rejection import rejected
from streams.transport import Fetched, Slice
from streams.views import Views
from streams.worker import Parts


class _Figures(Mapping[str, KpiRecord]):
    """The records of a partition with the figures that hold: those that were published, or later ones."""

    def __init__(self, scorecards: Callable[[], Scorecards]) -> None:
        self._scorecards = scorecards

    def get(self, key: str, default: KpiRecord | None = None, /) -> KpiRecord | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        record = self._scorecards().record(key)
        return default if record is None else record

    def __getitem__(self, key: str) -> KpiRecord:
        record = self._scorecards().record(key)
        if record is None:
            raise KeyError(key)
        return record

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError("records are asked for by their keys")

    def __len__(self) -> int:
        raise NotImplementedError("records are asked for by their keys")


class GoalsAgent:
    """Judges the goals of its partitions' scopes by the scorecards beside it."""

    def __init__(
        self,
        parts: Parts,
        scorecards: Views[Scorecards],
        plan: WorkingPlan,
        forecaster: Forecaster,
    ) -> None:
        self._parts = parts
        self._scorecards = scorecards
        self._forecaster = forecaster
        self._scenes = Scenes(parts.settings.business(), plan)
        self._goals = parts.settings.topic(GOALS.name)
        self._statuses = parts.settings.topic(GOAL_STATUS.name)
        self._alerts = parts.settings.topic(ALERTS.name)
        self._rejected = parts.settings.topic(REJECTED.name)
        self.views: Views[Watching] = Views(
            parts.standings,
            lambda partition, rows, _: Watching(
                rows,
                partial(self._scene, partition),
                _Figures(partial(scorecards.view, partition)),
                forecaster.outlook,
            ),
        )

    async def work(self, fetched: Fetched) -> None:
        """Decode, judge, deliver."""
        consequences = Consequences([], [])
        async for partition, slices in fetched.in_turns():
            given: list[Given] = []
            renewals: list[Renewed] = []
            for part in slices:
                if part.tp.topic == self._goals:
                    consequences.outputs.extend(self._decode(part, given))
                else:
                    renewals.extend(decode_renewed(record.value or b"") for record in part.records)
            said = self.views.of(partition).take(given, renewals)
            consequences.rows.extend(self._parts.standings.changes(partition, said.rows, said.version))
            consequences.outputs.extend(self._told(partition, said))
        await carry_out("goals", fetched, consequences, self._parts.standings, self._parts.delivery)

    def _scene(self, partition: int, scope: str) -> Scene:
        definitions = self._scorecards.view(partition).definitions()
        return self._scenes.of(scope, definitions, self._forecaster.profiles)

    def _decode(self, part: Slice, given: list[Given]) -> Iterator[Outgoing]:
        """Put a slice's goals among those given; what comes out is for other partitions, or no goal."""
        partition = part.tp.partition
        for record in part.records:
            name = (record.key or b"").decode(errors="replace")
            goal = None if record.value is None else _fit(decode_given_goal(name, record.value))
            if isinstance(goal, Reason):
                yield rejected(record, goal, self._rejected, self._parts.partitions)
                continue
            yield from copies(record, self._parts.partitions)
            if goal is None or partition_of(goal.scope, self._parts.partitions) == partition:
                given.append(Given(name, goal))
            else:
                # It is watched elsewhere: if it was here, it is not any longer.
                given.append(Given(name, None))

    def _told(self, partition: int, said: Said) -> Iterator[Outgoing]:
        # What is said of a scope's goals stays in its partition, so that one worker writes it in order.
        for key, status in said.statuses.items():
            value = None if status is None else encode_status(status)
            yield Outgoing(self._statuses, partition, key, value)
        for alert in said.alerts:
            metrics.ALERTS_RAISED.labels(alert.kind).inc()
            yield Outgoing(self._alerts, partition, alert.status.goal, encode_alert(alert))


def _fit(goal: Goal | Reason) -> Goal | Reason:
    """A goal that can be watched, or why it cannot."""
    fault = unfit(goal) if isinstance(goal, Goal) else None
    if fault is None:
        return goal
    return Reason(ReasonCode.INVALID_FIELD, ".".join(("$", *fault.keys)), sentence(fault.reason))
