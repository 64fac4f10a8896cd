"""What differs between records as they were published and as they are recounted, figure by figure."""

from collections.abc import Collection, Iterable
from datetime import date
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec import Struct

from audit.books import Books
from audit.figures import KPIS, MEASURES, MONEY_MEASURES, Kpi, Unit
from audit.recounting import choices, recount
from schemas.records import Figure, KpiRecord, encode_record

MOST = 100_000
"""How many differences are told apart: where there are more, the first ones say enough."""

_CHUNK_RECORDS = 100_000
_DAY_MICROS = 86_400_000_000


class Difference(Struct, frozen=True, order=True):
    """A figure that was published as one thing and is recounted as another, in one record."""

    scope: str
    grain: str
    start: date
    figure: str | None
    """`measures.revenue`, `kpis.cac`; `None` where the whole record is missing, or should not be there."""
    published: Figure
    recounted: Figure
    revision: int | None
    """Of the published record."""


class Names(Struct, frozen=True):
    """Which measures and KPIs are published, and so compared."""

    measures: Collection[str]
    kpis: Collection[str]


def forget_records(books: Books) -> None:
    """Take no notice of the records that were taken before."""
    books.ask(_PUBLISHED)


def take_records(books: Books, records: Iterable[KpiRecord]) -> None:
    """Take published records, in any order. One without measures of ours counts nothing.

    What the organisation defines itself is not recounted here.
    """
    iterator = (_ours(record) for record in records)
    while lines := [encode_record(record) for record in islice(iterator, _CHUNK_RECORDS)]:
        books.read_lines(lines, _PUBLISH)


def _ours(record: KpiRecord) -> KpiRecord:
    if record.measures.keys() <= _MEASURES:
        return record
    measures = {name: figure for name, figure in record.measures.items() if name in _MEASURES}
    return msgspec.structs.replace(record, measures=measures)


_MEASURES = frozenset(MEASURES)


def hold_latest(books: Books) -> int:
    """Let of the records with one key the one with the highest revision hold; how many then do."""
    [(first, last)] = books.ask("select min(as_of), max(as_of) from published")
    books.put_clock("record_clock", first, last)
    books.ask(_ASK)
    [(held,)] = books.ask("select count(*) from asked")
    return held


def differences(books: Books, names: Names) -> list[Difference]:
    """What differs, in order, of the names that are given; both ways, and whole records too."""
    compared = _comparisons(names)
    found: list[Difference] = []
    for choice in choices(books):
        recount(books, choice)
        books.ask(_suspects(names, compared))
        found += map(_difference, books.ask(_question(compared)))
    return sorted(found, key=lambda d: (d.scope, d.grain, d.start, d.figure or ""))[:MOST]


def _difference(row: tuple[str, str, date, str | None, str | None, str | None, int | None]) -> Difference:
    scope, grain, start, figure, published, recounted, revision = row
    return Difference(scope, grain, start, figure, _figure(published), _figure(recounted), revision)


def _figure(text: str | None) -> Figure:
    return None if text is None else msgspec.json.decode(text)


def _paths(names: Iterable[str]) -> str:
    return "[" + ", ".join(f"'$.{name}'" for name in names) + "]"


_PUBLISHED = """
    create or replace table published (
        scope varchar, grain varchar, start date, revision bigint, as_of bigint, counts boolean,
        measures json[], kpis json[]
    )
"""

_PUBLISH = f"""
    insert into published
    select
        scope, grain, start::date, revision, epoch_us(as_of::timestamptz), measures <> '{{}}',
        json_extract(measures, {_paths(MEASURES)}), json_extract(kpis, {_paths(KPIS)}),
    from read_json(
        $lines,
        format = 'newline_delimited',
        columns = {{
            scope: 'varchar', grain: 'varchar', start: 'varchar', revision: 'bigint', as_of: 'varchar',
            measures: 'json', kpis: 'json'
        }}
    )
"""  # noqa: S608

_ASK = """
    create or replace table asked as
    with latest as (
        from published
        qualify row_number() over (partition by scope, grain, start order by revision desc) = 1
    )
    select
        scope, grain, start, revision, as_of + ahead as now_micros,
        date '1970-01-01' + ((as_of + ahead) // 86400000000)::integer as today,
        measures, kpis,
    from latest
    join record_clock on utc_day = as_of // 86400000000 and as_of >= since and as_of < until
    where counts
"""


class _Comparison(NamedTuple):
    """A figure: what was said of it, what it is, both as JSON, and whether they are the same."""

    figure: str
    said: str
    recounted: str
    same: str


def _comparisons(names: Names) -> list[_Comparison]:
    compared = [
        _Comparison(f"measures.{name}", *_measure_sides(name))
        for name in MEASURES
        if name in names.measures
    ]
    compared += [
        _Comparison(f"kpis.{name}", *_kpi_sides(name, kpi))
        for name, kpi in KPIS.items()
        if name in names.kpis
    ]
    return compared


def _suspects(names: Names, compared: list[_Comparison]) -> str:
    """The statement that keeps the records of the table `recounted` in which anything differs."""
    nonzero = [f"{name} <> 0" for name in MEASURES if name in names.measures]
    nonzero += [f"{name}_rest <> 0" for name in MONEY_MEASURES if name in names.measures]
    return f"""
        create or replace temp table suspects as
        select *
        from (select *, ({" or ".join(nonzero)}) as counts from recounted)
        where
            counts <> (revision is not null)
            or (counts and not ({" and ".join(f"({each.same})" for each in compared)}))
    """  # noqa: S608


def _question(compared: list[_Comparison]) -> str:
    """The statement that says what differs in the suspects."""
    figures = [
        f"""
        union all
        select
            scope, grain, start, '{each.figure}', {each.said}::varchar, {each.recounted}::varchar, revision,
        from suspects
        where counts and revision is not null and not ({each.same})
        """  # noqa: S608
        for each in compared
    ]
    return f"""
        select
            scope, grain, start, null,
            case when counts then null else '"a record"' end,
            case when counts then '"a record"' end,
            revision,
        from suspects
        where counts <> (revision is not null)
        {" ".join(figures)}
        limit {MOST}
    """  # noqa: S608


def _measure_sides(name: str) -> tuple[str, str, str]:
    """What was said of a measure, what it is, and whether that is the same; it may be left out if zero."""
    said = f"measures[{list(MEASURES).index(name) + 1}]"
    unit = MEASURES[name]
    value, zero = name, f"{name} = 0"
    if unit is Unit.MONEY:
        value = f"written(half_even({name}, {name}_rest, minor_unit()), digits())"
        zero = f"{name} = 0 and {name}_rest = 0"
    elif unit is Unit.NUMBER:
        value = f"{name}::double / {_DAY_MICROS}"
    same = f"case when {said} is null then {zero} else {_same(unit, said, value)} end"
    return said, f"to_json({value})", same


def _kpi_sides(name: str, kpi: Kpi) -> tuple[str, str, str]:
    """What was said of a KPI, what it is, and whether that is the same: absent is not null."""
    said = f"kpis[{list(KPIS).index(name) + 1}]"
    value = f"kpi_{name}"
    recounted = f"case when {kpi.only_in} then coalesce(to_json({value}), 'null') end"
    same = f"""
        case
            when not ({kpi.only_in}) then {said} is null
            when {value} is null then coalesce({said}::varchar = 'null', false)
            else {_same(kpi.unit, said, value)}
        end
    """
    return said, recounted, same


def _same(unit: Unit, said: str, value: str) -> str:
    match unit:
        case Unit.COUNT:
            same = f"try_cast({said}::varchar as decimal(38, 6)) = {value}"
        case Unit.MONEY:
            same = f"json_type({said}) = 'VARCHAR' and ({said} ->> '$') = {value}"
        case Unit.NUMBER:
            # What two ways of dividing may differ by, and no count of anything could.
            number = f"try_cast({said}::varchar as double)"
            same = f"abs({number} - {value}) <= 1e-12 * greatest(1, abs({value}))"
    return f"coalesce({same}, false)"
