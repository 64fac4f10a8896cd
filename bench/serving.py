"""A web process to measure, and how to reach it."""

import asyncio
import sys
import time
from pathlib import Path

from malvakt.outcome import Fault
from malvakt.workers import ChildProcess, environment_of
from streams.settings import Settings

PATIENCE_S = 60.0
LINE_BYTES = 1024 * 1024


def web_process(settings: Settings, port: int, folder: Path) -> ChildProcess:
    """A wall that is served without signing in, on this machine only, with its view in a folder."""
    command = ("web", "--open", "--port", str(port), "--view", str(folder / "wall.sqlite"))
    return ChildProcess("The wall", [sys.executable, "-m", "malvakt", *command], environment_of(settings))


async def connected(
    port: int, processes: list[ChildProcess]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to it, once it answers.

    Raises:
        Fault: a process ended, or it takes too long.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port, limit=LINE_BYTES)
        except OSError as error:
            for process in processes:
                process.check()
            if time.monotonic() > until:
                raise Fault(f"The wall is not served:\n{processes[0].last_lines()}") from error
            await asyncio.sleep(0.1)
