"""The ledger agent: CRM events and links in; object rows, partial tallies and links out."""

from time import perf_counter

from kpis.ledger import Effects, Ledger
from schemas.decoding import Reason, decode_event
from schemas.events import Event, OrgEvent
from schemas.internal import LeadNamed, Link, decode_link, encode_link, encode_partial
from schemas.rows import encode_row
from schemas.topics import LINKS, PARTIALS, REJECTED, TABLE_OBJECTS, changelog
from streams import metrics
from streams.delivery import Outgoing
from streams.effects import carry_out
from streams.partitioning import partition_of
from streams.rejection import rejected
from streams.transport import Fetched, Slice
from streams.views import Views
from streams.worker import Parts


class LedgerAgent:
    """Folds what arrives into the rows of its partition, and says what follows."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._links = parts.settings.topic(LINKS.name)
        self._partials = parts.settings.topic(PARTIALS.name)
        self._rejected = parts.settings.topic(REJECTED.name)
        self._changelog = changelog(parts.settings.app_id, TABLE_OBJECTS).name
        business = parts.settings.business()
        self._ledgers = Views(
            parts.objects,
            parts.generation,
            lambda partition, rows, term: Ledger(partition, business, rows, term),
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
        rows: list[Outgoing] = []
        outputs = aside
        for partition, inbox in inboxes.items():
            effects = self._ledgers.of(partition).apply(inbox)
            rows.extend(
                Outgoing(self._changelog, partition, key.encode(), encode_row(row))
                for key, row in effects.rows.items()
            )
            outputs.extend(self._outputs(effects))
        metrics.STEP_SECONDS.labels("ledger", "fold").observe(perf_counter() - started)
        await carry_out("ledger", fetched, rows, outputs, self._parts.objects, self._parts.delivery)

    def _decode(self, part: Slice, inbox: list[Event | Link]) -> list[Outgoing]:
        """Put a slice's events into the inbox; what is returned belongs elsewhere or is no event."""
        aside: list[Outgoing] = []
        forwarded = 0
        topic = part.tp.topic.removeprefix(self._parts.settings.topic_prefix)
        for record in part.records:
            event = decode_event(record.value, topic)
            if isinstance(event, Reason):
                aside.append(rejected(record, event, self._rejected, self._parts.partitions))
                continue
            if not isinstance(event, OrgEvent):
                home = event.data.home
                partition = partition_of(home, self._parts.partitions)
                if partition != part.tp.partition:
                    forwarded += 1
                    aside.append(Outgoing(part.tp.topic, partition, home.encode(), record.value))
                    continue
            inbox.append(event)
        metrics.EVENTS.labels("rejected").inc(len(aside) - forwarded)
        metrics.EVENTS.labels("forwarded").inc(forwarded)
        metrics.EVENTS.labels("folded").inc(len(part.records) - len(aside))
        return aside

    def _outputs(self, effects: Effects) -> list[Outgoing]:
        count = self._parts.partitions
        outputs = [
            Outgoing(
                self._partials,
                partition_of(partial.scope, count),
                partial.scope.encode(),
                encode_partial(partial),
            )
            for partial in effects.partials
        ]
        for link in effects.links:
            to = partition_of(link.lead, count) if isinstance(link, LeadNamed) else link.to
            outputs.append(Outgoing(self._links, to, link.lead.encode(), encode_link(link)))
        return outputs
