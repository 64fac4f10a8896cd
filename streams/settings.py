"""The settings of a worker, from `MALVAKT_*` in the environment; the command line overrides them.

Settings that exist can be used: whoever makes some that cannot gets a `SettingError` at once.
"""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from goals.working_plan import WorkingPlan, read_plan
from goals.working_time import WorkingTimeError
from kpis.calendar import Calendar, UnknownTimezoneError
from kpis.contributions import Business
from schemas.events import Currency
from schemas.topics import INTERNAL
from streams.access import MECHANISMS, PROTOCOLS, Access, Secret, SettingError

LEAST_CACHE_MB = 8
MAX_PORT = 65_535
MAX_TICKS_S = 60.0
MAX_RAW_DAYS = 36_500
MEMORY, ROCKSDB = "memory", "rocksdb"


class Settings(Access, frozen=True, kw_only=True):
    """What a worker must know before it starts: how to reach Kafka, and what to do there."""

    app_id: str = "malvakt"
    """The consumer group, and the prefix of the changelogs."""
    topic_prefix: str = ""
    """Put before every topic's name, so that installations, each with an app id too, can share a broker."""
    timezone: str = "Europe/Stockholm"
    currency: str = "SEK"
    partitions: int = 8
    """How many partitions topics get where they do not exist yet."""
    replication: int = 1
    """How many copies topics get where they do not exist yet."""
    metrics_port: int = 6070
    """Where `/metrics` and `/healthz` are served; 0 turns them off."""
    raw_days: int = 0
    """For how many days events are kept once they have come in; 0 is for good."""
    declare_topics: bool = True
    """Whether missing topics are created; off for brokers that create them by themselves."""
    session_timeout_s: float = 30.0
    """How long the group waits for a silent worker before its partitions move."""
    store: str = MEMORY
    """Where rows and views are kept: `memory`, or `rocksdb`, for more than memory holds."""
    data: str = ""
    """This worker's own directory, where something is kept on disk; the first free one if empty."""
    ticks_s: float = 10.0
    """How often the clock ticks, which closes windows; 0 where somebody else publishes ticks."""
    working_time: str = ""
    """The TOML file that says when people work, which goals keep pace with; office hours if empty."""
    forecast: bool = True
    """Whether it is learned what to expect of goals."""
    rocksdb_cache_mb: int = 256
    """How much memory RocksDB may use for blocks it has read and for what is not written yet."""

    def __post_init__(self) -> None:
        for name in _RULES:
            _check(name, name, getattr(self, name))
        super().__post_init__()

    def topic(self, name: str) -> str:
        """What a declared topic is called on the broker."""
        return f"{self.topic_prefix}{self.app_id}.{name}" if name in INTERNAL else self.topic_prefix + name

    def business(self) -> Business:
        """How the organisation counts."""
        return Business(Calendar(self.timezone), self.currency)

    def working_plan(self) -> WorkingPlan:
        """When people work.

        Raises:
            SettingError: the file that says so cannot be read, or says something else.
        """
        if not self.working_time:
            return WorkingPlan()
        told = f"MALVAKT_WORKING_TIME={self.working_time!r}"
        try:
            return read_plan(Path(self.working_time).read_bytes())
        except OSError as error:
            raise SettingError(f"{told} cannot be read: {error.strerror}.") from error
        except WorkingTimeError as error:
            raise SettingError(f"{told}: {error}") from error


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that `MALVAKT_BROKER`, `MALVAKT_TIMEZONE` and so on give.

    Raises:
        SettingError: a variable has a value that cannot be used.
    """
    defaults = Settings()
    found: dict[str, object] = {}
    for name in Settings.__struct_fields__:
        variable = f"MALVAKT_{name.upper()}"
        text = environment.get(variable)
        # Compose files pass on what is not set as nothing.
        if text is not None and (text or isinstance(getattr(defaults, name), str)):
            found[name] = _converted(variable, text, getattr(defaults, name))
            _check(name, variable, found[name])
    return Settings(**found)  # pyright: ignore[reportArgumentType]


def _converted(variable: str, text: str, default: object) -> object:
    if isinstance(default, Secret):
        return Secret(text)
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


def _check(name: str, called: str, value: object) -> None:
    rule = _RULES.get(name)
    if rule is not None and not rule[0](value):
        raise SettingError(f"{called}={value!r}: {rule[1]}.")


def _are_addresses(addresses: str) -> bool:
    return all(
        host.strip() and port.isascii() and port.isdigit() and 1 <= int(port) <= MAX_PORT
        for host, _, port in (address.rpartition(":") for address in addresses.split(","))
    )


def _is_timezone(name: str) -> bool:
    try:
        Calendar(name)
    except UnknownTimezoneError:
        return False
    return True


def _is_currency(code: str) -> bool:
    try:
        msgspec.convert(code, Currency)
    except msgspec.ValidationError:
        return False
    return True


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "broker": (_are_addresses, "give host:port, several with commas between them"),
    "security_protocol": (lambda name: name in PROTOCOLS, f"say one of {', '.join(PROTOCOLS)}"),
    "sasl_mechanism": (
        lambda name: not name or name in MECHANISMS,
        f"say one of {', '.join(MECHANISMS)} (neither GSSAPI nor OAUTHBEARER is known here)",
    ),
    "app_id": (bool, "the consumer group needs a name"),
    "timezone": (_is_timezone, "that is no timezone; give one such as Europe/Stockholm"),
    "currency": (_is_currency, "that is no currency; give its ISO 4217 code, such as SEK"),
    "partitions": (lambda count: count >= 1, "a topic has at least one partition"),
    "replication": (lambda count: count >= 1, "a topic has at least one copy"),
    "raw_days": (
        lambda days: 0 <= days <= MAX_RAW_DAYS,
        f"give days, from 1 to {MAX_RAW_DAYS}, or 0 for good",
    ),
    "metrics_port": (
        lambda port: 0 <= port <= MAX_PORT,
        f"give a port from 1 to {MAX_PORT}, or 0 for none",
    ),
    "store": (lambda store: store in {MEMORY, ROCKSDB}, f"say {MEMORY} or {ROCKSDB}"),
    "rocksdb_cache_mb": (
        lambda megabytes: megabytes >= LEAST_CACHE_MB,
        f"give megabytes, {LEAST_CACHE_MB} or more",
    ),
    "ticks_s": (lambda s: 0 <= s <= MAX_TICKS_S, f"give seconds up to {MAX_TICKS_S:.0f}, or 0 for none"),
    "session_timeout_s": (lambda s: s > 0 and math.isfinite(s), "give seconds, more than 0"),
}
"""What the value of a setting must be, and what to say where it is not."""
