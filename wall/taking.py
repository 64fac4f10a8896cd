"""What records that were fetched change of what the view holds: entries, each to be kept as it is now."""

from collections.abc import Iterable, Iterator
from datetime import datetime

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


def changed(transaction: Transaction, fetched: Iterable[Fetched], clock: datetime | None) -> list[Entry]:
    """The entries that records change; what is known of deals besides is kept at once."""
    return [*_highest(transaction, fetched), *_moments(transaction, fetched, clock)]


def _held(transaction: Transaction, kind: str, key: str) -> tuple[int, bytes] | None:
    found = transaction.execute(sql.HELD, (kind, key))
    return (found[0][0], found[0][1]) if found else None


def _highest(transaction: Transaction, fetched: Iterable[Fetched]) -> list[Entry]:
    """Of each entry that is told of the highest, where it is higher than what is held."""
    highest: dict[tuple[str, str], Entry] = {}
    known: dict[tuple[str, str], tuple[int, bytes]] = {}
    for entry in _entries(fetched):
        place = (entry.kind, entry.key)
        if place not in known:
            known[place] = _held(transaction, *place) or (-1, b"")
        if entry.revision < 0:
            # It is no more: what was said of it before must not come back.
            entry = msgspec.structs.replace(entry, revision=known[place][0])  # noqa: PLW2901
            if known[place][1] == entry.body:
                continue
        elif entry.order <= known[place]:
            continue
        known[place] = entry.order
        highest[place] = entry
    return list(highest.values())


def _moments(
    transaction: Transaction, fetched: Iterable[Fetched], clock: datetime | None
) -> Iterator[Entry]:
    """What is told of deals, taken in; the moments of those that changed by it."""
    deals: dict[tuple[str, str], Deal] = {}
    for one in fetched:
        event = decode_event(one.value, DEALS) if one.topic == DEALS else None
        # What is no valid event is refused, and kept, by the ledger.
        if not isinstance(event, OfDeal):
            continue
        key = (event.data.customer, event.data.deal)
        if key not in deals:
            found = transaction.execute(sql.DEAL, (_name(key),))
            deals[key] = decode_deal(found[0][0]) if found else Deal()
        deals[key] = told(deals[key], event)
    transaction.execute_many(
        sql.KEEP_DEAL, ((_name(key), encode_deal(deal)) for key, deal in deals.items())
    )
    for key, deal in deals.items():
        found = _held(transaction, "moment", _name(key))
        held = None if found is None else decode_moment(found[1])
        now = moment(key, deal, held, clock)
        if now is None or (held is not None and same(now, held)):
            continue
        yield Entry(
            kind="moment",
            key=_name(key),
            revision=0 if found is None else found[0] + 1,
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
                yield of_definition(one.key, one.value)
            elif one.topic == GOALS_HISTORY.name:
                yield of_version(one.offset, one.value)
            else:
                yield from READ[one.topic](one.value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("a record cannot be read, and is left out", at=one.place, error=str(error))
