"""The fold of one CRM object: each field takes the value of the latest event that states it.

Order by (time, id) and, so that no tie is left to arrival, then by source and value. Folding is
idempotent and commutative: any order of the same events, with any duplicates, ends in the same row.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from kpis.calendar import micros_of
from schemas.events import (
    EVENT_TYPES,
    ActivityDeleted,
    ActivityLogged,
    CostDeleted,
    CostLogged,
    CustomerChurned,
    DealDeleted,
    DealLost,
    DealReopened,
    DealWon,
    Event,
    LeadCreated,
    LeadDeleted,
    LeadDisqualified,
    LeadQualified,
    RateSet,
    SellerAssigned,
    SellerLeft,
)
from schemas.rows import ObjectRow, RateRow, Said, SellerRow, Telling, Value

CREATED = "created"
QUALIFIED = "qualified"
FIRST = "first"

_KINDS = {"crm.leads": "lead", "crm.activities": "activity", "crm.deals": "deal", "crm.costs": "cost"}
_OUTCOMES: dict[type[Event], tuple[str, str]] = {
    DealWon: ("outcome", "won"),
    DealLost: ("outcome", "lost"),
    DealReopened: ("outcome", "open"),
    LeadQualified: ("verdict", "qualified"),
    LeadDisqualified: ("verdict", "disqualified"),
    CustomerChurned: ("churned", "churned"),
}
_DELETIONS = frozenset({LeadDeleted, ActivityDeleted, DealDeleted, CostDeleted})
_TIMED = frozenset({ActivityLogged, CostLogged})
"""The events that state when what they tell happened: at their own time."""
_FIRSTS: dict[type[Event], str] = {LeadCreated: CREATED, LeadQualified: QUALIFIED}


def object_key(kind: str, home: str, identifier: str) -> str:
    """The table key of an object. Lengths keep two different objects from ever sharing one."""
    return f"{kind}:{len(home)}:{home}:{identifier}"


def lead_key(lead: str) -> str:
    """The table key of a lead, whose home is itself."""
    return object_key("lead", lead, lead)


def seller_key(seller: str) -> str:
    """The table key of a seller."""
    return f"seller:{seller}"


def rate_key(currency: str) -> str:
    """The table key of a currency's rates."""
    return f"rate:{currency}"


def customer_key(customer: str) -> str:
    """The table key of a customer, whose home is themselves."""
    return object_key("customer", customer, customer)


def of_customer(customer: str) -> str:
    """Under which an object names the customer it is of. No row has this key."""
    return "of:" + customer


def identifier_of(key: str) -> str:
    """The id in the key of a lead or a customer, `KIND:LENGTH:ID:ID`."""
    _, length, rest = key.split(":", 2)
    return rest[: int(length)]


def identify(event: Event) -> tuple[str, str, str]:
    """The kind, home and id of the object that an event is about."""
    reading = _READINGS[type(event)]
    home = event.data.home
    assert home is not None
    return reading.kind, home, reading.id_of(event.data)


def new_object(kind: str, home: str, identifier: str) -> ObjectRow:
    """The row of an object of which nothing is known yet."""
    return ObjectRow(kind, home, identifier, [], [], False, NEVER, {}, [])


def fold(row: ObjectRow, event: Event, time: int) -> bool:
    """Fold one event, of this time, into the row of its object; whether that changed anything."""
    kind = type(event)
    said = _stated(event)
    outcome = _OUTCOMES.get(kind)
    if outcome is not None:
        said[outcome[0]] = outcome[1]
    if kind in _TIMED:
        said["at"] = time
    changed = _note_first(row, Said(said.get("seller"), time, event.id, event.source), bool(said))
    changed = (bool(said) and _tell(row.told, Telling(time, event.id, event.source, said))) or changed
    if time < row.first:
        row.first = time
        changed = True
    first = _FIRSTS.get(kind)
    if first is not None:
        by = Said(said.get("seller"), time, event.id, event.source)
        changed = _keep_first(row.firsts, first, by) or changed
    if kind in _DELETIONS and not row.deleted:
        row.deleted = changed = True
    return changed


def first_said(row: ObjectRow) -> Said:
    """The earliest event of an object, and the seller it named."""
    noted = row.firsts.get(FIRST)
    if noted is not None:
        return noted
    only = row.told[0]
    return Said(only.said.get("seller"), only.time, only.event, only.source)


def known(row: ObjectRow) -> Mapping[str, Value]:
    """Every field's value, as the latest event that stated it said."""
    told = row.told
    if len(told) == 1:
        return told[0].said
    fields: dict[str, Value] = {}
    for telling in told:
        fields.update(telling.said)
    return fields


def stated_at(row: ObjectRow, name: str) -> int | None:
    """The time of the event that a field's value is from; `None` where no event stated it."""
    for telling in row.told:
        if name in telling.said:
            return telling.time
    return None


def text(fields: Mapping[str, Value], name: str) -> str | None:
    """The value of a text field, where it was stated."""
    value = fields.get(name)
    return value if isinstance(value, str) else None


def instant(fields: Mapping[str, Value], name: str) -> int | None:
    """The value of a field that holds an instant, where it was stated."""
    value = fields.get(name)
    return value if isinstance(value, int) else None


def won_at(row: ObjectRow, fields: Mapping[str, Value]) -> int | None:
    """When a deal was won; `None` where it was not, or is no more."""
    if row.deleted or fields.get("outcome") != "won":
        return None
    return decided_at(row, fields, "won_at")


def decided_at(row: ObjectRow, fields: Mapping[str, Value], amended: str) -> int:
    """When a deal's outcome came about: as it was put right, else when the event that decided it says."""
    stated = instant(fields, amended)
    if stated is None:
        stated = stated_at(row, "outcome")
        assert stated is not None
    return stated


def fold_rate(row: RateRow, event: RateSet) -> bool:
    """Fold a rate into a currency's history; whether that changed anything."""
    entry = Said(event.data.rate, micros_of(event.time), event.id, event.source)
    if entry in row.history:
        return False
    row.history.append(entry)
    row.history.sort(key=_order)
    return True


def rate_at(row: RateRow | None, micros: int) -> str | None:
    """The rate that was valid at an instant: the latest one set up to then."""
    if row is None:
        return None
    rate: Value = None
    for entry in row.history:
        if entry.time > micros:
            break
        rate = entry.value
    return rate if isinstance(rate, str) else None


def fold_seller(row: SellerRow, event: SellerAssigned | SellerLeft) -> bool:
    """Fold an assignment or a departure into the seller's history; whether that changed anything."""
    time = micros_of(event.time)
    team = event.data.team if isinstance(event, SellerAssigned) else None
    entry = Said(team, time, event.id, event.source)
    changed = entry not in row.history
    if changed:
        row.history.append(entry)
        row.history.sort(key=_order)
    for name in ("name", "manager"):
        value = getattr(event.data, name, None)
        if value is not None:
            changed = _keep_latest(row.said, name, Said(value, time, event.id, event.source)) or changed
    return changed


def team_at(row: SellerRow | None, micros: int) -> str | None:
    """The team of the seller's latest assignment up to an instant; none after they left."""
    if row is None:
        return None
    team: Value = None
    for entry in row.history:
        if entry.time > micros:
            break
        team = entry.value
    return team if isinstance(team, str) else None


def _time_of(said: Said) -> tuple[int, str, str]:
    return said.time, said.event, said.source


def _order(said: Said) -> tuple[int, str, str, str]:
    return said.time, said.event, said.source, str(said.value)


def _keep_latest(said: dict[str, Said], name: str, new: Said) -> bool:
    known = said.get(name)
    if known is not None and _order(new) <= _order(known):
        return False
    said[name] = new
    return True


def _keep_first(first: dict[str, Said], name: str, new: Said) -> bool:
    """Keep the earlier one; of two that wrongly have one name, as in tellings, the greater value."""
    known = first.get(name)
    if known is not None:
        place, held = _time_of(new), _time_of(known)
        if place > held or (place == held and _weight(new.value) <= _weight(known.value)):
            return False
    first[name] = new
    return True


def _weight(value: Value) -> tuple[bool, str]:
    return value is not None, str(value)


def _note_first(row: ObjectRow, by: Said, says: bool) -> bool:
    """Note an object's earliest event, unless its only telling says all there is to note."""
    firsts = row.firsts
    if FIRST not in firsts:
        told = row.told
        if not told and says:
            return False
        if len(told) == 1 and _place_of(told[0]) == _time_of(by):
            return False
        if told:
            firsts[FIRST] = first_said(row)
    return _keep_first(firsts, FIRST, by)


def _tell(told: list[Telling], new: Telling) -> bool:
    """Put a telling in its place among those of an object; whether that changed anything.

    Of each field only the latest telling keeps the value; a telling that keeps nothing goes.
    """
    if not told:
        told.append(new)
        return True
    place = _place_of(new)
    said = new.said
    earlier: list[Telling] = []
    later: list[Telling] = []
    held: dict[str, Value] = {}
    for known in told:
        at = _place_of(known)
        if at == place:
            # The same event again, or one that wrongly has its name: the greater value stands.
            held = known.said
            said = _greater(held, said)
        elif at < place:
            earlier.append(known)
        else:
            later.append(known)
    kept = {name: said[name] for name in said if not any(name in known.said for known in later)}
    if kept == held:
        return False
    for known in earlier:
        for name in kept.keys() & known.said.keys():
            del known.said[name]
    mine = Telling(new.time, new.event, new.source, kept)
    told[:] = [*(known for known in earlier if known.said), mine, *later]
    return True


def _place_of(telling: Telling) -> tuple[int, str, str]:
    return telling.time, telling.event, telling.source


def _greater(one: dict[str, Value], other: dict[str, Value]) -> dict[str, Value]:
    both = one | other
    for name in one.keys() & other.keys():
        both[name] = max(one[name], other[name], key=str)
    return both


class _Reading(NamedTuple):
    """How to read what an event type states of its object."""

    kind: str
    id_of: Callable[[Any], str]
    names: tuple[str, ...]
    values_of: Callable[[Any], tuple[Any, ...]]


def _reading(event_type: type[Event]) -> _Reading:
    data_type = event_type.__annotations__["data"]
    kind = "customer" if event_type is CustomerChurned else _KINDS[event_type.topic]
    # What identifies the object is in its key, and need not be in its row as well.
    own = {kind, "customer"} if kind in {"deal", "customer"} else {kind}
    names = tuple(name for name in data_type.__struct_fields__ if name not in own)
    values_of: Callable[[Any], tuple[Any, ...]]
    if len(names) > 1:
        values_of = attrgetter(*names)
    elif names:
        only = attrgetter(names[0])
        values_of = lambda data: (only(data),)  # noqa: E731
    else:
        values_of = lambda _: ()  # noqa: E731
    return _Reading(kind, attrgetter(kind), names, values_of)


_READINGS: dict[type[Event], _Reading] = {
    kind: _reading(kind) for kind in EVENT_TYPES.values() if kind is CustomerChurned or kind.topic in _KINDS
}

NEVER = 2**63 - 1
"""Later than every event: the first event of an object of which nothing is known."""


def _stated(event: Event) -> dict[str, Value]:
    """The fields an event states of its object, in the form in which rows keep them."""
    reading = _READINGS[type(event)]
    said: dict[str, Value] = {}
    for name, value in zip(reading.names, reading.values_of(event.data), strict=True):
        if value is None:
            continue
        if isinstance(value, str):
            said[name] = value
        elif isinstance(value, datetime):
            said[name] = micros_of(value)
        elif isinstance(value, date):
            said[name] = value.isoformat()
    return said
