"""Writing to Kafka what people decide at the pages: rarely, and so with a connection for each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiokafka.errors import KafkaError

from schemas.notices import Ack
from streams import alerting
from streams.delivery import Delivery, DeliveryError
from streams.goal_setting import GoalSetting
from streams.reading import NoSuchTopicError
from streams.settings import Settings
from wall.managing.desk import MakeVersions, UnwrittenError

log = structlog.get_logger(__name__)

WRITTEN_S = 15.0
"""How long somebody who pressed a button is to wait until they are told to try again."""


async def acknowledge(settings: Settings, ack: Ack) -> None:
    """Note that somebody sees to an alert, as `malvakt alerts --ack` does."""
    async with delivery(settings) as open_:
        await alerting.acknowledge(settings, open_, ack)


async def change_goals(settings: Settings, make: MakeVersions) -> None:
    """Change goals, as `malvakt goals` does.

    Raises:
        GoalError: what is asked for cannot be.
        ChangedMeanwhileError: others were first.
    """
    async with delivery(settings) as open_:
        setting = GoalSetting(settings, open_)
        await setting.change(make(await setting.read()))


@asynccontextmanager
async def delivery(settings: Settings) -> AsyncIterator[Delivery]:
    """A connection to write with.

    Raises:
        UnwrittenError: Kafka does not answer in time, or refuses.
    """
    try:
        async with asyncio.timeout(WRITTEN_S), Delivery(settings) as connected:
            yield connected
    except (KafkaError, DeliveryError, NoSuchTopicError, OSError, TimeoutError) as error:
        log.warning("nothing was written", broker=settings.broker, error=repr(error))
        raise UnwrittenError from error
