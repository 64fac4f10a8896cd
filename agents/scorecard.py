"""The scorecard agent: partial tallies in; scorecard rows and KPI records out."""

from time import perf_counter

from kpis.scorecards import Scorecards
from schemas.internal import decode_partial
from schemas.records import encode_record
from schemas.topics import SCORECARDS
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import Consequences, carry_out
from streams.transport import Fetched
from streams.view_entries import CLOCK, SUMS
from streams.views import Views
from streams.worker import Parts


class ScorecardAgent:
    """Sums the partials of all source partitions, and publishes what they touch."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._topic = parts.settings.topic(SCORECARDS.name)
        business = parts.settings.business()
        self.views: Views[Scorecards] = Views(
            parts.scorecards,
            lambda _, rows, place: Scorecards(
                business, rows, sums=place.mapping(SUMS), clock=place.mapping(CLOCK)
            ),
        )

    async def work(self, fetched: Fetched) -> None:
        """Decode, sum, deliver."""
        started = perf_counter()
        consequences = Consequences([], [])
        for part in fetched.slices:
            partition = part.tp.partition
            scorecards = self.views.of(partition)
            taken = scorecards.take(decode_partial(record.value or b"") for record in part.records)
            consequences.rows.extend(self._parts.scorecards.changes(partition, taken.rows, taken.version))
            # A scope's records stay in its partition, so that one worker writes each key in order.
            consequences.outputs.extend(
                Outgoing(self._topic, partition, key, encode_record(record))
                for key, record in scorecards.records(taken.touched)
            )
        metrics.STEP_SECONDS.labels("scorecard", "fold").observe(perf_counter() - started)
        await carry_out("scorecard", fetched, consequences, self._parts.scorecards, self._parts.delivery)
