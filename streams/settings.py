"""The settings of a worker, from `MALVAKT_*` in the environment; the command line overrides them."""

import os
from collections.abc import Mapping

from msgspec import Struct

from kpis.calendar import Calendar
from kpis.contributions import Business
from schemas.topics import INTERNAL


class SettingError(ValueError):
    """A setting has a value that cannot be used; the message names it."""


class Settings(Struct, frozen=True, kw_only=True):
    """What a worker must know before it starts."""

    broker: str = "127.0.0.1:9092"
    """Addresses of Kafka brokers, `host:port`, comma-separated."""
    app_id: str = "malvakt"
    """The consumer group, and the prefix of the changelogs."""
    topic_prefix: str = ""
    """Put before every topic's name, so that two installations can share a broker."""
    timezone: str = "Europe/Stockholm"
    currency: str = "SEK"
    partitions: int = 8
    """How many partitions topics get where they do not exist yet."""
    replication: int = 1
    """How many copies topics get where they do not exist yet."""
    metrics_port: int = 6070
    """Where `/metrics` and `/healthz` are served; 0 turns them off."""
    declare_topics: bool = True
    """Whether missing topics are created; off for brokers that create them by themselves."""
    session_timeout_s: float = 30.0
    """How long the group waits for a silent worker before its partitions move."""

    def topic(self, name: str) -> str:
        """What a declared topic is called on the broker."""
        return f"{self.topic_prefix}{self.app_id}.{name}" if name in INTERNAL else self.topic_prefix + name

    def business(self) -> Business:
        """How the organisation counts."""
        return Business(Calendar(self.timezone), self.currency)


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that `MALVAKT_BROKER`, `MALVAKT_TIMEZONE` and so on give."""
    defaults = Settings()
    found: dict[str, object] = {}
    for name in Settings.__struct_fields__:
        variable = f"MALVAKT_{name.upper()}"
        text = environment.get(variable)
        if text is not None:
            found[name] = _converted(variable, text, getattr(defaults, name))
    return Settings(**found)  # pyright: ignore[reportArgumentType]


def _converted(variable: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text.lower() not in {"true", "false"}:
            raise SettingError(f"{variable}={text!r}: say true or false.")
        return text.lower() == "true"
    if isinstance(default, int | float):
        try:
            return type(default)(text)
        except ValueError:
            raise SettingError(f"{variable}={text!r} is no number.") from None
    return text
