"""How the interpreter is set for work on much long-lived plain data, beside a thread that fetches."""

import gc
import sys

NEW_OBJECTS = 200_000
"""How many more objects are made than freed before the youngest are looked through (default 700)."""
SWITCH_S = 0.0005
"""How long a thread may keep the interpreter from another that wants it (default 5 ms)."""


def collect_seldom() -> None:
    """Look for cycles seldom, and never again among what start-up made.

    Views and rows are millions of small objects that refer to nothing that refers back. With the defaults,
    looking through all of them again and again takes half of a worker's time.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 100)


def switch_often() -> None:
    """Let threads take turns often: an answer from the broker is not to wait until a fetch is unpacked."""
    sys.setswitchinterval(SWITCH_S)
