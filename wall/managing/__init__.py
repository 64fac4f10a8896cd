"""What people who are signed in do with figures: see to alerts, compare, look behind them, set goals."""

from litestar.types import ControllerRouterHandler

from wall.managing import alerts, behind, files, goals, naming
from wall.managing.place import Place


def managed(place: Place) -> list[ControllerRouterHandler]:
    """All that the pages ask."""
    return [part.routes(place) for part in (naming, alerts, behind, files, goals)]
