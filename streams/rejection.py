"""Rejected records: the original bytes go to `crm.rejected`, the reason travels in headers.

Once somebody has mended one and sent it again, or has seen to it otherwise, a mark says so there, under the
same key. Nothing is taken out: what came in stays as it came.
"""

from collections.abc import AsyncIterator, Container
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from schemas.decoding import Reason
from schemas.topics import REJECTED
from streams.delivery import Delivery, Outgoing
from streams.partitioning import partition_of
from streams.reading import read_to_end
from streams.settings import Settings

KEPT_BYTES = 4 * 1024 * 1024
"""A compressed record may unpack to any size; beyond this only its beginning is kept, and said so."""
Mark = Literal["sent", "seen"]
"""The header of a mark: when a mended one was sent, or when somebody said that there is nothing to send."""


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


class _Marked(NamedTuple):
    key: str
    mark: Mark
    at: datetime


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
    seen: dict[str, datetime] = {}
    async for marked in read_to_end(settings, REJECTED.name, _marked):
        if marked is not None and marked.mark == "seen" and with_seen:
            seen[marked.key] = marked.at
        elif marked is not None:
            passed.add(marked.key)
    async for found in read_to_end(settings, REJECTED.name, _found):
        # A partition that is read anew puts the same records aside once more.
        if found is not None and found.key not in passed:
            passed.add(found.key)
            yield found._replace(seen=seen.get(found.key))


async def mark(settings: Settings, delivery: Delivery, as_: Mark, keys: list[str], now: datetime) -> None:
    """Note what became of these: they are listed no more."""
    topic = settings.topic(REJECTED.name)
    partitions = await delivery.partitions(topic)
    headers = [(as_, now.isoformat().encode())]
    await delivery.write(
        [Outgoing(topic, partition_of(key, partitions), key, None, headers) for key in keys]
    )


def _marked(record: Any) -> _Marked | None:
    as_ = _mark_of({name for name, _ in record.headers})
    return None if as_ is None else _Marked(_key(record), as_, _at(record))


def _mark_of(headers: Container[str]) -> Mark | None:
    if "sent" in headers:
        return "sent"
    return "seen" if "seen" in headers else None


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
