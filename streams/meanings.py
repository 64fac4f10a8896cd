"""What KPIs and people are called, for who tells of them for months: read again, as it changes."""

import asyncio
import time
from datetime import datetime

import structlog
from aiokafka.errors import KafkaError

from kpis.meanings import kpi_meanings
from notices.figures import Meaning
from schemas.decoding import decode_event
from schemas.definitions import KpiDefinition
from schemas.events import OrgEvent, SellerAssigned
from streams.defining import read_definitions
from streams.reading import NoSuchTopicError, read_on
from streams.settings import Settings

log = structlog.get_logger(__name__)

AGE_S = 60.0
"""How old it may be: a message is late by that, or calls a seller by their id who was named just now."""


class Meanings:
    """Looked at for each message; what came since is read, where the last look is a while ago."""

    def __init__(self, settings: Settings, currency: str) -> None:
        self._settings = settings
        self._currency = currency
        self._positions: dict[int, int] = {}
        self._names: dict[str, tuple[datetime, str]] = {}
        """By seller: what they are called, and since when."""
        self._known: Meaning | None = None
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def now(self) -> Meaning:
        """What all are called by now; as it was, where that cannot be read: no message waits for a name.

        Raises:
            KafkaError: it was never read, and cannot be.
            NoSuchTopicError: the same, as there is no topic of events, or of definitions.
        """
        async with self._reading:
            if self._known is None or time.monotonic() - self._read_at > AGE_S:
                self._read_at = time.monotonic()
                try:
                    self._known = await self._read()
                except (KafkaError, NoSuchTopicError) as error:
                    if self._known is None:
                        raise
                    log.warning("what all are called now cannot be read", error=repr(error))
            return self._known

    async def _read(self) -> Meaning:
        definitions = await read_definitions(self._settings)
        own = {
            key.partition("/")[2]: record.definition
            for key, record in definitions.items()
            if isinstance(record.definition, KpiDefinition)
        }
        # Every partition has all that is said of the organisation.
        async for batch in read_on(self._settings, OrgEvent.topic, self._positions, partitions=1):
            for record in batch:
                event = decode_event(record.value, OrgEvent.topic)
                # What is no event the ledger refuses, and says so.
                if isinstance(event, SellerAssigned) and event.data.name:
                    self._name(event.data.seller, event.time, event.data.name)
        people = {f"seller:{seller}": name for seller, (_, name) in self._names.items()}
        return Meaning(kpi_meanings(own), self._currency, people)

    def _name(self, seller: str, since: datetime, name: str) -> None:
        known = self._names.get(seller)
        if known is None or known[0] <= since:
            self._names[seller] = since, name
