"""The objects behind a figure, each with its exact share; and what waits to be counted."""

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from msgspec import Struct

from audit.books import Books
from audit.clock import DAY, instant_of
from audit.figures import KPIS, MEASURES, Unit
from audit.recounting import recount
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
    """What is behind a figure, a measure or a KPI, of the record that was asked for.

    Raises:
        KeyError: there is no such measure, and no such KPI.
    """
    kpi = KPIS.get(figure)
    if kpi is None:
        unit, formula, reads, only_in = MEASURES[figure], figure, (figure,), "true"
        expression = _WRITTEN[unit].format(name=figure)
    else:
        unit, formula, reads, only_in = kpi.unit, kpi.formula, kpi.reads, kpi.only_in
        expression = f"kpi_{figure}"
    [(value,)] = books.ask(
        f"select case when {only_in} then {expression} end from recounted"  # noqa: S608
        " where grain = $grain and start = $start",
        grain=asked.grain,
        start=asked.start,
    )
    parts = [_part(books, asked, name, span) for name in reads for span in _spans(books, asked, figure)]
    if figure == "customer_lifetime_days":
        parts.insert(0, _stays(books, asked, parts[0]))
    if value is not None and unit is Unit.COUNT:
        value = int(value)
    return Explanation(figure, formula, value, parts)


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


def _part(books: Books, asked: Asked, measure: str, span: _Span) -> Part:
    parameters: dict[str, object] = {
        "scope": asked.scope,
        "measure": measure,
        "start": span.start if span.end is not None else date.min,
        "end": span.end or date.max,
    }
    if measure == "contacts":
        items = [_person(row) for row in books.ask(_PERSONS, **parameters)]
    else:
        items = [_item(MEASURES[measure], row) for row in books.ask(_OBJECTS, **parameters)]
    digits = books.rules.digits if MEASURES[measure] is Unit.MONEY else 0
    return Part(measure, span.start, span.end, items, digits)


def _item(unit: Unit, row: tuple[Any, ...]) -> Item:
    name, customer, seller, team, moment, first_day, last_day, amount, fine, among = row
    match unit:
        case Unit.COUNT:
            share = Fraction(amount)
        case Unit.DAYS:
            share = Fraction(amount, DAY)
        case Unit.MONEY:
            share = Fraction(amount * 10**12 + fine, 10**18 * among)
        case Unit.NUMBER:
            share = Fraction(amount, 1_000_000)
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


_WRITTEN = {
    Unit.COUNT: "{name}",
    Unit.DAYS: f"{{name}}::double / {DAY}",
    Unit.MONEY: "written(half_even({name}, {name}_rest, minor_unit()), digits())",
}

_OBJECTS = """
    select
        object, customer, seller, string_agg(distinct team, ', ' order by team), min(moment), min(day),
        max(day), sum(amount), sum(fine), among,
    from scoped
    where scope = $scope and measure = $measure and day >= $start and day < $end
    group by
        object, customer, seller, among, case when not starts_with(measure, 'cost') then (moment, home) end
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
