"""Saying no with a word that pages have a sentence for, in the language of whoever reads it."""

from collections.abc import Mapping
from typing import Literal, NoReturn

from litestar.exceptions import HTTPException

Reason = Literal[
    "alert",
    "away",
    "clash",
    "code",
    "events",
    "figure",
    "goal",
    "gone",
    "kafka",
    "last",
    "length",
    "long",
    "lost",
    "made",
    "many",
    "memory",
    "often",
    "removed",
    "scope",
    "taken",
    "uncounted",
    "window",
    "wrong",
]
"""Pages have a sentence for each but `goal`, which says what is wrong in the language of whoever asks."""


def refuse(status: int, reason: Reason, says: str, headers: Mapping[str, str] | None = None) -> NoReturn:
    """Answer with a status and why."""
    raise refusal(status, reason, says, headers)


def refusal(
    status: int, reason: Reason, says: str, headers: Mapping[str, str] | None = None
) -> HTTPException:
    """A status and why."""
    given = dict(headers or {})
    return HTTPException(status_code=status, detail=says, extra={"reason": reason}, headers=given)
