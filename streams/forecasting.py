"""What is to be expected of goals, in a running worker: learned anew each day, with figures as they come.

Whoever judges goals asks for outlooks, and a day begins by the clock of the asking: where nobody asks,
nothing is read or learned. Learning happens in another process, and whatever becomes of it the worker
goes on.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from itertools import islice

import structlog
from aiokafka.errors import KafkaError

from goals.expecting import KPIS
from goals.forecast import Forecast
from goals.foreseeing import HISTORY_DAYS, Foreseeing
from goals.judging import LEARNING, Learning
from goals.knowing import Figures
from goals.pace import Profile
from goals.periods import Span
from goals.working_time import WorkingTime
from kpis.calendar import date_of, day_number
from schemas.goals import Goal
from schemas.records import KpiRecord
from schemas.topics import SCORECARDS
from streams import metrics
from streams.following import Follower
from streams.learning import Learned, LearningError, day_records, learn
from streams.settings import Settings
from streams.stray import unless_cancelled

AGAIN_S = 600.0
"""After how long it is tried again to learn, and how often more history is looked for at most."""
RETRY_S = 1.0
RECORDS_A_TURN = 500
"""Records that are taken in before others have their turn: some milliseconds."""
MUCH_MORE = 10
"""Where there is a tenth more of the past than was learned from, it is learned from anew."""
FEW_RECORDS = 100
_NONE_LEARNED: Mapping[str, Profile] = {}

log = structlog.get_logger(__name__)


class Forecaster:
    """Outlooks of goals, from what was learned at the beginning of the day."""

    def __init__(self, settings: Settings, working: WorkingTime) -> None:
        self._settings = settings
        self._working = working
        self._calendar = settings.business().calendar
        self._day: int | None = None
        self._foreseeing: Foreseeing | None = None
        self._without: set[str] = set()
        """Goals whose outlook could not be worked out; they have none until it is learned anew."""
        self._tried = not settings.forecast
        """Whether it is known if there will be outlooks."""
        self._wanted = asyncio.Event()

    def outlook(self, goal: Goal, span: Span, now: int) -> Forecast | Learning | None:
        """What to expect of a goal in a period, at an instant; None where there is no telling.

        That is so of KPIs that are not forecast, and after learning has failed. While it is learned for a
        new day, outlooks are those of the day before.
        """
        if goal.kpi not in KPIS:
            return None
        day = self._calendar.day(now)
        if self._day is None or day > self._day:
            self._day = day
            self._wanted.set()
        if self._foreseeing is None:
            return None if self._tried else LEARNING
        if goal.id in self._without:
            return None
        try:
            return self._foreseeing.outlook(goal, span, now)
        except Exception:
            # Whatever it is, goals are judged without it.
            self._without.add(goal.id)
            metrics.FORECAST_FAILED.inc()
            log.exception("an outlook could not be worked out", goal=goal.id, period=str(span))
            return None

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The usual pace of KPIs, as far as it was learned; the same object until it is learned anew."""
        return _NONE_LEARNED if self._foreseeing is None else self._foreseeing.profiles

    async def run(self) -> None:
        """Learn and follow for ever; where forecasts are turned off, nothing."""
        if not self._settings.forecast:
            return
        learned: Learned | None = None
        while True:
            try:
                learned = await self._next(learned)
            except Exception:
                # Whatever it is, the worker goes on without forecasts.
                learned = None
                metrics.FORECAST_FAILED.inc()
                log.exception("there are no forecasts", again_s=AGAIN_S)
            self._foreseeing = None if learned is None else Foreseeing(learned.dawn, self._working)
            self._without.clear()
            self._tried = True

    async def _next(self, learned: Learned | None) -> Learned | None:
        """Learn once that is wanted, and until then keep the figures current."""
        async with asyncio.TaskGroup() as tasks:
            following = None if learned is None else tasks.create_task(self._follow(learned))
            found = await self._learn()
            if following is not None:
                following.cancel()
            return found

    async def _learn(self) -> Learned | None:
        day = await self._wanted_day()
        began = time.monotonic()
        try:
            learned = await learn(self._settings, self._working, day)
        except LearningError as error:
            metrics.FORECAST_FAILED.inc()
            log.error("there are no forecasts: learning failed", why=str(error), again_s=AGAIN_S)  # noqa: TRY400
            return None
        metrics.FORECAST_LEARNING_SECONDS.set(time.monotonic() - began)
        if learned is None:
            log.info("history is too short for forecasts yet", again_s=AGAIN_S)
            return None
        metrics.FORECAST_LEARNED.set_to_current_time()
        log.info("learned for forecasts", day=str(date_of(day)), records=learned.dawn.figures.records)
        return learned

    async def _follow(self, learned: Learned) -> None:
        """Keep the figures of a day current for ever, through whatever Kafka does."""
        offsets = {(SCORECARDS.name, partition): at for partition, at in learned.offsets.items()}
        growth = _Growth(learned)
        while True:
            try:
                with unless_cancelled():
                    await self._read_on(learned.dawn.figures, offsets, growth)
            except (KafkaError, OSError) as error:
                log.warning("figures for forecasts cannot be followed; trying again", error=repr(error))
                await asyncio.sleep(RETRY_S)

    async def _read_on(
        self, figures: Figures, offsets: dict[tuple[str, int], int], growth: "_Growth"
    ) -> None:
        async with Follower(self._settings, [SCORECARDS.name]) as follower:
            async for batch in follower.batches(offsets):
                records = day_records(batch)
                while some := list(islice(records, RECORDS_A_TURN)):
                    growth.see(some)
                    figures.read(some)
                    await asyncio.sleep(0)
                for one in batch:
                    offsets[one.topic, one.partition] = one.offset + 1
                metrics.FORECAST_RECORDS.set(figures.records)
                if growth.is_much():
                    self._wanted.set()

    async def _wanted_day(self) -> int:
        """Wait until it is to be learned for a day: a new one, or once more for the same."""
        asked_in_vain = self._day is not None and self._foreseeing is None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), AGAIN_S if asked_in_vain else None)
        self._wanted.clear()
        assert self._day is not None
        return self._day


class _Growth:
    """How much more of the past there is than was learned from, where history was still being counted."""

    def __init__(self, learned: Learned) -> None:
        self._figures = learned.dawn.figures
        self._today = learned.dawn.expecting.today
        self._much = max(FEW_RECORDS, self._figures.records // MUCH_MORE)
        self._new = 0
        self._since = time.monotonic()

    def see(self, records: Iterable[KpiRecord]) -> None:
        """Count those of days past that are not known yet."""
        for record in records:
            day = day_number(record.start)
            past = self._today - HISTORY_DAYS <= day < self._today
            self._new += past and not self._figures.holds(record.scope, day)

    def is_much(self) -> bool:
        """Whether it is worth to learn anew; true once, and not before some time has passed."""
        if self._new < self._much or time.monotonic() - self._since < AGAIN_S:
            return False
        self._new = 0
        return True
