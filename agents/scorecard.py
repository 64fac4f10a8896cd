"""The scorecard agent: partial tallies and the clock in; scorecard rows and KPI records out."""

from collections.abc import Iterable

from kpis.scorecards import Scorecards, Touched
from schemas.internal import (
    Partial,
    Ready,
    Renewed,
    Tick,
    decode_partial,
    decode_ready,
    decode_tick,
    encode_renewed,
)
from schemas.records import encode_record
from schemas.topics import READY, RENEWED, SCORECARDS, TICKS
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
        self._ready = parts.settings.topic(READY.name)
        self._renewed = parts.settings.topic(RENEWED.name)
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
                sources=parts.partitions,
            ),
        )

    async def work(self, fetched: Fetched) -> None:
        """Decode, sum, deliver."""
        with fetched.folding("scorecard"):
            consequences = Consequences([], [])
            for partition, slices in fetched.by_partition().items():
                scorecards = self.views.of(partition)
                taken = scorecards.take(item for part in slices for item in self._decoded(part))
                consequences.rows.extend(
                    self._parts.scorecards.changes(partition, taken.rows, taken.version)
                )
                # A scope's records stay in its partition, so that one worker writes each key in order.
                consequences.outputs.extend(
                    Outgoing(self._topic, partition, key, encode_record(record))
                    for key, record in scorecards.records(taken.touched)
                )
                ticked = any(part.tp.topic == self._ticks for part in slices)
                said = Renewed(scorecards.now or 0, ticked, _days(taken.touched))
                consequences.outputs.append(Outgoing(self._renewed, partition, None, encode_renewed(said)))
        await carry_out("scorecard", fetched, consequences, self._parts.scorecards, self._parts.delivery)

    def _decoded(self, part: Slice) -> Iterable[Partial | Tick | Ready]:
        if part.tp.topic == self._ready:
            return [decode_ready(record.value or b"") for record in part.records]
        if part.tp.topic == self._ticks:
            ticks = [decode_tick(record.value or b"") for record in part.records]
            metrics.CLOCK_SECONDS.set(ticks[-1].now / 1_000_000)
            return ticks
        return (decode_partial(record.value or b"") for record in part.records)


def _days(touched: Touched) -> dict[str, tuple[int, int]]:
    """By scope, the first and the last of the days of which records are written."""
    days: dict[str, tuple[int, int]] = {}
    for scope, span in touched.values():
        if span.grain == "day":
            first, last = days.get(scope, (span.start, span.start))
            days[scope] = min(first, span.start), max(last, span.start)
    return days
