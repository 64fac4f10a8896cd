"""What people who are signed in do with figures: see to alerts, compare, look behind them, set goals."""

from litestar.types import ControllerRouterHandler

from wall.accounts.door import Door
from wall.managing import alerts, behind, files, naming
from wall.managing.desk import Desk
from wall.view import View


def managed(view: View, door: Door, desk: Desk) -> list[ControllerRouterHandler]:
    """All that the pages ask."""
    return [part.routes(view, door, desk) for part in (naming, alerts, behind, files)]
