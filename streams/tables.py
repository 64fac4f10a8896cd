"""The tables' store: packed rows by partition, of which the highest version stays.

Stock Faust keeps the last value written, so a paused worker that wakes up late can overwrite newer
rows; and it reads again, at each rebalance, what a worker already holds (`Recovery`,
`stores/memory.py`). Here versions decide, and a partition is read on from where its rows are current
(`streams.recovery`). Rows are kept as the bytes that were written: a million of them cost no more than
their bytes, and recovery need not look into them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from faust.stores import base
from faust.types import TP

from kpis.versions import VERSIONS_PER_TERM
from schemas.packing import VERSION_BYTES, Packing, version_of
from streams.delivery import Outgoing, Written

Row = TypeVar("Row")
View = TypeVar("View")

TERM_KEY = "term"
"""The key of a row that holds nothing but a version: a new owner's first words in a changelog."""


class Rows(Mapping[str, Row]):
    """One partition's rows, unpacked as they are read."""

    def __init__(self, packed: Mapping[str, bytes], unpack: Callable[[bytes], Row]) -> None:
        self._packed = packed
        self._unpack = unpack

    def __getitem__(self, key: str) -> Row:
        return self._unpack(self._packed[key])

    def get(self, key: str, default: Any = None, /) -> Any:
        """The row under a key. The inherited way raises and catches an error for each that is missing."""
        packed = self._packed.get(key)
        return default if packed is None else self._unpack(packed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class RowStore(base.Store[str, bytes], Generic[Row]):
    """Rows of one table, by partition and key. Registered as `malvakt://` among Faust's stores."""

    def __init__(self, *args: Any, options: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, options=options, **kwargs)
        self._packing: Packing[Row] = options["packing"]
        self.changelog: str = options["changelog"]
        self._packed: dict[int, dict[str, bytes]] = {}
        self._highest: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self._terms_written: dict[int, int] = {}

    def rows(self, partition: int) -> Rows[Row]:
        """The rows of one partition."""
        return Rows(self._packed.setdefault(partition, {}), self._packing.unpack)

    def next_offset(self, partition: int) -> int:
        """From which offset of the changelog on there may be rows that are not held."""
        return self._next.get(partition, 0)

    def term_after(self, partition: int, least: int) -> int:
        """A term to write under: at least `least`, and above every version in the changelog."""
        return max(least, self._highest.get(partition, 0) // VERSIONS_PER_TERM + 1)

    def changes(self, partition: int, rows: Mapping[str, Row], version: int) -> list[Outgoing]:
        """What to write to the changelog so that these rows hold, in this version.

        In a new term the term comes first, so that whoever has the partition next is above it even
        where no row changed.
        """
        written: list[Outgoing] = []
        if self._terms_written.get(partition, 0) < version // VERSIONS_PER_TERM:
            term = version.to_bytes(VERSION_BYTES)
            written.append(Outgoing(self.changelog, partition, TERM_KEY, term))
        pack = self._packing.pack
        written.extend(
            Outgoing(self.changelog, partition, key, pack(row, version)) for key, row in rows.items()
        )
        return written

    def keep(self, changes: Iterable[Outgoing], written: Iterable[Written]) -> None:
        """Changes are in the changelog: hold them, and note how far the rows are current.

        That is only where ours follow what is known without a gap: what another worker wrote in
        between must still be read.
        """
        for change in changes:
            assert change.key is not None
            assert change.value is not None
            partition, version = change.partition, version_of(change.value)
            self._highest[partition] = max(version, self._highest.get(partition, 0))
            if change.key == TERM_KEY:
                self._terms_written[partition] = version // VERSIONS_PER_TERM
            else:
                self._packed.setdefault(partition, {})[change.key] = change.value
        for batch in written:
            if batch.first_offset == self.next_offset(batch.partition):
                self._next[batch.partition] = batch.first_offset + batch.records

    def take(self, partition: int, records: list[Any]) -> None:
        """Take in a slice of the changelog; of two versions of a row the higher one stays."""
        rows = self._packed.setdefault(partition, {})
        highest = b""
        for record in records:
            key = record.key.decode()
            packed = record.value
            # Versions are written so that bytes compare as they do.
            version = packed[:VERSION_BYTES]
            highest = max(highest, version)
            known = rows.get(key)
            if len(packed) > VERSION_BYTES and (known is None or known[:VERSION_BYTES] < version):
                rows[key] = packed
        self._highest[partition] = max(version_of(highest), self._highest.get(partition, 0))
        self._next[partition] = records[-1].offset + 1

    def release(self, partition: int) -> None:
        """Let go of a partition that another worker has."""
        for held in (self._packed, self._highest, self._next, self._terms_written):
            held.pop(partition, None)

    def partitions(self) -> set[int]:
        """The partitions of which rows are held."""
        return set(self._packed)

    def persisted_offset(self, tp: TP) -> int | None:
        """Faust asks in order to recover; our own recovery does not ask."""
        offset = self.next_offset(tp.partition)
        return offset - 1 if offset else None

    def apply_changelog_batch(self, batch: Any, to_key: Any, to_value: Any) -> None:
        """Faust's own recovery would; ours calls `take`."""
        raise NotImplementedError("rows are recovered by streams.recovery")

    def reset_state(self) -> None:
        """Nothing outlives the process."""
        for partition in self.partitions():
            self.release(partition)

    async def backup_partition(
        self,
        tp: TP | int,
        flush: bool = True,
        purge: bool = False,
        keep: int = 1,
    ) -> None:
        """The changelog is the backup; there is no other."""
        raise NotImplementedError(f"{tp}: the backup of rows is their changelog.")

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """The changelog is the backup; recovery reads it."""
        raise NotImplementedError(f"{tp}: the backup of rows is their changelog.")
