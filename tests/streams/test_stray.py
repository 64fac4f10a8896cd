"""Who is cancelled, and who only waited for something that was."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.stray import unless_cancelled


async def wait_for(answer: "asyncio.Future[None]") -> None:
    with unless_cancelled():
        await answer


def test_what_was_waited_for_was_cancelled_and_not_the_task() -> None:
    """In a group, which would take no notice of a member that was."""

    async def run() -> None:
        answer = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wait_for(answer))
            await asyncio.sleep(0)
            answer.cancel()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(run())
    assert raised.group_contains(KafkaConnectionError)


def test_a_task_that_is_cancelled_ends() -> None:
    """As it was asked to."""

    async def run() -> None:
        waiting = asyncio.create_task(wait_for(asyncio.get_running_loop().create_future()))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(run())
