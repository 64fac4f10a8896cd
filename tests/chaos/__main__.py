"""`./run chaos`: a real Kafka, real workers, load, and faults by a seeded schedule; then every figure."""

import logging
import sys
from typing import Literal, NoReturn

from cyclopts import App, CycloptsError

from malvakt.outcome import CallError, Fault
from streams.local_kafka import LocalKafkaError
from tests.chaos.campaign import Plan, run
from tests.chaos.schedule import Kind

app = App(name="chaos", help_format="markdown", version_flags=[])


@app.default
def chaos(
    *,
    events: int | None = None,
    faults: int | None = None,
    seed: int = 1,
    partitions: int = 8,
    workers: int = 3,
    store: Literal["memory", "rocksdb"] = "memory",
    short: bool = False,
) -> int:
    """Run workers under load, do them harm, and compare every KPI record with a replay of the input.

    Exit status: 0 every figure is right, 1 one is wrong or a worker failed by itself, 2 the call was wrong.

    Parameters
    ----------
    events
        How many events are published: 2,000,000, or 60,000 with --short.
    faults
        How many faults are done: 24, or one of each kind with --short.
    seed
        Decides the events, and which fault comes when.
    partitions
        How many partitions each topic has.
    workers
        How many workers there are to begin with.
    store
        Where the workers keep rows and views.
    short
        Two or three minutes, for CI.
    """
    if not 2 <= workers <= partitions:
        raise CallError(f"--workers takes a number from 2 to the number of partitions, {partitions}.")
    if faults is not None and faults < len(Kind):
        raise CallError(f"--faults takes a number from {len(Kind)}, so that every kind occurs.")
    if events is not None and events < 1:
        raise CallError("--events takes a number from 1.")
    plan = Plan(
        events=events or (60_000 if short else 2_000_000),
        faults=faults or (len(Kind) if short else 24),
        seed=seed,
        partitions=partitions,
        workers=workers,
        session_timeout_s=6.0 if short else 10.0,
        longest_wait_s=6.0 if short else 12.0,
        # Longer than a write may take, which is 30 s.
        longest_outage_s=6.0 if short else 45.0,
        store=store,
    )
    report = run(plan)
    print(report)
    return 0 if report.ok else 1


def main() -> NoReturn:
    """Run, and exit."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        status = app(exit_on_error=False, print_error=True, result_action="return_value")
    except (CycloptsError, CallError) as error:
        if isinstance(error, CallError):
            print(f"chaos: {error}", file=sys.stderr)
        sys.exit(2)
    except (Fault, LocalKafkaError) as fault:
        print(f"chaos: {fault}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
