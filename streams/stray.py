"""Cancellations that nobody asked for, told as what they are.

A consumer of aiokafka's that is stopped while a request of it is under way cancels that, waits for it, and
lets the cancellation out (`Fetcher.close`). Whoever stopped it then believes to have been cancelled: a task
that should go on for ever ends, and neither a task group nor Faust takes any notice.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from aiokafka.errors import KafkaConnectionError


@contextlib.contextmanager
def unless_cancelled() -> Iterator[None]:
    """Let a cancellation through where this task was cancelled, and no other.

    Raises:
        KafkaConnectionError: it was another's.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise KafkaConnectionError("A consumer was stopped while a request was under way.") from error
