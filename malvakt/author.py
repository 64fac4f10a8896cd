"""Who calls: what is changed at a terminal is written down with the name of whoever did it."""

import getpass
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from malvakt.outcome import CallError
from schemas.events import Id


class Author(NamedTuple):
    """Who says so, and when."""

    by: str
    at: datetime


def author(by: str | None) -> Author:
    """Who calls, as they say, or else as they are logged in."""
    if by is None:
        try:
            by = getpass.getuser()
        except (OSError, KeyError, ImportError) as error:
            raise CallError("it is not known who you are here; give --by NAME.") from error
    try:
        return Author(msgspec.convert(by.strip(), Id), datetime.now(UTC))
    except msgspec.ValidationError as error:
        raise CallError("--by: give a name of 1 to 128 characters.") from error
