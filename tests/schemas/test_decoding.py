"""Strict decoding: what is accepted, and what a refusal says."""

from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import DATES, INSTANTS, MAX_EVENT_BYTES, Reason, ReasonCode, decode_event, own_fields
from schemas.events import EVENT_TYPES, DealWon, encode_event
from schemas.export import FOLDER, rendered, schemas
from tests.kpis.histories import events

EXAMPLES = sorted((FOLDER.parent / "examples").glob("*.json"))
WON: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "crm://test",
    "type": "deal.won",
    "time": "2026-03-02T09:14:07+01:00",
    "data": {"deal": "d1", "customer": "c1", "value": "125000.00", "currency": "SEK"},
}


def refused(change: dict[str, Any], topic: str | None = None) -> Reason:
    """The reason why the won deal is refused once changed."""
    reason = decode_event(orjson.dumps(WON | change), topic)
    assert isinstance(reason, Reason)
    return reason


def data(**change: Any) -> dict[str, Any]:
    return {"data": WON["data"] | change}


def test_a_valid_event_is_read() -> None:
    """All fields come out as they were stated."""
    event = decode_event(orjson.dumps(WON), "crm.deals")
    assert isinstance(event, DealWon)
    assert event.data.value == "125000.00"
    assert event.time.isoformat() == "2026-03-02T09:14:07+01:00"


def test_unknown_fields_are_ignored() -> None:
    """A producer may send more than we know."""
    assert isinstance(decode_event(orjson.dumps(WON | {"x": 1} | data(y=[2]))), DealWon)


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (b'"demo"', "demo"),
        (b"3", 3),
        (b"-0.5", -0.5),
        (b"true", True),
        (b"null", None),
        (b"[1]", None),
        (b'{"a": 1}', None),
        (b"9" * 40, None),
        (b'"%s"' % (b"x" * 1025), None),
        (b'"Malm\xf6"', None),
        (b"1e999", None),
    ],
)
def test_a_field_of_ones_own_states_what_can_be_kept_or_nothing(stated: bytes, found: Any) -> None:
    """Of an event that is taken, whatever a producer wrote there and in fields that nobody asks for."""
    raw = orjson.dumps(WON | data(own="own", other="other", size=2))
    raw = raw.replace(b'"own":"own"', b'"own":' + stated)
    raw = raw.replace(b'"other":"other"', b'"other":' + stated)
    assert isinstance(decode_event(raw), DealWon)
    expected = {"size": 2} | ({} if found is None else {"own": found})
    assert own_fields(raw, ("own", "none", "size")) == expected


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"type": "deal.wonn"}, ReasonCode.UNKNOWN_TYPE, "$.type"),
        ({"specversion": "0.3"}, ReasonCode.INVALID_FIELD, "$.specversion"),
        ({"id": ""}, ReasonCode.INVALID_FIELD, "$.id"),
        ({"time": "2026-03-02T09:14:07"}, ReasonCode.INVALID_FIELD, "$.time"),
        ({"time": "yesterday"}, ReasonCode.INVALID_FIELD, "$.time"),
        ({"time": "0206-03-02T09:14:07Z"}, ReasonCode.ABSURD_TIME, "$.time"),
        ({"data": {"deal": "d1"}}, ReasonCode.MISSING_FIELD, "$.data.customer"),
        (data(deal="d" * 129), ReasonCode.INVALID_FIELD, "$.data.deal"),
        (data(value=125000.0), ReasonCode.INVALID_FIELD, "$.data.value"),
        (data(value="125 000"), ReasonCode.INVALID_FIELD, "$.data.value"),
        (data(value="1e5"), ReasonCode.INVALID_FIELD, "$.data.value"),
        (data(currency="kronor"), ReasonCode.INVALID_FIELD, "$.data.currency"),
    ],
)
def test_a_refusal_names_the_field(change: dict[str, Any], code: ReasonCode, path: str) -> None:
    """Machines get a code and a path, people a sentence that names the field."""
    reason = refused(change)
    assert (reason.code, reason.path) == (code, path)
    assert path in reason.sentence or code is ReasonCode.UNKNOWN_TYPE


def test_a_type_that_looks_like_a_path_is_refused_as_a_type() -> None:
    """What the event says of itself does not confuse where the fault is."""
    reason = refused({"type": "deal - at `$.data.value`"})
    assert (reason.code, reason.path) == (ReasonCode.UNKNOWN_TYPE, "$.type")
    assert "deal - at `$.data.value`" in reason.sentence


@pytest.mark.parametrize("raw", [b"[]", b"7", b"{}", b'"x - at `$.type`"'])
def test_what_is_no_object_is_refused_as_a_whole(raw: bytes) -> None:
    """Or lacks its type: known types are listed."""
    reason = decode_event(raw)
    assert isinstance(reason, Reason)
    assert reason.path in {"$", "$.type"}


def test_an_absurd_amended_date_is_refused() -> None:
    """A date in the data is checked as strictly as the event's own."""
    change = {"type": "deal.amended", **data(won_at="2919-01-01T00:00:00Z")}
    assert refused(change).path == "$.data.won_at"


@pytest.mark.parametrize("stated", ["0001-01-01", "1970-01-01", "2200-01-01", "9999-12-31"])
@pytest.mark.parametrize("name", ["from", "to"])
def test_an_absurd_date_of_a_cost_is_refused(name: str, stated: str) -> None:
    """Systems write the first or the last date there is where they know none, and no calendar goes on."""
    cost = {"cost": "c1", "category": "marketing", "amount": "100", "currency": "SEK", name: stated}
    reason = refused({"type": "cost.logged", "data": cost})
    assert (reason.code, reason.path) == (ReasonCode.ABSURD_TIME, f"$.data.{name}")
    assert stated in reason.sentence


def test_no_deal_is_refused_for_when_it_was_expected_to_close() -> None:
    """Nothing counts on it, and it may be a date that says nobody knows."""
    event = WON | {"type": "deal.created"} | data(expected_close="9999-12-31")
    assert not isinstance(decode_event(orjson.dumps(event)), Reason)


@pytest.mark.parametrize(
    ("form", "known"), [("date-time", INSTANTS), ("'date'", (*DATES, "expected_close"))]
)
def test_no_instant_and_no_date_goes_unchecked(form: str, known: tuple[str, ...]) -> None:
    """Every field that states one is known by name."""
    stated = {
        name
        for kind, schema in schemas().items()
        if kind in EVENT_TYPES
        for name, about in schema["$defs"][f"{EVENT_TYPES[kind].__name__}Data"]["properties"].items()
        if form in str(about)
    }
    assert stated == {name.removesuffix("_") for name in known}


def test_an_activity_of_a_deal_must_name_the_customer() -> None:
    """Without it nobody knows where the deal lives."""
    activity = {"activity": "a1", "kind": "call", "seller": "anna", "deal": "d1"}
    reason = refused({"type": "activity.logged", "data": activity})
    assert "customer" in reason.sentence


def test_an_event_on_another_types_topic_is_refused() -> None:
    """The sentence says where it belongs."""
    reason = refused({}, "crm.leads")
    assert reason.code is ReasonCode.WRONG_TOPIC
    assert "crm.deals" in reason.sentence


def test_a_huge_record_is_refused_unread() -> None:
    """Whatever is in it."""
    reason = decode_event(b"{" * (MAX_EVENT_BYTES + 1))
    assert isinstance(reason, Reason)
    assert reason.code is ReasonCode.TOO_LARGE


@given(st.binary(max_size=200))
def test_no_bytes_whatsoever_raise(raw: bytes) -> None:
    """Any bytes are an event or a reason with a sentence."""
    found = decode_event(raw)
    assert not isinstance(found, Reason) or found.sentence


@given(events())
def test_what_is_encoded_decodes_to_the_same(event: Any) -> None:
    """Encoding and decoding lose nothing."""
    assert decode_event(encode_event(event), event.topic) == event


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_is_valid(path: Path) -> None:
    """Each example decodes, and satisfies the JSON Schema of its type."""
    raw = path.read_bytes()
    assert type(decode_event(raw)) is EVENT_TYPES[path.stem]
    jsonschema.validate(orjson.loads(raw), schemas()[path.stem])


def test_every_type_has_an_example() -> None:
    """And no example is of a type that does not exist."""
    assert {path.stem for path in EXAMPLES} == set(EVENT_TYPES)


def test_the_json_schemas_are_current() -> None:
    """`python -m schemas.export` was run after the last change of a struct."""
    found = {path.name: path.read_bytes() for path in FOLDER.glob("*.json")}
    expected = {f"{name}.schema.json": rendered(schema) for name, schema in schemas().items()}
    assert found == expected
