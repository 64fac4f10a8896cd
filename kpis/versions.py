"""Versions: which of two absolute statements is the later one, whoever made them.

A version is a term and a count of batches. Whoever takes a partition over starts a higher term, so a
paused worker that wakes up and writes loses against its successor.
"""

VERSIONS_PER_TERM = 10_000_000
"""A version is term x this + a count of batches; small enough that JSON readers keep every digit."""


def first_version(term: int) -> int:
    """The version before the first batch of a term."""
    return term * VERSIONS_PER_TERM
