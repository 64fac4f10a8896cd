"""An organisation's own measures in SQL: which objects fulfil a definition, and what each counts for.

Written from docs/definitions.md. A definition becomes a statement over `audit/sql/places.sql`, which says
for each event type what there is to count, when and for whom.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from audit.figures import OWN, Unit
from schemas.decoding import own_fields
from schemas.definitions import MeasureDefinition, Plain
from schemas.events import EVENT_TYPES, Event, Recorded, fields_of, type_of

_INTEGERS = 2**63
"""Larger integers are kept of no event."""

_KEYS = {
    "lead": "null::varchar as home, lead as object",
    "activity": "coalesce(customer, lead, activity) as home, activity as object",
    "deal": "customer as home, deal as object",
    "customer": "null::varchar as home, customer as object",
    "cost": "null::varchar as home, cost as object",
}
"""What tells the objects of a kind apart."""

_MONEY = {("deal", "value"), ("cost", "amount")}
_DISTINCT = "distinct person"


class Field(Struct, frozen=True):
    """A field that definitions read of a kind of object, and the column of what events say of it."""

    noun: str
    name: str
    column: str


class OwnMeasures:
    """The measures that an organisation defines, as the books count them."""

    def __init__(self, definitions: Mapping[str, MeasureDefinition]) -> None:
        self._definitions = definitions
        self.units = {OWN + name: _unit(one) for name, one in definitions.items()}
        """By the name under which the books count each."""
        self.distinct = {OWN + name for name, one in definitions.items() if one.count == _DISTINCT}
        read = {(_noun(one), name) for one in definitions.values() for name in _fields_read(one)}
        self.fields = [Field(*each, f"said_{number}") for number, each in enumerate(sorted(read))]
        self._of_type = {name: tuple(self._fields_of(name)) for name in EVENT_TYPES}

    def line(self, told: Event | Recorded) -> bytes:
        """An event as JSON, with what it says of the fields that definitions read beside it."""
        event, raw = told if isinstance(told, Recorded) else (told, None)
        line = encode(event)
        fields = self._of_type[type_of(event)]
        if not fields:
            return line
        said = dict(self._said(event, raw, fields))
        return line[:-1] + b',"said":' + encode(said) + b"}"

    def statements(self) -> Iterator[str]:
        """What makes the table `own_counted` of what each object contributes to each measure."""
        for noun in sorted({field.noun for field in self.fields}):
            yield self._combined(noun)
        yield "create or replace table own_counted as from counted limit 0"
        for name, definition in self._definitions.items():
            yield f"insert into own_counted {self._counted(name, definition)}"

    def _fields_of(self, event_type: str) -> Iterator[Field]:
        noun, _, what = event_type.partition(".")
        return (field for field in self.fields if field.noun == noun and what != "deleted")

    def _said(
        self, event: Event, raw: bytes | None, fields: tuple[Field, ...]
    ) -> Iterator[tuple[str, Plain]]:
        contract = msgspec.to_builtins(event.data)
        stated = {} if raw is None else own_fields(raw, [field.name for field in fields])
        for field in fields:
            value = (contract if field.name in _known(field.noun) else stated).get(field.name)
            if value is not None:
                yield field.column, value

    def _combined(self, noun: str) -> str:
        """Of each object, of each field, the value that the latest event states."""
        latest = [
            f"arg_max({field.column}, nth) filter ({field.column} is not null) as {field.column}"
            for field in self.fields
            if field.noun == noun
        ]
        return f"""
            create or replace table said_of_{noun} as
            select {_KEYS[noun]}, {", ".join(latest)}
            from events
            where starts_with(type, '{noun}.')
            group by all
        """  # noqa: S608

    def _counted(self, name: str, definition: MeasureDefinition) -> str:
        noun = _noun(definition)
        conditions = [
            f"({self._condition(noun, field, values)})" for field, values in definition.where.items()
        ]
        person, amount, fine, among = "null", "1", "0", "1"
        place, only = f"place_{definition.event.replace('.', '_')}", ""
        unit = _unit(definition)
        if definition.count == _DISTINCT:
            person = "person"
            conditions.append("person is not null")
        elif unit is Unit.MONEY:
            amount, fine, among = "value * rate_whole", "value * rate_fine", "days"
            conditions.append("rate_whole is not null")
        elif unit is Unit.NUMBER:
            amount = f"millionths({self._column(noun, _summed(definition))})"
            conditions.append(f"{amount} is not null")
        if noun == "cost" and unit is not Unit.MONEY:
            # Whatever is no amount counts whole, on the first day.
            days = "partition by place.object order by place.on_day nulls first"
            only = f"qualify row_number() over ({days}) = 1"
        said = ""
        if any(field.noun == noun for field in self.fields):
            said = f"""
                join said_of_{noun} as said
                    on said.object = place.object and said.home is not distinct from place.home
            """
        return f"""
            select
                '{OWN}{name}', place.home, place.object, place.customer, place.seller, place.team,
                place.moment, place.on_day, {person}, {amount}, {fine}, {among},
            from {place} as place {said}
            where {" and ".join(["place.moment is not null", *conditions])}
            {only}
        """  # noqa: S608

    def _column(self, noun: str, name: str) -> str:
        [column] = [field.column for field in self.fields if (field.noun, field.name) == (noun, name)]
        return column

    def _condition(self, noun: str, field: str, values: tuple[Plain, ...]) -> str:
        column = self._column(noun, field)
        return " or ".join(f"({_equals(column, value)})" for value in values)


encode = msgspec.json.Encoder().encode


def _noun(definition: MeasureDefinition) -> str:
    return definition.event.partition(".")[0]


def _summed(definition: MeasureDefinition) -> str:
    """The field that is summed; empty where objects or persons are counted."""
    what, _, field = definition.count.partition(" ")
    return field.strip() if what == "sum" else ""


def _unit(definition: MeasureDefinition) -> Unit:
    field = _summed(definition)
    if not field:
        return Unit.COUNT
    return Unit.MONEY if (_noun(definition), field) in _MONEY else Unit.NUMBER


def _fields_read(definition: MeasureDefinition) -> Iterator[str]:
    yield from definition.where
    if _unit(definition) is Unit.NUMBER:
        yield _summed(definition)


def _known(noun: str) -> frozenset[str]:
    """The fields that the contract knows of a kind of object."""
    return _KNOWN[noun]


_KNOWN = {
    noun: frozenset(
        field.encode_name
        for name in EVENT_TYPES
        if name.startswith(f"{noun}.") and not name.endswith(".deleted")
        for field in fields_of(name)
    )
    for noun in _KEYS
}


def _equals(column: str, value: Plain) -> str:
    """Whether a column of JSON is a value: a text a text, a number a number, true and false themselves."""
    text = f"({column} ->> '$')"
    match value:
        case bool():
            return f"json_type({column}) = 'BOOLEAN' and {text} = '{str(value).lower()}'"
        case str():
            quoted = value.replace("'", "''")
            return f"json_type({column}) = 'VARCHAR' and {text} = '{quoted}'"
        case int() | float():
            return " or ".join(f"({each})" for each in _equals_number(column, text, value))


def _equals_number(column: str, text: str, value: float) -> Iterator[str]:
    yield f"json_type({column}) = 'DOUBLE' and {text}::double = '{float(value)!r}'::double"
    if value == int(value) and abs(value) < _INTEGERS:
        yield f"json_type({column}) in ('BIGINT', 'UBIGINT') and {text}::bigint = {int(value)}"
