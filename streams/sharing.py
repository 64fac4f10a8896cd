"""How much a fetch takes of each partition, when more is there than one batch may have.

A batch is as large as can be folded in time, by how long the last one took: the larger it is, the less
often is a row or a figure written that changes again and again in it. And within it topics that tell of the
same time, as leads, deals and what was done for them, are read in step.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from faust.types import TP

FOLD_S = 8.0
"""How long the fold of one partition's part of a batch should take. Nothing else is done meanwhile, so that
a worker that is to stop may hear of it as much later (`streams.leaving`)."""
BATCH_S = 24.0
"""How long the fold of a batch should take at most. To write what follows takes as long again, and before
partitions change hands each agent ends what it has in work (`streams.worker.REBALANCE_S`)."""
QUICK_S = 0.1
"""What is folded so quickly says little of how long more of it would take."""
MOST_RECORDS = 120_000
"""How many records a batch has at most, however quickly they are folded: they are all in memory."""
FIRST_RECORDS = 10_000
"""How many records a group's first batch may have, of which nobody knows how long it takes."""
LEAST_RECORDS = 1_000
"""How many records a batch may have, however long the last one took."""
LEAST_SHARE = 100
"""How many records are taken of a partition that has them, however little it is behind beside others."""

Kind = tuple[str, str]
"""A group of topics, and one in it; none, for those that are read in step."""


class Sharing:
    """What is known of how far partitions are behind, and of how quickly groups fold."""

    def __init__(self, groups: Mapping[str, str], in_step: Collection[str]) -> None:
        self._groups = groups
        self._in_step = in_step
        self._lags: dict[TP, int] = {}
        self._paces: dict[str, float] = {}

    def note_lags(self, lags: Mapping[TP, int]) -> None:
        """How many records of these partitions were left when they were fetched."""
        # Another thread may be looking at those that were known.
        self._lags = {**self._lags, **lags}

    def note_fold(self, group: str, records: int, took_s: float) -> None:
        """So many records of a group were folded in so long."""
        if took_s > QUICK_S:
            self._paces[group] = records / took_s

    def forget_lags(self) -> None:
        """Partitions moved."""
        self._lags = {}

    def left(self, group: str) -> int:
        """How many records of a group were left when they were last fetched."""
        return sum(lag for tp, lag in self._lags.items() if self._groups.get(tp.topic) == group)

    def left_of(self, topic: str) -> int:
        """How many records of a topic were."""
        return sum(lag for tp, lag in self._lags.items() if tp.topic == topic)

    def most(self, group: str) -> int:
        """How many records a batch of a group may have, so that its fold does not take long."""
        pace = self._paces.get(group)
        if pace is None:
            return FIRST_RECORDS
        behind = {
            tp.partition for tp, lag in self._lags.items() if lag and self._groups.get(tp.topic) == group
        }
        fold_s = min(BATCH_S, FOLD_S * max(1, len(behind)))
        return min(MOST_RECORDS, max(LEAST_RECORDS, int(pace * fold_s)))

    def shares(self, waiting: Iterable[TP], active: Iterable[TP]) -> dict[TP, int]:
        """How many records to take of each partition of which some are waiting.

        Of a partition that is read in step by how far it is behind, beside all that are: so they come to
        their ends together. Else the topic with the fewest records would soon be years ahead, and what is
        told in it counted again when the others follow. Of any other topic as much as of all of these:
        what follows from them must keep up. What one has not, the others may have.
        """
        lags = self._lags
        in_step = {tp: lags.get(tp) for tp in active if tp.topic in self._in_step}
        total = sum(lag or 0 for lag in in_step.values())
        kinds = Counter(self._kind(tp) for tp in waiting)
        left: Counter[Kind] = Counter()
        for tp, lag in lags.items():
            left[self._kind(tp)] += lag
        of_kind = {kind: _of_kind(kind, self.most(kind[0]), kinds, left) for kind in kinds}
        shares: dict[TP, int] = {}
        for tp in waiting:
            kind = self._kind(tp)
            lag = in_step.get(tp, 0)
            if lag is None:
                # How far it is behind, its first records tell.
                share = 0
            elif lag:
                share = of_kind[kind] * lag // total
            else:
                share = of_kind[kind] // kinds[kind]
            shares[tp] = max(LEAST_SHARE, share)
        return shares

    def _kind(self, tp: TP) -> Kind:
        return self._groups.get(tp.topic, ""), "" if tp.topic in self._in_step else tp.topic


def _of_kind(kind: Kind, most: int, kinds: Iterable[Kind], left: Mapping[Kind, int]) -> int:
    """How many of a batch's records may be of a kind: all that the others of its group leave."""
    others = [other for other in kinds if other != kind and other[0] == kind[0]]
    even = most // (1 + len(others))
    return most - sum(min(even, left[other]) for other in others)
