"""The tables' store: packed rows by partition, of which the highest version stays.

Stock Faust keeps the last value written, so a paused worker that wakes up late can overwrite newer
rows; and it reads again, at each rebalance, what a worker already holds (`Recovery`,
`stores/memory.py`). Here versions decide, and a partition is read on from where its rows are current
(`streams.recovery`). Rows are kept as the bytes that were written: a million of them cost no more than
their bytes, and recovery need not look into them. Whether in memory or on disk, `streams.holding` knows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from faust.stores import base
from faust.types import TP

from kpis.versions import VERSIONS_PER_TERM, first_version
from schemas.packing import VERSION_BYTES, Packing, version_of
from streams.delivery import Outgoing, Written
from streams.holding import Book, Hold, Holding

Row = TypeVar("Row")

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

    def each(self) -> Iterator[tuple[str, Row]]:
        """All rows, read in one go rather than key by key."""
        unpack = self._unpack
        return ((key, unpack(packed)) for key, packed in self._packed.items())


def _follow(book: Book, batch: Written) -> None:
    if batch.first_offset == book.next_offset:
        book.next_offset = batch.first_offset + batch.records


class OvertakenError(RuntimeError):
    """A batch cannot be kept: its partition was read anew meanwhile, or an earlier one was not kept."""


class RowStore(base.Store[str, bytes], Generic[Row]):
    """Rows of one table, by partition and key. Registered as `malvakt://` among Faust's stores."""

    def __init__(self, *args: Any, options: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, options=options, **kwargs)
        self._packing: Packing[Row] = options["packing"]
        self.changelog: str = options["changelog"]
        self._hold: Hold = options["hold"]
        self._held: dict[int, Holding] = {}
        self._begun: set[int] = set()
        """Partitions of which something was begun and is not kept: their views are ahead of their rows."""

    def holding(self, partition: int) -> Holding:
        """What is held of a partition, taken up if it was not."""
        holding = self._held.get(partition)
        if holding is None:
            holding = self._held[partition] = self._hold(partition)
        return holding

    def rows(self, partition: int) -> Rows[Row]:
        """The rows of one partition."""
        return Rows(self.holding(partition).packed, self._packing.unpack)

    def next_offset(self, partition: int) -> int:
        """From which offset of the changelog on there may be rows that are not held."""
        return self.holding(partition).book.next_offset

    def taken_in(self) -> dict[int, int]:
        """By partition, how much is taken in of all that is held here or left from before."""
        held = {partition: holding.book.taken_in for partition, holding in list(self._held.items())}
        return {**self._hold.left(held.keys()), **held}

    def term_after(self, partition: int, least: int) -> int:
        """A term to write under: at least `least`, not below one that was claimed, and above every other
        version in the changelog."""
        return max(least, -(-self.holding(partition).book.highest // VERSIONS_PER_TERM))

    def claim(self, partitions: Iterable[int], term: int) -> list[Outgoing]:
        """What to write to the changelog before a term is announced.

        Whoever has a partition next finds it there, and begins no term below it, even if its owner is
        killed before a row is written: what was announced could not be found otherwise.
        """
        version = first_version(term).to_bytes(VERSION_BYTES)
        return [Outgoing(self.changelog, partition, TERM_KEY, version) for partition in partitions]

    def claimed(self, term: int, written: Iterable[Written]) -> None:
        """A term's claims are in the changelog."""
        for batch in written:
            holding = self._held.get(batch.partition)
            if holding is not None:
                holding.book.highest = max(first_version(term), holding.book.highest)
                _follow(holding.book, batch)

    def begin(self, partition: int) -> None:
        """A batch is taken in; until its rows are kept, nothing of it may be."""
        self._begun.add(partition)

    def revert(self, partition: int) -> None:
        """Forget what was begun and is not kept."""
        self._begun.discard(partition)
        self.holding(partition).revert()

    def begun(self, partition: int) -> bool:
        """Whether something was begun that is not kept: a batch that failed, say."""
        return partition in self._begun

    def see_that_all_is_kept(self) -> None:
        """See that nothing is begun and not kept, before anything more is begun.

        Raises:
            OvertakenError: something is. What comes after it would be kept with what its batch did to the
                views, and without its rows; the batch comes again.
        """
        if self._begun:
            raise OvertakenError(
                f"{self.changelog}: a batch was begun that is not kept, in the partitions"
                f" {sorted(self._begun)}. Nothing more is taken in until they were read anew."
            )

    def changes(self, partition: int, rows: Mapping[str, Row], version: int) -> list[Outgoing]:
        """What to write to the changelog so that these rows hold, in this version.

        In a new term the term comes first, so that whoever has the partition next is above it even
        where no row changed.
        """
        self.begin(partition)
        written: list[Outgoing] = []
        if self.holding(partition).book.term_written < version // VERSIONS_PER_TERM:
            term = version.to_bytes(VERSION_BYTES)
            written.append(Outgoing(self.changelog, partition, TERM_KEY, term))
        pack = self._packing.pack
        written.extend(
            Outgoing(self.changelog, partition, key, pack(row, version)) for key, row in rows.items()
        )
        return written

    def keep(self, changes: Iterable[Outgoing], written: Iterable[Written]) -> None:
        """Changes are in the changelog: they hold, with what the views made of them.

        How far the rows are current moves only where ours follow what is known without a gap: what
        another worker wrote in between must still be read.

        Raises:
            OvertakenError: the partition was read anew in between.
        """
        for change in changes:
            assert change.key is not None
            assert change.value is not None
            partition, version = change.partition, version_of(change.value)
            if partition not in self._begun:
                raise OvertakenError(
                    f"{self.changelog}, partition {partition} was read anew while a batch was being written"
                    " to it. The worker stops, and the batch comes again."
                )
            holding = self._held[partition]
            holding.book.highest = max(version, holding.book.highest)
            if change.key == TERM_KEY:
                holding.book.term_written = version // VERSIONS_PER_TERM
            else:
                holding.packed[change.key] = change.value
        for batch in written:
            _follow(self._held[batch.partition].book, batch)
        for partition in self._begun:
            self._held[partition].flush()
        self._begun.clear()

    def take(
        self, partition: int, records: list[Any], replace: Callable[[str, Row | None, Row], None] | None
    ) -> None:
        """Take in a slice of the changelog; of two versions of a row the higher one stays.

        `replace` is told of each row that comes in the place of another, or of none.
        """
        # Its rows would be learnt by a view that has made something of them already.
        assert partition not in self._begun, f"partition {partition} is being written to"
        self.begin(partition)
        holding = self.holding(partition)
        newest: dict[str, bytes] = {}
        highest = b""
        for record in records:
            packed = record.value
            # Versions are written so that bytes compare as they do.
            version = packed[:VERSION_BYTES]
            highest = max(highest, version)
            if len(packed) > VERSION_BYTES:
                key = record.key.decode()
                known = newest.get(key)
                if known is None or known[:VERSION_BYTES] < version:
                    newest[key] = packed
        rows, unpack = holding.packed, self._packing.unpack
        for key, packed in newest.items():
            known = rows.get(key)
            if known is None or known[:VERSION_BYTES] < packed[:VERSION_BYTES]:
                if replace is not None:
                    replace(key, None if known is None else unpack(known), unpack(packed))
                rows[key] = packed
        book = holding.book
        book.highest = max(version_of(highest), book.highest)
        book.next_offset = records[-1].offset + 1
        holding.flush()
        self._begun.discard(partition)

    def release(self, partition: int) -> None:
        """Let go of a partition that another worker has."""
        self._begun.discard(partition)
        self._held.pop(partition).close()

    def discard(self, partition: int) -> None:
        """Forget what is held of a partition: it is not what its changelog says."""
        self._begun.discard(partition)
        self._held.pop(partition).discard()

    def partitions(self) -> set[int]:
        """The partitions that are held."""
        return set(self._held)

    def held(self) -> int:
        """How many rows are held."""
        return sum(len(holding.packed) for holding in list(self._held.values()))

    def persisted_offset(self, tp: TP) -> int | None:
        """Faust asks in order to recover; our own recovery does not ask."""
        offset = self.next_offset(tp.partition)
        return offset - 1 if offset else None

    def apply_changelog_batch(self, batch: Any, to_key: Any, to_value: Any) -> None:
        """Faust's own recovery would; ours calls `take`."""
        raise NotImplementedError("rows are recovered by streams.recovery")

    def reset_state(self) -> None:
        """Let go of all partitions."""
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
