"""Whom a goal is for."""

from goals.reasons import Reason, reason
from kpis.definitions.faults import short
from kpis.tally import COMPANY

KINDS = ("team", "seller", "customer")
_MAX_ID = 128


def scope_fault(scope: str) -> Reason | None:
    """Why a scope is none; `None` for one that is."""
    kind, colon, name = scope.partition(":")
    if scope == COMPANY or (kind in KINDS and colon and 1 <= len(name) <= _MAX_ID and name == name.strip()):
        return None
    if kind.strip().lower() in KINDS:
        wanted = name.strip() or "ID"
        return reason("scope_meant", written=short(scope), meant=f"{kind.strip().lower()}:{wanted}")
    for each in KINDS:
        rest = scope[len(each) :].strip()
        if scope.lower().startswith(each) and rest:
            return reason("scope_meant", written=short(scope), meant=f"{each}:{rest}")
    return reason("no_scope", written=short(scope))
