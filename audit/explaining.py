"""The objects behind a figure, each with its exact share; and what waits to be counted."""

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from msgspec import Struct

from audit.books import Books
from audit.clock import DAY, instant_of
from audit.figures import KPIS, MEASURES, OWN, Kpi, Unit
from audit.formulas import written
from audit.recounting import PIECE, exact_amount, exact_sums, recount
from schemas.records import Figure


class Asked(NamedTuple):
    """Whose figures are to be explained: a scope and a window, read at an instant."""

    scope: str
    grain: str
    start: date
    as_of: datetime


class Item(Struct, frozen=True):
    """One object, or one person contacted, and its share of a part."""

    object: str
    customer: str | None
    seller: str | None
    team: str | None
    at: datetime
    share: Fraction
    first_day: date
    last_day: date
    """The days of the window on which a cost counts; of everything else, its day."""
    through: tuple[str, ...] = ()
    """The activities that reached a person."""


class Part(Struct, frozen=True):
    """One of the sums in a figure's formula, and everything in it."""

    name: str
    start: date
    end: date | None
    """The first day after what is summed; none for all time."""
    items: list[Item]
    digits: int = 0
    """How many digits its shares are written with, at least."""

    @property
    def total(self) -> Fraction:
        """What the items add up to, exactly."""
        return sum((item.share for item in self.items), Fraction())


class Explanation(Struct, frozen=True):
    """A figure, how it comes about, and what it is made of."""

    figure: str
    formula: str
    value: Figure
    parts: list[Part]


class Waiting(Struct, frozen=True):
    """A won deal or a cost that counts nowhere until its currency has a rate."""

    kind: str
    object: str
    customer: str | None
    seller: str | None
    amount: Fraction
    currency: str
    since: datetime
    """When the rate would have to be valid."""


def ask_for(books: Books, asked: Asked) -> None:
    """Recount one record, whose figures are then to be explained."""
    local = books.local(asked.as_of)
    books.ask(
        "create or replace table asked as select $scope as scope, $grain as grain, $start::date as start,"
        " null::bigint as revision, $now::bigint as now_micros, $today::date as today",
        scope=asked.scope,
        grain=asked.grain,
        start=asked.start,
        now=local,
        today=instant_of(local).date(),
    )
    scope = asked.scope.replace("'", "''")
    recount(books, f"scope = '{scope}'")


def explain(books: Books, asked: Asked, figure: str) -> Explanation:
    """What is behind a figure, a measure or a KPI, ours or their own, of the record that was asked for.

    Raises:
        KeyError: there is no such measure, and no such KPI.
    """
    reads: tuple[str, ...]
    if (kpi := KPIS.get(figure)) is not None:
        formula, reads, value = kpi.formula, kpi.reads, _ours(books, asked, figure, kpi)
    elif (own := books.own_kpis.get(figure)) is not None:
        formula, reads, value = own.text, own.reads, own.figure(_sums(books, asked))
    else:
        formula, reads = figure, (figure,)
        unit = books.measures[_in_books(figure)]
        value = written(_sums(books, asked).get(figure, Fraction()), unit, books.rules.digits)
    parts = [_part(books, asked, name, span) for name in reads for span in _spans(books, asked, figure)]
    if figure == "customer_lifetime_days":
        parts.insert(0, _stays(books, asked, parts[0]))
    return Explanation(figure, formula, value, parts)


def _ours(books: Books, asked: Asked, name: str, kpi: Kpi) -> Figure:
    [(value,)] = books.ask(
        f"select case when {kpi.only_in} then kpi_{name} end from recounted"  # noqa: S608
        " where grain = $grain and start = $start",
        grain=asked.grain,
        start=asked.start,
    )
    return int(value) if value is not None and kpi.unit is Unit.COUNT else value


def _sums(books: Books, asked: Asked) -> dict[str, Fraction]:
    """The measures of the record that was asked for, of those that are not zero."""
    pieces = books.ask(
        f"select {PIECE} from parts where scope = $scope and grain = $grain and start = $start",  # noqa: S608
        scope=asked.scope,
        grain=asked.grain,
        start=asked.start,
    )
    return exact_sums(books, (piece for (piece,) in pieces))


def _in_books(measure: str) -> str:
    """What a measure is called there."""
    return measure if measure in MEASURES else OWN + measure


def exact(share: Fraction, least_digits: int = 0) -> str:
    """A share without loss: as a decimal where it is one, else as a fraction such as `10000/3`."""
    digits = least_digits
    while (scaled := share * 10**digits).denominator != 1:
        if 10 ** scaled.denominator.bit_length() % scaled.denominator:
            return str(share)
        digits += 1
    sign = "-" if scaled < 0 else ""
    whole, minor = divmod(abs(int(scaled)), 10**digits)
    return f"{sign}{whole}.{minor:0{digits}d}" if digits else f"{sign}{whole}"


def waiting(books: Books) -> list[Waiting]:
    """Won deals and costs in a currency without a rate, the longest waiting first."""
    rows = books.ask(_WAITING)
    return [
        Waiting(kind, name, customer, seller, Fraction(amount, 1_000_000), currency, instant_of(moment))
        for kind, name, customer, seller, amount, currency, moment in rows
    ]


class _Span(NamedTuple):
    start: date
    end: date | None


def _spans(books: Books, asked: Asked, figure: str) -> Iterator[_Span]:
    """The days over which measures are summed for a figure: the window's own, and those compared with."""
    if asked.grain == "ever":
        yield _Span(asked.start, None)
        return
    [(end, before, before_end, so_far_end, so_far_before_end)] = books.ask(
        "select next_start, before_start, before_end, so_far_end, so_far_before_end from spans_compared"
    )
    match figure:
        case "sales_growth":
            yield _Span(asked.start, end)
            yield _Span(before, before_end)
        case "growth_accumulated" if so_far_end is not None:
            yield _Span(asked.start, so_far_end)
            yield _Span(before, so_far_before_end)
        case _:
            yield _Span(asked.start, end)


def _part(books: Books, asked: Asked, name: str, span: _Span) -> Part:
    measure = _in_books(name)
    unit = books.measures[measure]
    parameters: dict[str, object] = {
        "scope": asked.scope,
        "measure": measure,
        "start": span.start if span.end is not None else date.min,
        "end": span.end or date.max,
    }
    if measure in books.distinct:
        items = [_person(row) for row in books.ask(_PERSONS, **parameters)]
    else:
        items = [_item(unit, row) for row in books.ask(_OBJECTS, **parameters)]
    digits = books.rules.digits if unit is Unit.MONEY else 0
    return Part(name, span.start, span.end, items, digits)


def _item(unit: Unit, row: tuple[Any, ...]) -> Item:
    name, customer, seller, team, moment, first_day, last_day, amount, fine, among = row
    share = exact_amount(unit, amount, fine, among)
    return Item(name, customer, seller, team, instant_of(moment), share, first_day, last_day)


def _person(row: tuple[Any, ...]) -> Item:
    place, who, customer, sellers, teams, moment, first_day, last_day, activities = row
    return Item(
        who if who == place else f"{who} at {place}",
        customer,
        _only(sellers),
        _only(teams),
        instant_of(moment),
        Fraction(1),
        first_day,
        last_day,
        tuple(activities),
    )


def _only(names: list[str] | None) -> str | None:
    return ", ".join(names) if names else None


def _stays(books: Books, asked: Asked, counted: Part) -> Part:
    """How long each of the customers that are counted stayed, in days."""
    stayed = dict(books.ask(_STAYED, scope=asked.scope, now=books.local(asked.as_of)))
    items = [
        Item(
            item.object,
            item.customer,
            item.seller,
            item.team,
            item.at,
            Fraction(stayed[item.customer], DAY),
            item.first_day,
            item.last_day,
        )
        for item in counted.items
    ]
    return Part("days", counted.start, counted.end, items)


_OBJECTS = """
    select
        object, customer, seller, string_agg(distinct team, ', ' order by team), min(moment), min(day),
        max(day), sum(amount), sum(fine), among,
    from scoped
    where scope = $scope and measure = $measure and day >= $start and day < $end
    group by home, object, customer, seller, among
    order by min(moment), object
"""

_PERSONS = """
    select
        persons.place, who, min(customer), list_sort(list_distinct(list(seller))),
        list_sort(list_distinct(list(team))), min(moment), min(day), max(day), list(object order by moment),
    from scoped
    join persons on persons.number = scoped.person
    where scope = $scope and measure = $measure and day >= $start and day < $end
    group by persons.place, who
    order by min(moment), who
"""

_STAYED = """
    select customers.customer, coalesce(churned_at + clock.ahead, $now) - first_at - first_ahead
    from scoped
    join customers on customers.customer = scoped.customer
    left join clock
        on clock.utc_day = churned_at // 86400000000
        and churned_at >= clock.since
        and churned_at < clock.until
    where measure = 'customers_new' and scope = $scope
"""

_WAITING = """
    select 'deal', deal, customer, seller, value, currency, moment
    from won
    where rate_whole is null
    union all
    select 'cost', cost, customer, seller, amount, currency, waiting_costs.moment
    from waiting_costs join costs using (cost)
    order by 7, 1, 2
"""
