"""How much a fetch takes of each partition, when more is there than one batch may have."""

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.sharing import (
    BATCH_S,
    FIRST_RECORDS,
    FOLD_S,
    LEAST_RECORDS,
    LEAST_SHARE,
    MOST_RECORDS,
    Sharing,
)
from streams.worker import REBALANCE_S

DEALS, LEADS, LINKS = TP("crm.deals", 0), TP("crm.leads", 0), TP("crm.links", 0)
EVERYONE = [DEALS, LEADS, LINKS]


def sharing(most: int | None = None) -> Sharing:
    """Two topics that are read in step, and what follows from them; a batch may have so many records."""
    groups = {"crm.deals": "ledger", "crm.leads": "ledger", "crm.links": "ledger"}
    found = Sharing(groups, {"crm.deals", "crm.leads"})
    if most is not None:
        found.note_fold("ledger", most, FOLD_S)
    return found


def test_topics_that_tell_in_step_come_to_their_ends_together() -> None:
    """Of each partition as it is behind, and of what follows from them as much as of all of these."""
    shared = sharing(most=2_400)
    shared.note_lags({DEALS: 3_000, LEADS: 9_000, LINKS: 50_000})
    assert shared.shares(EVERYONE, EVERYONE) == {DEALS: 300, LEADS: 900, LINKS: 1_200}
    assert shared.shares([DEALS], EVERYONE) == {DEALS: 600}, "the others come with the next fetch"


def test_what_one_topic_has_not_the_others_may_have() -> None:
    """A batch is full of events where hardly any links are there, and the other way round."""
    shared = sharing(most=2_400)
    shared.note_lags({DEALS: 9_000, LINKS: 400})
    assert shared.shares([DEALS, LINKS], [DEALS, LINKS])[DEALS] == 2_000
    shared.note_lags({DEALS: 400, LINKS: 9_000})
    assert shared.shares([DEALS, LINKS], [DEALS, LINKS])[LINKS] == 2_000


def test_what_is_nearly_up_to_date_is_not_kept_waiting() -> None:
    """Though others are far behind; and where nobody is, all take as much."""
    shared = sharing(most=1_000)
    both = [DEALS, LEADS]
    shared.note_lags({DEALS: 1, LEADS: 1_000_000})
    assert shared.shares(both, both) == {DEALS: LEAST_SHARE, LEADS: 999}
    shared.note_lags({DEALS: 0, LEADS: 0})
    assert shared.shares(both, both) == {DEALS: 500, LEADS: 500}
    shared.forget_lags()
    assert shared.shares(both, both) == {DEALS: LEAST_SHARE, LEADS: LEAST_SHARE}


@given(
    st.dictionaries(st.sampled_from(EVERYONE), st.integers(0, 10**6)),
    st.sets(st.sampled_from(EVERYONE), min_size=1),
    st.integers(LEAST_RECORDS, MOST_RECORDS),
)
def test_no_batch_has_more_than_it_may(lags: dict[TP, int], waiting: set[TP], most: int) -> None:
    """But for the least that is taken of each partition; and of none it takes nothing."""
    shared = sharing(most)
    shared.note_lags(lags)
    shares = shared.shares(waiting, EVERYONE)
    assert shares.keys() == waiting
    assert min(shares.values()) >= LEAST_SHARE
    have = {tp: min(share, lags[tp]) if lags.get(tp) else 0 for tp, share in shares.items()}
    assert sum(have.values()) <= most + len(waiting) * LEAST_SHARE


def test_a_batch_has_no_more_than_can_be_folded_in_time() -> None:
    """By what the last one took that took long; however long or short that was, within bounds."""
    shared = sharing()
    assert shared.most("ledger") == FIRST_RECORDS
    for took_s, most in ((2.0, 2_500 * FOLD_S), (0.5, 10_000 * FOLD_S), (0.01, 10_000 * FOLD_S)):
        shared.note_fold("ledger", 5_000, took_s)
        assert shared.most("ledger") == most
    shared.note_fold("ledger", 10**6, 0.5)
    assert shared.most("ledger") == MOST_RECORDS
    shared.note_fold("ledger", 1, 10.0)
    assert shared.most("ledger") == LEAST_RECORDS


def test_the_more_partitions_are_behind_the_longer_a_batch_may_take() -> None:
    """Of each it may take as long as of one alone, up to what all may together."""
    shared = Sharing({"crm.deals": "ledger", "crm.leads": "ledger"}, ())
    shared.note_fold("ledger", 1_000, 1.0)
    partitions = [TP(topic, number) for topic in ("crm.deals", "crm.leads") for number in range(4)]
    took_s: list[float] = []
    for number in range(4):
        shared.note_lags({tp: int(tp.partition <= number) for tp in partitions})
        took_s.append(shared.most("ledger") / 1_000)
    assert took_s == [FOLD_S, 2 * FOLD_S, BATCH_S, BATCH_S]


def test_what_is_left_is_known_by_group_and_topic() -> None:
    """As of when each partition was last fetched."""
    shared = sharing()
    shared.note_lags({DEALS: 5, LINKS: 7})
    shared.note_lags({DEALS: 3})
    assert (shared.left("ledger"), shared.left_of("crm.deals"), shared.left("goals")) == (10, 3, 0)


def test_what_is_in_work_is_done_before_partitions_change_hands() -> None:
    """A batch of events and one of partials, and as long again to write what follows."""
    assert 2 * 2 * BATCH_S < REBALANCE_S
