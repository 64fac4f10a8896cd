"""Which partition a key belongs to: as the default partitioner of the Java client and aiokafka has it.

librdkafka's own default is another; its producers say `partitioner=murmur2_random`.
"""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key (murmur2, as in the Java client, librdkafka's `murmur2` and aiokafka)."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


ON_EVERY_PARTITION = ("on-every-partition", b"1")
"""A header on events of the organisation: copies stand on every partition, and need not be made."""
