"""What the pages need to name and write figures beside KPIs, which walls name too: the measures."""

from litestar import Router, get

from wall.accounts.door import guard
from wall.managing.place import Place
from wall.vocabulary import Measure, measures_in


def routes(place: Place) -> Router:
    """All of them."""
    view, door = place.view, place.door

    @get("/measures", sync_to_thread=True)
    def measures() -> list[Measure]:
        """All measures."""
        return measures_in(view, place.currency)

    return Router("/api/manage", route_handlers=[measures], guards=[guard(door.manages)])
