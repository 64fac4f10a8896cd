"""A crash of the scorecard agent before, within and after every step of its effects leaves no trace."""

from pathlib import Path

import pytest

from streams.settings import MEMORY, ROCKSDB
from tests.chaos.crashes import HOW_OFTEN, crash

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


@HOW_OFTEN
@pytest.mark.parametrize("store", [MEMORY, ROCKSDB])
def test_crash(
    everywhere: bool, store: str, kafka_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its rows and its records."""
    crash("scorecard", store, kafka_address, tmp_path, monkeypatch, everywhere=everywhere)
