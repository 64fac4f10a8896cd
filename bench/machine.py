"""The machine: what it is, to stand beside figures in a report, and a port on it that is free."""

import os
import platform
import socket
from pathlib import Path

import msgspec


def machine() -> dict[str, object]:
    """System, processors and Python, to stand beside results."""
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }


def write_report(file: Path, **measured: object) -> None:
    """Write what was measured to a file as JSON, and beside it on what machine."""
    report = {"machine": machine(), **measured}
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
