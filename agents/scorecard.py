"""The scorecard agent: partial tallies and the clock in; scorecard rows and KPI records out."""

from collections.abc import Iterable, Iterator, Mapping

from kpis.contributions import Business
from kpis.scorecards import Scorecards
from kpis.window_sums import Touched
from schemas.internal import (
    Renewed,
    Reported,
    ScorecardRow,
    Tick,
    decode_reported,
    decode_tick,
    encode_renewed,
)
from schemas.records import encode_record
from schemas.topics import RENEWED, SCORECARDS, TICKS
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import Consequences, carry_out
from streams.holding import Place
from streams.transport import Fetched, Slice
from streams.view_entries import CLOCK, SUMS, YEARS
from streams.views import Views
from streams.worker import Parts

SCOPES_A_RECORD = 2_000
"""Of which one record says that they are renewed: 300 kB, if their names are as long as they may be."""


def scorecards_over(
    business: Business, sources: int, rows: Mapping[str, ScorecardRow], place: Place
) -> Scorecards:
    """The scorecards of a partition that so many report to, whose sums are kept in a place."""
    return Scorecards(
        business,
        rows,
        sums=place.mapping(SUMS),
        years=place.mapping(YEARS),
        clock=place.mapping(CLOCK),
        sources=sources,
    )


class ScorecardAgent:
    """Sums the partials of all source partitions, and publishes what they touch."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._topic = parts.settings.topic(SCORECARDS.name)
        self._renewed = parts.settings.topic(RENEWED.name)
        self._ticks = parts.settings.topic(TICKS.name)
        business = parts.settings.business()
        self.views: Views[Scorecards] = Views(
            parts.scorecards,
            lambda _, rows, place: scorecards_over(business, parts.partitions, rows, place),
        )

    async def work(self, fetched: Fetched) -> None:
        """Decode, sum, deliver."""
        consequences = Consequences([], [])
        async for partition, slices in fetched.in_turns():
            scorecards = self.views.of(partition)
            taken = scorecards.take(item for part in slices for item in self._decoded(part))
            consequences.rows.extend(self._parts.scorecards.changes(partition, taken.rows, taken.version))
            # A scope's records stay in its partition, so that one worker writes each key in order.
            consequences.outputs.extend(
                Outgoing(self._topic, partition, key, encode_record(record))
                for key, record in scorecards.records(taken.touched)
            )
            ticked = any(part.tp.topic == self._ticks for part in slices)
            consequences.outputs.extend(
                Outgoing(self._renewed, partition, None, encode_renewed(said))
                for said in renewals(scorecards.now or 0, taken.touched, ticked=ticked)
            )
        await carry_out("scorecard", fetched, consequences, self._parts.scorecards, self._parts.delivery)

    def _decoded(self, part: Slice) -> Iterable[Reported | Tick]:
        if part.tp.topic == self._ticks:
            ticks = [decode_tick(record.value or b"") for record in part.records]
            metrics.CLOCK_SECONDS.set(ticks[-1].now / 1_000_000)
            return ticks
        return (decode_reported(record.value or b"") for record in part.records)


def renewals(now: int, touched: Touched, *, ticked: bool) -> Iterator[Renewed]:
    """What to say of records that are written: by scope, the first and the last of their days.

    All scopes at once may be more than a broker takes in one record. That the clock has ticked comes last:
    by then all figures are known to be others.
    """
    days: dict[str, tuple[int, int]] = {}
    for scope, span in touched.values():
        if span.grain == "day":
            first, last = days.get(scope, (span.start, span.start))
            days[scope] = min(first, span.start), max(last, span.start)
    scopes = list(days)
    while len(scopes) > SCOPES_A_RECORD:
        some, scopes = scopes[:SCOPES_A_RECORD], scopes[SCOPES_A_RECORD:]
        yield Renewed(now, False, {scope: days[scope] for scope in some})
    yield Renewed(now, ticked, {scope: days[scope] for scope in scopes})
