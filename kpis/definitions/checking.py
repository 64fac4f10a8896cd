"""Whether definitions can be used: every fault at once.

It judges tables as they are read, from TOML or from a record, so that both are held to the same. Formulas
read measures only, ours or own, and no KPIs: so nothing can be defined in a circle.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from math import isfinite
from typing import Literal, cast, get_args

from msgspec import Struct
from msgspec.structs import replace

from kpis.definitions.countable import COUNTABLE, INSTEAD, NOUNS, FieldKind, known_fields, names_of_fields
from kpis.definitions.faults import Fault, Faults, Table, did_you_mean, kind_of, short
from kpis.definitions.formula import FormulaError, parse
from kpis.definitions.places import Path
from schemas.definitions import Definitions, KpiDefinition, KpiUnit, MeasureDefinition, Plain
from schemas.events import EVENT_TYPES

MAX_DEFINITIONS = 100
"""Of measures, and of KPIs."""

MAX_CONDITIONS = 16
MAX_VALUES = 100
MAX_TEXT = 1024
MAX_FIELD = 128
MAX_INTEGER = 2**53
"""Up to this every reader of JSON sees the same number."""

Tables = Mapping[str, object]
"""`measures` and `kpis`, as TOML or JSON gives them."""


class Vocabulary(Struct, frozen=True):
    """What there is besides the definitions that are judged."""

    measures: frozenset[str]
    """The measures that formulas may read without defining them."""
    kpis: Mapping[str, str]
    """The KPIs that are there already; their formulas, or nothing where no formula can express them."""
    taken: Mapping[str, str]
    """Names that no definition may have, and what they are the name of."""

    def knowing(self, measures: Iterable[str]) -> "Vocabulary":
        """This, with more measures that formulas may read."""
        return replace(self, measures=self.measures | set(measures))


def checked(tables: Tables, vocabulary: Vocabulary) -> tuple[Definitions, list[Fault]]:
    """The definitions that are sound, and what is wrong with the others.

    Formulas are judged against every measure that is defined, also one that has faults of its own.
    """
    faults = Faults()
    faults.keys((), dict(tables), ("measures", "kpis"), (), "a file of definitions")
    measures = _tables_of(tables, "measures", vocabulary, faults)
    kpis = _tables_of(tables, "kpis", vocabulary, faults)
    for name in kpis.keys() & measures.keys():
        faults.add(("kpis", name), "a measure here has the same name; choose another.", key=True)
    known = vocabulary.measures | measures.keys()
    return Definitions(
        {name: one for name, table in measures.items() if (one := _measure(name, table, faults))},
        {
            name: one
            for name, table in kpis.items()
            if (one := _kpi(name, table, known, vocabulary, faults))
        },
    ), faults.found


def taken_names(measures: Iterable[str], kpis: Iterable[str]) -> dict[str, str]:
    """The names that an organisation's own definitions cannot have, and what they are the name of."""
    return (
        dict.fromkeys(names_of_fields(), "a field of events")
        | dict.fromkeys(_PARTS_OF_RECORDS, "a part of the records")
        | dict.fromkeys(kpis, "a KPI that is there already")
        | dict.fromkeys(measures, "a measure that is there already")
    )


def summed_field(count: str) -> str | None:
    """The field that a `count` of the form `sum FIELD` names."""
    verb, _, field = count.partition(" ")
    return field.strip() or None if verb == "sum" else None


_PARTS_OF_RECORDS = "scope grain start end state revision measures kpis as_of previous company team".split()
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MEASURE_KEYS = ("event", "where", "count", "name")
_KPI_KEYS = ("formula", "unit", "better", "name")
_UNITS: tuple[KpiUnit, ...] = get_args(KpiUnit)
_BETTER = ("higher", "lower")
A = {noun: f"an {noun}" if noun[0] in "aeiou" else f"a {noun}" for noun in NOUNS}
_WHAT = {
    FieldKind.TEXT: "a text",
    FieldKind.MONEY: "an amount of money",
    FieldKind.INSTANT: "an instant",
    FieldKind.DATE: "a date",
}


def _tables_of(whole: Tables, kind: str, vocabulary: Vocabulary, faults: Faults) -> dict[str, Table]:
    """The tables of one kind, by name."""
    found = faults.table((kind,), whole.get(kind, {}), f"[{kind}.demos]") or {}
    if len(found) > MAX_DEFINITIONS:
        faults.add((kind,), f"there are {len(found)} {kind}; at most {MAX_DEFINITIONS} will do.", key=True)
    for name in found:
        if not _NAME.fullmatch(name):
            rule = "a name has 1 to 64 of a-z, 0-9 and _, and begins with a letter"
            faults.add((kind, name), f"`{short(name)}` cannot be a name; {rule}.", key=True)
        elif name in vocabulary.taken:
            what = vocabulary.taken[name]
            faults.add((kind, name), f"`{name}` is the name of {what}; choose another.", key=True)
    tables = {name: faults.table((kind, name), table, f"[{kind}.demos]") for name, table in found.items()}
    return {name: table for name, table in tables.items() if table is not None}


def _measure(name: str, table: Table, faults: Faults) -> MeasureDefinition | None:
    """One measure, if it is sound."""
    path = ("measures", name)
    before = len(faults.found)
    faults.keys(path, table, _MEASURE_KEYS, ("event",), "a measure")
    event = _event((*path, "event"), table["event"], faults) if "event" in table else None
    conditions = faults.table((*path, "where"), table.get("where", {}), '{ kind = "call" }') or {}
    if len(conditions) > MAX_CONDITIONS:
        sentence = f"there are {len(conditions)} conditions; at most {MAX_CONDITIONS} will do."
        faults.add((*path, "where"), sentence)
    where = {
        field: _condition((*path, "where", field), field, wanted, event, faults)
        for field, wanted in conditions.items()
    }
    count = _count((*path, "count"), table.get("count", "each"), event, faults)
    names = faults.names((*path, "name"), table.get("name", {}), 0)
    if event is None or len(faults.found) > before:
        return None
    return MeasureDefinition(event=event, where=where, count=count, name=names)


def _event(path: Path, value: object, faults: Faults) -> str | None:
    event = faults.text(path, value)
    if event is None or event in COUNTABLE:
        return event
    if event in EVENT_TYPES:
        why = INSTEAD.get(event, "what was deleted counts nowhere")
        faults.add(path, f"`{event}` cannot be counted: {why}.")
    else:
        hint = did_you_mean(event, EVENT_TYPES)
        listed = f" Those that can be counted: {', '.join(COUNTABLE)}." if hint == "." else ""
        faults.add(path, f"there is no event type `{short(event)}`{hint}{listed}")
    return None


def _condition(
    path: Path, field: str, wanted: object, event: str | None, faults: Faults
) -> tuple[Plain, ...]:
    """The values that a field may have; those that it never can have are faults."""
    if not 0 < len(field) <= MAX_FIELD:
        faults.add(path, f"the name of a field has 1 to {MAX_FIELD} characters.", key=True)
    listed = isinstance(wanted, list | tuple)
    values = tuple(cast("Iterable[object]", wanted)) if listed else (wanted,)
    if not values:
        faults.add(path, "the list is empty, so nothing would be counted; name the values that count.")
    if len(values) > MAX_VALUES:
        faults.add(path, f"the list has {len(values)} values; at most {MAX_VALUES} will do.")
    for position, value in enumerate(values):
        sentence = _not_plain(value) or (event and _impossible(field, value, event))
        if sentence:
            faults.add((*path, position) if listed else path, sentence)
    return cast("tuple[Plain, ...]", values)


def _not_plain(value: object) -> str | None:
    """Why a value is none that a field can have; `None` where it can."""
    match value:
        case bool():
            return None
        case str():
            too_long = len(value) > MAX_TEXT
            return (
                f"the text has {len(value)} characters; at most {MAX_TEXT} will do." if too_long else None
            )
        case int() | float():
            told = isfinite(value) and abs(value) <= MAX_INTEGER
            return None if told else "no field has such a number: they go to 2 to the power of 53."
        case _:
            return f"this is {kind_of(value)}; a condition asks for a text, a number, or true or false."


def _impossible(field: str, value: object, event: str) -> str | None:
    """Why a field that the contract knows never has a value; `None` where it can."""
    noun = COUNTABLE[event].noun
    known = known_fields(noun).get(field)
    if known is None:
        return None
    if known.kind in {FieldKind.MONEY, FieldKind.INSTANT}:
        return f"`{field}` of {A[noun]} is {_WHAT[known.kind]}, and conditions compare none."
    if not isinstance(value, str):
        return f"`{field}` of {A[noun]} is {_WHAT[known.kind]} in quotes, and never {kind_of(value)}."
    if known.choices and value not in known.choices:
        hint = did_you_mean(value, known.choices)
        listed = f" It is one of {', '.join(known.choices)}." if hint == "." else ""
        return f"`{field}` of {A[noun]} is never `{short(value)}`{hint}{listed}"
    if known.kind is FieldKind.DATE and not _is_date(value):
        return f"`{field}` of {A[noun]} is a date; write it as 2026-03-31."
    return None


def _count(path: Path, value: object, event: str | None, faults: Faults) -> str:
    count = faults.text(path, value) or "each"
    field = summed_field(count)
    if field is None:
        if count == "distinct person" and event not in {None, "activity.logged"}:
            faults.add(path, f'persons are told apart in activity.logged only; of {event} count "each".')
        elif count not in {"each", "distinct person"}:
            faults.add(path, f"`{short(count)}` is none of each, distinct person, sum FIELD.")
        return count
    if len(field) > MAX_FIELD:
        faults.add(path, f"the name of a field has 1 to {MAX_FIELD} characters.")
    elif event is not None:
        sentence = _no_sum(field, COUNTABLE[event].noun)
        if sentence:
            faults.add(path, sentence)
    return f"sum {field}"


def _no_sum(field: str, noun: str) -> str | None:
    """Why a field cannot be summed; `None` where it can."""
    known = known_fields(noun)
    money = [name for name, one in known.items() if one.kind is FieldKind.MONEY]
    hint = f"; did you mean `sum {money[0]}`?" if money else "."
    if field in known:
        kind = known[field].kind
        if kind is FieldKind.MONEY:
            return None
        return f"`{field}` of {A[noun]} is {_WHAT[kind]} and cannot be summed{hint}"
    if field not in {"value", "amount"}:
        return None
    own = "" if money else " A number of your own needs a name of its own, such as quote_value."
    return f"{A[noun]} has no `{field}` of money{hint}{own}"


def _kpi(
    name: str, table: Table, measures: frozenset[str], vocabulary: Vocabulary, faults: Faults
) -> KpiDefinition | None:
    """One KPI, if it is sound."""
    path = ("kpis", name)
    before = len(faults.found)
    faults.keys(path, table, _KPI_KEYS, _KPI_KEYS, "a KPI")
    if "formula" in table:
        _formula((*path, "formula"), table["formula"], measures, vocabulary, faults)
    for key, choices in (("unit", _UNITS), ("better", _BETTER)):
        if key in table:
            faults.one_of((*path, key), table[key], choices)
    if "name" in table:
        faults.names((*path, "name"), table["name"], 1)
    if len(faults.found) > before:
        return None
    return KpiDefinition(
        formula=cast("str", table["formula"]),
        unit=cast("KpiUnit", table["unit"]),
        better=cast("Literal['higher', 'lower']", table["better"]),
        name=cast("dict[str, str]", table["name"]),
    )


def _formula(
    path: Path, value: object, measures: frozenset[str], vocabulary: Vocabulary, faults: Faults
) -> None:
    formula = faults.text(path, value)
    if formula is None:
        return
    try:
        parsed = parse(formula)
    except FormulaError as error:
        faults.add(path, error.sentence, at=error.at)
        return
    for mention in parsed.mentions:
        if mention.measure not in measures:
            faults.add(path, _unknown(mention.measure, measures, vocabulary.kpis), at=mention.at)


def _unknown(name: str, measures: frozenset[str], kpis: Mapping[str, str]) -> str:
    if name not in kpis:
        return f"there is no measure `{short(name)}`{did_you_mean(name, sorted(measures))}"
    formula = kpis[name]
    instead = f" Write what it is made of: {formula}" if formula else ""
    return f"`{name}` is a KPI, and formulas read measures only.{instead}"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
