"""The notifier: what `notices.planning` says is due is sent, and noted once it was.

For each message, in this order: claim its address, send, note. A crash between sending and noting sends
that one message again; nothing else is ever sent twice, and nothing is lost.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import structlog
from msgspec import Struct

from notices.hours import is_open
from notices.planning import Known, Message, Plan, plan
from notices.rules import Route, Rules, address_of
from notices.texts import text_of
from schemas.goals import AlertKind
from schemas.notices import Delivered, Opened
from streams import metrics
from streams.alerting import Placed, Reader, Shares, noted, patiently
from streams.channels import Channel, Tone
from streams.delivery import Delivery, DeliveryError
from streams.meanings import Meanings
from streams.partitioning import partition_of
from streams.refusing import RefusedError
from streams.settings import Settings

log = structlog.get_logger(__name__)

MAX_SENDING = 16
"""Messages that are sent at the same time; of one address, one."""
POLL_S = 0.5
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 300.0
SETTLE_S = 30.0
"""How often it is written down how far an address is done with the alerts."""
HEALTHY_S = 60.0
GRACE = timedelta(hours=1)
"""An alert may tell of a moment before it was written, where the workers were behind."""


class Address(Struct, frozen=True):
    """One of a route's addresses."""

    name: str
    route: Route
    channel: Channel
    partition: int


class _Attempt(Struct):
    """How sending to an address goes."""

    failed: int = 0
    after: float = 0.0
    """By the monotonic clock, before when it is not tried again."""


class Notifier:
    """Sends what is due to the addresses that are its share."""

    def __init__(
        self,
        settings: Settings,
        partitions: int,
        rules: Rules,
        meanings: Meanings,
        urls: Mapping[str, str],
    ) -> None:
        """`urls` has the addresses of the rules with their variables filled in."""
        self._settings = settings
        self._partitions = partitions
        self._rules = rules
        self._meanings = meanings
        self._addresses = [
            Address(name, route, Channel(urls[to]), partition_of(name, partitions))
            for route in rules.routes.values()
            for to in dict.fromkeys(route.to)
            if (name := address_of(route, to))
        ]
        self._reader = Reader(settings)
        self._shares = Shares(settings, self._finish)
        self._delivery = Delivery(settings)
        self._threads = ThreadPoolExecutor(MAX_SENDING, "notify")
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._attempts: defaultdict[str, _Attempt] = defaultdict(_Attempt)
        self._plans: dict[str, Plan] = {}
        self._settled_at = 0.0
        self._looked_at = 0.0
        self._stopping = False
        self._broken: DeliveryError | RefusedError | None = None
        self._wake = asyncio.Event()

    @property
    def healthy(self) -> bool:
        """Whether it has looked for something to do lately."""
        return time.monotonic() - self._looked_at < HEALTHY_S

    def stop(self) -> None:
        """Finish what is being sent, and end."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Send until told to stop.

        Raises:
            DeliveryError: what was sent cannot be noted, so that it would be sent again and again.
            RefusedError: nor can it where Kafka does not let us in any more.
        """
        await self._delivery.start()
        await self._reader.start(self._partitions)
        await self._shares.start()
        try:
            await self._work()
        finally:
            # Before it leaves the group, so that whoever has its addresses next knows what was sent.
            await self._finish()
            await self._shares.stop()
            await self._reader.stop()
            await self._delivery.stop()
            self._threads.shutdown(wait=False)
        if self._broken is not None:
            raise self._broken

    async def _work(self) -> None:
        epoch, read = -1, -1
        while not self._stopping:
            current, owned = self._shares.epoch, self._owned()
            await self._shares.alive()
            await patiently(self._reader.read_up)
            if current != self._shares.epoch:
                continue
            if current != epoch:
                if not await self._take_over(owned, current):
                    await self._rest()
                    continue
                epoch, read = current, -1
            self._look(owned, anew=self._reader.book.read != read)
            read = self._reader.book.read
            await self._note_moot(owned)
            self._send_due(owned, current)
            await self._settle(owned, current)
            self._looked_at = time.monotonic()
            await self._rest()

    def _owned(self) -> list[Address]:
        partitions = self._shares.partitions
        return [address for address in self._addresses if address.partition in partitions]

    async def _take_over(self, owned: list[Address], epoch: int) -> bool:
        """Open addresses that are new, and read again what may be left to tell the others.

        Whether they are all open: they are not where the group has begun to share them anew.
        """
        self._plans.clear()
        positions = await self._reader.positions()
        for address in owned:
            if address.name not in self._reader.book.opened:
                note = Opened(address=address.name, since=datetime.now(UTC) - GRACE, settled=positions)
                await self._note_opened(address, note, epoch)
                log.info("opened", address=address.name)
        if epoch != self._shares.epoch or any(each.name not in self._reader.book.opened for each in owned):
            return False
        await self._reader.read_alerts_from(address.name for address in owned)
        await patiently(self._reader.read_up)
        return epoch == self._shares.epoch

    def _look(self, owned: list[Address], *, anew: bool) -> None:
        """See what is to be done, where something has changed or a moment has come."""
        now = datetime.now(UTC)
        for address in owned:
            known = self._plans.get(address.name)
            if anew or known is None or (known.next is not None and known.next <= now):
                self._plans[address.name] = plan(self._rules, address.route, self._known(address), now)
        self._measure(owned, now)

    def _known(self, address: Address) -> Known:
        book = self._reader.book
        opened = book.opened[address.name]
        alerts = {
            name: placed.alert for name, placed in book.alerts.items() if not _is_settled(opened, placed)
        }
        return Known(alerts, book.acks, book.done[address.name], opened.since)

    def _measure(self, owned: list[Address], now: datetime) -> None:
        """Say what waits: of routes that are another notifier's, nothing."""
        since: dict[str, list[datetime]] = {name: [] for name in self._rules.routes}
        for address in owned:
            messages = self._plans[address.name].messages
            since[address.route.name].extend(message.due for message in messages)
        for name, moments in since.items():
            metrics.ALERTS_WAITING.labels(name).set(len(moments))
            oldest_s = (now - min(moments)).total_seconds() if moments else 0.0
            metrics.ALERTS_OLDEST_SECONDS.labels(name).set(oldest_s)

    async def _note_moot(self, owned: list[Address]) -> None:
        now = datetime.now(UTC)
        for address in owned:
            found = self._plans.get(address.name)
            notes = [
                Delivered(address=address.name, stage="escalated", alert=alert, at=now, sent=False)
                for alert in (found.moot if found else ())
            ]
            if notes:
                await self._note(address, *notes)
                self._plans.pop(address.name, None)

    def _send_due(self, owned: list[Address], epoch: int) -> None:
        """Begin one message for each address that has one due and is neither busy nor to be left alone."""
        for address in owned:
            if len(self._sending) >= MAX_SENDING:
                return
            found = self._plans.get(address.name)
            free = address.name not in self._sending
            if not (found and found.messages and free):
                continue
            if not is_open(address.route.hours, datetime.now(UTC)):
                # It was, when this was planned.
                self._plans.pop(address.name)
            elif time.monotonic() >= self._attempts[address.name].after:
                task = asyncio.create_task(self._send(address, found.messages[0], epoch))
                self._sending[address.name] = task
                task.add_done_callback(lambda done, name=address.name: self._sent(name, done))

    async def _send(self, address: Address, message: Message, epoch: int) -> None:
        """Send one message.

        1. Claim the address: whoever has it now knows what earlier owners noted.
        2. Send, and wait until it was taken.
        3. Note it, and wait until the broker has that.
        """
        # Before the claim, which is worth the less the longer it lasts until it is sent.
        meaning = await self._meanings.now()
        if not await self._shares.claim(address.partition, epoch):
            return
        text = text_of(message, address.route, meaning, self._rules.pages)
        tone = _tone(message)
        loop = asyncio.get_running_loop()
        taken = await loop.run_in_executor(self._threads, address.channel.send, text.title, text.body, tone)
        if taken:
            await self._note(address, *message.notes(address.name, datetime.now(UTC)))
            self._attempts.pop(address.name, None)
            metrics.ALERTS_DELIVERED.labels(address.route.name).inc()
            log.info("delivered", address=address.name, title=text.title)
        else:
            metrics.ALERTS_FAILED.labels(address.route.name).inc()
            log.warning(
                "not taken; it is sent again", address=address.name, after_s=self._back_off(address.name)
            )
        # What is due may be another message by now: one more is told together with what came since.
        self._plans.pop(address.name, None)

    def _sent(self, name: str, task: asyncio.Task[None]) -> None:
        self._sending.pop(name)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, DeliveryError | RefusedError):
            self._broken = error
            self.stop()
        elif error is not None:
            after_s = self._back_off(name)
            log.error("not sent; tried again", address=name, after_s=after_s, error=repr(error))
        self._wake.set()

    def _back_off(self, name: str) -> float:
        """Leave an address alone for a while, for longer each time; how long it is."""
        attempt = self._attempts[name]
        wait_s = min(LAST_RETRY_S, FIRST_RETRY_S * 2**attempt.failed)
        # It stays at the longest wait: a power would outgrow any number.
        attempt.failed += wait_s < LAST_RETRY_S
        attempt.after = time.monotonic() + wait_s
        return wait_s

    async def _note(self, address: Address, *notes: Delivered | Opened) -> None:
        await self._delivery.write(noted(self._settings, address.partition, notes))
        for note in notes:
            self._reader.book.keep(note)

    async def _note_opened(self, address: Address, note: Opened, epoch: int) -> None:
        """Note how far an address has come, if it is still ours: nobody else's word is to be replaced."""
        if await self._shares.claim(address.partition, epoch):
            await self._note(address, note)

    async def _settle(self, owned: list[Address], epoch: int) -> None:
        """Write down how far each address is done, so that whoever starts next reads on from there."""
        if time.monotonic() - self._settled_at < SETTLE_S:
            return
        self._settled_at = time.monotonic()
        positions = await self._reader.positions()
        book = self._reader.book
        for address in owned:
            found = self._plans.get(address.name)
            if found is None:
                continue
            opened = book.opened[address.name]
            settled = dict(positions)
            for placed in (book.alerts[name] for name in found.unsettled):
                settled[placed.partition] = min(settled[placed.partition], placed.offset)
            if settled != opened.settled:
                note = Opened(address=address.name, since=opened.since, settled=settled)
                await self._note_opened(address, note, epoch)
        for name, placed in list(book.alerts.items()):
            if all(_is_settled(book.opened[address.name], placed) for address in owned):
                del book.alerts[name]

    async def _finish(self) -> None:
        """Wait until nothing is being sent."""
        if self._sending:
            await asyncio.wait(list(self._sending.values()))

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_S)
        except TimeoutError:
            return
        self._wake.clear()


def _is_settled(opened: Opened, placed: Placed) -> bool:
    return placed.offset < opened.settled.get(placed.partition, 0)


def _tone(message: Message) -> Tone:
    """How bad it is."""
    return _BY_WEIGHT[max(_BY_WEIGHT.index(_TONES[story[-1].kind]) for story in message.stories)]


_BY_WEIGHT: tuple[Tone, ...] = ("info", "success", "warning", "failure")
_TONES: dict[AlertKind, Tone] = {
    "at_risk": "warning",
    "slipped": "failure",
    "recovered": "success",
    "achieved": "success",
    "missed": "failure",
    "corrected": "info",
}
