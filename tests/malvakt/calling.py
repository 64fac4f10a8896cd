"""Calling the commands: in this process, since loading them takes a second, or in one of their own."""

import gc
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from malvakt.cli import main


class Done(NamedTuple):
    """How a call ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def malvakt(*arguments: str | Path, **environment: str) -> Done:
    """Calls a command as its entry point does, with standard streams of its own and nothing to read.

    That a process says the same and ends so is tested in `test_commands`.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    collected = gc.get_threshold()
    with pytest.MonkeyPatch.context() as patched, Path(os.devnull).open("rb") as nothing:
        for name, value in environment.items():
            patched.setenv(name, value)
        patched.setattr(sys, "stdin", io.TextIOWrapper(nothing))
        patched.setattr(sys, "stdout", out)
        patched.setattr(sys, "stderr", err)
        try:
            with pytest.raises(SystemExit) as end:
                main([*map(str, arguments)])
        finally:
            # A command may set them for itself.
            gc.set_threshold(*collected)
            gc.unfreeze()
    assert isinstance(end.value.code, int)
    return Done(end.value.code, written(out), written(err))


def written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def malvakt_process(*arguments: str | Path, **environment: str) -> Done:
    """Calls a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "malvakt", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, **environment},
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def said(done: Done) -> str:
    """What a command said to the person who called it, without frames and breaks of lines."""
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.replace("│", " ").split())
