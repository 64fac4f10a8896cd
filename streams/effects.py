"""The order of effects: how one batch's consequences become safe, so that a crash anywhere does no harm."""

from time import perf_counter, time
from typing import Any, NamedTuple

from streams import metrics
from streams.delivery import Delivery, Outgoing, Written
from streams.tables import RowStore
from streams.transport import Fetched


class Consequences(NamedTuple):
    """What a batch leads to."""

    rows: list[Outgoing]
    """Changes of the agent's table."""
    outputs: list[Outgoing]
    """What others are told."""


class Safe(NamedTuple):
    """What was written, and how long that took."""

    batches: list[Written]
    rows_s: float
    outputs_s: float


async def make_safe(consequences: Consequences, store: RowStore[Any], delivery: Delivery) -> Safe:
    """Make effects safe, one after the other.

    1. Rows are written to the changelog, acknowledged by the broker, and held.
    2. Outputs are written, and acknowledged.
    """
    started = perf_counter()
    written = await delivery.write(consequences.rows)
    store.keep(consequences.rows, written)
    rows_done = perf_counter()
    told = await delivery.write(consequences.outputs)
    return Safe([*written, *told], rows_done - started, perf_counter() - rows_done)


async def carry_out(
    agent: str,
    fetched: Fetched,
    consequences: Consequences,
    store: RowStore[Any],
    delivery: Delivery,
) -> None:
    """Make a batch's effects safe; only then its input counts as finished: its offsets may be committed.

    A crash before that brings the batch again. What it then folds is known already, and what it says is
    absolute, so saying it twice changes nothing.
    """
    safe = await make_safe(consequences, store, delivery)

    fetched.finish()

    for batch in safe.batches:
        metrics.WRITTEN.labels(batch.topic).inc(batch.records)
    metrics.STEP_SECONDS.labels(agent, "fold").observe(fetched.fold_s)
    metrics.STEP_SECONDS.labels(agent, "rows").observe(safe.rows_s)
    metrics.STEP_SECONDS.labels(agent, "outputs").observe(safe.outputs_s)
    metrics.BATCH_RECORDS.labels(agent).observe(len(fetched))
    metrics.LATENCY_SECONDS.labels(agent).observe(max(0.0, time() - fetched.oldest_ms / 1000))
