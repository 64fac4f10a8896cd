"""What records that were fetched change of what the view holds: entries, each to be kept as it is now."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from functools import reduce

import msgspec
import structlog

from kpis.calendar import micros_of
from schemas.decoding import decode_event
from schemas.topics import DEFINITIONS, GOALS_HISTORY
from streams.following import Fetched
from wall import sql
from wall.database import Transaction
from wall.deals import (
    Deal,
    OfDeal,
    decode_deal,
    decode_moment,
    encode_deal,
    encode_moment,
    moment,
    same,
    told,
)
from wall.entries import DEALS, KINDS, READ, Entry, Gone, encode, of_definition, of_version

log = structlog.get_logger(__name__)

Place = tuple[str, str]
"""The kind and the key of an entry."""


def changed(transaction: Transaction, fetched: Iterable[Fetched], clock: datetime | None) -> list[Entry]:
    """The entries that records change; what is known of deals besides is kept at once."""
    return [*_highest(transaction, fetched), *_moments(transaction, fetched, clock)]


def _held(transaction: Transaction, places: Collection[Place]) -> dict[Place, tuple[int, bytes]]:
    """The revision and the body of those entries that are held."""
    rows = transaction.execute_each(sql.HELD, places)
    return {place: (found[0][0], found[0][1]) for place, found in zip(places, rows, strict=True) if found}


def _highest(transaction: Transaction, fetched: Iterable[Fetched]) -> list[Entry]:
    """Of each entry that is told of the highest, where it is higher than what is held."""
    highest: dict[Place, Entry] = {}
    entries = list(_entries(fetched))
    known = _held(transaction, list({(entry.kind, entry.key): None for entry in entries}))
    for entry in entries:
        place = (entry.kind, entry.key)
        revision, body = known.get(place, (-1, b""))
        if entry.revision < 0:
            # It is no more: what was said of it before must not come back.
            entry = msgspec.structs.replace(entry, revision=revision)  # noqa: PLW2901
            if body == entry.body:
                continue
        elif entry.order <= (revision, body):
            continue
        known[place] = entry.order
        highest[place] = entry
    return list(highest.values())


def _moments(
    transaction: Transaction, fetched: Iterable[Fetched], clock: datetime | None
) -> Iterator[Entry]:
    """What is told of deals, taken in; the moments of those that changed by it."""
    told_of: dict[tuple[str, str], list[OfDeal]] = {}
    for one in fetched:
        event = decode_event(one.value, DEALS) if one.topic == DEALS else None
        # What is no valid event is refused, and kept, by the ledger.
        if isinstance(event, OfDeal):
            told_of.setdefault((event.data.customer, event.data.deal), []).append(event)
    names = {key: _name(key) for key in told_of}
    deals: dict[tuple[str, str], Deal] = {}
    found = transaction.execute_each(sql.DEAL, [(name,) for name in names.values()])
    for (key, events), rows in zip(told_of.items(), found, strict=True):
        deals[key] = reduce(told, events, decode_deal(rows[0][0]) if rows else Deal())
    transaction.execute_many(
        sql.KEEP_DEAL, ((names[key], encode_deal(deal)) for key, deal in deals.items())
    )
    moments = _held(transaction, [("moment", name) for name in names.values()])
    for key, deal in deals.items():
        revision, body = moments.get(("moment", names[key]), (-1, None))
        held = None if body is None else decode_moment(body)
        now = moment(key, deal, held, clock)
        if now is None or (held is not None and same(now, held)):
            continue
        yield Entry(
            kind="moment",
            key=names[key],
            revision=revision + 1,
            at=None if now.at is None else micros_of(now.at),
            body=encode_moment(now),
        )


def _name(key: tuple[str, str]) -> str:
    return encode(key).decode()


def _entries(fetched: Iterable[Fetched]) -> Iterator[Entry]:
    for one in fetched:
        if one.topic == DEALS or one.topic not in KINDS:
            continue
        if one.value is None:
            for kind in KINDS[one.topic]:
                yield Entry(kind=kind, key=one.key, revision=-1, body=encode(Gone(one.key)))
            continue
        try:
            if one.topic == DEFINITIONS.name:
                yield from of_definition(one.key, one.value)
            elif one.topic == GOALS_HISTORY.name:
                yield of_version(one.offset, one.value)
            else:
                yield from READ[one.topic](one.value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("a record cannot be read, and is left out", at=one.place, error=str(error))
