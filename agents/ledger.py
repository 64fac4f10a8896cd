"""The ledger agent: CRM events and links in; object rows, partial tallies and links out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from time import perf_counter

from kpis.ledger import Effects, Ledger
from kpis.tally import Tally
from kpis.versions import first_version
from schemas.decoding import Reason, decode_event
from schemas.events import Event, type_of
from schemas.internal import (
    LeadNamed,
    Link,
    TermBegun,
    decode_link,
    encode_link,
    encode_partial,
    term_begun,
)
from schemas.topics import LINKS, PARTIALS, REJECTED
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import Consequences, carry_out
from streams.partitioning import ON_EVERY_PARTITION, partition_of
from streams.rejection import rejected
from streams.transport import Fetched, Record, Slice
from streams.view_entries import CELLS, CLOCK, CONTACTS
from streams.views import Views
from streams.worker import Parts


class LedgerAgent:
    """Folds what arrives into the rows of its partition, and says what follows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._links = parts.settings.topic(LINKS.name)
        self._partials = parts.settings.topic(PARTIALS.name)
        self._rejected = parts.settings.topic(REJECTED.name)
        business = parts.settings.business()
        self.views: Views[Ledger] = Views(
            parts.objects,
            lambda partition, rows, place: Ledger(
                partition,
                business,
                rows,
                tally=Tally(place.mapping(CELLS), place.mapping(CONTACTS)),
                naming=place.naming(),
                clock=place.mapping(CLOCK),
            ),
        )

    async def work(self, fetched: Fetched) -> None:
        """Decode, fold, deliver."""
        started = perf_counter()
        inboxes: dict[int, list[Event | Link]] = {}
        aside: list[Outgoing] = []
        for part in fetched.slices:
            inbox = inboxes.setdefault(part.tp.partition, [])
            if part.tp.topic == self._links:
                inbox.extend(decode_link(record.value or b"") for record in part.records)
            else:
                aside.extend(self._decode(part, inbox))
        consequences = Consequences([], aside)
        for partition, inbox in inboxes.items():
            effects = self.views.of(partition).apply(inbox)
            consequences.rows.extend(self._parts.objects.changes(partition, effects.rows, effects.version))
            consequences.outputs.extend(self._outputs(effects, fetched.oldest_ms))
        metrics.STEP_SECONDS.labels("ledger", "fold").observe(perf_counter() - started)
        await carry_out("ledger", fetched, consequences, self._parts.objects, self._parts.delivery)

    async def announce(self, partitions: Iterable[int], term: int) -> None:
        """Tell every reader that these partitions have a new owner, before it looks what the last one left.

        An earlier owner that was paused and wakes up may fold what its successor did not: only the first of
        two changes. What it tells of the state between them, nobody would take back.
        """
        version = first_version(term)
        await self._parts.delivery.write(
            Outgoing(topic, reader, None, value)
            for source in partitions
            for topic, value in (
                (self._partials, encode_partial(term_begun(source, version))),
                (self._links, encode_link(TermBegun(source, version))),
            )
            for reader in range(self._parts.partitions)
        )

    def _decode(self, part: Slice, inbox: list[Event | Link]) -> list[Outgoing]:
        """Put a slice's events into the inbox; what is returned belongs elsewhere or is no event."""
        aside: list[Outgoing] = []
        events: list[Event] = []
        refused = 0
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
                aside.extend(self._copies(record, part.tp.partition))
            elif (partition := partition_of(home, count)) != part.tp.partition:
                aside.append(Outgoing(part.tp.topic, partition, home, record.value))
                continue
            events.append(event)
        inbox.extend(events)
        for kind, number in Counter(map(type_of, events)).items():
            metrics.EVENTS.labels(kind, "folded").inc(number)
        metrics.EVENTS.labels(topic, "rejected").inc(refused)
        metrics.EVENTS.labels(topic, "forwarded").inc(len(aside) - refused)
        return aside

    def _copies(self, record: Record, partition: int) -> Iterator[Outgoing]:
        """The organisation's event for every other partition, where its producer sent it to just one."""
        if ON_EVERY_PARTITION in record.headers:
            return
        key = None if record.key is None else record.key.decode(errors="replace")
        for other in range(self._parts.partitions):
            if other != partition:
                yield Outgoing(record.topic, other, key, record.value, [ON_EVERY_PARTITION])

    def _outputs(self, effects: Effects, received_ms: int) -> list[Outgoing]:
        count = self._parts.partitions
        outputs: list[Outgoing] = []
        for partial in effects.partials:
            to = partition_of(partial.scope, count)
            value = encode_partial(partial)
            outputs.append(Outgoing(self._partials, to, partial.scope, value, timestamp_ms=received_ms))
        for link in effects.links:
            assert not isinstance(link, TermBegun), "that is announced"
            to = partition_of(link.lead, count) if isinstance(link, LeadNamed) else link.to
            outputs.append(Outgoing(self._links, to, link.lead, encode_link(link)))
        return outputs
