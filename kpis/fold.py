"""The fold of one CRM object: each field takes the value of the latest event that states it.

Order by (time, id) and, so that no tie is left to arrival, then by source and value. Folding is
idempotent and commutative: any order of the same events, with any duplicates, ends in the same row.
"""

from datetime import date, datetime

from kpis.calendar import micros_of
from schemas.events import (
    ActivityDeleted,
    ActivityLogged,
    CustomerChurned,
    Data,
    DealDeleted,
    DealLost,
    DealReopened,
    DealWon,
    Event,
    LeadCreated,
    LeadDeleted,
    LeadDisqualified,
    LeadQualified,
    SellerAssigned,
    SellerLeft,
)
from schemas.rows import ObjectRow, Said, SellerRow

ANY = "any"
CREATED = "created"
QUALIFIED = "qualified"

_KINDS = {"crm.leads": "lead", "crm.activities": "activity", "crm.deals": "deal"}
_OUTCOMES: dict[type[Event], tuple[str, str]] = {
    DealWon: ("outcome", "won"),
    DealLost: ("outcome", "lost"),
    DealReopened: ("outcome", "open"),
    LeadQualified: ("verdict", "qualified"),
    LeadDisqualified: ("verdict", "disqualified"),
    CustomerChurned: ("churned", "churned"),
}
_DELETIONS = (LeadDeleted, ActivityDeleted, DealDeleted)
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


def identify(event: Event) -> tuple[str, str, str]:
    """The kind, home and id of the object that an event is about."""
    if isinstance(event, CustomerChurned):
        return "customer", event.data.customer, event.data.customer
    kind = _KINDS[event.topic]
    home = event.data.home
    assert home is not None
    return kind, home, getattr(event.data, kind)


def new_object(kind: str, home: str, identifier: str) -> ObjectRow:
    """The row of an object of which nothing is known yet."""
    return ObjectRow(kind, home, identifier, {}, {}, False, [], [], 0)


def fold(row: ObjectRow, event: Event) -> None:
    """Fold one event into the row of its object."""
    time = micros_of(event.time)
    if isinstance(event, _DELETIONS):
        row.deleted = True
    outcome = _OUTCOMES.get(type(event))
    if outcome is not None:
        _keep_latest(row.said, outcome[0], Said(outcome[1], time, event.id, event.source))
    for name, value in _stated(event.data, row.kind):
        _keep_latest(row.said, name, Said(value, time, event.id, event.source))
    if isinstance(event, ActivityLogged):
        _keep_latest(row.said, "at", Said(time, time, event.id, event.source))
    _keep_first(row.first, ANY, Said(None, time, event.id, event.source))
    first = _FIRSTS.get(type(event))
    if first is not None:
        seller = getattr(event.data, "seller", None)
        _keep_first(row.first, first, Said(seller, time, event.id, event.source))


def fold_seller(row: SellerRow, event: SellerAssigned | SellerLeft) -> None:
    """Fold an assignment or a departure into the seller's history."""
    time = micros_of(event.time)
    team = event.data.team if isinstance(event, SellerAssigned) else None
    entry = Said(team, time, event.id, event.source)
    if entry not in row.history:
        row.history.append(entry)
        row.history.sort(key=_order)
    for name in ("name", "manager"):
        value = getattr(event.data, name, None)
        if value is not None:
            _keep_latest(row.said, name, Said(value, time, event.id, event.source))


def team_at(row: SellerRow | None, micros: int) -> str | None:
    """The team of the seller's latest assignment up to an instant; none after they left."""
    if row is None:
        return None
    team: str | int | None = None
    for entry in row.history:
        if entry.time > micros:
            break
        team = entry.value
    return team if isinstance(team, str) else None


def _order(said: Said) -> tuple[int, str, str, str]:
    return said.time, said.event, said.source, str(said.value)


def _keep_latest(said: dict[str, Said], name: str, new: Said) -> None:
    known = said.get(name)
    if known is None or _order(new) > _order(known):
        said[name] = new


def _keep_first(first: dict[str, Said], name: str, new: Said) -> None:
    known = first.get(name)
    if known is None or _order(new) < _order(known):
        first[name] = new


def _stated(data: Data, kind: str) -> list[tuple[str, str | int]]:
    """The fields an event states of its object, in the form in which rows keep them."""
    stated: list[tuple[str, str | int]] = []
    for name in data.__struct_fields__:
        value = getattr(data, name)
        if value is None or name == kind or (name == "customer" and kind == "deal"):
            continue
        if isinstance(value, datetime):
            stated.append((name, micros_of(value)))
        elif isinstance(value, date):
            stated.append((name, value.isoformat()))
        else:
            stated.append((name, value))
    return stated
