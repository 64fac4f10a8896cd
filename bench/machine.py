"""What machine the figures are of."""

import os
import platform


def machine() -> dict[str, object]:
    """System, processors and Python, to stand beside results."""
    return {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }
