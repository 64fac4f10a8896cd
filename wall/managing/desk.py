"""What the pages can do beside reading the view: the installation's own, or a test's."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from schemas.notices import Ack


class UnwrittenError(Exception):
    """Nothing was written, or nobody knows whether it was: Kafka does not answer."""


class Desk(Struct, frozen=True, kw_only=True):
    """What managing needs of an installation."""

    timezone: str
    currency: str
    acknowledge: Callable[[Ack], Awaitable[None]]
    """Write that somebody sees to an alert.

    Raises:
        UnwrittenError: it is not known to be written.
    """
