"""Passwords: what one must be like, and how it is kept (Argon2id, with the library's own parameters)."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH, MAX_LENGTH = 12, 200


class Passwords:
    """Hashes and verifies, one at a time: each takes 64 MiB, and many at once would be too much."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._one = threading.Lock()
        self._nobodys = self._hasher.hash("the password of nobody")

    def hashed(self, password: str) -> str:
        """How it is kept."""
        with self._one:
            return self._hasher.hash(password)

    def holds(self, hashed: str | None, password: str) -> bool:
        """Whether it is the one; takes as long where there is none: who has an account is not told."""
        try:
            with self._one:
                return self._hasher.verify(hashed or self._nobodys, password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False
