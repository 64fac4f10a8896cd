"""Mappings over a database: what is set stays in memory until it is flushed with everything else.

Reads go through what was set, through values that were read or written lately, and to the database.
Between two flushes the database holds what it held at the last one, and so does a mapping made anew.
"""

from collections.abc import ItemsView, Iterable, Iterator, MutableMapping
from itertools import islice
from typing import Any, Protocol, TypeVar

from streams.holding import Entries

Key = TypeVar("Key")
Value = TypeVar("Value")

_REF_BYTES = 4


class Database(Protocol):
    """What is asked of a database: byte strings by byte strings, in order."""

    def get(self, key: bytes, /) -> bytes | None:
        """The value of a key."""
        ...

    def scan(self, prefix: bytes, /) -> Iterator[tuple[bytes, bytes]]:
        """The keys that begin so, in order, and their values."""
        ...


class Changes(Protocol):
    """What is written in one go."""

    def put(self, key: bytes, value: bytes, /) -> None:
        """Set a value."""
        ...

    def delete(self, key: bytes, /) -> None:
        """Delete a value."""
        ...


class _Items(ItemsView[Key, Value]):
    """All entries, read in one go rather than key by key."""

    _mapping: "WriteBack[Key, Value]"

    def __iter__(self) -> Iterator[tuple[Key, Value]]:
        return self._mapping.entries()


class WriteBack(MutableMapping[Key, Value]):
    """A mapping whose entries are in a database, under a prefix."""

    def __init__(
        self, database: Database, prefix: bytes, entries: Entries[Key, Value], kept_entries: int
    ) -> None:
        self._database = database
        self._prefix = prefix
        self._entries = entries
        self._kept_entries = kept_entries
        self._known: dict[Key, Value | None] = {}
        """Values that were set, or read or written lately; `None` where there is none."""
        self._changed: dict[Key, None] = {}

    def get(self, key: Key, default: Any = None, /) -> Any:
        """The value of a key, and the same object again until the next flush."""
        try:
            value = self._known[key]
        except KeyError:
            written = self._database.get(self._prefix + self._entries.key(key))
            value = self._known[key] = None if written is None else self._entries.value_of(written)
        return default if value is None else value

    def __getitem__(self, key: Key) -> Value:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return self.get(key) is not None  # pyright: ignore[reportArgumentType]

    def __setitem__(self, key: Key, value: Value) -> None:
        self._known[key] = value
        self._changed[key] = None

    def __delitem__(self, key: Key) -> None:
        self[key]
        self._known[key] = None
        self._changed[key] = None

    def entries(self) -> Iterator[tuple[Key, Value]]:
        """All entries, in no particular order."""
        key_of, value_of, length = self._entries.key_of, self._entries.value_of, len(self._prefix)
        for written, value in self._database.scan(self._prefix):
            key = key_of(written[length:])
            if key not in self._changed:
                yield key, value_of(value)
        for key in self._changed:
            value = self._known[key]
            if value is not None:
                yield key, value

    def items(self) -> ItemsView[Key, Value]:
        """All entries."""
        return _Items(self)

    def __iter__(self) -> Iterator[Key]:
        return (key for key, _ in self.entries())

    def __len__(self) -> int:
        """How many there are. That is counted, one by one."""
        return sum(1 for _ in self)

    def flush(self, changes: Changes) -> None:
        """Hand over what was set, and remember what was used last."""
        known, prefix = self._known, self._prefix
        key_bytes, value_bytes = self._entries.key, self._entries.value
        for key in self._changed:
            value = known.pop(key)
            if value is None:
                changes.delete(prefix + key_bytes(key))
            else:
                changes.put(prefix + key_bytes(key), value_bytes(value))
            # Behind all that was read: what is forgotten first is what was longest not written.
            known[key] = value
        self._changed.clear()
        for key in list(islice(known, max(0, len(known) - self._kept_entries))):
            del known[key]


class WriteBackNaming:
    """Who names whom, an entry for each: someone whom 100,000 objects name is not one huge value."""

    def __init__(self, database: Database, prefix: bytes) -> None:
        self._database = database
        self._prefix = prefix
        self._added: dict[str, dict[str, None]] = {}

    def add(self, ref: str, key: str, /) -> None:
        """An object names a row that it did not name before."""
        self._added.setdefault(ref, {})[key] = None

    def of(self, ref: str, /) -> Iterable[str]:
        """The keys of the objects that name a row."""
        prefix = self._start(ref)
        added = self._added.get(ref, {})
        if self._database.get(prefix) is not None:
            for entry, _ in self._database.scan(prefix):
                key = entry[len(prefix) :].decode()
                # The first is only the mark: no row has an empty key.
                if key and key not in added:
                    yield key
        yield from added

    def flush(self, changes: Changes) -> None:
        """Hand over what was added."""
        for ref, keys in self._added.items():
            prefix = self._start(ref)
            # A mark that somebody names it. Mostly nobody does yet; that a key is not there RocksDB knows
            # from its filters, but to see that nothing begins so it looks into every file.
            changes.put(prefix, b"")
            for key in keys:
                changes.put(prefix + key.encode(), b"")
        self._added.clear()

    def _start(self, ref: str) -> bytes:
        # The length in front keeps one row's entries from being found among those of another.
        name = ref.encode()
        return self._prefix + len(name).to_bytes(_REF_BYTES) + name
