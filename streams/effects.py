"""The order of effects: how one batch's consequences become safe, so that a crash anywhere does no harm."""

from time import perf_counter, time
from typing import Any, NamedTuple

from streams import metrics
from streams.delivery import Delivery, Outgoing
from streams.tables import RowStore
from streams.transport import Fetched


class Consequences(NamedTuple):
    """What a batch leads to."""

    rows: list[Outgoing]
    """Changes of the agent's table."""
    outputs: list[Outgoing]
    """What others are told."""


async def carry_out(
    agent: str,
    fetched: Fetched,
    consequences: Consequences,
    store: RowStore[Any],
    delivery: Delivery,
) -> None:
    """Make a batch's effects safe, one after the other.

    1. Its rows are written to the changelog, acknowledged by the broker, and held.
    2. Its outputs are written, and acknowledged.
    3. Its input counts as finished: its offsets may be committed.

    A crash before 3 brings the batch again. What it then folds is known already, and what it says is
    absolute, so saying it twice changes nothing.
    """
    started = perf_counter()
    written = await delivery.write(consequences.rows)
    store.keep(consequences.rows, written)
    rows_done = perf_counter()

    told = await delivery.write(consequences.outputs)
    done = perf_counter()

    fetched.finish()

    for batch in [*written, *told]:
        metrics.WRITTEN.labels(batch.topic).inc(batch.records)
    metrics.STEP_SECONDS.labels(agent, "rows").observe(rows_done - started)
    metrics.STEP_SECONDS.labels(agent, "outputs").observe(done - rows_done)
    metrics.BATCH_RECORDS.labels(agent).observe(len(fetched))
    metrics.LATENCY_SECONDS.labels(agent).observe(max(0.0, time() - fetched.oldest_ms / 1000))
