"""`malvakt notify`: tells people of alerts, by rules, until it is told to stop."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from cyclopts import App

from malvakt.defined import number_of
from malvakt.logs import log_to_stderr
from malvakt.outcome import CallError
from malvakt.reaching import as_founded, reaching, settings_with
from malvakt.serving import metrics_on
from notices.reading import check_addresses, filled, read
from notices.rules import Daily, Hourly, Route, Rules
from schemas.places import Finding
from streams.channels import is_usable
from streams.meanings import Meanings
from streams.notifier import Notifier
from streams.settings import Settings
from streams.topic_setup import set_up_topics

notify_ = App(name="notify", help="Tell people of alerts, by the rules in a file.")


@notify_.default
def run(file: Path, *, broker: str | None = None, metrics_port: int | None = None) -> int:
    """Tell people of alerts until told to stop. Start several, with the same rules, to share the work.

    Parameters
    ----------
    file
        Rules in YAML; see docs/notify.md.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    metrics_port
        Where /metrics and /healthz are served; 0 turns them off.
    """
    settings = settings_with(broker=broker, metrics_port=metrics_port)
    raw = _raw(file)
    if _checked(file, raw, settings.timezone) is None:
        return 1
    log_to_stderr()
    with reaching(settings.broker):
        asyncio.run(_run(settings, raw))
    return 0


@notify_.command
def check(file: Path) -> int:
    """Say what rules mean, or all that is wrong with them and with the addresses in this environment.

    Parameters
    ----------
    file
        Rules in YAML; see docs/notify.md.
    """
    rules = _checked(file, _raw(file), settings_with().timezone)
    if rules is None:
        return 1
    print(f"{number_of(len(rules.routes), 'route')}, and no fault.")
    for route in rules.routes.values():
        print(f"  {route.name}: {_summary(route)}")
    return 0


async def _run(settings: Settings, raw: bytes) -> None:
    partitions = await set_up_topics(settings)
    founded = await as_founded(settings)
    rules = read(raw, founded.timezone).rules
    urls = {to: filled(to, os.environ) for route in rules.routes.values() for to in route.to}
    notifier = Notifier(settings, partitions, rules, Meanings(settings, founded.currency), urls)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, notifier.stop)
    with metrics_on(settings.metrics_port, lambda: notifier.healthy):
        await notifier.run()


def _raw(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CallError(f"{file} cannot be read: {error.strerror}.") from error


def _checked(file: Path, raw: bytes, timezone: str) -> Rules | None:
    """The rules, or all that is wrong with them on standard error."""
    rules, faults = read(raw, timezone)
    faults = faults or check_addresses(raw, os.environ, is_usable)
    if not faults:
        return rules
    _report(file, faults)
    return None


def _report(file: Path, faults: list[Finding]) -> None:
    for fault in faults:
        print(f"{file}:{fault}", file=sys.stderr)
    print(f"{number_of(len(faults), 'fault')}; nobody is told.", file=sys.stderr)


def _summary(route: Route) -> str:
    """What a route hears of, and when."""
    match route.digest:
        case Daily(at):
            when = f"daily at {at:%H:%M}"
        case Hourly():
            when = "on the hour"
        case _:
            when = "at once"
    parts = [f"{len(route.to)} address{'' if len(route.to) == 1 else 'es'}"]
    parts.append(f"{', '.join(route.scopes)} {when}" if route.scopes else "what is escalated to it")
    if route.hours.quiet is not None:
        parts.append(f"not {route.hours.quiet.start:%H:%M}-{route.hours.quiet.end:%H:%M}")
    if route.escalate is not None:
        hours = route.escalate.after.total_seconds() / 3600
        parts.append(f"to {route.escalate.to} where nobody has seen to it after {hours:g} hours")
    return "; ".join(parts)
