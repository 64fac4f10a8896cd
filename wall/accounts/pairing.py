"""Pairing: a television shows a short code, somebody who is signed in enters it for a screen.

Codes live in memory and for minutes; a television whose code is gone shows another by itself.
"""

import secrets
import threading
import time
from collections.abc import Callable

from msgspec import Struct

LETTERS = "ACDEFGHJKMNPQRTUVWXY34679"
"""Without what looks alike on a screen across the room: B and 8, I, L and 1, O and 0, S and 5, Z and 2."""
LENGTH = 6
VALID_S = 300.0
MAX_WAITING = 1_000


class Waiting(Struct):
    """A television that waits to be told which screen it is."""

    code: str
    claim: str
    """What it asks with; nobody else knows it."""
    until: float
    screen: int | None = None


class Pairing:
    """The televisions that wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}

    def ask(self) -> Waiting | None:
        """A new code; none where too many wait."""
        with self._lock:
            self._forget_expired()
            if len(self._waiting) >= MAX_WAITING:
                return None
            code = _code()
            while self._of_code(code) is not None:
                code = _code()
            waiting = Waiting(code, secrets.token_urlsafe(32), self._clock() + VALID_S)
            self._waiting[waiting.claim] = waiting
            return waiting

    def waits(self, code: str) -> bool:
        """Whether a television shows this code."""
        with self._lock:
            self._forget_expired()
            return self._of_code(code) is not None

    def enter(self, code: str, screen: int) -> bool:
        """Say which screen the television with a code is; a code can be entered once."""
        with self._lock:
            self._forget_expired()
            waiting = self._of_code("".join(code.split()).replace("-", "").upper())
            if waiting is None:
                return False
            waiting.screen = screen
            return True

    def collect(self, claim: str) -> Waiting | None:
        """How it stands for whoever has this claim; one whose code was entered is told so once."""
        with self._lock:
            self._forget_expired()
            waiting = self._waiting.get(claim)
            if waiting is not None and waiting.screen is not None:
                del self._waiting[claim]
            return waiting

    def _of_code(self, code: str) -> Waiting | None:
        return next(
            (one for one in self._waiting.values() if one.code == code and one.screen is None), None
        )

    def _forget_expired(self) -> None:
        now = self._clock()
        self._waiting = {claim: one for claim, one in self._waiting.items() if one.until > now}


def _code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
