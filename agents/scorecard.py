"""The scorecard agent: partial tallies and the clock in; scorecard rows and KPI records out."""

from collections.abc import Iterable
from time import perf_counter

from kpis.scorecards import Scorecards
from schemas.internal import Partial, Tick, decode_partial, decode_tick
from schemas.records import encode_record
from schemas.topics import SCORECARDS, TICKS
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import Consequences, carry_out
from streams.transport import Fetched, Slice
from streams.view_entries import CLOCK, SUMS, YEARS
from streams.views import Views
from streams.worker import Parts


class ScorecardAgent:
    """Sums the partials of all source partitions, and publishes what they touch."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._topic = parts.settings.topic(SCORECARDS.name)
        self._ticks = parts.settings.topic(TICKS.name)
        business = parts.settings.business()
        self.views: Views[Scorecards] = Views(
            parts.scorecards,
            lambda _, rows, place: Scorecards(
                business,
                rows,
                sums=place.mapping(SUMS),
                years=place.mapping(YEARS),
                clock=place.mapping(CLOCK),
            ),
        )

    async def work(self, fetched: Fetched) -> None:
        """Decode, sum, deliver."""
        started = perf_counter()
        consequences = Consequences([], [])
        inboxes: dict[int, list[Slice]] = {}
        for part in fetched.slices:
            inboxes.setdefault(part.tp.partition, []).append(part)
        for partition, slices in inboxes.items():
            scorecards = self.views.of(partition)
            taken = scorecards.take(item for part in slices for item in self._decoded(part))
            consequences.rows.extend(self._parts.scorecards.changes(partition, taken.rows, taken.version))
            # A scope's records stay in its partition, so that one worker writes each key in order.
            consequences.outputs.extend(
                Outgoing(self._topic, partition, key, encode_record(record))
                for key, record in scorecards.records(taken.touched)
            )
        metrics.STEP_SECONDS.labels("scorecard", "fold").observe(perf_counter() - started)
        await carry_out("scorecard", fetched, consequences, self._parts.scorecards, self._parts.delivery)

    def _decoded(self, part: Slice) -> Iterable[Partial | Tick]:
        if part.tp.topic == self._ticks:
            ticks = [decode_tick(record.value or b"") for record in part.records]
            metrics.CLOCK_SECONDS.set(ticks[-1].now / 1_000_000)
            return ticks
        return (decode_partial(record.value or b"") for record in part.records)
