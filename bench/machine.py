"""The machine: what it is, to stand beside figures, and a port on it that is free."""

import os
import platform
import socket


def machine() -> dict[str, object]:
    """System, processors and Python, to stand beside results."""
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
