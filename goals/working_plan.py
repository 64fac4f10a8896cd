"""An organisation's working time in a TOML file: business hours, days off, and who works part time."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple, cast

import msgspec
from msgspec import Struct

from goals.working_time import OFFICE_WEEK, Hours, Person, Plan, Week, WorkingTime, WorkingTimeError
from kpis.calendar import Calendar

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_STRETCH = re.compile(r"([0-9]{1,2}):([0-9]{2}) *- *([0-9]{1,2}):([0-9]{2})")


class _Hours(Struct, forbid_unknown_fields=True):
    monday: list[str] = []
    tuesday: list[str] = []
    wednesday: list[str] = []
    thursday: list[str] = []
    friday: list[str] = []
    saturday: list[str] = []
    sunday: list[str] = []


class _Person(Struct, forbid_unknown_fields=True):
    percent: int = 100
    weekdays: list[str] | None = None
    days_off: list[date] = []


class _File(Struct, forbid_unknown_fields=True):
    country: str = "SE"
    hours: _Hours | None = None
    days_off: list[date] = []
    half_days: list[date] = []
    sellers: dict[str, _Person] = {}


class WorkingPlan(NamedTuple):
    """When an organisation works, and those of its people whose time differs."""

    plan: Plan = Plan()
    sellers: Mapping[str, Person] = {}

    def of(self, scope: str, calendar: Calendar) -> WorkingTime:
        """The working time of whom a goal is for."""
        kind, _, name = scope.partition(":")
        person = self.sellers.get(name) if kind == "seller" else None
        return WorkingTime(calendar, self.plan, person or Person())


def read_plan(raw: bytes) -> WorkingPlan:
    """The working time in a TOML file.

    Raises:
        WorkingTimeError: it is none; the message says why.
    """
    try:
        tables = tomllib.loads(raw.decode("utf-8-sig"))
        file = msgspec.convert(cast("object", tables), _File)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WorkingTimeError(f"this is no valid TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise WorkingTimeError(f"this is no working time: {error}; see docs/goals.md.") from error
    plan = Plan(
        week=OFFICE_WEEK if file.hours is None else _week(file.hours),
        country=file.country or None,
        days_off=frozenset(file.days_off),
        half_days=frozenset(file.half_days),
    )
    sellers = {name: _person(name, one, plan) for name, one in file.sellers.items()}
    return WorkingPlan(plan, sellers)


def _week(hours: _Hours) -> Week:
    days: list[list[str]] = [getattr(hours, weekday) for weekday in WEEKDAYS]
    return tuple(tuple(map(_stretch, stretches)) for stretches in days)


def _stretch(text: str) -> Hours:
    found = _STRETCH.fullmatch(text.strip())
    if found is None:
        raise WorkingTimeError(f"`{text}` are no hours; write them as 8:00-12:00.")
    first, minute, last, last_minute = map(int, found.groups())
    return Hours(first * 60 + minute, last * 60 + last_minute)


def _person(name: str, one: _Person, plan: Plan) -> Person:
    weekdays = frozenset(range(7))
    if one.weekdays is not None:
        unknown = [each for each in one.weekdays if each not in WEEKDAYS]
        if unknown:
            raise WorkingTimeError(f"{name}: `{unknown[0]}` is no weekday; write {', '.join(WEEKDAYS)}.")
        weekdays = frozenset(map(WEEKDAYS.index, one.weekdays))
    try:
        person = Person(percent=one.percent, weekdays=weekdays, days_off=frozenset(one.days_off))
        # Whoever works on no working day is to be heard of now, and not with a first goal.
        WorkingTime(Calendar("UTC"), plan, person)
    except WorkingTimeError as error:
        raise WorkingTimeError(f"{name}: {error}") from error
    return person
