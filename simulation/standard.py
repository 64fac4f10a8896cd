"""The standard job: the benchmark's input, made as fast as it is read.

Deals won by 200 sellers in 20 teams with 5,000 customers over 250 days: each counts and sums in four
scopes and every calendar window.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

DAYS = 250
FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)


def standard_job(
    events: int, sellers: int = 200, customers: int = 5_000, teams: int = 20, seed: int = 1
) -> Iterator[bytes]:
    """So many `deal.won` events as JSON, after the assignment of each seller to a team."""
    random = Random(seed)
    head = '{"specversion":"1.0","source":"bench://standard","id":"'
    assigned = (FIRST_DAY - timedelta(days=1)).isoformat()
    for number in range(sellers):
        yield (
            f'{head}o{number}","type":"seller.assigned","time":"{assigned}",'
            f'"data":{{"seller":"s{number}","team":"t{number % teams}"}}}}'
        ).encode()
    for number in range(events):
        day, second = divmod(number * DAYS * 32_400 // max(events, 1), 32_400)
        at = FIRST_DAY + timedelta(days=day, hours=7, seconds=second)
        yield (
            f'{head}e{number}","type":"deal.won","time":"{at.isoformat()}",'
            f'"data":{{"deal":"d{number}","customer":"c{int(random.random() * customers)}",'
            f'"seller":"s{int(random.random() * sellers)}",'
            f'"value":"{1_000 + int(random.random() * 99_000)}.00"}}}}'
        ).encode()
