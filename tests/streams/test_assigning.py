"""Who gets which partitions: each goes to one, all have as many, and what is held somewhere stays there."""

from types import SimpleNamespace
from typing import Any

from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from faust.assignor.client_assignment import ClientAssignment, ClientMetadata
from hypothesis import given
from hypothesis import strategies as st

from streams.assigning import HoldingAssignor, shared_out

members = st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True)
counts = st.integers(1, 24)


@st.composite
def groups(draw: st.DrawFn) -> tuple[int, dict[str, dict[int, int]]]:
    """Partitions, and workers that hold some of each."""
    count = draw(counts)
    held = st.dictionaries(st.integers(0, count - 1), st.integers(0, 5))
    return count, {member: draw(held) for member in draw(members)}


@given(groups())
def test_every_partition_goes_to_one_and_all_have_as_many(
    group: tuple[int, dict[str, dict[int, int]]],
) -> None:
    """Or one more; whatever was held, and in whatever order they joined."""
    count, held = group
    shares = shared_out(count, held)
    assert shares == shared_out(count, dict(reversed(held.items())))
    assert shares.keys() == held.keys()
    assert sorted(partition for share in shares.values() for partition in share) == [*range(count)]
    sizes = [len(share) for share in shares.values()]
    assert max(sizes) - min(sizes) <= 1


@given(groups(), st.data())
def test_whoever_is_furthest_keeps_what_they_have(
    group: tuple[int, dict[str, dict[int, int]]], data: st.DataObject
) -> None:
    """Others may have what they had of it before: nothing moves where nothing must."""
    count, held = group
    owners = shared_out(count, {member: {} for member in held})
    now = {
        member: older | {partition: data.draw(st.integers(6, 9)) for partition in owners[member]}
        for member, older in held.items()
    }
    assert shared_out(count, now) == owners


def test_whoever_comes_back_has_what_is_on_their_disk() -> None:
    """The other, who had all meanwhile and is ahead in everything, keeps what nobody else has."""
    everything = dict.fromkeys(range(8), 1_000)
    back = dict.fromkeys([1, 2, 5, 6], 900)
    assert shared_out(8, {"a": everything, "b": back}) == {"a": {0, 3, 4, 7}, "b": {1, 2, 5, 6}}


def test_where_one_goes_the_others_keep_theirs() -> None:
    """And share what it had."""
    held = {"a": dict.fromkeys([0, 1, 2], 9), "b": dict.fromkeys([3, 4, 5], 9)}
    shares = shared_out(9, held)
    assert shares["a"] > {0, 1, 2}
    assert shares["b"] > {3, 4, 5}


class Installation:
    """Two topics of as many partitions, and workers of them as the group's leader hears of them."""

    topics = ("crm.deals", "malvakt-objects-changelog")

    def __init__(self, partitions: int) -> None:
        self._cluster: Any = SimpleNamespace(partitions_for_topic=lambda _: set(range(partitions)))

    def assignor(self, url: str, taken_in: dict[int, int]) -> HoldingAssignor:
        app: Any = SimpleNamespace(
            tables=SimpleNamespace(data={}, changelog_topics={self.topics[1]}),
            conf=SimpleNamespace(canonical_url=url),
            taken_in=lambda: taken_in,
            tracer=None,
        )
        return HoldingAssignor(app)

    def shares(self, told: dict[str, ConsumerProtocolMemberMetadata]) -> dict[str, set[int]]:
        """Who gets what, by what each is told: of every topic the same."""
        assigned = self.assignor("leader", {})._perform_assignment(self._cluster, told)
        shares: dict[str, set[int]] = {}
        for member, assignment in assigned.items():
            by_topic = {topic: set(partitions) for topic, partitions in assignment.assignment}
            assert set(by_topic) == set(self.topics)
            assert len({frozenset(partitions) for partitions in by_topic.values()}) == 1
            shares[member] = by_topic[self.topics[0]]
            self.assignor(member, {}).on_assignment(assignment)
        return shares


def test_what_workers_tell_is_what_they_are_given() -> None:
    """Through Faust's own protocol, of all topics alike."""
    installation = Installation(4)
    held = {"a": {0: 50, 3: 50}, "b": {1: 9, 2: 9, 3: 49}}
    told = {
        member: installation.assignor(member, taken_in).metadata(set(installation.topics))
        for member, taken_in in held.items()
    }
    assert installation.shares(told) == {"a": {0, 3}, "b": {1, 2}}


def test_beside_workers_that_tell_nothing_nobody_loses_what_they_have() -> None:
    """Those of an earlier version say only what they were given."""
    installation = Installation(4)
    had = ClientAssignment(actives={topic: [2, 3] for topic in installation.topics}, standbys={})
    old = ClientMetadata(assignment=had, url="old", changelog_distribution={})
    told = {
        "new": installation.assignor("new", {}).metadata(set(installation.topics)),
        "old": ConsumerProtocolMemberMetadata(4, list(installation.topics), old.dumps()),
    }
    assert installation.shares(told) == {"new": {0, 1}, "old": {2, 3}}
