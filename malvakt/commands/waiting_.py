"""`malvakt waiting`: won deals and costs that count nowhere until their currency has a rate."""

import sys

import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from audit.explaining import exact, waiting
from malvakt.auditing import books_of, settings_of
from malvakt.commands.reconcile_ import Files
from malvakt.recorded import Line, report
from malvakt.showing import plain


def waiting_(
    *,
    events: Files | None = None,
    timezone: str | None = None,
    currency: str | None = None,
    broker: str | None = None,
    json: bool = False,
) -> int:
    """List won deals and costs in a currency that has no rate from early enough on.

    Parameters
    ----------
    events
        Files of events, instead of the topics; `-` reads standard input.
    timezone
        With --events: the business timezone; else MALVAKT_TIMEZONE. An installation has its own.
    currency
        With --events: the reporting currency; else MALVAKT_CURRENCY. An installation has its own.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each as one JSON line.
    """
    settings = settings_of(events, broker, timezone, currency)
    refused: list[Line] = []
    with books_of(settings, events, refused) as books:
        found = waiting(books)
    if json:
        for each in found:
            line = {
                "kind": each.kind,
                each.kind: each.object,
                "customer": each.customer,
                "seller": each.seller,
                "amount": exact(each.amount),
                "currency": each.currency,
                "needs_rate_at": each.since,
            }
            sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    else:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for name in ("", "id", "customer", "seller"):
            table.add_column(name, overflow="fold")
        table.add_column("amount", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("needs a rate from", no_wrap=True)
        for each in found:
            table.add_row(
                each.kind,
                *(plain(name or "–") for name in (each.object, each.customer, each.seller)),
                exact(each.amount),
                each.currency,
                f"{each.since:%Y-%m-%d %H:%M}",
            )
        Console().print(table)
    print(f"{len(found)} wait for a rate.", file=sys.stderr)
    report(refused)
    return 1 if refused else 0
