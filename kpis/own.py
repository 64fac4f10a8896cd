"""An organisation's own measures, as objects count for them: each where and when ours of its kind counts.

A definition that changes is a new version, which is counted beside the one in use until all of history has
been; so each version travels under a name of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from kpis.contributions import (
    Business,
    Joins,
    merged,
    person_of,
    rate_at,
    rates_of_cost,
    share_at,
    times_of_cost,
)
from kpis.definitions.countable import COUNTABLE
from kpis.definitions.counting import Counting, compiled, fields_needed, unit_of
from kpis.fold import CREATED, QUALIFIED, decided_at, instant, known, stated_at, text, won_at
from kpis.formulas import Counted
from kpis.money import measures_of, measures_of_micros, share_of
from kpis.tally import distinct_person
from schemas.decoding import own_fields
from schemas.definitions import Definitions, MeasureDefinition, Plain, Unit
from schemas.events import Event, Recorded, Told, type_of
from schemas.rows import OWN, DefinedRow, ObjectRow, Share, Value

MEASURES = "measures/"
"""How the keys of measures begin, on the topic of definitions."""

MET = ".met"
"""Behind the name of a distinct count: how often persons were met, which no record shows."""

_DERIVED = frozenset({"at", "outcome", "verdict", "churned"})
"""What a row keeps beside what events state."""


class OwnMeasure(NamedTuple):
    """One version of a measure, ready to count."""

    key: str
    event: str
    counting: Counting


class OwnMeasures(NamedTuple):
    """All that is counted."""

    by_kind: dict[str, list[OwnMeasure]]
    """By kind of object."""
    fields: dict[str, tuple[str, ...]]
    """By event type: the fields of its data that the contract does not know and that are read."""


NONE = OwnMeasures({}, {})


def versioned(name: str, number: int) -> str:
    """Under which the sums of a version of a measure travel."""
    return f"{name}#{number}"


def shown_as(name: str, number: int, definition: MeasureDefinition) -> Counted:
    """How records are to show a version of a measure."""
    return Counted(versioned(name, number), unit_of(definition))


def own_measures(row: DefinedRow | None) -> OwnMeasures:
    """The measures that a partition's definitions say to count."""
    if row is None:
        return NONE
    by_kind: dict[str, list[OwnMeasure]] = {}
    needed: set[tuple[str, str]] = set()
    for key, versions in row.versions.items():
        for version in versions:
            definition = version.definition
            if not isinstance(definition, MeasureDefinition):
                continue
            name = key.removeprefix(MEASURES)
            kind = COUNTABLE[definition.event].noun
            measure = OwnMeasure(versioned(name, version.number), definition.event, compiled(definition))
            by_kind.setdefault(kind, []).append(measure)
            needed |= fields_needed(Definitions({name: definition}))
    return OwnMeasures(by_kind, _by_event_type(needed))


def told(recorded: Iterable[Recorded], definitions: Definitions) -> Iterator[Event | Told]:
    """Events with what they state of fields that only these definitions read."""
    needed = _by_event_type(fields_needed(definitions))
    for event, raw in recorded:
        names = needed.get(type_of(event)) if needed else None
        yield Told(event, own_fields(raw, names)) if names else event


def _by_event_type(needed: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The fields that are read, by the event type that may state them."""
    fields: dict[str, tuple[str, ...]] = {}
    for event_type, field in sorted(needed):
        fields[event_type] = (*fields.get(event_type, ()), field)
    return fields


def combined(row: ObjectRow, known: Mapping[str, Value]) -> dict[str, Plain | None]:
    """An object's fields by the names that events give them, and its own id, customer or lead."""
    fields: dict[str, Plain | None] = {}
    for name, value in known.items():
        if name.startswith(OWN):
            fields[name.removeprefix(OWN)] = value
        elif name not in _DERIVED:
            fields[name.removesuffix("_")] = value
    fields[row.kind] = row.id
    if row.kind in {"deal", "customer"}:
        fields["customer"] = row.home
    return fields


class _Place(NamedTuple):
    """Where and when something counts."""

    at: int
    seller: str | None
    customer: str | None


def own_shares(
    row: ObjectRow, measures: Iterable[OwnMeasure], business: Business, joins: Joins
) -> list[Share]:
    """What an object that is not deleted contributes to own measures of its kind."""
    known_fields = known(row)
    fields = combined(row, known_fields)
    shares: list[Share] = []
    for measure in measures:
        amount = measure.counting.amount(fields)
        if amount is None:
            continue
        if row.kind == "cost":
            shares.extend(_of_cost(measure, amount, known_fields, business, joins))
            continue
        place = _PLACES[measure.event](row, known_fields, business, joins)
        if place is None:
            continue
        if measure.counting.distinct:
            person = person_of(known_fields)
            if person is not None:
                met = {measure.key + MET: 1}
                whom = distinct_person(measure.key, person)
                shares.append(share_at(business, joins, place.at, place.seller, place.customer, met, whom))
            continue
        counts = _counts(measure, amount, known_fields, place.at, business, joins)
        if counts:
            shares.append(share_at(business, joins, place.at, place.seller, place.customer, counts))
    return merged(shares)


def _counts(
    measure: OwnMeasure,
    amount: int,
    fields: Mapping[str, Value],
    at: int,
    business: Business,
    joins: Joins,
) -> dict[str, int]:
    match measure.counting.unit:
        case Unit.MONEY:
            rate = rate_at(fields, at, business, joins)
            return {} if rate is None else measures_of(measure.key, amount * rate)
        case Unit.NUMBER:
            return measures_of_micros(measure.key, amount)
        case _:
            return {measure.key: amount}


def _of_cost(
    measure: OwnMeasure, amount: int, fields: Mapping[str, Value], business: Business, joins: Joins
) -> list[Share]:
    """An amount is spread over the days, as `cost` is; whatever else is counted falls on the first."""
    at = instant(fields, "at")
    if at is None:
        return []
    times = times_of_cost(fields, at, business.calendar)
    rates = rates_of_cost(fields, times, business, joins)
    if rates is None:
        return []
    if measure.counting.unit is Unit.MONEY:
        amounts = [
            (time, share_of(measure.key, amount * rate, len(times)))
            for time, rate in zip(times, rates, strict=True)
        ]
    else:
        amounts = [(times[0], _counts(measure, amount, fields, times[0], business, joins))]
    seller, customer = text(fields, "seller"), text(fields, "customer")
    shares = [
        share_at(business, joins, time, seller, customer, counts) for time, counts in amounts if counts
    ]
    if seller is None:
        team = text(fields, "team")
        shares = [msgspec.structs.replace(share, team=team) for share in shares]
    return shares


def _lead_created(row: ObjectRow, fields: Mapping[str, Value], _b: Business, _j: Joins) -> _Place:
    created = row.firsts.get(CREATED)
    at = row.first if created is None else created.time
    return _Place(at, text(fields, "seller"), text(fields, "customer"))


def _lead_qualified(row: ObjectRow, fields: Mapping[str, Value], _b: Business, _j: Joins) -> _Place | None:
    qualified = row.firsts.get(QUALIFIED)
    if qualified is None or fields.get("verdict") == "disqualified":
        return None
    by = qualified.value if isinstance(qualified.value, str) else text(fields, "seller")
    return _Place(qualified.time, by, text(fields, "customer"))


def _lead_disqualified(
    row: ObjectRow, fields: Mapping[str, Value], _b: Business, _j: Joins
) -> _Place | None:
    at = stated_at(row, "verdict")
    if at is None or fields.get("verdict") != "disqualified":
        return None
    return _Place(at, text(fields, "seller"), text(fields, "customer"))


def _activity_logged(_: ObjectRow, fields: Mapping[str, Value], _b: Business, _j: Joins) -> _Place | None:
    at = instant(fields, "at")
    return None if at is None else _Place(at, text(fields, "seller"), text(fields, "customer"))


def _deal_created(row: ObjectRow, fields: Mapping[str, Value], _b: Business, _j: Joins) -> _Place:
    return _Place(row.first, text(fields, "seller"), row.home)


def _deal_won(
    row: ObjectRow, fields: Mapping[str, Value], business: Business, joins: Joins
) -> _Place | None:
    at = won_at(row, fields)
    if at is None or rate_at(fields, at, business, joins) is None:
        return None
    return _Place(at, text(fields, "seller"), row.home)


def _deal_lost(row: ObjectRow, fields: Mapping[str, Value], _b: Business, _j: Joins) -> _Place | None:
    if fields.get("outcome") != "lost":
        return None
    return _Place(decided_at(row, fields, "lost_at"), text(fields, "seller"), row.home)


def _churned(row: ObjectRow, _: Mapping[str, Value], _b: Business, joins: Joins) -> _Place | None:
    last = joins.customer(row.home).last
    at = stated_at(row, "churned")
    return None if last is None or at is None or at <= last.at else _Place(at, last.seller, row.home)


_PLACES: dict[str, Callable[[ObjectRow, Mapping[str, Value], Business, Joins], _Place | None]] = {
    "lead.created": _lead_created,
    "lead.qualified": _lead_qualified,
    "lead.disqualified": _lead_disqualified,
    "activity.logged": _activity_logged,
    "deal.created": _deal_created,
    "deal.won": _deal_won,
    "deal.lost": _deal_lost,
    "customer.churned": _churned,
}
