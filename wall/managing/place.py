"""Where managing happens: what every page of it needs."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from wall.accounts.door import Door
from wall.freshness import Heartbeat
from wall.managing.desk import Desk
from wall.view import View


class Place(Struct, frozen=True):
    """A server on which people who are signed in manage."""

    view: View
    door: Door
    desk: Desk
    heartbeat: Callable[[], Heartbeat]

    @property
    def timezone(self) -> str:
        """In which business days are counted, as walls are told."""
        return self.heartbeat().timezone

    @property
    def currency(self) -> str:
        """In which is reported, as walls are told."""
        return self.heartbeat().currency

    def now(self) -> datetime:
        """What time it is to those who decide something: where the pipeline lives elsewhere, its time."""
        beat = self.heartbeat()
        return beat.clock if beat.elsewhere and beat.clock is not None else beat.now
