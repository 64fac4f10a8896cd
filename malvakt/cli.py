"""The entry point: finds the command, runs it, and turns how it ended into an exit status.

Commands are named by import path, so that `malvakt --help` loads neither Faust nor Kafka clients.
"""

import logging
import sys
from typing import NoReturn

from cyclopts import App, CycloptsError

from malvakt.outcome import CallError, Fault
from streams.settings import SettingError

app = App(name="malvakt", help="Watches over sales goals: KPIs live from CRM events.")
for name in (
    "alerts",
    "definitions",
    "demo",
    "emit",
    "explain",
    "goals",
    "import",
    "kafka",
    "kpis",
    "notify",
    "reconcile",
    "rejected",
    "replay",
    "simulate",
    "waiting",
    "web",
    "worker",
):
    app.command(f"malvakt.commands.{name}_:{name}_", name=name)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit: 0 done, 1 a fault was found, 2 the call was wrong."""
    # aiokafka reports each attempt to connect; commands say once, and in words, what came of it.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        status = app(
            sys.argv[1:] if arguments is None else arguments,
            exit_on_error=False,
            print_error=True,
            result_action="return_value",
        )
    except CycloptsError:
        # It has been printed.
        sys.exit(2)
    except (CallError, SettingError) as error:
        print(f"malvakt: {error}", file=sys.stderr)
        sys.exit(2)
    except Fault as fault:
        print(f"malvakt: {fault}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
