"""The second opinion and the machine agree, and where a record was tampered with they do not."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from audit.books import Books, Rules
from audit.comparing import Difference, Names, differences, forget_records, hold_latest, take_records
from kpis.calendar import Calendar
from kpis.contributions import Business
from kpis.formulas import KPIS, minor_digits
from kpis.measures import MEASURES
from kpis.replay import Replay
from schemas.events import Event, LeadCreated
from schemas.records import KpiRecord
from simulation.floor import Floor, events
from tests.examples import examples
from tests.kpis.histories import histories

PUBLISHED = Names(MEASURES.keys(), KPIS.keys())
ZONES = st.sampled_from(
    ["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut"]
)
CLOCKS = st.sampled_from(
    [
        datetime(2024, 2, 29, 20, tzinfo=UTC),
        datetime(2024, 12, 31, 23, 30, tzinfo=UTC),
        datetime(2025, 7, 1, 12, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    ]
)


def replayed(told: Iterable[Event], zone: str, currency: str, as_of: datetime) -> list[KpiRecord]:
    replay = Replay(Business(Calendar(zone), currency))
    replay.feed(told)
    return list(replay.records(as_of))


def found(
    told: Iterable[Event],
    records: Iterable[KpiRecord],
    zone: str = "Europe/Stockholm",
    currency: str = "SEK",
) -> list[Difference]:
    with Books(Rules(zone, currency, minor_digits(currency))) as books:
        books.take(told)
        books.balance()
        forget_records(books)
        take_records(books, records)
        hold_latest(books)
        return differences(books, PUBLISHED)


@examples(12)
@given(histories, ZONES, st.sampled_from(["SEK", "JPY", "KWD"]), CLOCKS, st.data())
def test_what_the_machine_publishes_is_recounted_the_same(
    history: list[Event], zone: str, currency: str, as_of: datetime, data: st.DataObject
) -> None:
    """Every measure and KPI of every record, with some events twice, in any order, in any timezone."""
    twice = data.draw(st.lists(st.sampled_from(history), max_size=3))
    mixed = data.draw(st.permutations(history + twice))
    assert found(mixed, replayed(history, zone, currency, as_of), zone, currency) == []


END = datetime(2026, 4, 27, tzinfo=UTC)


@cache
def floor() -> list[Event]:
    """Eight weeks of a small floor."""
    return list(events(Floor(sellers=4), date(2026, 3, 2), date(2026, 4, 27)))


@pytest.fixture(scope="module")
def weeks() -> dict[str, KpiRecord]:
    """Its records, by key."""
    return {record.key: record for record in replayed(floor(), "Europe/Stockholm", "SEK", END)}


def places(differences: list[Difference]) -> list[tuple[str, str | None]]:
    return [(f"{d.scope}|{d.grain}|{d.start}", d.figure) for d in differences]


CORRUPTIONS: list[tuple[str, str, object]] = [
    ("measures", "deals_won", 1_000),
    ("measures", "calls", None),
    ("measures", "revenue", "0.01"),
    ("measures", "cycle_days_sum", 1.5),
    ("kpis", "revenue", 7.0),
    ("kpis", "hit_rate", None),
    ("kpis", "win_rate", 0.123456789),
    ("kpis", "average_deal_value", "1.00"),
    ("kpis", "quotes_sent", -1),
]


@pytest.mark.parametrize(("where", "name", "value"), CORRUPTIONS)
def test_a_figure_that_was_tampered_with_is_found(
    weeks: dict[str, KpiRecord], where: str, name: str, value: object
) -> None:
    """That figure of that record, what was published and what it should be, and nothing else."""
    key = "company|ever|1970-01-01"
    good = weeks[key]
    figures = getattr(good, where)
    others = {known: figure for known, figure in figures.items() if known != name}
    tampered = others if value is None and where == "measures" else others | {name: value}
    [difference] = found(floor(), {**weeks, key: replace(good, **{where: tampered})}.values())
    assert places([difference]) == [(key, f"{where}.{name}")]
    assert difference.published == value
    assert difference.recounted == pytest.approx(figures[name])
    assert difference.revision == good.revision


def test_a_kpi_that_was_left_out_is_found(weeks: dict[str, KpiRecord]) -> None:
    """Absent is not null, and not zero."""
    key = "company|ever|1970-01-01"
    kpis = {name: figure for name, figure in weeks[key].kpis.items() if name != "win_rate"}
    assert places(found(floor(), {**weeks, key: replace(weeks[key], kpis=kpis)}.values())) == [
        (key, "kpis.win_rate")
    ]


def test_missing_and_superfluous_records_are_found(weeks: dict[str, KpiRecord]) -> None:
    """Both ways; a record without measures is as good as none."""
    records = dict(weeks)
    missing = records.pop("company|month|2026-03-01")
    empty = records["company|day|2026-03-03"]
    records[empty.key] = replace(empty, measures={}, kpis={})
    extra = replace(missing, scope="seller:nobody")
    records[extra.key] = extra
    differences = found(floor(), records.values())
    assert places(differences) == [(empty.key, None), (missing.key, None), (extra.key, None)]
    assert [d.published is None for d in differences] == [True, True, False]
    assert [d.recounted is None for d in differences] == [False, False, True]


def test_of_two_records_with_a_key_the_higher_revision_is_compared(weeks: dict[str, KpiRecord]) -> None:
    """In whatever order they are read."""
    key = "company|ever|1970-01-01"
    older = replace(weeks[key], revision=0, measures={"calls": 3})
    assert found(floor(), [older, *weeks.values()]) == found(floor(), [*weeks.values(), older]) == []


def test_a_record_that_was_emptied_holds_over_what_it_was(weeks: dict[str, KpiRecord]) -> None:
    """Whatever counted there once: what was published last is that nothing does."""
    emptied = replace(weeks["company|day|2026-03-03"], scope="seller:gone")
    gone = replace(emptied, revision=emptied.revision + 1, measures={})
    assert found(floor(), [*weeks.values(), emptied, gone]) == []
    assert found(floor(), [*weeks.values(), gone, emptied]) == []


def test_an_event_that_is_missing_or_new_is_noticed(weeks: dict[str, KpiRecord]) -> None:
    """Records are compared with just the events that are there."""
    [lead] = [event for event in floor() if isinstance(event, LeadCreated)][:1]
    without = [event for event in floor() if event is not lead]
    figures = {figure for _, figure in places(found(without, weeks.values()))}
    assert {"measures.leads_new", "kpis.new_leads"} <= figures
