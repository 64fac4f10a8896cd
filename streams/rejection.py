"""Rejected records: the original bytes go to `crm.rejected`, the reason travels in headers.

Once somebody has mended one and sent it again, or has seen to it otherwise, a mark says so there, under the
same key, and another may take that back. Nothing is taken out: what came in stays as it came.
"""

from collections.abc import AsyncIterator, Container
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, get_args

from schemas.decoding import Reason
from schemas.topics import REJECTED
from streams.delivery import Delivery, Outgoing
from streams.partitioning import partition_of
from streams.reading import read_to_end
from streams.settings import Settings

KEPT_BYTES = 4 * 1024 * 1024
"""A compressed record may unpack to any size; beyond this only its beginning is kept, and said so."""
Mark = Literal["sent", "seen", "unseen"]
"""The header of a mark: when a mended one was sent, or somebody said that there is nothing to send, or that
there is after all."""


class Rejected(NamedTuple):
    """A record that was no valid event, and why."""

    key: str
    """Where it stood: topic/partition/offset."""
    at: datetime
    """When it was put aside."""
    reason: str
    path: str
    sentence: str
    value: bytes
    truncated: str | None
    """What of it is kept, where that is not all."""
    seen: datetime | None = None
    """When it was seen to."""
    seen_by: str | None = None
    """Who did, if that was said."""


class _Marked(NamedTuple):
    key: str
    mark: Mark
    at: datetime
    by: str | None


def rejected(record: Any, reason: Reason, topic: str, partitions: int) -> Outgoing:
    """The rejected record of a fetched one. Its key says where it stood, so that twice is once."""
    key = f"{record.topic}/{record.partition}/{record.offset}"
    headers = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "key": (record.key or b"").decode(errors="replace"),
        "reason": reason.code.value,
        "path": reason.path,
        "sentence": reason.sentence,
    }
    kept = record.value
    if kept is not None and len(kept) > KEPT_BYTES:
        headers["truncated"] = f"the first {KEPT_BYTES} of {len(kept)} bytes"
        kept = kept[:KEPT_BYTES]
    return Outgoing(
        topic,
        partition_of(key, partitions),
        key,
        kept,
        [(name, value.encode()) for name, value in headers.items()],
    )


async def read_rejected(settings: Settings, *, with_seen: bool = False) -> AsyncIterator[Rejected]:
    """The rejected records that wait for somebody, each once, partition by partition.

    Nobody has sent a mended one of them, nor seen to them; `with_seen` has what was seen to, too.

    Raises:
        NoSuchTopicError: no worker ever ran.
    """
    # Marks may stand after what they are about, and records are too large to keep them all meanwhile.
    passed: set[str] = set()
    seen: dict[str, _Marked] = {}
    async for marked in read_to_end(settings, REJECTED.name, _marked):
        if marked is None:
            continue
        if marked.mark == "sent":
            passed.add(marked.key)
        elif marked.mark == "seen":
            seen[marked.key] = marked
        else:
            seen.pop(marked.key, None)
    if not with_seen:
        passed.update(seen)
    async for found in read_to_end(settings, REJECTED.name, _found):
        # A partition that is read anew puts the same records aside once more.
        if found is not None and found.key not in passed:
            passed.add(found.key)
            sight = seen.get(found.key)
            yield found if sight is None else found._replace(seen=sight.at, seen_by=sight.by)


async def mark(
    settings: Settings, delivery: Delivery, as_: Mark, keys: list[str], now: datetime, by: str | None = None
) -> None:
    """Note what became of these, and who says so: they are listed no more, or again."""
    topic = settings.topic(REJECTED.name)
    partitions = await delivery.partitions(topic)
    headers = [(as_, now.isoformat().encode())]
    if by is not None:
        headers.append(("by", by.encode()))
    await delivery.write(
        [Outgoing(topic, partition_of(key, partitions), key, None, headers) for key in keys]
    )


def _marked(record: Any) -> _Marked | None:
    headers: dict[str, bytes] = dict(record.headers)
    as_ = _mark_of(headers)
    by = headers.get("by")
    said_by = None if by is None else by.decode(errors="replace")
    return None if as_ is None else _Marked(_key(record), as_, _at(record), said_by)


def _mark_of(headers: Container[str]) -> Mark | None:
    marks: tuple[Mark, ...] = get_args(Mark)
    return next((as_ for as_ in marks if as_ in headers), None)


def _found(record: Any) -> Rejected | None:
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    if _mark_of(headers) is not None:
        return None
    return Rejected(
        _key(record),
        _at(record),
        headers.get("reason", ""),
        headers.get("path", ""),
        headers.get("sentence", ""),
        record.value or b"",
        headers.get("truncated"),
    )


def _at(record: Any) -> datetime:
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def _key(record: Any) -> str:
    key: bytes = record.key or b""
    return key.decode(errors="replace")
