"""What differs between records as they were published and as they are recounted, figure by figure."""

from collections.abc import Collection, Iterable, Iterator, Set
from datetime import date
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec import Struct

from audit.books import Books
from audit.figures import KPIS, OWN, Kpi, Unit, rest_of
from audit.formulas import same
from audit.recounting import PIECE, choices, columns_of, exact_sums, recount
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
    """Which measures and KPIs of ours are published, and so compared."""

    measures: Set[str]
    kpis: Set[str]


def forget_records(books: Books) -> None:
    """Take no notice of the records that were taken before."""
    books.ask(_PUBLISHED)


def take_records(books: Books, records: Iterable[KpiRecord]) -> set[str]:
    """Take published records, in any order; the figures in them that the books have no definition of.

    These are not recounted, and a record that counts nothing else counts nothing here.
    """
    measures = frozenset(name.removeprefix(OWN) for name in books.measures)
    known = Names(measures, KPIS.keys() | books.own_kpis.keys())
    unknown = set[str]()
    iterator = (_known(record, known, unknown) for record in records)
    while lines := [encode_record(record) for record in islice(iterator, _CHUNK_RECORDS)]:
        books.read_lines(lines, _PUBLISH)
    return unknown


def _known(record: KpiRecord, known: Names, unknown: set[str]) -> KpiRecord:
    if not record.kpis.keys() <= known.kpis:
        unknown.update(f"kpis.{name}" for name in record.kpis if name not in known.kpis)
    if record.measures.keys() <= known.measures:
        return record
    unknown.update(f"measures.{name}" for name in record.measures if name not in known.measures)
    measures = {name: figure for name, figure in record.measures.items() if name in known.measures}
    return msgspec.structs.replace(record, measures=measures)


def hold_latest(books: Books) -> int:
    """Let of the records with one key the one with the highest revision hold; how many then do."""
    [(first, last)] = books.ask("select min(as_of), max(as_of) from published")
    books.put_clock("record_clock", first, last)
    books.ask(_ask(books))
    [(held,)] = books.ask("select count(*) from asked")
    return held


def differences(books: Books, names: Names) -> list[Difference]:
    """What differs, in order, of the names that are given; both ways, and whole records too."""
    measures = [name for name in books.measures if name.startswith(OWN) or name in names.measures]
    compared = _comparisons(books, measures, names.kpis)
    counts = _counts(books, measures)
    found: list[Difference] = []
    for choice in choices(books):
        recount(books, choice)
        books.ask(_suspects(counts, compared))
        found += map(_difference, books.ask(_question(compared)))
        if books.own_kpis:
            found += _own_differences(books, counts)
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
        measures json, kpis json
    )
"""


_PUBLISH = """
    insert into published
    select
        scope, grain, start::date, revision, epoch_us(as_of::timestamptz), measures <> '{}', measures, kpis,
    from read_json(
        $lines,
        format = 'newline_delimited',
        columns = {
            scope: 'varchar', grain: 'varchar', start: 'varchar', revision: 'bigint', as_of: 'varchar',
            measures: 'json', kpis: 'json'
        }
    )
"""


def _ask(books: Books) -> str:
    """The statement that makes the table `asked`: only in records that hold is looked up what they say.

    They are found by their numbers, which are sure as long as nothing is deleted from the table: sorting
    all that was published would sort what it says as well.
    """
    measures = _paths(name.removeprefix(OWN) for name in books.measures)
    return f"""
        create or replace table asked as
        with latest as (
            select arg_max(rowid, revision) as number from published group by scope, grain, start
        )
        select
            scope, grain, start, revision, as_of + ahead as now_micros,
            date '1970-01-01' + ((as_of + ahead) // 86400000000)::integer as today,
            json_extract(measures, {measures}) as measures,
            json_extract(kpis, {_paths([*KPIS, *books.own_kpis])}) as kpis,
        from published
        semi join latest on published.rowid = latest.number
        join record_clock on utc_day = as_of // 86400000000 and as_of >= since and as_of < until
        where counts
    """  # noqa: S608


class _Comparison(NamedTuple):
    """A figure: what was said of it, what it is, both as JSON, and whether they are the same."""

    figure: str
    said: str
    recounted: str
    same: str


def _comparisons(books: Books, measures: Collection[str], kpis: Collection[str]) -> list[_Comparison]:
    compared = [
        _Comparison(
            f"measures.{name.removeprefix(OWN)}", *_measure_sides(name, unit, f"measures[{number}]")
        )
        for number, (name, unit) in enumerate(books.measures.items(), 1)
        if name in measures
    ]
    compared += [
        _Comparison(f"kpis.{name}", *_kpi_sides(name, kpi)) for name, kpi in KPIS.items() if name in kpis
    ]
    return compared


def _counts(books: Books, measures: Iterable[str]) -> str:
    """Whether a row of the table `recounted` counts anything."""
    units = {name: books.measures[name] for name in measures}
    return "(" + " or ".join(f"{column} <> 0" for column in columns_of(units)) + ")"


def _suspects(counts: str, compared: list[_Comparison]) -> str:
    """The statement that keeps the records of the table `recounted` in which anything differs."""
    return f"""
        create or replace temp table suspects as
        select *
        from (select *, {counts} as counts from recounted)
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


def _measure_sides(name: str, unit: Unit, said: str) -> tuple[str, str, str]:
    """What was said of a measure, what it is, and whether that is the same; it may be left out if zero."""
    value = f'"{name}"'
    zero = f"{value} = 0"
    match unit:
        case Unit.COUNT:
            pass
        case Unit.MONEY:
            zero += f" and {rest_of(name)} = 0"
            value = f"written(half_even({value}, {rest_of(name)}, minor_unit()), digits())"
        case Unit.DAYS:
            value += f"::double / {_DAY_MICROS}"
        case Unit.NUMBER:
            value += "::double / 1000000"
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
            # As a rule they are written alike; only where they are not is it asked whether 1.0 was said.
            same = f"""
                case
                    when {said}::varchar = {value}::varchar then true
                    else try_cast({said}::varchar as decimal(38, 6)) = {value}
                end
            """
        case Unit.MONEY:
            same = f"""{said}::varchar = '"' || {value} || '"'"""
        case Unit.DAYS | Unit.NUMBER:
            # What two ways of dividing may differ by, and no count of anything could.
            number = f"try_cast({said}::varchar as double)"
            same = f"abs({number} - {value}) <= 1e-12 * greatest(1, abs({value}))"
    return f"coalesce({same}, false)"


def _own_differences(books: Books, counts: str) -> Iterator[Difference]:
    """What differs of the organisation's own KPIs, in the records that count on both sides.

    Many records are alike, a day with one call and all: each case is worked out once.
    """
    reads = {read for formula in books.own_kpis.values() for read in formula.reads}
    books.ask(_cases(counts, [name for name in books.measures if name.removeprefix(OWN) in reads]))
    for number, said, pieces in books.ask("select number, said, pieces from cases"):
        measures = exact_sums(books, pieces or [])
        for (name, formula), stated in zip(books.own_kpis.items(), said, strict=True):
            published = _figure(stated)
            figure = formula.figure(measures)
            if stated is None or not same(published, figure):
                for record in books.ask(_RECORDS_OF_CASE, number=number):
                    scope, grain, start, revision = record
                    yield Difference(scope, grain, start, f"kpis.{name}", published, figure, revision)


def _cases(counts: str, reads: list[str]) -> str:
    """The statement that gathers records that say the same of own KPIs and have the same behind them."""
    listed = ", ".join(f"'{name}'" for name in reads)
    return f"""
        create or replace temp table cases as
        with counted as (
            select
                scope, grain, start,
                list({PIECE} order by measure, among) as pieces,
            from parts
            where measure in ({listed})
            group by scope, grain, start
        )
        select
            row_number() over () as number, kpis[{len(KPIS) + 1}:] as said, pieces,
            list({{scope: scope, grain: grain, start: start, revision: revision}}) as records,
        from recounted
        left join counted using (scope, grain, start)
        where revision is not null and {counts}
        group by said, pieces
    """  # noqa: S608


_RECORDS_OF_CASE = """
    select record.scope, record.grain, record.start, record.revision
    from (select unnest(records) as record from cases where number = $number)
"""
