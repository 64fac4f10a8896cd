"""What the pages need to name and write figures: the KPIs that there are."""

from litestar import Router, get

from wall.accounts.door import Door, guard
from wall.managing.desk import Desk
from wall.view import View
from wall.vocabulary import Kpi, kpis_in


def routes(view: View, door: Door, desk: Desk) -> Router:
    """All of them."""

    @get("/kpis", sync_to_thread=True)
    def kpis() -> list[Kpi]:
        """All KPIs."""
        return kpis_in(view, desk.currency)

    return Router("/api/manage", route_handlers=[kpis], guards=[guard(door.manages)])
