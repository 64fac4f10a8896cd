"""Scenes: what a goal is judged by besides its figures, made once for all who share it."""

from goals.judging import Scene
from goals.known import Known, known_kpis
from goals.pace import Pace
from goals.working_plan import WorkingPlan
from goals.working_time import WorkingTime
from kpis.contributions import Business
from schemas.definitions import Definitions


class Scenes:
    """The scenes of an organisation's scopes."""

    def __init__(self, business: Business, plan: WorkingPlan) -> None:
        self._business = business
        self._plan = plan
        self._paces: dict[str, tuple[WorkingTime, Pace]] = {}
        """By seller, of those whose working time is their own; the others' under no name."""
        self._definitions: Definitions | None = None
        self._known = Known({}, {}, business.currency)
        self._scenes: dict[str, Scene] = {}

    def of(self, scope: str, definitions: Definitions) -> Scene:
        """The scene of a scope, under an organisation's own definitions."""
        if definitions != self._definitions:
            self._definitions = definitions
            self._known = known_kpis(self._business.currency, definitions)
            self._scenes = {}
        scene = self._scenes.get(scope)
        if scene is None:
            working, pace = self._pace(scope)
            scene = self._scenes[scope] = Scene(self._known, self._business.calendar, working, pace)
        return scene

    def _pace(self, scope: str) -> tuple[WorkingTime, Pace]:
        kind, _, name = scope.partition(":")
        whose = name if kind == "seller" and name in self._plan.sellers else ""
        if whose not in self._paces:
            working = self._plan.of(scope, self._business.calendar)
            self._paces[whose] = working, Pace(self._business.calendar, working)
        return self._paces[whose]
