"""Partitions in RocksDB: state that may be larger than memory, and outlives the process.

One database a table and partition, in the worker's own directory: packed rows, the view's entries and a
page of bookkeeping, under a letter each. They are written together, in one atomic batch, once the broker
has the rows. So a database is always between two batches and never ahead of its changelog: whatever
happened, the rest of the changelog is all that is missing. Nothing waits for the disk, because what a
power cut takes from the end of RocksDB's log is in the changelog.

Needs rocksdict (`malvakt[rocksdb]`); nothing else here does.
"""

import contextlib
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog
from msgspec import Struct
from rocksdict import (
    AccessType,
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompactionStyle,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
)

from kpis.naming import Naming
from streams.data_directory import DataDirectory
from streams.holding import Book, Entries, Hold, Holding, Key, Value
from streams.view_entries import NAMING
from streams.write_back import Database, WriteBack, WriteBackNaming

LAYOUT = 1
"""Raise it when what a database holds besides views changes: it is read again from the changelog."""

BOOK, ROWS, VIEW = b"b", b"r", b"v"

DISCARDED = ".discarded"
"""At the end of the name of a database that is being deleted."""
DAMAGED = "DAMAGED"
"""A file beside RocksDB's own that says it met damage."""

KEPT_ENTRIES_A_MB = 120
"""How many decoded values of one of a view's mappings stay in memory between two batches, of each
partition, for a megabyte that RocksDB has: whoever gives it more has more in memory, too."""
KEPT_ROWS_A_MB = 40
"""How many packed rows do: what is written again and again, as a seller's or a lead's."""
WRITE_SHARE = 4
"""What is not written to files yet may take one part of so many of the memory that RocksDB has."""
RUNS = 8
"""How many sorted runs of files a database may have before some are put together; reads look into each."""
BLOOM_BITS = 10
FAMILY = "default"
"""A database without families has one, of this name."""
MAX_OPEN_FILES = 48
"""Of one database. A worker has one a partition and table, and many systems allow 1,024 open files."""

log = structlog.get_logger(__name__)

ROW_ENTRIES: Entries[str, bytes] = Entries(ROWS, str.encode, bytes.decode, bytes, bytes)


class RocksError(Exception):
    """A database cannot be read or written; the message says which and why."""


class DamagedError(RocksError):
    """A database is not what was written."""


class _Page(Struct):
    """What a database knows of itself."""

    of: str
    """The changelog it follows."""
    rows: int
    book: Book


class _Share(NamedTuple):
    """What a database has of a worker's memory."""

    options: Options
    """With the memory that all of them share."""
    kept_rows: int
    kept_entries: int


class Rocks:
    """The databases of one worker, which share its directory and its memory."""

    def __init__(self, directory: DataDirectory, cache_mb: int, first_term: int) -> None:
        self._directory = directory
        self._first_term = first_term
        for left in directory.path.glob(f"*{DISCARDED}"):
            shutil.rmtree(left)
        self._share = _Share(
            _options(cache_mb * 1024 * 1024), cache_mb * KEPT_ROWS_A_MB, cache_mb * KEPT_ENTRIES_A_MB
        )

    def table(self, name: str, changelog: str) -> Hold:
        """How to take up a partition of a table."""
        of = f"{changelog}, founded at {self._first_term}, layout {LAYOUT}"
        return _Table(self._directory.path, name, self._share, of)


class _Table:
    """The databases of one table."""

    def __init__(self, path: Path, name: str, share: _Share, of: str) -> None:
        self._path = path
        self._name = name
        self._share = share
        self._of = of
        self._left: dict[int, int] = {}
        """What is known of databases that are not open; any other that is there is looked into."""

    def __call__(self, partition: int) -> Holding:
        self._left.pop(partition, None)
        return OnDisk(self._path / f"{self._name}-{partition}", self._share, self._of)

    def left(self, held: Collection[int]) -> dict[int, int]:
        """By partition, how much is taken in of the databases that are there and not open."""
        for partition, path in self._there():
            if partition not in self._left and partition not in held:
                try:
                    self._left[partition] = self._taken_in(path)
                except Exception as error:  # noqa: BLE001 - RocksDB has one type; whoever takes it up says more
                    log.warning("a database cannot be looked into", path=str(path), error=str(error))
        return {partition: much for partition, much in self._left.items() if partition not in held}

    def _there(self) -> list[tuple[int, Path]]:
        """Which databases there are. A worker asks as it joins its group, which must not fail for it."""
        try:
            paths = [path.parent for path in self._path.glob(f"{self._name}-*/CURRENT")]
        except OSError as error:
            log.warning("databases cannot be looked for", path=str(self._path), error=str(error))
            return []
        numbers = [path.name.removeprefix(f"{self._name}-") for path in paths]
        # What is being deleted has more to its name.
        return [
            (int(number), path) for number, path in zip(numbers, paths, strict=True) if number.isdecimal()
        ]

    def _taken_in(self, path: Path) -> int:
        """How much is taken in, by a look that changes nothing of it; 0 where it cannot be gone on with."""
        if (path / DAMAGED).exists():
            return 0
        options = self._share.options
        database = Rdict(str(path), options, {FAMILY: options}, access_type=AccessType.read_only())
        packed = database.get(BOOK)
        database.close()
        page = None if packed is None else _decode_page(packed)
        return page.book.taken_in if page is not None and page.of == self._of else 0


class OnDisk:
    """One partition of a table in a database of its own."""

    def __init__(self, path: Path, share: _Share, of: str) -> None:
        self._of = of
        self._share = share
        self._database = _opened(path, share.options, of)
        self._take_up()

    def mapping(self, entries: Entries[Key, Value], /) -> WriteBack[Key, Value]:
        """A mapping with the entries of this partition."""
        prefix = VIEW + entries.prefix
        mapping = WriteBack(self._database, prefix, entries, self._share.kept_entries)
        self._views[prefix] = mapping
        return mapping

    def naming(self) -> Naming:
        """The index with the entries of this partition."""
        naming = self._views[VIEW + NAMING] = WriteBackNaming(self._database, VIEW + NAMING)
        return naming

    def flush(self) -> None:
        """Write what was set, all of it or nothing."""
        changes = WriteBatch(raw_mode=True)
        self.packed.flush(changes)
        for mapping in self._views.values():
            mapping.flush(changes)
        self._write(changes)

    def revert(self) -> None:
        """Forget what was set since, and the mappings it was set in."""
        self._take_up()

    def clear_view(self) -> None:
        """Delete the view's entries, and say so."""
        self.revert()
        self.book.views = 0
        changes = WriteBatch(raw_mode=True)
        changes.delete_range(VIEW, _after(VIEW))
        self._write(changes)

    def discard(self) -> None:
        """Close the database and delete it."""
        self.close()
        _delete(self._database.path)

    def close(self) -> None:
        """Close the database; what was not flushed is forgotten."""
        self._database.close()

    def _take_up(self) -> None:
        """Begin with what the database holds."""
        self._written_page = self._database.get(BOOK)
        page = _Page(self._of, 0, Book())
        if self._written_page is not None:
            page = _decode_page(self._written_page)
        self.book = page.book
        self.packed = _Rows(self._database, page.rows, self._share.kept_rows)
        self._views: dict[bytes, WriteBack[Any, Any] | WriteBackNaming] = {}

    def _write(self, changes: WriteBatch) -> None:
        page = _encode_page(_Page(self._of, self.packed.held, self.book))
        if not changes.is_empty() or page != self._written_page:
            changes.put(BOOK, page)
            self._database.write(changes)
            self._written_page = page


class _Rows(WriteBack[str, bytes]):
    """The rows, which know how many they are."""

    def __init__(self, database: Database, held: int, kept: int) -> None:
        super().__init__(database, ROWS, ROW_ENTRIES, kept)
        self.held = held

    def __setitem__(self, key: str, value: bytes) -> None:
        if key not in self:
            self.held += 1
        super().__setitem__(key, value)

    def __len__(self) -> int:
        return self.held


class _Database:
    """RocksDB, with errors that say what to do. One that met damage is not gone on with the next time."""

    def __init__(self, path: Path, options: Options) -> None:
        self.path = path
        try:
            # Of a database that is there, rocksdict heeds only the options that are named with its family.
            self._open = Rdict(str(path), options, column_families={FAMILY: options})
        except Exception as error:
            raise self._fault(error) from error

    def get(self, key: bytes, /) -> bytes | None:
        """The value of a key."""
        try:
            return self._open.get(key)
        except Exception as error:
            raise self._fault(error) from error

    def scan(self, prefix: bytes, /) -> Iterator[tuple[bytes, bytes]]:
        """The keys that begin so, in order, and their values."""
        bounds = ReadOptions()
        bounds.set_iterate_upper_bound(_after(prefix))
        try:
            at = self._open.iter(bounds)
            at.seek(prefix)
            while at.valid():
                yield at.key(), at.value()
                at.next()
            # Where it met damage it stops as at the end, and only tells who asks. `items()` does not ask.
            at.status()
        except Exception as error:
            raise self._fault(error) from error

    def write(self, changes: WriteBatch) -> None:
        """Write changes, all of them or none."""
        try:
            self._open.write(changes)
        except Exception as error:
            raise self._fault(error) from error

    def close(self) -> None:
        """Close it. RocksDB keeps it locked as long as one of its iterators lives."""
        self._open.close()

    def _fault(self, error: Exception) -> Exception:
        """What to raise for an error of RocksDB, which has one type for all of them."""
        if not str(error).startswith("Corruption"):
            return RocksError(f"{self.path}: {error}")
        with contextlib.suppress(OSError):
            (self.path / DAMAGED).touch()
        return DamagedError(f"{self.path}: {error}. When it is next opened, it begins anew.")


def _opened(path: Path, options: Options, of: str) -> _Database:
    """The database at a path, empty where what is there cannot be gone on with."""
    if (path / DAMAGED).exists():
        _delete(path)
    try:
        database = _Database(path, options)
        found = _found(database)
    except DamagedError as error:
        log.warning("a database is damaged; its rows are read again", error=str(error))
    else:
        if found in {of, None}:
            return database
        log.info("a database follows another changelog; it begins anew", path=str(path), found=found)
        database.close()
    _delete(path)
    return _Database(path, options)


def _found(database: _Database) -> str | None:
    """Which changelog a database follows; `None` if it is new."""
    try:
        page = database.get(BOOK)
        return None if page is None else _decode_page(page).of
    except msgspec.MsgspecError:
        return "something else"
    except DamagedError:
        database.close()
        raise


def _delete(path: Path) -> None:
    """Delete a database. It is moved away first, so that half of one is never found in its place."""
    discarded = path.with_name(path.name + DISCARDED)
    path.rename(discarded)
    shutil.rmtree(discarded)


def _after(prefix: bytes) -> bytes:
    """The first key after all that begin so. No prefix of ours ends in 0xFF."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _options(memory_bytes: int) -> Options:
    """How every database is kept: shared memory, and small files where there is little in it."""
    cache = Cache(memory_bytes)
    # Indexes, filters and what is not written yet count as blocks do, so that all of it is bounded. They
    # are in parts: the cache keeps nothing larger than one of its shards, and would read that each time.
    blocks = BlockBasedOptions()
    blocks.set_block_cache(cache)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    blocks.set_bloom_filter(BLOOM_BITS, False)
    blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_pin_top_level_index_and_filter(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_manager(
        WriteBufferManager.new_write_buffer_manager_with_cache(memory_bytes // WRITE_SHARE, False, cache)
    )
    options.set_compression_type(DBCompressionType.lz4())
    options.set_bottommost_compression_type(DBCompressionType.zstd())
    # In levels, all of a partition would be written again each time a few files were added to it.
    options.set_compaction_style(DBCompactionStyle.universal())
    options.set_level_zero_file_num_compaction_trigger(RUNS)
    options.set_max_open_files(MAX_OPEN_FILES)
    # By default they are in 64 shards, each of which keeps one of so few: of two that fall into the same,
    # each closes the other, and is opened anew by the next read, with all of its indexes and filters.
    options.set_table_cache_num_shard_bits(0)
    options.set_keep_log_file_num(2)
    options.set_stats_dump_period_sec(0)
    return options


_encode_page = msgspec.msgpack.Encoder().encode
_decode_page = msgspec.msgpack.Decoder(_Page).decode
