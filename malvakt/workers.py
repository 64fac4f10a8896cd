"""Workers as child processes, for replays, demos, benchmarks and tests."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from malvakt.outcome import Fault
from streams.access import Secret
from streams.settings import Settings

COMMAND = ("malvakt", "worker")
"""A module, and its arguments."""
STOP_S = 20.0
SHOWN_LINES = 15


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables that tell a program of its own these settings."""
    return {
        f"MALVAKT_{name.upper()}": _told(getattr(settings, name)) for name in Settings.__struct_fields__
    }


def _told(value: object) -> str:
    return value.told if isinstance(value, Secret) else str(value)


class Running(Protocol):
    """A process that was started."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """What it ended with, a signal's number below zero; `None` as long as it was not seen to have."""
        ...

    def poll(self) -> int | None:
        """Look whether it has ended, and with what."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and with what.

        Raises:
            subprocess.TimeoutExpired: it has not, after so many seconds.
        """
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def send_signal(self, number: signal.Signals, /) -> None:
        """Send it a signal."""
        ...


class ChildProcess:
    """A program of its own, whose output is kept for the case that it ends."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._name = name
        self._log: IO[bytes] = tempfile.NamedTemporaryFile(prefix="malvakt-worker-", suffix=".log")  # noqa: SIM115
        self.process = self._started(command, {**os.environ, **environment}, self._log)

    @staticmethod
    def _started(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Running:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def check(self) -> None:
        """See that it runs.

        Raises:
            Fault: it does not; the message ends with the last lines it logged.
        """
        status = self.process.poll()
        if status is not None:
            raise Fault(f"{self._name} ended with status {status}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """The end of its log."""
        lines = Path(self._log.name).read_text(errors="replace").splitlines()
        return "\n".join(lines[-SHOWN_LINES:])

    def stop(self) -> None:
        """Ask it to finish the batch in hand and leave; insist after a while."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.process.kill()
        self.process.wait()


class WorkerProcess(ChildProcess):
    """One `malvakt worker` of its own, or of another command that behaves like it."""

    def __init__(self, settings: Settings, command: Sequence[str] = COMMAND) -> None:
        super().__init__("A worker", [sys.executable, "-m", *command], environment_of(settings))
