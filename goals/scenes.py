"""Scenes: what a goal is judged by besides its figures, made once for all who share it."""

from collections.abc import Mapping

from goals.judging import Scene
from goals.known import Known, known_kpis
from goals.pace import Pace, Profile
from goals.working_plan import WorkingPlan
from goals.working_time import WorkingTime
from kpis.contributions import Business
from schemas.definitions import Definitions


class Scenes:
    """The scenes of an organisation's scopes."""

    def __init__(self, business: Business, plan: WorkingPlan) -> None:
        self._business = business
        self._plan = plan
        self._paces: dict[str, tuple[WorkingTime, Pace, dict[str, Pace]]] = {}
        """By seller, of those whose working time is their own; the others' under no name."""
        self._profiles: Mapping[str, Profile] = {}
        self._definitions: Definitions | None = None
        self._known = Known({}, {}, business.currency)
        self._scenes: dict[str, Scene] = {}

    def of(self, scope: str, definitions: Definitions, profiles: Mapping[str, Profile]) -> Scene:
        """The scene of a scope, under an organisation's own definitions and the usual pace of KPIs."""
        if profiles is not self._profiles:
            self._profiles = profiles
            self._paces, self._scenes = {}, {}
        if definitions != self._definitions:
            self._definitions = definitions
            self._known = known_kpis(self._business.currency, definitions)
            self._scenes = {}
        scene = self._scenes.get(scope)
        if scene is None:
            working, even, usual = self._pace(scope)
            scene = Scene(self._known, self._business.calendar, working, even, usual)
            self._scenes[scope] = scene
        return scene

    def _pace(self, scope: str) -> tuple[WorkingTime, Pace, dict[str, Pace]]:
        kind, _, name = scope.partition(":")
        whose = name if kind == "seller" and name in self._plan.sellers else ""
        if whose not in self._paces:
            calendar = self._business.calendar
            working = self._plan.of(scope, calendar)
            usual = {kpi: Pace(calendar, working, profile) for kpi, profile in self._profiles.items()}
            self._paces[whose] = working, Pace(calendar, working), usual
        return self._paces[whose]
