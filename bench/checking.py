"""Whether a contender's output is right: every window of every scope, against what the input says."""

from collections.abc import Callable, Iterator, Mapping

from confluent_kafka import Consumer, Message, TopicPartition

from bench.contenders import Output
from bench.standard_load import Total

MESSAGES = 10_000
POLL_S = 1.0
REQUEST_S = 30.0


def wrong_windows(
    broker: str, topic: str, decode: Callable[[bytes], Output], expected: Mapping[str, Total]
) -> dict[str, tuple[Total | None, Total]]:
    """The windows whose latest record is missing or wrong: what it says, and what is right."""
    found: dict[str, Output] = {}
    for message in _all_of(broker, topic):
        key, value = message.key(), message.value()
        assert key is not None
        assert value is not None
        name = key.decode()
        # Others count more than was asked for: Målvakt has a window for all time too.
        if name in expected:
            output = decode(value)
            known = found.get(name)
            if known is None or output.revision >= known.revision:
                found[name] = output
    totals = {name: output.total for name, output in found.items()}
    return {
        name: (totals.get(name), right) for name, right in expected.items() if totals.get(name) != right
    }


def _all_of(broker: str, topic: str) -> Iterator[Message]:
    consumer = Consumer(
        {"bootstrap.servers": broker, "group.id": "bench-check", "enable.auto.commit": False}
    )
    try:
        numbers = consumer.list_topics(topic, REQUEST_S).topics[topic].partitions
        left = 0
        starts: list[TopicPartition] = []
        for number in numbers:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), REQUEST_S)
            starts.append(TopicPartition(topic, number, low))
            left += high - low
        consumer.assign(starts)
        while left > 0:
            messages = consumer.consume(MESSAGES, POLL_S)
            left -= len(messages)
            yield from messages
    finally:
        consumer.close()
