"""Which worker gets which partitions: those of which it holds most, on disk or in memory.

Stock Faust leaves partitions where they are for as long as their worker lives, and takes any away where a
worker has too many (`assignor/copartitioned_assignor.py`, `unassign_extras`). A worker that comes back
would get other partitions than those it has on its disk, and read all of their history again.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, cast

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from faust.assignor.partition_assignor import PartitionAssignor

Held = Mapping[int, int]
"""By partition: how much of it a worker has taken in, in records of its changelogs."""


def shared_out(count: int, held: Mapping[str, Held]) -> dict[str, set[int]]:
    """Which of so many partitions each member gets: as many as all others, or one more.

    The partition comes first that is costliest to have elsewhere: whose best place is furthest ahead of its
    second best. So what somebody holds alone stays there, and what two hold goes where there is room.
    """
    members = sorted(held)
    each, more = divmod(count, len(members))
    shares: dict[str, set[int]] = {member: set() for member in members}

    def has_room(member: str) -> bool:
        has = len(shares[member])
        return has < each or (has == each and sum(len(share) > each for share in shares.values()) < more)

    left = set(range(count))
    while left:
        open_to = [member for member in members if has_room(member)]

        def places(partition: int, open_to: list[str] = open_to) -> list[tuple[int, int, str]]:
            """Best first: where most of it is held, then where fewest partitions are."""
            return sorted(
                (-held[member].get(partition, 0), len(shares[member]), member) for member in open_to
            )

        def cost_elsewhere(partition: int) -> tuple[int, int]:
            best, *others = places(partition)
            return (others[0][0] if others else 0) - best[0], -partition

        partition = max(left, key=cost_elsewhere)
        shares[places(partition)[0][2]].add(partition)
        left.remove(partition)
    return shares


class Told(ClientMetadata, serializer="json", include_metadata=False, namespace="@ClientMetadata"):
    """What a worker tells of itself when it joins the group."""

    # JSON has texts as keys. None is told by workers of a version that had no such thing to tell.
    held: Mapping[str, int] | None = None


class HoldingAssignor(PartitionAssignor):
    """Faust's assignor, which gives partitions to those who hold them."""

    def metadata(self, topics: Any) -> ConsumerProtocolMemberMetadata:
        """What this worker tells of itself."""
        held: Held = cast(Any, self.app).taken_in()
        of_faust = self._metadata
        told = Told(
            assignment=of_faust.assignment,
            url=of_faust.url,
            changelog_distribution=of_faust.changelog_distribution,
            external_topic_distribution=of_faust.external_topic_distribution,
            topic_groups=of_faust.topic_groups,
            held={str(partition): much for partition, much in held.items()},
        )
        return ConsumerProtocolMemberMetadata(self.version, list(topics), told.dumps())

    def _perform_assignment(
        self, cluster: ClusterMetadata, member_metadata: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> MutableMapping[str, ConsumerProtocolMemberAssignment]:
        told = {
            member: cast(Told, Told.loads(metadata.user_data))
            for member, metadata in member_metadata.items()
        }
        held = {
            member: {int(partition): much for partition, much in each.held.items()}
            for member, each in told.items()
            if each.held is not None
        }
        topics = {topic for metadata in member_metadata.values() for topic in metadata.subscription}
        counts = {len(cluster.partitions_for_topic(topic) or ()) for topic in topics}
        alike = all(set(metadata.subscription) == topics for metadata in member_metadata.values())
        if len(counts) != 1 or not alike or len(held) < len(told):
            # Workers of two versions, while one takes the place of the other.
            return super()._perform_assignment(cluster, cast(Any, member_metadata))
        self._update_member_urls(cast(Any, told))
        shares = shared_out(counts.pop(), held)
        assignments: dict[str, ClientAssignment] = {
            member: ClientAssignment(actives={topic: sorted(share) for topic in topics}, standbys={})
            for member, share in shares.items()
        }
        return self._protocol_assignments(
            assignments,
            self._get_changelog_distribution(assignments),
            self._get_external_topic_distribution(assignments),
            dict.fromkeys(topics, 0),
        )
