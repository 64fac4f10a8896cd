"""Deals won just now, to watch on their way: what the benchmarks of latency and handover publish."""

from datetime import UTC, datetime

from streams.delivery import Outgoing
from streams.partitioning import partition_of
from streams.settings import Settings

DEALS = "crm.deals"


def deal_won(settings: Settings, number: int, customer: str, partitions: int) -> Outgoing:
    """A deal with a customer, won now, on its way to its home."""
    at = datetime.now(UTC).isoformat()
    value = (
        f'{{"specversion":"1.0","source":"bench://now","id":"n{number}-{customer}","type":"deal.won",'
        f'"time":"{at}","data":{{"deal":"d{number}","customer":"{customer}",'
        f'"seller":"s{number % 200}","value":"100.00"}}}}'
    ).encode()
    home = partition_of(customer, partitions)
    return Outgoing(settings.topic(DEALS), home, customer, value)


def customer_of(key: bytes) -> str | None:
    """The customer whose `ever` record has this key, if it is one."""
    if not key.startswith(b"customer:") or b"|ever|" not in key:
        return None
    return key[len(b"customer:") : key.index(b"|")].decode()
