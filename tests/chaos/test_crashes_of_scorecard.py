"""A crash of the scorecard agent before, within and after every step of its effects leaves no trace."""

from pathlib import Path

import pytest

from streams.settings import MEMORY, ROCKSDB
from tests.chaos.crashes import crash

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


@pytest.mark.parametrize("store", [MEMORY, ROCKSDB])
def test_crash(store: str, kafka_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its rows and its records."""
    crash("scorecard", store, kafka_address, tmp_path, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("store", [MEMORY, ROCKSDB])
def test_every_crash(
    store: str, kafka_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the first batch of a worker and in a later one."""
    crash("scorecard", store, kafka_address, tmp_path, monkeypatch, everywhere=True)
