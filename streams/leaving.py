"""Leaving: a worker that is to stop ends what it has in work if that is soon done, and else gives it up.

When behind, a batch takes longer than whoever stops a worker waits before they kill it. What is given up
is as if the worker had crashed there, which does no harm: nothing of it is finished, and it comes again,
whole.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

LEAVE_S = 8.0
"""How long what is in work may still take."""

log = structlog.get_logger(__name__)


class Leaving:
    """What a worker has in work, to be ended or given up."""

    def __init__(self) -> None:
        self._in_work: set[asyncio.Task[None]] = set()
        self._gave_up = False

    async def unless_given_up(self, work: Coroutine[Any, Any, None]) -> None:
        """Do a piece of work, and return once it is done or was given up."""
        if self._gave_up:
            work.close()
            return
        task = asyncio.create_task(work)
        self._in_work.add(task)
        try:
            await asyncio.wait([task])
        finally:
            self._in_work.discard(task)
            # Where whoever waits for it is cancelled, so is the work.
            task.cancel()
        if not (task.cancelled() and self._gave_up):
            await task

    async def leave(self) -> None:
        """Wait a while for what is in work, and give up what is not done by then, and all that follows."""
        if self._in_work:
            await asyncio.wait(self._in_work, timeout=LEAVE_S)
        self._gave_up = True
        if self._in_work:
            log.info("what is in work is given up, and will come again", pieces=len(self._in_work))
        for task in self._in_work:
            task.cancel()
