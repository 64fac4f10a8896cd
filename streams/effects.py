"""The order of effects: how one batch's consequences become safe, so that a crash anywhere does no harm."""

from collections.abc import Iterable
from time import perf_counter

from streams import metrics
from streams.delivery import Delivery, Outgoing
from streams.tables import RowStore
from streams.transport import Fetched


async def carry_out(
    agent: str,
    fetched: Fetched,
    rows: Iterable[Outgoing],
    outputs: Iterable[Outgoing],
    store: RowStore,
    delivery: Delivery,
) -> None:
    """Make a batch's effects safe, one after the other.

    1. Its rows are written to the changelog, and acknowledged by the broker.
    2. Its outputs are written, and acknowledged.
    3. Its input counts as finished: its offsets may be committed.

    A crash before 3 brings the batch again. What it then folds is known already, and what it says is
    absolute, so saying it twice changes nothing.
    """
    started = perf_counter()
    for written in await delivery.write(rows):
        store.note_written(written)
        metrics.WRITTEN.labels(written.topic).inc(written.records)
    rows_done = perf_counter()
    metrics.STEP_SECONDS.labels(agent, "rows").observe(rows_done - started)

    for written in await delivery.write(outputs):
        metrics.WRITTEN.labels(written.topic).inc(written.records)
    metrics.STEP_SECONDS.labels(agent, "outputs").observe(perf_counter() - rows_done)

    fetched.finish()
    metrics.BATCH_RECORDS.labels(agent).observe(len(fetched))
