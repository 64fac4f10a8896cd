"""Serving metrics and health beside a command that runs until it is told to stop."""

import contextlib
from collections.abc import Callable, Iterator

from malvakt.outcome import Fault
from streams import metrics


@contextlib.contextmanager
def metrics_on(port: int, healthy: Callable[[], bool]) -> Iterator[None]:
    """Serve `/metrics` and `/healthz` on a port; on none where it is 0.

    Raises:
        Fault: something else listens there.
    """
    if not port:
        yield
        return
    try:
        stop = metrics.serve(port, healthy)
    except OSError as error:
        raise Fault(
            f"Port {port} for metrics is taken ({error.strerror}). Give another --metrics-port,"
            " or 0 for none."
        ) from error
    try:
        yield
    finally:
        stop()
