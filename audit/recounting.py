"""Records from the sums: every measure of the windows of some scopes, and every KPI at its own as-of.

A choice of scopes at a time, so that however many there are, a choice fits into memory.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from audit.books import Books
from audit.clock import DAY
from audit.figures import KPIS, OWN, Unit, rest_of

_FINE = 10**12
"""How many of what is `fine` make one."""

_PER_UNIT = {Unit.COUNT: 1, Unit.MONEY: 1_000_000, Unit.DAYS: DAY, Unit.NUMBER: 1_000_000}
"""How many of what is counted make one of what is shown."""

PIECE = "{measure: measure, among: among, amount: amount, fine: fine}"
"""A row of the table `parts`, for `exact_sums`."""

_AT_ONCE = 500
"""Of how many cells windows are made at a time, by megabytes of memory; they become six times as many."""


def choices(books: Books) -> list[str]:
    """Conditions on `scope` that choose every scope once, and not too many at a time."""
    [(cells,)] = books.ask("select (select count(*) from cells) + (select count(*) from met)")
    parts = cells // (_AT_ONCE * books.room.memory_mb) + 1
    return [f"hash(scope) % {parts} = {part}" for part in range(parts)]


def recount(books: Books, choice: str) -> None:
    """Make the table `recounted`: each record of the chosen scopes that is counted or asked for."""
    for name in ("cells", "met", "asked"):
        books.ask(f"create or replace temp table chosen_{name} as select * from {name} where {choice}")  # noqa: S608
    books.run("windows.sql")
    books.run("growth.sql")
    books.ask(_recounted(books.measures))


def exact_sums(books: Books, pieces: Iterable[Mapping[str, Any]]) -> dict[str, Fraction]:
    """The measures of a window by their names in records, from what travels among so many days."""
    sums: dict[str, Fraction] = {}
    for piece in pieces:
        name, unit = piece["measure"].removeprefix(OWN), books.measures[piece["measure"]]
        value = exact_amount(unit, piece["amount"], piece["fine"], piece["among"])
        sums[name] = sums.get(name, Fraction()) + value
    return sums


def exact_amount(unit: Unit, amount: int, fine: int, among: int) -> Fraction:
    """What is counted in the books, as it is shown."""
    return Fraction(amount * _FINE + fine, _FINE * among) / _PER_UNIT[unit]


def columns_of(measures: Mapping[str, Unit]) -> list[str]:
    """The columns that hold measures, and behind them what amounts have below a millionth."""
    whole = [f'"{name}"' for name in measures]
    return whole + [rest_of(name) for name, unit in measures.items() if unit is Unit.MONEY]


def _column(measure: str, unit: Unit) -> str:
    column = f"""coalesce(max(whole) filter (measure = '{measure}'), 0)::hugeint as "{measure}\""""
    if unit is Unit.MONEY:
        column += f", coalesce(max(rest) filter (measure = '{measure}'), 0)::hugeint as {rest_of(measure)}"
    return column


def _recounted(measures: Mapping[str, Unit]) -> str:
    return f"""
        create or replace temp table recounted as
        with windows as (
            select scope, grain, start, {", ".join(_column(*each) for each in measures.items())}
            from sums
            group by scope, grain, start
        ),
        made as (
            select
                scope,
                grain,
                start,
                {", ".join(f"coalesce({name}, 0) as {name}" for name in columns_of(measures))},
                chosen_asked.* exclude (scope, grain, start),
                growth.* exclude (scope, grain, start),
                coalesce(gone_micros, 0) + coalesce(staying, 0)::hugeint * now_micros
                    - coalesce(came_micros, 0) as stayed_micros,
            from windows
            full join chosen_asked using (scope, grain, start)
            left join growth using (scope, grain, start)
            left join stays using (scope)
        )
        select *, {", ".join(f"({kpi.expression}) as kpi_{name}" for name, kpi in KPIS.items())}
        from made
    """  # noqa: S608
