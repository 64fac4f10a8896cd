"""The scorecard agent: partial tallies in; scorecard rows and KPI records out."""

from time import perf_counter

from kpis.scorecards import Scorecards
from schemas.internal import decode_partial, encode_scorecard
from schemas.records import encode_record
from schemas.topics import SCORECARDS, TABLE_SCORECARDS, changelog
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import carry_out
from streams.transport import Fetched
from streams.views import Views
from streams.worker import Parts


class ScorecardAgent:
    """Sums the partials of all source partitions, and publishes what they touch."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._topic = parts.settings.topic(SCORECARDS.name)
        self._changelog = changelog(parts.settings.app_id, TABLE_SCORECARDS).name
        business = parts.settings.business()
        self._scorecards = Views(
            parts.scorecards,
            parts.generation,
            lambda _, rows, term: Scorecards(business, rows, term),
        )

    async def work(self, fetched: Fetched) -> None:
        """Decode, sum, deliver."""
        started = perf_counter()
        rows: list[Outgoing] = []
        outputs: list[Outgoing] = []
        for part in fetched.slices:
            partition = part.tp.partition
            partials = [decode_partial(record.value or b"") for record in part.records]
            scorecards = self._scorecards.of(partition)
            taken = scorecards.take(partials)
            rows.extend(
                Outgoing(self._changelog, partition, key.encode(), encode_scorecard(row))
                for key, row in taken.rows.items()
            )
            # A scope's records stay in its partition, so that one worker writes each key in order.
            records = map(scorecards.record, taken.touched)
            outputs.extend(
                Outgoing(self._topic, partition, record.key.encode(), encode_record(record))
                for record in records
            )
        metrics.STEP_SECONDS.labels("scorecard", "fold").observe(perf_counter() - started)
        await carry_out("scorecard", fetched, rows, outputs, self._parts.scorecards, self._parts.delivery)
