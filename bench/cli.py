"""The entry point: one benchmark a file, each a command with the file's name.

Benchmarks are named by import path, so that `./run bench --help` loads none of them.
"""

import logging
import signal
import sys
from typing import NoReturn

from cyclopts import App, CycloptsError

from malvakt.outcome import CallError, Fault

app = App(name="./run bench", help="What Målvakt does, measured from outside.", version_flags=[])
for name in (
    "floor",
    "goals",
    "growth",
    "handover",
    "history",
    "latency",
    "plots",
    "throughput",
    "wall_day",
    "wall_latency",
    "walls",
):
    app.command(f"bench.{name}:{name}", name=name.replace("_", "-"))


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one benchmark and exit: 0 done, 1 a fault was found, 2 the call was wrong."""
    # However it is ended: what a benchmark started ends with it, and a left-over worker spoils the next.
    signal.signal(signal.SIGTERM, _finish)
    # aiokafka reports each attempt at a topic that has only just been made.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        status = app(
            sys.argv[1:] if arguments is None else arguments,
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
    except (CycloptsError, CallError) as error:
        if isinstance(error, CallError):
            print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
    except Fault as fault:
        print(f"bench: {fault}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _finish(number: int, frame: object) -> None:  # noqa: ARG001
    sys.exit(143)
