"""Workers that are forked from a process which has everything imported, and are processes of their own.

To start Python and import Faust takes longer than most of what a test does with a worker.
"""

import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from malvakt.workers import WorkerProcess

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    ["malvakt.commands.worker_", "tests.chaos.crashing_worker", "streams.rocks"]
)


class ForkedWorker(WorkerProcess):
    """A worker like any other, but for how it began."""

    @staticmethod
    def _started(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> "_Forked":
        _, _, module, *arguments = command
        return _Forked(module, arguments, environment, log.name)


class _Forked:
    """What `subprocess.Popen` is for a program."""

    def __init__(self, module: str, arguments: list[str], environment: Mapping[str, str], log: str) -> None:
        self._process = _FORKING.Process(target=_become, args=(module, arguments, dict(environment), log))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """What it ended with, a signal's number below zero; `None` while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Look whether it has ended, and with what."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        self._process.join(timeout)
        status = self.returncode
        if status is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return status

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


def _become(module: str, arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be a program from here on, as `python -m` makes one."""
    os.environ.clear()
    os.environ.update(environment)
    written = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(written, 1)
    os.dup2(written, 2)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
