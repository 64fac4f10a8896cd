"""The tables' store: rows by partition in memory, recovered in slices, the highest version winning.

Stock Faust applies a changelog one message at a time and keeps the last value written, so a paused
worker that wakes up late can overwrite newer rows; it also reads again, at each rebalance, what a
worker already holds (`Recovery`, `stores/memory.py`). Here a slice is applied at once, versions
decide, and a partition that stays is read on from where its rows are current.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from faust.stores import base
from faust.types import TP, EventT

from kpis.ledger import VERSIONS_PER_TERM
from streams.delivery import Written
from streams.transport import Fetched


class Versioned(Protocol):
    """A row that knows which version of it this is."""

    version: int


class RowStore(base.Store[str, Versioned]):
    """Rows of one table, by partition and key. Registered as `malvakt://` among Faust's stores."""

    def __init__(self, *args: Any, options: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, options=options, **kwargs)
        self._decode: Callable[[bytes], Versioned] = options["decode"]
        self._rows: dict[int, dict[str, Versioned]] = {}
        self._offsets: dict[TP, int] = {}
        self._recovered: dict[int, int] = {}

    def rows(self, partition: int) -> dict[str, Versioned]:
        """The rows of one partition."""
        return self._rows.setdefault(partition, {})

    def recovered(self, partition: int) -> int:
        """Grows each time recovery changed a partition's rows: views over them must be rebuilt."""
        return self._recovered.get(partition, 0)

    def term(self, partition: int, generation: int) -> int:
        """The term under which to write: above every version in the rows, and above paused workers'.

        The group's generation grows with every rebalance, so a worker that lost the partition and
        wakes up later has a lower one. Where the group was reset, the rows say what was used.
        """
        highest = max((row.version for row in self.rows(partition).values()), default=0)
        return max(generation, highest // VERSIONS_PER_TERM + 1)

    def note_written(self, written: Written) -> None:
        """Rows of ours are in the changelog.

        Only where they follow what is known without a gap: what another worker wrote in between must
        still be read.
        """
        tp = TP(written.topic, written.partition)
        if written.first_offset == self._offsets.get(tp, -1) + 1:
            self._offsets[tp] = written.first_offset + written.records - 1

    def persisted_offset(self, tp: TP) -> int | None:
        """The last offset of the changelog whose row is held; recovery reads on from there."""
        return self._offsets.get(tp)

    def apply_changelog_batch(
        self,
        batch: Iterable[EventT[Any]],
        to_key: Callable[[Any], Any],  # noqa: ARG002
        to_value: Callable[[Any], Any],  # noqa: ARG002
    ) -> None:
        """Take in slices of the changelog; of two versions of a row the higher one stays."""
        for event in batch:
            fetched = event.value
            assert isinstance(fetched, Fetched)
            for part in fetched.slices:
                self._apply(part.tp, part.records)

    def _apply(self, tp: TP, records: list[Any]) -> None:
        rows = self.rows(tp.partition)
        decode = self._decode
        for record in records:
            key = record.key.decode()
            row = decode(record.value)
            known = rows.get(key)
            if known is None or known.version < row.version:
                rows[key] = row
        self._offsets[tp] = max(records[-1].offset, self._offsets.get(tp, -1))
        self._recovered[tp.partition] = self.recovered(tp.partition) + 1

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:  # noqa: ARG002
        """Let go of the partitions that others have now."""
        mine = {tp.partition for tp in active_tps}
        for partition in set(self._rows) - mine:
            del self._rows[partition]
            self._recovered[partition] = self.recovered(partition) + 1
        for tp in set(self._offsets) - active_tps:
            del self._offsets[tp]

    def reset_state(self) -> None:
        """Nothing outlives the process."""
        self._rows.clear()
        self._offsets.clear()

    async def backup_partition(
        self,
        tp: TP | int,
        flush: bool = True,
        purge: bool = False,
        keep: int = 1,
    ) -> None:
        """The changelog is the backup; there is no other."""
        raise NotImplementedError(f"{tp}: rows are in memory, their backup is the changelog.")

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """The changelog is the backup; recovery reads it."""
        raise NotImplementedError(f"{tp}: rows are in memory, their backup is the changelog.")
