"""The directory a worker keeps its data in: its own, and no other worker's as long as it runs."""

import os
from itertools import count
from pathlib import Path
from typing import IO
from urllib.parse import quote

from streams.locking import lock
from streams.settings import Settings


class DataDirectoryError(Exception):
    """A worker cannot have the directory it was told of; the message says why."""


class TakenError(DataDirectoryError):
    """Another worker has it."""


class DataDirectory:
    """A directory that is this process's until it ends, however it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock: IO[bytes] = (path / "lock").open("a+b")
        except OSError as error:
            raise DataDirectoryError(
                f"{path} cannot hold a worker's data ({error.strerror}). Give another with MALVAKT_DATA."
            ) from error
        try:
            lock(self._lock)
        except BlockingIOError as error:
            self._lock.seek(0)
            owner = self._lock.read().decode(errors="replace")
            self._lock.close()
            raise TakenError(
                f"Another worker (process {owner}) keeps its data in {path}. Give each worker a"
                " MALVAKT_DATA of its own, or none: then each finds itself one."
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()).encode())
        self._lock.flush()

    def close(self) -> None:
        """Leave it to others."""
        self._lock.close()


def data_directory(settings: Settings) -> DataDirectory:
    """The directory that a worker was told of, or else the first of its installation's that is free.

    Raises:
        DataDirectoryError: it cannot be had.
    """
    if settings.data:
        return DataDirectory(Path(settings.data))
    name = quote(settings.app_id, safe="")
    for number in count(1):
        try:
            return DataDirectory(data_home() / f"{name}-{number}")
        except TakenError:
            continue
    raise AssertionError("there is always one more")


def data_home() -> Path:
    """Where on this machine data are kept that nobody said where to keep."""
    shared = os.environ.get("XDG_DATA_HOME")
    return (Path(shared) if shared else Path.home() / ".local" / "share") / "malvakt"
