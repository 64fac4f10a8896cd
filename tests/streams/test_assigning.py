"""Who gets which partitions: each goes to one, all have as many, and what is held somewhere stays there."""

from hypothesis import given
from hypothesis import strategies as st

from streams.assigning import shared_out

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
