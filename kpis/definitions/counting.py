"""A measure's definition, compiled: which objects it counts, and what each of them counts for.

An object is judged by its combined fields: of each field the value that the latest event states, whatever
the type of that event, and the customer, lead or other id that is in the object's key.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from kpis.definitions.checking import summed_field
from kpis.definitions.countable import COUNTABLE, FieldKind, event_types_of, known_fields
from schemas.definitions import Definitions, MeasureDefinition, Plain, Unit

Fields = Mapping[str, Plain | None]
"""An object's combined fields."""

Matches = Callable[[Fields], bool]
Amount = Callable[[Fields], int | None]

MILLION = 1_000_000


class Counting(NamedTuple):
    """A measure's definition, ready to be asked."""

    unit: Unit
    distinct: bool
    """Whether it counts persons, each once a window, as `contacts` does."""
    amount: Amount
    """What an object counts for; `None` where it counts for nothing, which is no zero: it does not fulfil a
    condition, names nobody, or states no number. A count is 1. Money is in millionths of the object's own
    currency, a number of the organisation's own in millionths."""


def compiled(definition: MeasureDefinition) -> Counting:
    """What a sound definition says, as functions."""
    matches = _all([_condition(field, values) for field, values in definition.where.items()])
    return Counting(
        unit_of(definition),
        definition.count == "distinct person",
        _only(matches, _amount_of(definition)),
    )


def unit_of(definition: MeasureDefinition) -> Unit:
    """What the measure's figure stands for."""
    field = summed_field(definition.count)
    if field is None:
        return Unit.COUNT
    return Unit.MONEY if _is_money(definition.event, field) else Unit.NUMBER


def fields_needed(definitions: Definitions) -> frozenset[tuple[str, str]]:
    """The fields that the contract does not know and definitions read, by each event type that may state
    them: rows must keep these too."""
    return frozenset(
        (event_type, field)
        for definition in definitions.measures.values()
        for field in _read(definition)
        if field not in known_fields(COUNTABLE[definition.event].noun)
        for event_type in event_types_of(COUNTABLE[definition.event].noun)
    )


def millionths(value: Plain | None) -> int | None:
    """A decimal text or a number, exactly in millionths; beyond six decimals rounded half to even.

    `None` for what is no number, or has more than 12 digits before the point.
    """
    if isinstance(value, str):
        return _millionths_of_text(value)
    if value is None or isinstance(value, bool) or not abs(value) < _LIMIT:
        return None
    if isinstance(value, int):
        return value * MILLION
    # As it is written, not as it is stored: 0.1 is a tenth.
    return _rounded(repr(value))


def _millionths_of_text(text: str) -> int | None:
    match = _DECIMAL.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    sign, whole, rest = match.groups("")
    if len(rest) > 6:
        return _rounded(text)
    amount = int(whole) * MILLION + int(rest.ljust(6, "0"))
    return -amount if sign else amount


def _rounded(text: str) -> int:
    return int(Decimal(text).scaleb(6).quantize(Decimal(1), ROUND_HALF_EVEN))


_LIMIT = 10**12
_LONGEST = 40
_DECIMAL = re.compile(r"(-)?([0-9]{1,12})(?:\.([0-9]+))?")


def _read(definition: MeasureDefinition) -> Iterable[str]:
    field = summed_field(definition.count)
    return definition.where if field is None else [*definition.where, field]


def _is_money(event: str, field: str) -> bool:
    known = known_fields(COUNTABLE[event].noun).get(field)
    return known is not None and known.kind is FieldKind.MONEY


def _condition(field: str, values: tuple[Plain, ...]) -> Matches:
    """Texts equal texts, numbers numbers (1 is 1.0), true and false themselves; nothing else is equal."""
    if len(values) == 1 and isinstance(only := values[0], str):
        return lambda fields: fields.get(field) == only
    texts = frozenset(value for value in values if isinstance(value, str))
    truths = frozenset(value for value in values if isinstance(value, bool))
    numbers = frozenset(
        value for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    )

    def fulfilled(fields: Fields) -> bool:
        value = fields.get(field)
        if isinstance(value, str):
            return value in texts
        # In Python true is 1: to the organisation it is not.
        return value in (truths if isinstance(value, bool) else numbers)

    return fulfilled


def _all(conditions: list[Matches]) -> Matches:
    match conditions:
        case []:
            return lambda _: True
        case [only]:
            return only
        case [first, second]:
            return lambda fields: first(fields) and second(fields)
        case _:
            return lambda fields: all(fulfilled(fields) for fulfilled in conditions)


def _only(matches: Matches, amount: Amount) -> Amount:
    return lambda fields: amount(fields) if matches(fields) else None


def _amount_of(definition: MeasureDefinition) -> Amount:
    field = summed_field(definition.count)
    if field is not None:
        if _is_money(definition.event, field):
            return lambda fields: millionths(fields.get(field) or "0")
        return lambda fields: millionths(fields.get(field))
    if definition.count == "distinct person":
        return lambda fields: 1 if fields.get("customer") or fields.get("lead") else None
    return lambda _: 1
