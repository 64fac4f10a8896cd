"""The directory of a worker: its own as long as it runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.data_directory import DataDirectory, DataDirectoryError, TakenError, data_directory
from streams.settings import Settings

HOLDER = """
import sys, time
from pathlib import Path
from streams.data_directory import DataDirectory
held = DataDirectory(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_two_workers_cannot_share_a_directory(tmp_path: Path) -> None:
    """The second is told who has it and what to do; once the first is killed, it can have it."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(TakenError, match=rf"process {first.pid}.*{tmp_path}.*MALVAKT_DATA"):
            data_directory(Settings(data=str(tmp_path)))
        first.kill()
    assert data_directory(Settings(data=str(tmp_path))).path == tmp_path
    assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_workers_that_were_told_of_none_find_one_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first that is free: so one that starts again goes on with what it left."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = Settings(app_id="a/b")
    first, second = data_directory(settings), data_directory(settings)
    assert [held.path.name for held in (first, second)] == ["a%2Fb-1", "a%2Fb-2"]
    first.close()
    assert data_directory(settings).path == first.path
    assert data_directory(Settings(app_id="other")).path.name == "other-1"
    second.close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """With what to set instead."""
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryError, match=r"file.*MALVAKT_DATA"):
        DataDirectory(tmp_path / "file" / "data")
