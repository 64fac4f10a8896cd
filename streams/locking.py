"""Locks on files: whoever holds one is the only one, until it ends, however it does."""

import sys
from typing import IO

if sys.platform == "win32":

    def lock(file: IO[bytes]) -> None:
        """Windows has no lock that passes on to a child."""
else:
    import fcntl

    def lock(file: IO[bytes]) -> None:
        """Lock a file as long as this process, or a child it was passed on to, has it open.

        Raises:
            BlockingIOError: another process has.
        """
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
