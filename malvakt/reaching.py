"""Reaching Kafka: which one a command was told of, and what it says where that one cannot be used."""

import contextlib
from collections.abc import Iterable, Iterator

import msgspec
from aiokafka.errors import KafkaConnectionError, KafkaError

from malvakt.outcome import Fault
from malvakt.progress import progress
from schemas.events import Event, Recorded
from streams.access import Access
from streams.delivery import DeliveryError
from streams.founding import settings_as_founded
from streams.publishing import published
from streams.reading import NoSuchTopicError
from streams.refusing import ClosedError, RefusedError
from streams.settings import Settings, from_environment
from streams.topic_setup import TopicSetupError, set_up_topics


def settings_with(**options: object) -> Settings:
    """The settings of the environment, overridden by the options that were given (not `None`).

    Raises:
        SettingError: one of them has a value that cannot be used, or names a file that cannot.
    """
    given = {name: value for name, value in options.items() if value is not None}
    settings = msgspec.structs.replace(from_environment(), **given)
    settings.look_at_files()
    return settings


def reached_as(settings: Settings, access: Access) -> Settings:
    """Settings, but for the Kafka that is reached so."""
    return msgspec.structs.replace(
        settings, **{name: getattr(access, name) for name in Access.__struct_fields__}
    )


async def as_founded(settings: Settings) -> Settings:
    """The settings, with timezone and currency as the installation was founded with, if it was by now.

    Raises:
        NoSuchTopicError: no worker of the installation ever ran.
    """
    return await settings_as_founded(settings) or settings


@contextlib.contextmanager
def reaching(broker: str) -> Iterator[None]:
    """Turn what Kafka has against a piece of work into the fault that the command ends with.

    Raises:
        Fault: nobody answers or lets us in, topics are missing or differ, or records are refused.
    """
    try:
        yield
    except (ClosedError, RefusedError) as error:
        raise Fault(str(error)) from error
    except KafkaConnectionError as error:
        raise Fault(
            f"No Kafka answers at {broker}. Start one with `malvakt kafka`, or name another with --broker"
            " or MALVAKT_BROKER."
        ) from error
    except (DeliveryError, NoSuchTopicError, TopicSetupError) as error:
        raise Fault(str(error)) from error
    except KafkaError as error:
        raise Fault(f"Kafka at {broker} refuses: {error}") from error


async def send(settings: Settings, events: Iterable[Event | Recorded]) -> int:
    """Set up missing topics and publish events, each to its home; how many they were."""
    await set_up_topics(settings)
    sent = 0
    with progress("events published") as advance:
        async for count in published(settings, events):
            sent += count
            advance(count)
    return sent
