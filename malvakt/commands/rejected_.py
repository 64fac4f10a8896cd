"""`malvakt rejected`: what came in and was no valid event, until it was mended and sent, or seen to."""

import asyncio
import heapq
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from cyclopts import Parameter
from msgspec import Raw, Struct
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from malvakt.author import Author, author
from malvakt.outcome import CallError, Fault
from malvakt.reaching import reaching, settings_with
from malvakt.recorded import EventFile, Line, lines_of, report
from malvakt.showing import plain
from schemas.decoding import Reason, ReasonCode, decode_event
from schemas.events import Recorded
from streams.delivery import Delivery
from streams.publishing import Publisher
from streams.rejection import Rejected, mark, read_rejected
from streams.settings import Settings

SHOWN = 20
"""How many people see, the latest; machines get all."""
SENT_AT_ONCE = 500
"""An event may be large."""
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""What stands in a text for bytes that are none."""


class Told(Struct, omit_defaults=True):
    """A rejected record, as it is written for whoever mends it."""

    key: str
    at: datetime | None = None
    reason: str = ""
    path: str = ""
    sentence: str = ""
    truncated: str | None = None
    seen: datetime | None = None
    seen_by: str | None = None
    event: Raw = Raw()
    """The record, where it is JSON at all, as it came."""
    text: str | None = None
    """The record, where it is none; what cannot be read of it is replaced."""


class _Seen(NamedTuple):
    """What people see of one; the latest is the greatest."""

    at: datetime
    key: str
    reason: str
    sentence: str
    seen: str
    seen_by: str


class _Mended(NamedTuple):
    key: str
    recorded: Recorded


_Keys = Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")]
_Show = Callable[[AsyncIterator[Rejected]], Coroutine[None, None, None]]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Told).decode
_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode


def rejected_(
    *,
    send: EventFile | None = None,
    seen: _Keys = None,
    seen_all: Annotated[bool, Parameter(negative="")] = False,
    with_seen: Annotated[bool, Parameter(negative="")] = False,
    unseen: _Keys = None,
    by: str | None = None,
    broker: str | None = None,
    json: bool = False,
) -> int:
    """List what was no valid event, send what was mended of it, or say that it was seen to.

    Write them to a file with --json, mend each `event` there, and give it to --send. What nobody will ever
    mend is listed no more once --seen names it; it stays in the topic.

    Parameters
    ----------
    send
        A file of lines as --json prints them, with their events mended; `-` reads standard input. What is
        a valid event now is published and listed no more; the rest is said, and stays.
    seen
        Of these there is nothing to send, and they are listed no more: where they stood, as the list says,
        one or several.
    seen_all
        List them, and say so of all of them; not of what comes in meanwhile.
    with_seen
        List what was seen to, too, when and by whom.
    unseen
        These were not seen to after all, and are listed again: one or several.
    by
        Who says so; else your user name.
    broker
        Addresses of Kafka brokers, `host:port`, comma-separated; else MALVAKT_BROKER.
    json
        Print each as one JSON line, with the record itself.
    """
    if [send is not None, seen is not None, seen_all, with_seen, unseen is not None].count(True) > 1:
        raise CallError("Give one of --send, --seen, --seen-all, --with-seen and --unseen.")
    if seen == []:
        raise CallError("--seen takes where they stood, as the list says; --seen-all is all of them.")
    if unseen == []:
        raise CallError("--unseen takes where they stood, as --with-seen says.")
    if by is not None and seen is None and unseen is None and not seen_all:
        raise CallError("--by goes with --seen, --seen-all and --unseen.")
    settings = settings_with(broker=broker)
    with reaching(settings.broker):
        if send is not None:
            return asyncio.run(_send(settings, send))
        if seen is not None:
            asyncio.run(_see_to(settings, seen, author(by)))
            return 0
        if unseen is not None:
            asyncio.run(_take_back(settings, unseen, author(by)))
            return 0
        show = _print_lines if json else _print_table
        if seen_all:
            asyncio.run(_see_to_all(settings, show, author(by)))
        else:
            asyncio.run(show(read_rejected(settings, with_seen=with_seen)))
    return 0


async def _see_to(settings: Settings, keys: list[str], who: Author) -> None:
    """Mark these, or none: a call that is partly wrong was not meant so."""
    known = {found.key async for found in read_rejected(settings)}
    unknown = _named([key for key in keys if key not in known])
    if unknown:
        raise Fault(f"Not in the list: {unknown}. None were marked; `malvakt rejected` has the list.")
    await _mark(settings, "seen", [*dict.fromkeys(keys)], who)


async def _take_back(settings: Settings, keys: list[str], who: Author) -> None:
    """Have these listed again, or none."""
    known = {found.key async for found in read_rejected(settings, with_seen=True) if found.seen is not None}
    unknown = _named([key for key in keys if key not in known])
    if unknown:
        raise Fault(
            f"Not seen to: {unknown}. None were taken back; `malvakt rejected --with-seen` says which were."
        )
    await _mark(settings, "unseen", [*dict.fromkeys(keys)], who)


def _named(keys: list[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (" and more" if len(keys) > SHOWN else "")


async def _see_to_all(settings: Settings, show: _Show, who: Author) -> None:
    """Mark what was listed, and nothing else: what came in after that nobody has looked at."""
    keys: list[str] = []

    async def shown() -> AsyncIterator[Rejected]:
        async for found in read_rejected(settings):
            keys.append(found.key)
            yield found

    await show(shown())
    sys.stdout.flush()
    await _mark(settings, "seen", keys, who)


async def _mark(settings: Settings, as_: Literal["seen", "unseen"], keys: list[str], who: Author) -> None:
    async with Delivery(settings) as delivery:
        await mark(settings, delivery, as_, keys, who.at, who.by)
    became = {"seen": "seen to, and listed no more", "unseen": "taken back, and listed again"}[as_]
    print(f"{len(keys)} {became}.", file=sys.stderr)


async def _print_lines(rejected: AsyncIterator[Rejected]) -> None:
    async for found in rejected:
        sys.stdout.buffer.write(_encode(_told(found)) + b"\n")


def _told(found: Rejected) -> Told:
    told = Told(
        found.key,
        found.at,
        found.reason,
        found.path,
        found.sentence,
        found.truncated,
        found.seen,
        found.seen_by,
    )
    try:
        _decode_object(found.value)
        # On one line, with its figures as they were written.
        told.event = Raw(msgspec.json.format(found.value.decode().encode(), indent=-1))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        told.text = found.value.decode(errors="replace")
    return told


async def _print_table(rejected: AsyncIterator[Rejected]) -> None:
    counts: Counter[str] = Counter()
    latest: list[_Seen] = []
    async for found in rejected:
        counts[found.reason] += 1
        seen_to = f"{found.seen:%Y-%m-%d %H:%M}" if found.seen else ""
        seen = _Seen(found.at, found.key, found.reason, found.sentence, seen_to, found.seen_by or "")
        if len(latest) < SHOWN:
            heapq.heappush(latest, seen)
        else:
            heapq.heappushpop(latest, seen)
    if not counts:
        print("Nothing that was rejected is left to see to.")
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("at (UTC)", no_wrap=True)
    for name in ("where it stood", "reason", ""):
        table.add_column(name, overflow="fold")
    any_seen = any(found.seen for found in latest)
    if any_seen:
        table.add_column("seen to (UTC)", no_wrap=True)
        table.add_column("by", overflow="fold")
    for found in sorted(latest):
        said = [found.key, found.reason, found.sentence]
        if any_seen:
            said += [found.seen, found.seen_by]
        table.add_row(f"{found.at:%Y-%m-%d %H:%M}", *map(plain, said))
    Console().print(table)
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
    print(f"{counts.total()} are rejected: {reasons}.", file=sys.stderr)
    if counts.total() > SHOWN:
        print(f"These are the latest {SHOWN}; --json has all, as they came.", file=sys.stderr)


async def _send(settings: Settings, file: EventFile) -> int:
    # What was seen to is mended all the same, where somebody does.
    known = {found.key async for found in read_rejected(settings, with_seen=True)}
    refused: list[Line] = []
    sent = 0
    async with Delivery(settings) as delivery:
        publisher = Publisher(delivery, settings)
        waiting: list[_Mended] = []
        for number, raw in lines_of(file):
            mended = _mended(raw, known)
            if isinstance(mended, Reason):
                refused.append(Line(str(file), number, mended))
                continue
            known.discard(mended.key)
            waiting.append(mended)
            if len(waiting) == SENT_AT_ONCE:
                sent += await _publish(settings, delivery, publisher, waiting)
        sent += await _publish(settings, delivery, publisher, waiting)
    print(f"{sent} events sent, {len(refused)} lines refused.", file=sys.stderr)
    report(refused)
    return 1 if refused else 0


def _mended(raw: bytes, known: set[str]) -> _Mended | Reason:
    """What a line says is to be sent, where it can be."""
    try:
        told = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Reason(
            ReasonCode.NOT_JSON, "$", f"This is no line as `malvakt rejected --json` prints it: {error}."
        )
    if told.key not in known:
        return Reason(
            ReasonCode.INVALID_FIELD, "$.key", f"No record is rejected as {told.key}, or it was sent."
        )
    given = bytes(told.event)
    if not given and told.truncated:
        return Reason(
            ReasonCode.TOO_LARGE, "$.text", f"Only {told.truncated} are kept of it; give its `event`."
        )
    text = told.text or ""
    if not given and UNREADABLE in text:
        # As a text it may be JSON now, of somebody who is not called so.
        return Reason(
            ReasonCode.NOT_JSON, "$.text", f"{UNREADABLE} stands for what cannot be read; give its `event`."
        )
    value = given or text.encode()
    event = decode_event(value)
    if isinstance(event, Reason):
        return event
    return _Mended(told.key, Recorded(event, value))


async def _publish(
    settings: Settings, delivery: Delivery, publisher: Publisher, mended: list[_Mended]
) -> int:
    """Publish, and only then note it: what is published twice counts once, what is noted is not listed."""
    await publisher.publish([each.recorded for each in mended])
    await mark(settings, delivery, "sent", [each.key for each in mended], datetime.now(UTC))
    sent = len(mended)
    mended.clear()
    return sent
