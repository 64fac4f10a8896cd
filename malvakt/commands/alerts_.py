"""`malvakt alerts`: what was raised, who saw to it, and a word that somebody does."""

import asyncio
import sys
from datetime import UTC, datetime

import msgspec
import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from malvakt.outcome import CallError, Fault
from malvakt.reaching import reaching, settings_with
from malvakt.showing import plain
from schemas.goals import Alert, decode_alert
from schemas.notices import Ack, decode_ack
from schemas.topics import ACKS, ALERTS
from streams.alerting import acknowledge
from streams.delivery import Delivery
from streams.reading import read_to_end
from streams.settings import Settings


def alerts_(
    *,
    ack: str | None = None,
    by: str | None = None,
    open: bool = False,  # noqa: A002
    broker: str | None = None,
    json: bool = False,
) -> int:
    """List alerts, or say that somebody sees to one.

    Parameters
    ----------
    ack
        The id of an alert that somebody sees to: it is not escalated then.
    by
        Who sees to it.
    open
        List those only that nobody has seen to.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each as one JSON line.
    """
    if (ack is None) != (by is None):
        raise CallError("Give both: --ack ID, as the alert or this list says, and --by WHO.")
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        alerts, acks = asyncio.run(_read(settings))
        if ack is not None and by is not None:
            return _acknowledge(settings, alerts, acks, ack, by)
    shown = [alert for alert in alerts.values() if not (open and alert.id in acks)]
    _print(sorted(shown, key=lambda alert: alert.at), acks, json=json)
    return 0


async def _read(settings: Settings) -> tuple[dict[str, Alert], dict[str, Ack]]:
    """Alerts and acknowledgements by the alert's id; of those that come again, the first."""
    alerts: dict[str, Alert] = {}
    acks: dict[str, Ack] = {}
    async for alert in read_to_end(settings, ALERTS.name, lambda record: decode_alert(record.value)):
        alerts.setdefault(alert.id, alert)
    async for ack in read_to_end(settings, ACKS.name, lambda record: decode_ack(record.value)):
        acks.setdefault(ack.alert, ack)
    return alerts, acks


def _acknowledge(
    settings: Settings, alerts: dict[str, Alert], acks: dict[str, Ack], alert: str, by: str
) -> int:
    if alert not in alerts:
        raise Fault(f"There is no alert {alert}; `malvakt alerts` lists them.")
    if alert in acks:
        print(f"{acks[alert].by} sees to it, since {acks[alert].at:%Y-%m-%d %H:%M} UTC.")
        return 0
    asyncio.run(_write(settings, Ack(alert, by, datetime.now(UTC))))
    print(f"{by} sees to {alert}.")
    return 0


async def _write(settings: Settings, ack: Ack) -> None:
    async with Delivery(settings) as delivery:
        await acknowledge(settings, delivery, ack)


def _print(alerts: list[Alert], acks: dict[str, Ack], *, json: bool) -> None:
    if json:
        for alert in alerts:
            known = acks.get(alert.id)
            line = msgspec.to_builtins(alert) | {"acknowledged": known and msgspec.to_builtins(known)}
            sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("at (UTC)", "kind", "scope", "KPI", "value", "target", "seen to by", "id"):
        table.add_column(name, overflow="fold")
    for alert in alerts:
        status = alert.status
        known = acks.get(alert.id)
        figures = ["–" if figure is None else str(figure) for figure in (status.value, status.target)]
        table.add_row(
            f"{alert.at.astimezone(UTC):%Y-%m-%d %H:%M}",
            alert.kind,
            *map(plain, (status.scope, status.kpi, *figures, known.by if known else "–", alert.id)),
        )
    Console().print(table)
