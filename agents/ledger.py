"""The ledger agent: CRM events and links in; object rows, partial tallies and links out."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

from kpis.contributions import Business
from kpis.customers import Customers
from kpis.definitions.recorded import read_record
from kpis.in_force import Defined, Recounted
from kpis.ledger import Effects, Input, Ledger
from kpis.tally import Tally
from kpis.versions import first_version
from schemas.decoding import Reason, decode_event, own_fields
from schemas.events import Event, Told, type_of
from schemas.internal import (
    Ready,
    TermBegun,
    decode_link,
    encode_link,
    encode_reported,
    reader_of,
)
from schemas.rows import Row
from schemas.topics import DEFINITIONS, LINKS, PARTIALS, REJECTED
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import Consequences, carry_out, make_safe
from streams.holding import Place
from streams.partitioning import partition_of
from streams.publishing import copies
from streams.rejection import rejected
from streams.transport import Fetched, Slice
from streams.view_entries import CELLS, CLOCK, CONTACTS, FIRSTS, LEAVERS, ORGANISATIONS, WON
from streams.views import Views
from streams.worker import Parts


def ledger_over(partition: int, business: Business, rows: Mapping[str, Row], place: Place) -> Ledger:
    """The ledger of a partition, whose views are kept in a place."""
    return Ledger(
        partition,
        business,
        rows,
        tally=Tally(place.mapping(CELLS), place.mapping(CONTACTS)),
        naming=place.naming(),
        customers=Customers(
            place.mapping(WON),
            place.mapping(FIRSTS),
            place.mapping(ORGANISATIONS),
            place.mapping(LEAVERS),
        ),
        clock=place.mapping(CLOCK),
    )


class LedgerAgent:
    """Folds what arrives into the rows of its partition, and says what follows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._links = parts.settings.topic(LINKS.name)
        self._partials = parts.settings.topic(PARTIALS.name)
        self._rejected = parts.settings.topic(REJECTED.name)
        self._definitions = parts.settings.topic(DEFINITIONS.name)
        self._one_at_a_time = asyncio.Lock()
        """A batch, or a part of history that is counted anew."""
        business = parts.settings.business()
        self.views: Views[Ledger] = Views(
            parts.objects,
            lambda partition, rows, place: ledger_over(partition, business, rows, place),
        )

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Have the ledgers to oneself, as the last batch left them.

        Raises:
            OvertakenError: that one was given up, or failed.
        """
        async with self._one_at_a_time:
            self._parts.objects.see_that_all_is_kept()
            yield

    async def work(self, fetched: Fetched) -> None:
        """Decode, fold, deliver."""
        async with self._alone():
            consequences = await self._taken_in(fetched, fetched.oldest_ms, forward=True)
            await carry_out("ledger", fetched, consequences, self._parts.objects, self._parts.delivery)

    async def _taken_in(self, fetched: Fetched, received_ms: int | None, *, forward: bool) -> Consequences:
        consequences = Consequences([], [])
        async for partition, slices in fetched.in_turns():
            inbox: list[Input] = []
            aside: list[Outgoing] = []
            for part in slices:
                if part.tp.topic == self._links:
                    inbox.extend(decode_link(record.value or b"") for record in part.records)
                elif part.tp.topic == self._definitions:
                    aside.extend(self._define(part, inbox))
                else:
                    aside.extend(self._decode(part, inbox, forward=forward))
            if forward:
                consequences.outputs.extend(aside)
            self._fold(partition, inbox, received_ms, consequences)
        return consequences

    def _fold(
        self, partition: int, inbox: Iterable[Input], received_ms: int | None, consequences: Consequences
    ) -> None:
        effects = self.views.of(partition).apply(inbox)
        consequences.rows.extend(self._parts.objects.changes(partition, effects.rows, effects.version))
        consequences.outputs.extend(self._outputs(effects, received_ms))

    def to_recount(self, partition: int) -> list[Recounted]:
        """The definitions under which not all of a partition's history is counted yet."""
        return self.views.view(partition).to_recount()

    async def recount(self, slices: list[Slice]) -> None:
        """Fold a part of history again: what is known already changes nothing, but for what is new in it.

        Nothing of it is finished by that, and it may come again.
        """
        async with self._alone():
            consequences = await self._taken_in(Fetched(slices), None, forward=False)
            await make_safe(consequences, self._parts.objects, self._parts.delivery)

    async def recounted(self, partition: int, counted: list[Recounted]) -> None:
        """All of a partition's history was."""
        async with self._alone():
            consequences = Consequences([], [])
            self._fold(partition, counted, None, consequences)
            await make_safe(consequences, self._parts.objects, self._parts.delivery)

    async def say_ready(self, partition: int) -> None:
        """Say again under which definitions a partition is counted: an earlier owner may not have."""
        await self._parts.delivery.write(self._told_ready(self.views.view(partition).say_ready()))

    async def announce(self, partitions: Iterable[int], term: int) -> None:
        """Tell every reader that these partitions have a new owner, before it looks what the last one left.

        An earlier owner that was paused and wakes up may fold what its successor did not: only the first of
        two changes. What it tells of the state between them, nobody would take back.
        """
        partitions = list(partitions)
        objects = self._parts.objects
        # Known to whoever comes next before anybody hears of it: below it, all they said would be void.
        objects.claimed(term, await self._parts.delivery.write(objects.claim(partitions, term)))
        begun = [TermBegun(source, first_version(term)) for source in partitions]
        await self._parts.delivery.write(
            Outgoing(topic, reader, None, value)
            for said in begun
            for topic, value in (
                (self._partials, encode_reported(said)),
                (self._links, encode_link(said)),
            )
            for reader in range(self._parts.partitions)
        )

    def _decode(self, part: Slice, inbox: list[Input], *, forward: bool) -> list[Outgoing]:
        """Put a slice's events into the inbox; what is returned belongs elsewhere or is no event."""
        aside: list[Outgoing] = []
        events: list[Event] = []
        told: list[Input] = []
        own = self.views.view(part.tp.partition).own_fields
        refused = forwarded = 0
        count = self._parts.partitions
        topic = part.tp.topic.removeprefix(self._parts.settings.topic_prefix)
        for record in part.records:
            event = decode_event(record.value, topic)
            if isinstance(event, Reason):
                refused += 1
                aside.append(rejected(record, event, self._rejected, count))
                continue
            home = event.data.home
            if home is None:
                aside.extend(copies(record, count))
            elif (partition := partition_of(home, count)) != part.tp.partition:
                forwarded += 1
                aside.append(Outgoing(part.tp.topic, partition, home, record.value))
                continue
            events.append(event)
            names = own.get(type_of(event)) if own else None
            told.append(Told(event, own_fields(record.value or b"", names)) if names else event)
        inbox.extend(told)
        for kind, number in Counter(map(type_of, events)).items():
            metrics.EVENTS.labels(kind, "folded" if forward else "recounted").inc(number)
        if forward:
            metrics.EVENTS.labels(topic, "rejected").inc(refused)
            metrics.EVENTS.labels(topic, "forwarded").inc(forwarded)
        return aside

    def _define(self, part: Slice, inbox: list[Input]) -> list[Outgoing]:
        """Put definitions into the inbox; what is returned is none, and why."""
        aside: list[Outgoing] = []
        for record in part.records:
            key = (record.key or b"").decode(errors="replace")
            definition = None if record.value is None else read_record(key, record.value)
            if isinstance(definition, Reason):
                aside.append(rejected(record, definition, self._rejected, self._parts.partitions))
            else:
                inbox.append(Defined(key, definition))
        return aside

    def _outputs(self, effects: Effects, received_ms: int | None) -> list[Outgoing]:
        count = self._parts.partitions
        outputs: list[Outgoing] = []
        for partial in effects.partials:
            to = partition_of(partial.scope, count)
            value = encode_reported(partial)
            outputs.append(Outgoing(self._partials, to, partial.scope, value, timestamp_ms=received_ms))
        for link in effects.links:
            to = reader_of(link, lambda key: partition_of(key, count))
            outputs.append(Outgoing(self._links, to, None, encode_link(link)))
        outputs.extend(self._told_ready(effects.ready))
        return outputs

    def _told_ready(self, ready: list[Ready]) -> Iterator[Outgoing]:
        for said in ready:
            value = encode_reported(said)
            for reader in range(self._parts.partitions):
                yield Outgoing(self._partials, reader, None, value)
