"""Topics and groups of a benchmark: made for a run, and removed after it."""

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

REQUEST_S = 30.0


class Topics:
    """What a benchmark makes on a broker."""

    def __init__(self, broker: str) -> None:
        self._admin: Any = AdminClient({"bootstrap.servers": broker, "log_level": 0})

    def create_compacted(self, name: str, partitions: int) -> None:
        """Make a topic of which the latest by key is kept, as KPI records are."""
        topic = NewTopic(name, partitions, 1, config={"cleanup.policy": "compact"})
        for made in self._admin.create_topics([topic]).values():
            made.result(REQUEST_S)

    def delete(self, names: Iterable[str]) -> None:
        """Remove topics, with all that is in them."""
        there = self._names()
        doomed = [name for name in names if name in there]
        if doomed:
            for gone in self._admin.delete_topics(doomed).values():
                error = gone.exception(REQUEST_S)
                # A broker may list a topic for a moment after it is gone.
                if error is not None and not _is(error, KafkaError.UNKNOWN_TOPIC_OR_PART):
                    raise error

    def delete_all_of(self, part: str) -> None:
        """Remove every topic and group that has this in its name."""
        self.delete(name for name in self._names() if part in name)
        groups: list[Any] = self._admin.list_consumer_groups().result(REQUEST_S).valid or []
        doomed = [group.group_id for group in groups if part in group.group_id]
        if doomed:
            for gone in self._admin.delete_consumer_groups(doomed).values():
                # One whose member was killed goes once the broker has missed it: not worth a wait.
                gone.exception(REQUEST_S)

    def _names(self) -> set[str]:
        return set(self._admin.list_topics(timeout=REQUEST_S).topics)


def _is(error: BaseException, code: int) -> bool:
    return isinstance(error, KafkaException) and error.args[0].code() == code
