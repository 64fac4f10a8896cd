"""The options that say how an organisation counts, checked."""

from kpis.calendar import Calendar, UnknownTimezoneError
from kpis.contributions import Business
from malvakt.outcome import CallError

CURRENCY_LETTERS = 3


def business(timezone: str, currency: str) -> Business:
    """The business timezone and reporting currency that were asked for.

    Raises:
        CallError: there is no such timezone, or the currency is no ISO 4217 code.
    """
    if len(currency) != CURRENCY_LETTERS or not currency.isascii() or not currency.isupper():
        raise CallError(f"{currency!r} is no currency; give its ISO 4217 code, such as SEK.")
    try:
        return Business(Calendar(timezone), currency)
    except UnknownTimezoneError as error:
        raise CallError(str(error)) from error
