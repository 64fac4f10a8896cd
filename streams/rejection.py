"""Rejected records: the original bytes go to `crm.rejected`, the reason travels in headers."""

from typing import Any

from schemas.decoding import Reason
from streams.delivery import Outgoing
from streams.partitioning import partition_of


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
    return Outgoing(
        topic,
        partition_of(key, partitions),
        key.encode(),
        record.value,
        [(name, value.encode()) for name, value in headers.items()],
    )
