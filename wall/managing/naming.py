"""What the pages need to name and write figures: the KPIs and measures that there are."""

from litestar import Router, get

from wall.accounts.door import guard
from wall.managing.place import Place
from wall.vocabulary import Kpi, Measure, kpis_in, measures_in


def routes(place: Place) -> Router:
    """All of them."""
    view, door, desk = place.view, place.door, place.desk

    @get("/kpis", sync_to_thread=True)
    def kpis() -> list[Kpi]:
        """All KPIs."""
        return kpis_in(view, desk.currency)

    @get("/measures", sync_to_thread=True)
    def measures() -> list[Measure]:
        """All measures."""
        return measures_in(view, desk.currency)

    return Router("/api/manage", route_handlers=[kpis, measures], guards=[guard(door.manages)])
