"""How often something may be tried, counted in memory for each who tries."""

import threading
import time
from collections import deque
from collections.abc import Callable
from math import ceil

MAX_KEYS = 10_000


class Limit:
    """So many tries within so many seconds."""

    def __init__(self, tries: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._tries, self._seconds, self._clock = tries, seconds, clock
        self._lock = threading.Lock()
        self._tried: dict[str, deque[float]] = {}

    def take(self, key: str) -> int:
        """Try once: 0, or else after how many seconds one may try again."""
        now = self._clock()
        with self._lock:
            tried = self._tried.setdefault(key, deque())
            while tried and tried[0] <= now - self._seconds:
                tried.popleft()
            if len(tried) >= self._tries:
                return ceil(tried[0] + self._seconds - now)
            tried.append(now)
            if len(self._tried) > MAX_KEYS:
                # Whoever tried longest ago: an attacker with many addresses costs no memory.
                del self._tried[min(self._tried, key=lambda one: self._tried[one][-1])]
            return 0

    def give_back(self, key: str) -> None:
        """It succeeded: this try does not count, and earlier ones do."""
        with self._lock:
            tried = self._tried.get(key)
            if tried:
                tried.pop()
            if not tried:
                self._tried.pop(key, None)

    def forget(self, key: str) -> None:
        """It succeeded: earlier tries count no more."""
        with self._lock:
            self._tried.pop(key, None)
