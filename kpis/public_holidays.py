"""Public holidays of a country, as everything here that knows of working days takes them."""

from functools import cache

from holidays import HolidayBase, country_holidays
from holidays.constants import DE_FACTO, PUBLIC
from holidays.registry import EntityLoader


@cache
def countries() -> frozenset[str]:
    """The ISO 3166 codes of the countries whose public holidays are known.

    Asked of the library's registry, since `list_supported_countries` loads every country's calendar, which
    was a fifth of what each command took to start.
    """
    return frozenset(EntityLoader.get_country_codes())


@cache
def public_holidays(country: str) -> HolidayBase:
    """The days off of a country, by its ISO 3166 code, which the library must know."""
    # Nobody works on Midsummer's Eve, which is no public holiday: some countries list such days apart.
    listed = country_holidays(country).supported_categories
    return country_holidays(country, categories={PUBLIC, DE_FACTO} & set(listed))
