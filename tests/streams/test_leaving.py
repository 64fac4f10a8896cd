"""What a worker that is to stop does with what it has in work."""

import asyncio

import pytest

from malvakt.workers import STOP_S
from streams import leaving
from streams.leaving import LEAVE_S, Leaving
from streams.sharing import FOLD_S


class Work:
    """A piece of work that takes as long as it is let."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.ended = False

    async def __call__(self) -> None:
        self.begun.set()
        await self.may_end.wait()
        self.ended = True


async def in_work(leaves: Leaving, work: Work) -> "asyncio.Task[None]":
    task = asyncio.create_task(leaves.unless_given_up(work()))
    await work.begun.wait()
    return task


def test_what_is_soon_done_is_ended() -> None:
    """Whoever leaves waits for it."""

    async def scene() -> None:
        leaves, work = Leaving(), Work()
        task = await in_work(leaves, work)
        left = asyncio.create_task(leaves.leave())
        await asyncio.sleep(0.01)
        assert not left.done()
        work.may_end.set()
        await asyncio.gather(left, task)
        assert work.ended

    asyncio.run(scene())


def test_what_is_not_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """And whoever waits for it goes on, as nothing is wrong."""

    async def scene() -> None:
        monkeypatch.setattr(leaving, "LEAVE_S", 0.01)
        leaves, work = Leaving(), Work()
        task = await in_work(leaves, work)
        await leaves.leave()
        await task
        assert not work.ended

    asyncio.run(scene())


def test_nothing_is_begun_any_more() -> None:
    """What comes after it is given up before it begins."""

    async def scene() -> None:
        leaves, work = Leaving(), Work()
        await leaves.leave()
        await leaves.unless_given_up(work())
        assert not work.begun.is_set()

    asyncio.run(scene())


def test_what_fails_fails_whoever_waits_for_it() -> None:
    """As if it had been done without."""

    async def scene() -> None:
        async def fail() -> None:
            raise ValueError("of the work")

        with pytest.raises(ValueError, match="of the work"):
            await Leaving().unless_given_up(fail())

    asyncio.run(scene())


def test_where_whoever_waits_is_cancelled_the_work_is_too() -> None:
    """Nothing goes on that nobody waits for; and that is no giving up."""

    async def scene() -> None:
        leaves, work = Leaving(), Work()
        task = await in_work(leaves, work)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        work.may_end.set()
        await asyncio.sleep(0.01)
        assert not work.ended

    asyncio.run(scene())


def test_work_that_is_cancelled_from_within_is_not_given_up() -> None:
    """That it was, whoever waits for it learns."""

    async def scene() -> None:
        async def cancelled() -> None:
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await Leaving().unless_given_up(cancelled())

    asyncio.run(scene())


def test_a_worker_leaves_in_the_time_that_it_is_given() -> None:
    """However large a batch is, even where one partition is all there is of it."""
    assert LEAVE_S + FOLD_S < STOP_S
