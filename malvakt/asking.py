"""What a person types on the command line: a date, an instant."""

from datetime import date, datetime

from kpis.calendar import Calendar
from malvakt.outcome import CallError


def asked_date(called: str, text: str) -> date:
    """The date that an option or argument, called so, states."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CallError(f"{called} {text}: give a date such as 2026-03-01.") from error


def asked_instant(called: str, text: str, calendar: Calendar) -> datetime:
    """The instant that an option states: with an offset, or else on the office wall."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CallError(f"{called} {text}: give a date or a time, such as 2026-03-31T18:00.") from error
    return calendar.at(instant) if instant.tzinfo is None else instant
