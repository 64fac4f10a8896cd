"""The view: the same whatever the order, however often, and however often it was begun again."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.definitions import DefinitionRecord, KpiDefinition, MeasureDefinition, Unit, encode_definition
from schemas.events import (
    DealAmended,
    DealAmendedData,
    DealDeleted,
    DealDeletedData,
    DealLost,
    DealLostData,
    DealReopened,
    DealReopenedData,
    DealWon,
    DealWonData,
    SellerAssigned,
    SellerAssignedData,
    SellerLeft,
    SellerLeftData,
    encode_event,
)
from schemas.goals import GoalVersion, encode_alert, encode_version
from schemas.notices import Ack, encode_ack
from schemas.records import KpiRecord, encode_record
from schemas.topics import ACKS, ALERTS, DEFINITIONS, GOALS_HISTORY, SCORECARDS
from streams.following import Fetched
from tests.examples import examples
from tests.postgres import Places
from tests.wall.goals import MARCH, alert_of, standing
from wall.database import ViewError
from wall.deals import decode_moment
from wall.entries import KINDS
from wall.view import View
from wall.vocabulary import Measure, kpis_in, meaning_in, measures_in

NOON = datetime(2026, 3, 19, 12, tzinfo=UTC)
TOPICS = sorted(KINDS)


def record(scope: str, day: int, revision: int) -> KpiRecord:
    """Of one key and revision always the same one, as on the topic."""
    start = date(2026, 3, day)
    return KpiRecord(
        scope=scope,
        grain="day",
        start=start,
        end=start + timedelta(days=1),
        state="open",
        revision=revision,
        measures={"deals_won": revision},
        kpis={"revenue": f"{revision}.00"},
        as_of=NOON,
    )


def about(number: int) -> dict[str, object]:
    """An envelope whose time is not in the order of its number."""
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "test://",
        "time": NOON - timedelta(minutes=number * 7 % 5),
    }


def deal_event(number: int, deal: int) -> bytes:
    """The number-th thing that is said of a deal."""
    name, customer = f"d{deal}", f"c{deal}"
    said: dict[str, object] = about(number)
    kinds = [
        DealWon(**said, data=DealWonData(deal=name, customer=customer, seller=f"s{number}", value="10.00")),
        DealAmended(**said, data=DealAmendedData(deal=name, customer=customer, value=f"{number}.00")),
        DealLost(**said, data=DealLostData(deal=name, customer=customer)),
        DealAmended(**said, data=DealAmendedData(deal=name, customer=customer, won_at=NOON)),
        DealReopened(**said, data=DealReopenedData(deal=name, customer=customer)),
        DealWon(**said, data=DealWonData(deal=name, customer=customer)),
        DealDeleted(**said, data=DealDeletedData(deal=name, customer=customer)),
    ]
    return encode_event(kinds[number % len(kinds)])


def org_event(number: int, seller: int) -> bytes:
    name = f"s{seller}"
    said: dict[str, object] = about(number)
    if number % 3 == 2:
        return encode_event(SellerLeft(**said, data=SellerLeftData(seller=name)))
    stated = f"name{number}" if number % 3 else None
    data = SellerAssignedData(seller=name, team=f"t{number}", name=stated)
    return encode_event(SellerAssigned(**said, data=data))


messages = st.one_of(
    st.builds(
        lambda scope, day, revision: (SCORECARDS.name, encode_record(record(scope, day, revision))),
        st.sampled_from(["company", "team:a", "customer:x"]),
        st.integers(1, 3),
        st.integers(1, 5),
    ),
    st.builds(lambda n, d: ("crm.deals", deal_event(n, d)), st.integers(0, 12), st.integers(1, 2)),
    st.builds(lambda n, s: ("crm.org", org_event(n, s)), st.integers(0, 8), st.integers(1, 2)),
    st.just(("crm.deals", b"no event")),
    st.just((SCORECARDS.name, b"no record")),
)


def numbered(told: Sequence[tuple[str, bytes]]) -> list[Fetched]:
    """As they would lie in one partition of each topic."""
    at = dict.fromkeys(TOPICS, 0)
    found: list[Fetched] = []
    for topic, value in told:
        found.append(Fetched(topic, 0, at[topic], "", value, 0))
        at[topic] += 1
    return found


def held(view: View) -> list[object]:
    """All that the view answers, whoever heard of it first."""
    moments = [decode_moment(body) for body in view.latest("moment")]
    return [
        view.records(),
        view.records("customer:"),
        view.of_kind("name"),
        view.of_kind("member"),
        sorted((m.customer, m.deal, m.seller, m.value, m.at) for m in moments),
    ]


@examples(30)
@given(told=st.lists(messages, max_size=25), data=st.data())
def test_any_order_duplicates_and_restarts_come_to_the_same(
    places: Places, told: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    """Of records, names, teams and deals alike, and for whoever followed the log from anywhere."""
    twice = data.draw(st.lists(st.sampled_from(told), max_size=10)) if told else []
    other = numbered(data.draw(st.permutations([*told, *twice])))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(other)), max_size=4)))
    once = View(places("once"))
    once.apply(numbered(told), NOON)
    expected = held(once)
    once.close()
    place = places("again")
    for first, last in pairwise([0, *cuts, len(other)]):
        again = View(place)
        # A batch that was in flight when it was killed comes again, with what was before it.
        again.apply(other[max(first - 3, 0) : last], NOON)
        again.close()
    again = View(place)
    assert held(again) == expected
    positions = [change.position for change in again.since(0, 1_000)]
    assert positions == sorted(set(positions))
    middle = positions[len(positions) // 2] if positions else 0
    assert [c.position for c in again.since(middle, 1_000)] == [p for p in positions if p > middle]
    again.close()


def test_nothing_of_a_batch_is_kept_where_it_fails(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither records, nor offsets, nor positions."""
    view = View(places("view"))
    view.apply(numbered([(SCORECARDS.name, encode_record(record("company", 1, 1)))]), NOON)
    before = (view.position, view.offsets, held(view))
    batch = [
        Fetched(SCORECARDS.name, 0, 1, "", encode_record(record("company", 1, 2)), 0),
        Fetched("crm.deals", 0, 0, "", deal_event(0, 1), 0),
    ]
    with monkeypatch.context() as patched:
        patched.setattr("wall.taking.encode_deal", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            view.apply(batch, NOON)
    assert (view.position, view.offsets, held(view)) == before
    assert len(view.apply(batch, NOON)) == 2
    view.close()


def test_what_is_retired_is_gone_and_stays_gone(places: Places) -> None:
    """A null takes an entry away; an older record does not bring it back, and a newer one does."""
    view = View(places("view"))
    old, newer = record("company", 1, 3), record("company", 1, 4)
    values = [encode_record(old), None, encode_record(old)]
    told = [Fetched(SCORECARDS.name, 0, n, old.key, value, 0) for n, value in enumerate(values)]
    view.apply(told[:2], NOON)
    assert view.records("company") == []
    assert [change.body for change in view.since(0, 10)] == [
        b'{"key":"company|day|2026-03-01","gone":true}'
    ]
    view.apply([Fetched(SCORECARDS.name, 0, 3, newer.key, encode_record(newer), 0)], NOON)
    assert view.records("company") == [encode_record(newer)]
    view.close()


def test_a_topic_created_anew_is_noticed(places: Places) -> None:
    """By its id, and by an end before what was read; what came from it is forgotten, and nothing else."""
    view = View(places("view"))
    ids = dict.fromkeys(TOPICS, "one")
    assert not view.recognise(ids, {})
    view.apply(
        numbered([(SCORECARDS.name, encode_record(record("company", 1, 9))), ("crm.org", org_event(1, 1))]),
        NOON,
    )
    life = view.life
    assert not view.recognise(ids, {(SCORECARDS.name, 0): 1, ("crm.org", 0): 1})
    assert not view.recognise(dict.fromkeys(TOPICS, ""), {})
    assert view.life == life
    assert view.recognise({**ids, SCORECARDS.name: "two"}, {(SCORECARDS.name, 0): 5})
    assert view.life != life
    assert view.records() == []
    assert view.of_kind("name")
    assert view.offsets == {("crm.org", 0): 1}
    lower = record("company", 1, 1)
    view.apply([Fetched(SCORECARDS.name, 0, 0, lower.key, encode_record(lower), 0)], NOON)
    assert view.records() == [encode_record(lower)]
    assert view.recognise({**ids, SCORECARDS.name: "two"}, {("crm.org", 0): 0, (SCORECARDS.name, 0): 1})
    assert not view.of_kind("name")
    view.close()


def test_two_processes_cannot_have_one_view(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positions would be given twice."""
    place = places("view")
    view = View(place)
    monkeypatch.setattr("wall.postgres.CLAIM_S", 1)
    with pytest.raises(ViewError, match="Another process"):
        View(place)
    view.close()


def won(view: View, *numbers: int, clock: datetime | None = NOON) -> list[bool]:
    """Whether each of these events, told one after another, is a reason to celebrate."""
    found: list[bool] = []
    for number in numbers:
        at = view.offsets.get(("crm.deals", 0), 0)
        changes = view.apply([Fetched("crm.deals", 0, at, "", deal_event(number, 1), 0)], clock)
        found.append(any(decode_moment(change.body).new for change in changes))
    return found


def test_a_deal_is_celebrated_once_and_only_when_it_was_just_won(places: Places) -> None:
    """Not when it is amended, lost, reopened, won again or told again; nor late, nor without a clock."""
    view = View(places("once"))
    assert won(view, 0, 0, 1, 2, 4, 5, 6) == [True, *[False] * 6]
    view.close()
    view = View(places("late"))
    assert won(view, 0, clock=NOON + timedelta(minutes=16)) == [False]
    assert won(view, 1) == [False]
    view.close()
    view = View(places("early"))
    assert won(view, 0, clock=NOON - timedelta(minutes=30)) == [False]
    view.close()
    view = View(places("unknown"))
    assert won(view, 0, clock=None) == [False]
    view.close()


def test_a_deal_that_is_lost_after_all_leaves_the_feed(places: Places) -> None:
    """And walls are told."""
    view = View(places("view"))
    won(view, 0)
    assert [decode_moment(body).deal for body in view.latest("moment")] == ["d1"]
    won(view, 6)
    assert list(view.latest("moment")) == []
    assert [decode_moment(change.body).at for change in view.since(0, 10)] == [None]
    view.close()


@pytest.fixture
def view(places: Places) -> Iterator[View]:
    held = View(places("view"))
    yield held
    held.close()


def _told(topic: str, key: str, *values: bytes) -> list[Fetched]:
    return [Fetched(topic, 0, offset, key, value, 0) for offset, value in enumerate(values)]


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_who_acknowledge_an_alert_the_first_holds(view: View, turned: bool) -> None:
    """In whichever order they are read, and beside the alert."""
    alert = alert_of(standing("company", "revenue", MARCH, 1, 2, NOON), "slipped", NOON)
    acks = [Ack(alert.id, "Eva", NOON), Ack(alert.id, "Bo", NOON + timedelta(minutes=1))]
    view.apply(_told(ALERTS.name, "g", encode_alert(alert)), NOON)
    assert [acked for _, acked in view.alerts(10)] == [None]
    view.apply(_told(ACKS.name, alert.id, *map(encode_ack, reversed(acks) if turned else acks)), NOON)
    assert view.alerts(10) == [(encode_alert(alert), encode_ack(acks[0]))]
    assert view.entry("ack", alert.id) == encode_ack(acks[0])


def test_of_several_claims_of_a_version_the_first_in_the_log_holds(view: View) -> None:
    """And walls hear of none of them."""
    versions = [GoalVersion(id="g", version=1, by=who, at=NOON) for who in ("eva", "bo")]
    changes = view.apply(_told(GOALS_HISTORY.name, "g", *map(encode_version, versions)), NOON)
    assert view.versions("g") == [encode_version(versions[0])]
    assert changes == []


def test_every_kpi_of_ours_is_called_something_and_written_in_its_unit(view: View) -> None:
    """Growth as a share, on walls and pages as in texts; deals per customer are no share."""
    meaning = meaning_in(view, "SEK")
    for kpi in kpis_in(view, "SEK"):
        assert set(kpi.name) == {"sv", "en"}
        assert (kpi.unit, kpi.lower_is_better) == (meaning.unit(kpi.kpi), meaning.lower_is_better(kpi.kpi))
    assert [kpi.kpi for kpi in kpis_in(view, "SEK") if kpi.unit == "ratio"] == [
        *("hit_rate", "win_rate", "sales_growth", "growth_accumulated")
    ]
    assert meaning.unit("deals_per_customer") == "number"


def test_own_figures_are_known_by_their_keys_until_they_are_taken_away(view: View) -> None:
    """What a record of the topic says has no name of its own; measures have the name that is given them."""
    own = KpiDefinition(formula="deals_won / calls", unit="ratio", better="higher", name={"sv": "Snabbhet"})
    record = encode_definition(DefinitionRecord(1, own))
    view.apply([Fetched(DEFINITIONS.name, 0, 0, "kpis/speed", record, 0)], NOON)
    [speed] = [kpi for kpi in kpis_in(view, "SEK") if kpi.own]
    assert (speed.kpi, speed.name, speed.unit) == ("speed", {"sv": "Snabbhet"}, "ratio")
    named = MeasureDefinition(event="activity.logged", count="sum minutes", name={"en": "Minutes"})
    record = encode_definition(DefinitionRecord(1, named))
    view.apply([Fetched(DEFINITIONS.name, 0, 1, "measures/minutes", record, 0)], NOON)
    assert measures_in(view, "SEK")[-1] == Measure(
        measure="minutes", name={"en": "Minutes"}, unit=Unit.NUMBER
    )
    view.apply([Fetched(DEFINITIONS.name, 0, 2, "kpis/speed", None, 0)], NOON)
    assert not [kpi for kpi in kpis_in(view, "SEK") if kpi.own]


def test_a_definition_that_no_file_may_have_is_left_out(view: View) -> None:
    """Somebody wrote it past the command; the ledger refuses it, and a wall goes on with the others."""
    bad = KpiDefinition(formula="deals_won /", unit="ratio", better="higher", name={"en": "Bad"})
    record = encode_definition(DefinitionRecord(1, bad))
    assert view.apply([Fetched(DEFINITIONS.name, 0, 0, "kpis/bad", record, 0)], NOON) == []
    assert not [kpi for kpi in kpis_in(view, "SEK") if kpi.own]
