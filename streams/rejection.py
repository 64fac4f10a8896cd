"""Rejected records: the original bytes go to `crm.rejected`, the reason travels in headers."""

from typing import Any

from schemas.decoding import Reason
from streams.delivery import Outgoing
from streams.partitioning import partition_of

KEPT_BYTES = 4 * 1024 * 1024
"""A compressed record may unpack to any size; beyond this only its beginning is kept, and said so."""


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
