"""Reading recorded events: every line accounted for, byte for byte."""

import os
import threading
from pathlib import Path

import pytest

from malvakt.outcome import CallError
from malvakt.recorded import Line, read_recorded

WON = (
    b'{"specversion":"1.0", "id":"e1", "source":"crm://t", "type":"deal.won", "x":{"y":[1]},'
    b' "time":"2026-03-02T09:00:00+01:00", "data":{"deal":"d1", "customer":"c1", "our_own":"kept"}}'
)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b" \n", b""])
def test_a_line_is_kept_as_it_was_written(tmp_path: Path, ending: bytes) -> None:
    """Without what ends it."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(WON + ending)
    [recorded] = read_recorded([path], [])
    assert recorded.raw == WON
    assert recorded.event.id == "e1"


def test_what_is_no_event_is_listed_by_file_and_line(tmp_path: Path) -> None:
    """Empty lines count, and are passed over."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n" + WON + b"\nno event\n")
    refused: list[Line] = []
    assert len(list(read_recorded([path], refused))) == 1
    assert [(line.file, line.number) for line in refused] == [(str(path), 3)]


@pytest.mark.parametrize("missing", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_found_before_the_first_event(tmp_path: Path, missing: str) -> None:
    """So that nobody has half of the files published."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(WON)
    with pytest.raises(CallError, match="cannot be read"):
        read_recorded([path, tmp_path / missing], [])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    """It cannot be opened to see whether it can be, and then again."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=[WON], daemon=True).start()
    assert [recorded.raw for recorded in read_recorded([path], [])] == [WON]
