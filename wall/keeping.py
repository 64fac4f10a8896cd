"""Keeps the view current from Kafka, and knows how current that is."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from kpis.calendar import instant_of, micros_of
from schemas.internal import decode_tick
from schemas.topics import SCORECARDS, TICKS
from streams import metrics
from streams.following import Fetched, Follower, Identities
from streams.founding import settings_as_founded
from streams.reading import NoSuchTopicError, Progress
from streams.refusing import RefusedError
from streams.settings import Settings
from streams.stray import unless_cancelled
from wall.database import AwayError
from wall.entries import KINDS
from wall.freshness import STAGES, Heartbeat, Watermark, state_of
from wall.hub import Hub
from wall.view import View

log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""How often it is looked how far the pipeline has come."""
IDENTITY_S = 5.0
"""How often it is looked whether topics have come, or were created anew, and the view is there."""
ANSWER_S = 6.0
"""For how long Kafka may be silent until walls say that it does not answer."""
RETRY_S = 1.0
WELL_S = 60.0
"""What fails again after this long was well in between."""
ELSEWHERE = timedelta(minutes=5)
"""A tick that says another time than when it was written, by more than this, is no clock of ours."""

_FAILS = (AwayError, KafkaError, KafkaException, OSError, TimeoutError)


class Keeper:
    """Follows what is published, writes it to the view, and tells the hub."""

    def __init__(self, settings: Settings, view: View) -> None:
        self._settings = settings
        self._view = view
        self._watermark = Watermark()
        self._clock: datetime | None = None
        self._ticked: datetime | None = None
        self._elsewhere = False
        self._answered: datetime | None = None
        self.hub = Hub(view, self.heartbeat)

    async def begin(self) -> None:
        """Know from the first page on how figures are counted, where Kafka answers by now.

        Raises:
            RefusedError: Kafka does not let us in.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._as_founded()
        except RefusedError:
            raise
        except _FAILS:
            return

    def heartbeat(self) -> Heartbeat:
        """How things stand now."""
        now = datetime.now(UTC)
        zone = self._settings.business().calendar
        counted = self._watermark.counted_to
        return Heartbeat(
            state=state_of(
                reachable=self._answered is not None and (now - self._answered).total_seconds() < ANSWER_S,
                away=self._view.away,
                counted_age_s=_age_s(now, counted),
                tick_age_s=_age_s(now, self._ticked),
                tick_every_s=self._settings.ticks_s,
            ),
            now=zone.local(micros_of(now)),
            clock=None if self._clock is None else zone.local(micros_of(self._clock)),
            elsewhere=self._elsewhere,
            counted_to=None if counted is None else zone.local(micros_of(counted)),
            timezone=self._settings.timezone,
            currency=self._settings.currency,
        )

    @property
    def healthy(self) -> bool:
        """Whether there is anything to show, and somebody who tells what is new."""
        return self.heartbeat().state not in {"unknown", "away", "unreachable"}

    async def keep(self) -> None:
        """Go on for ever, through whatever Kafka and the view's database do."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._again_and_again("the topics cannot be read", self._follow))
            both.create_task(self._again_and_again("the workers' progress is unknown", self._look))

    async def _again_and_again(self, fails: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        said, when = "", 0.0
        while True:
            try:
                with unless_cancelled():
                    await work()
            except _FAILS as error:
                # Once for each reason, and not each second of a night.
                if str(error) != said or time.monotonic() - when > WELL_S:
                    self._tell(fails, error)
                said, when = str(error), time.monotonic()
                await asyncio.sleep(RETRY_S)

    def _tell(self, fails: str, error: Exception) -> None:
        if isinstance(error, AwayError):
            log.warning("the view is away", error=str(error))
        else:
            log.warning(fails, broker=self._settings.broker, error=str(error))

    async def _follow(self) -> None:
        """Read on until the topics are not those any more that they were, or the view's database is lost.

        What was fetched and is not in the view is fetched again: it says from where on.
        """
        if await asyncio.to_thread(self._view.renew):
            log.info("the view is back")
            self.hub.restarted()
        identities = Identities(self._settings, KINDS)
        known = await asyncio.to_thread(identities.now)
        async with Follower(self._settings, KINDS, TICKS.name) as follower:
            if await asyncio.to_thread(self._view.recognise, known, follower.ends):
                self.hub.restarted()
            changed = asyncio.create_task(self._until_changed(identities, known))
            try:
                async for fetched in follower.batches(self._view.offsets):
                    await self._take(fetched)
                    if changed.done():
                        changed.result()
                        return
            finally:
                changed.cancel()
                with contextlib.suppress(asyncio.CancelledError, *_FAILS):
                    await changed

    async def _take(self, fetched: Sequence[Fetched]) -> None:
        for one in fetched:
            if one.topic == TICKS.name and one.value is not None:
                now = instant_of(decode_tick(one.value).now)
                self._clock = max(now, self._clock or now)
                self._ticked = instant_of(one.timestamp_ms * 1_000)
                self._elsewhere = abs(now - self._ticked) > ELSEWHERE
        published = [one for one in fetched if one.topic != TICKS.name]
        if published:
            self.hub.publish(await asyncio.to_thread(self._view.apply, published, self._clock))

    async def _until_changed(self, identities: Identities, known: dict[str, str]) -> None:
        founded = False
        while True:
            founded = founded or await self._as_founded()
            await asyncio.sleep(IDENTITY_S)
            await asyncio.to_thread(self._view.look)
            if await asyncio.to_thread(identities.now) != known:
                return

    async def _as_founded(self) -> bool:
        """Go by timezone and currency of the installation, whatever we were told; whether it is founded."""
        told = self._settings
        try:
            founded = await settings_as_founded(told)
        except NoSuchTopicError:
            return False
        if founded is None:
            return False
        if founded != told:
            log.warning(
                "the installation was founded otherwise than these settings say, and is shown as it was",
                timezone=founded.timezone,
                currency=founded.currency,
                said_timezone=told.timezone,
                said_currency=told.currency,
            )
            self._settings = founded
        return True

    async def _look(self) -> None:
        names = {name for stage in STAGES for name in stage}
        async with Progress(self._settings) as progress:
            while True:
                at = datetime.now(UTC)
                # Of events it matters how far the workers have come, not the view, which reads some.
                read = {
                    place: at for place, at in self._view.offsets.items() if place[0] == SCORECARDS.name
                }
                done, ends = await asyncio.wait_for(progress.places(names), ANSWER_S)
                # Records that are gone nobody reads any more.
                read = {place: max(at, done.get(place, 0)) for place, at in read.items()}
                self._watermark.look(at, {**done, **read}, ends)
                self._answered = datetime.now(UTC)
                if self._watermark.counted_to is not None:
                    metrics.WALL_COUNTED_SECONDS.set(self._watermark.counted_to.timestamp())
                await asyncio.sleep(LOOK_S)


def _age_s(now: datetime, then: datetime | None) -> float | None:
    return None if then is None else (now - then).total_seconds()
