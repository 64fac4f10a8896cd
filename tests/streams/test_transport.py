"""The batch transport's account of offsets, beside what stock Faust does in the same situation."""

import asyncio
from collections import defaultdict
from time import monotonic
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st
from intervaltree import IntervalTree

from streams import metrics
from streams.sharing import FIRST_RECORDS, Sharing
from streams.transport import (
    BEHIND_RECORDS,
    MAX_REST_S,
    Consumer,
    ConsumerThread,
    Fetched,
    OffsetAccount,
    Slice,
)

DEALS = TP("crm.deals", 0)
LEADS = TP("crm.leads", 0)


def records(first: int, count: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in range(first, first + count)]


def fetched(first: int, count: int, tp: TP = DEALS) -> Fetched:
    return Fetched([Slice(tp, records(first, count))])


def stock_consumer() -> Any:
    """Stock Faust's consumer, with just what its offset arithmetic uses."""
    consumer: Any = driver.Consumer.__new__(driver.Consumer)
    consumer._acked = defaultdict(list)
    consumer._acked_index = defaultdict(set)
    consumer._gap = defaultdict(IntervalTree)
    consumer._committed_offset = defaultdict(lambda: None)
    return consumer


def test_stock_faust_commits_past_work_in_flight() -> None:
    """faust-streaming issue 606: 31 is in work, 32 and 33 are done, and 34 is committed."""
    consumer = stock_consumer()
    consumer._committed_offset[DEALS] = 31
    consumer._acked[DEALS] = [32, 33]
    assert driver.Consumer._new_offset(consumer, DEALS) == 34


def test_only_the_contiguous_finished_prefix_is_committed() -> None:
    """In the same situation nothing is committed until the first slice is finished too."""
    account = OffsetAccount()
    first, second = fetched(31, 1), fetched(32, 2)
    account.note(first)
    account.note(second)
    second.finish()
    assert account.committable(DEALS) is None
    first.finish()
    assert account.committable(DEALS) == 34
    assert account.committable(DEALS) is None


def test_a_fetch_of_several_partitions_is_finished_in_all_of_them() -> None:
    """One batch, one barrier: each partition's offset moves."""
    account = OffsetAccount()
    both = Fetched([Slice(DEALS, records(5, 2)), Slice(LEADS, records(0, 1))])
    account.note(both)
    both.finish()
    assert account.committable(DEALS) == 7
    assert account.committable(LEADS) == 1


def test_what_moved_away_is_forgotten() -> None:
    """A slice that finishes after its partition moved commits nothing."""
    account = OffsetAccount()
    late = fetched(0, 3)
    account.note(late)
    account.forget([DEALS])
    late.finish()
    assert account.committable(DEALS) is None
    assert account.partitions() == []


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_slices_may_finish_in_any_order(counts: list[int], random: Any) -> None:
    """What is committed never passes an unfinished slice, and in the end is everything."""
    account = OffsetAccount()
    slices: list[tuple[int, Fetched]] = []
    end = 0
    for count in counts:
        one = fetched(end, count)
        account.note(one)
        slices.append((end, one))
        end += count
    committed = 0
    for _, one in random.sample(slices, len(slices)):
        one.finish()
        committed = account.committable(DEALS) or committed
        unfinished = [start for start, each in slices if not each.finished]
        assert committed == min(unfinished, default=end)
    assert committed == end


def batch_consumer() -> Any:
    consumer: Any = Consumer.__new__(Consumer)
    consumer.account = OffsetAccount()
    consumer._groups = {"crm.deals": "ledger"}
    consumer._in_hand = {"ledger": set()}
    consumer._rests = {}
    consumer._followers = {}
    consumer._rested = {}
    consumer.sharing = Sharing(consumer._groups, ())
    consumer._room = SimpleNamespace(set=lambda: None)
    consumer._unacked_messages = set()
    consumer._waiting_for_ack = None
    return consumer


class FakeMessage:
    def __init__(self, value: Fetched) -> None:
        self.value = value
        self.topic = "crm.deals"
        self.acked = False


def test_a_batch_that_was_skipped_in_a_rebalance_is_not_committed() -> None:
    """Stock Faust acknowledges what it skips (`Stream._py_aiter`); here only finished work counts."""
    consumer = batch_consumer()
    skipped = fetched(0, 10)
    consumer.account.note(skipped)
    consumer.ack(FakeMessage(skipped))
    assert consumer._new_offset(DEALS) is None


def test_a_finished_batch_makes_room_for_the_next_fetch() -> None:
    """Acknowledged once, however often it is said."""
    consumer = batch_consumer()
    done = fetched(0, 10)
    consumer.account.note(done)
    consumer._in_hand["ledger"].add(done)
    done.finish()
    message = FakeMessage(done)
    assert consumer.ack(message)
    assert not consumer.ack(message)
    assert consumer._in_hand["ledger"] == set()
    assert consumer._new_offset(DEALS) == 10


def test_nothing_is_fetched_of_a_partition_that_is_not_ready() -> None:
    """Stock Faust clears the agents' queues after it resumed their partitions: a loss, mended here."""
    consumer = batch_consumer()
    other = TP("crm.deals", 1)
    consumer.app = SimpleNamespace(restorer=SimpleNamespace(ready={1}))
    assert [consumer._fetchable(tp) for tp in (DEALS, other)] == [False, True]
    consumer.app.restorer.ready.add(0)
    assert consumer._fetchable(DEALS)


def test_stock_faust_clears_queues_when_flow_resumes() -> None:
    """What the test above guards against: a message delivered before `resume` is gone after it."""

    async def run() -> int:
        app = faust.App("stock", broker="kafka://none")
        queue = app.topic("t").queue
        queue.put_nowait("delivered")
        app.flow_control.resume()
        return queue.qsize()

    assert asyncio.run(run()) == 0


def ready_consumer() -> Any:
    consumer = batch_consumer()
    consumer.app = SimpleNamespace(restorer=SimpleNamespace(ready={0}))
    return consumer


def test_a_group_with_two_fetches_in_hand_waits() -> None:
    """Memory stays bounded, and the next fetch is the larger for it."""
    consumer = ready_consumer()
    large = BEHIND_RECORDS
    consumer._in_hand["ledger"] = {fetched(0, large), fetched(large, large)}
    assert not consumer._fetchable(DEALS)
    consumer._in_hand["ledger"].pop()
    assert consumer._fetchable(DEALS)


def lags() -> dict[str, float]:
    [metric] = metrics.LAG.collect()
    return {sample.labels["topic"]: sample.value for sample in metric.samples}


def test_nothing_is_fetched_to_wait_behind_a_small_batch() -> None:
    """It is soon done, and all that comes until then is one batch, and not a part of it that waits."""
    consumer = ready_consumer()
    consumer._in_hand["ledger"] = {fetched(0, BEHIND_RECORDS - 1)}
    assert not consumer._fetchable(DEALS)
    consumer._in_hand["ledger"].clear()
    assert consumer._fetchable(DEALS)


def test_a_group_rests_after_a_batch_that_took_long() -> None:
    """What arrives meanwhile is taken together; after a quick one it goes on at once."""
    consumer = ready_consumer()
    consumer._rests = {"ledger": 1.0}
    quick, slow = fetched(0, 1), fetched(1, 1)
    consumer.ack(FakeMessage(quick))
    assert consumer._fetchable(DEALS)
    slow.handed_over_s -= 60
    consumer.ack(FakeMessage(slow))
    rest_s = consumer._rested["ledger"] - monotonic()
    assert MAX_REST_S - 0.1 < rest_s <= MAX_REST_S
    assert consumer._fetchable(DEALS), "nobody else makes use of the time"
    consumer._in_hand["scorecard"] = {fetched(0, 1)}
    assert not consumer._fetchable(DEALS)


def test_records_of_a_partition_that_is_not_ready_are_given_back() -> None:
    """aiokafka may answer a fetch from before a rebalance with records of the assignment after it."""
    consumer = ready_consumer()
    consumer.flow_active = True
    other = TP("crm.deals", 1)
    consumer._active_partitions = {DEALS, other}
    thread: Any = ConsumerThread.__new__(ConsumerThread)
    thread.consumer = consumer
    sought: list[tuple[TP, int]] = []
    fetcher = SimpleNamespace(seek_to=lambda tp, offset: sought.append((tp, offset)))
    found = {DEALS: records(5, 2), other: records(7, 3)}
    assert thread._given_back(fetcher, found) == {DEALS: found[DEALS]}
    assert sought == [(other, 7)]
    consumer.flow_active = False
    assert thread._given_back(fetcher, found) == {}


def test_a_group_does_not_rest_where_a_full_batch_is_there() -> None:
    """Nothing is gained by it, and what it is to do would pile up."""
    consumer = ready_consumer()
    consumer._in_hand["scorecard"] = {fetched(0, 1)}
    consumer._rested = {"ledger": monotonic() + 60}
    consumer.sharing.note_lags({DEALS: FIRST_RECORDS - 1})
    assert not consumer._fetchable(DEALS)
    consumer.sharing.note_lags({DEALS: FIRST_RECORDS})
    assert consumer._fetchable(DEALS)


def test_the_lag_of_partitions_that_moved_is_no_longer_this_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has them tells of it; here a topic that is read no more would wait for good."""

    async def nothing(*_: object) -> None:
        """Faust's own part, and the restorer's."""

    monkeypatch.setattr(driver.Consumer, "on_partitions_revoked", nothing)
    consumer = batch_consumer()
    consumer.app = SimpleNamespace(restorer=SimpleNamespace(pause=nothing))
    consumer.highwater = lambda _: 1_000
    consumer._note_lag([Slice(DEALS, records(0, 10)), Slice(LEADS, records(0, 10))])
    assert lags() == {"crm.deals": 990, "crm.leads": 990}
    asyncio.run(consumer.on_partitions_revoked({DEALS, LEADS}))
    assert lags() == {}
    consumer._note_lag([Slice(DEALS, records(10, 10))])
    assert lags() == {"crm.deals": 980}


def test_a_group_waits_for_the_one_that_follows() -> None:
    """When behind, figures are not to come after all events, but as these are read."""
    consumer = ready_consumer()
    consumer._followers = {"ledger": "scorecard"}
    consumer._in_hand["scorecard"] = {fetched(0, 1)}
    assert consumer._fetchable(DEALS)
    consumer._in_hand["scorecard"].add(fetched(1, 1))
    assert not consumer._fetchable(DEALS)
