"""Which partition a key belongs to: the same answer as every Kafka client's default partitioner."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key (murmur2, as in the Java client, librdkafka's `murmur2` and aiokafka)."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions
