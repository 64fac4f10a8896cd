"""Why a goal cannot be, or is worth a second look: values, which `notices/reasons.py` puts into words."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from types import MappingProxyType
from typing import Literal, NamedTuple

from msgspec import Struct

from goals.periods import Span
from kpis.calendar import Grain

Code = Literal[
    "id_with_bar",
    "years",
    "ends_before_it_begins",
    "too_many_days",
    "over_all_time",
    "no_such_window",
    "counts_persons",
    "compares_windows",
    "no_week_last_year",
    "over",
    "begun",
    "until_before_from",
    "no_whole_window",
    "ended",
    "not_the_first_day",
    "below_zero",
    "nothing_to_do",
    "above_the_whole",
    "above_the_whole_perhaps_percent",
    "perhaps_percent",
    "whole_numbers",
    "decimals",
    "change_of_a_change",
    "nothing_left",
    "no_change",
    "less_is_better",
    "more_is_better",
    "other_way_less",
    "other_way_more",
    "no_scope",
    "scope_meant",
    "measure_no_kpi",
    "no_kpi",
    "no_kpi_but",
    "no_target",
    "neither_figure_nor_change",
    "no_share",
    "other_currency",
    "other_unit",
    "two_ways",
    "no_number",
    "too_many_decimals",
    "missing",
    "change_of_what",
    "against_nothing",
    "once_or_again",
    "no_time",
    "no_from",
    "no_period",
    "no_date",
    "too_long",
    "never_measured",
    "best_so_far",
    "lowest_so_far",
    "another_scope",
    "nobody_reached",
    "among_nobody",
    "no_weight",
]


class Percent(NamedTuple):
    """A share, which is read in percent."""

    of: Fraction


class Figure(NamedTuple):
    """A KPI's figure, as a person reads it."""

    text: str
    """With a point before decimals."""


Example = Literal["money", "rate", "ratio", "number", "days", "count"]
"""What a target looks like."""


class Like(NamedTuple):
    """What a target of a KPI looks like, and what that is a figure of."""

    kind: Example
    currency: str


Field = (
    str
    | int
    | Fraction
    | Percent
    | Figure
    | Span
    | date
    | Grain
    | Like
    | tuple[str, ...]
    | tuple[Grain, ...]
)
"""What a reason is about. A `kpi`, and `kpis`, are names; so are `key` and what was `written`."""


class Reason(Struct, frozen=True):
    """One of them, with what it is about."""

    code: Code
    about: Mapping[str, Field] = MappingProxyType({})


def reason(code: Code, **about: Field) -> Reason:
    """A reason, with what it is about."""
    return Reason(code, about)
