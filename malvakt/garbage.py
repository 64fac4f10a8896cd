"""Garbage collection for long-lived plain data: reference counts free it; looking for cycles rarely pays.

Views and rows are millions of small objects that refer to nothing that refers back. With Python's default
thresholds, looking through all of them again and again takes half of a worker's time.
"""

import gc

NEW_OBJECTS = 200_000
"""How many more objects are made than freed before the youngest are looked through (default 700)."""


def collect_seldom() -> None:
    """Look for cycles seldom, and never again among what start-up made."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 100)
