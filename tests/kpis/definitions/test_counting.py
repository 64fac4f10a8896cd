"""Which objects an own measure counts, and what each counts for."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpis.definitions.countable import COUNTABLE, DELETIONS, INSTEAD, NOUNS, event_types_of, known_fields
from kpis.definitions.counting import Fields, compiled, fields_needed, millionths, unit_of
from schemas.definitions import Definitions, MeasureDefinition, Plain, Unit
from schemas.events import EVENT_TYPES


def counted(event: str, count: str = "each", **where: Any) -> MeasureDefinition:
    return MeasureDefinition(
        event=event,
        count=count,
        where={field: value if isinstance(value, tuple) else (value,) for field, value in where.items()},
    )


def amount(definition: MeasureDefinition, fields: Fields) -> int | None:
    return compiled(definition).amount(fields)


def test_every_event_type_can_be_counted_or_it_is_said_why_not() -> None:
    """Deletions go without saying."""
    said = [*COUNTABLE, *INSTEAD, *DELETIONS]
    assert sorted(said) == sorted(EVENT_TYPES)
    of_objects = {event for noun in NOUNS for event in event_types_of(noun)}
    assert of_objects == {event for event in EVENT_TYPES if event.partition(".")[0] in NOUNS} - DELETIONS


@pytest.mark.parametrize(
    ("wanted", "stated", "fulfilled"),
    [
        ("demo", "demo", True),
        ("demo", "Demo", False),
        ("demo", None, False),
        (("a", "b"), "b", True),
        (("a", "b"), "c", False),
        ("3", 3, False),
        (3, "3", False),
        (3, 3, True),
        (3, 3.0, True),
        (0.5, 0.5, True),
        (1, True, False),
        (True, 1, False),
        (True, True, True),
        (False, False, True),
        (False, 0, False),
        (0, False, False),
        (0, 0.0, True),
        (("a", 1, True), 1, True),
        (("a", 1, True), True, True),
        (("a", 1, True), None, False),
    ],
)
def test_a_condition_asks_for_a_value(
    wanted: Plain | tuple[Plain, ...], stated: Plain | None, fulfilled: bool
) -> None:
    """Of the same kind: a text is no number, and true is not 1."""
    fields = {} if stated is None else {"x": stated}
    asked, expected = counted("deal.won", x=wanted), 1 if fulfilled else None
    assert amount(asked, fields) == expected
    assert amount(asked, {"x": stated}) == expected


plain = st.sampled_from(["a", "b", "1", 0, 1, 1.0, 2.5, True, False])


@given(
    st.dictionaries(
        st.sampled_from("xyzuv"), st.lists(plain, min_size=1, max_size=3).map(tuple), max_size=5
    ),
    st.dictionaries(st.sampled_from("xyzuv"), plain),
)
def test_an_object_fulfils_all_conditions_or_is_not_counted(
    where: dict[str, tuple[Plain, ...]], fields: dict[str, Plain]
) -> None:
    """Each by any one of its values; JSON tells which are equal, but for 1 and 1.0."""

    def same(one: Plain, other: Plain) -> bool:
        written = msgspec.json.encode(one).removesuffix(b".0")
        return written == msgspec.json.encode(other).removesuffix(b".0")

    definition = MeasureDefinition(event="deal.won", where=where)
    expected = all(
        field in fields and any(same(fields[field], value) for value in values)
        for field, values in where.items()
    )
    assert amount(definition, fields) == (1 if expected else None)


def test_money_is_summed_as_it_is_stated() -> None:
    """In millionths of the object's own currency; a deal that states none is worth 0."""
    won = counted("deal.won", "sum value", product="CRM")
    assert unit_of(won) is Unit.MONEY
    assert amount(won, {"value": "125000.50", "currency": "EUR", "product": "CRM"}) == 125_000_500_000
    assert amount(won, {"product": "CRM"}) == 0
    assert amount(won, {"value": "1", "product": "ERP"}) is None
    cost = counted("cost.logged", "sum amount")
    assert unit_of(cost) is Unit.MONEY
    assert amount(cost, {"amount": "-0.000001"}) == -1


def test_numbers_of_ones_own_are_summed_where_there_are_any() -> None:
    """What is none counts for nothing, as what is left out."""
    seats = counted("deal.won", "sum seats", product="CRM")
    assert unit_of(seats) is Unit.NUMBER
    assert amount(seats, {"seats": 12, "product": "CRM"}) == 12_000_000
    assert amount(seats, {"product": "CRM"}) is None
    assert amount(seats, {"seats": "many", "product": "CRM"}) is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"customer": "c1"}, 1),
        ({"lead": "l1"}, 1),
        ({"customer": "c1", "person": "p"}, 1),
        ({"person": "p"}, None),
        ({}, None),
    ],
)
def test_an_activity_that_names_nobody_reaches_no_person(
    fields: dict[str, Plain], expected: int | None
) -> None:
    """As for contacts: a person is of a customer or a lead."""
    persons = counted("activity.logged", "distinct person")
    assert compiled(persons).distinct
    assert unit_of(persons) is Unit.COUNT
    assert amount(persons, fields) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", 12_000_000),
        ("-12.5", -12_500_000),
        ("0.0000005", 0),
        ("0.0000015", 2),
        (0.1, 100_000),
        (0.1 + 0.2, 300_000),
        (1e-7, 0),
        (1e11, 10**17),
        (2**39, 2**39 * 10**6),
        ("999999999999.999999", 10**18 - 1),
        (10**12, None),
        (1e12, None),
        (float("nan"), None),
        (float("-inf"), None),
        ("1e5", None),
        ("1,5", None),
        ("+1", None),
        (" 1", None),
        ("1\n", None),
        ("", None),
        ("٣", None),
        ("1" + "." + "0" * 60, None),
        (True, None),
        (None, None),
    ],
)
def test_what_is_a_number(value: Plain | None, expected: int | None) -> None:
    """A decimal text or a JSON number, to six decimals, half to even."""
    assert millionths(value) == expected


@given(
    st.floats(-(10**11), 10**11) | st.integers(-(10**11), 10**11) | st.decimals(-(10**11), 10**11, places=9)
)
def test_numbers_are_exact_to_a_millionth(value: float | Decimal) -> None:
    """As they are written."""
    stated = f"{value:f}" if isinstance(value, Decimal) else value
    with localcontext(prec=50):
        expected = Decimal(str(stated)).scaleb(6).quantize(Decimal(1), ROUND_HALF_EVEN)
    assert millionths(stated) == expected


def test_rows_keep_what_definitions_read_and_we_do_not_know() -> None:
    """From whichever event of the object may state it; what we know is kept anyway."""
    definitions = Definitions(
        {
            "a": counted("activity.logged", kind="call", campaign="demo"),
            "b": counted("deal.won", "sum seats", product="CRM", segment="smb"),
            "c": counted("cost.logged", "sum amount", campaign="demo"),
        }
    )
    deals = ["deal.created", "deal.amended", "deal.won", "deal.lost", "deal.reopened"]
    assert fields_needed(definitions) == {
        ("activity.logged", "campaign"),
        *((event, field) for event in deals for field in ("seats", "segment")),
    }


def test_a_cost_is_known_by_the_names_that_events_use() -> None:
    """`from`, which Python cannot have as a name."""
    assert {"from", "to", "amount", "campaign"} <= known_fields("cost").keys()
