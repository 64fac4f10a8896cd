"""`malvakt kafka`: a real single-node Apache Kafka on this machine, until it is told to stop."""

import signal
import sys
from pathlib import Path

from malvakt.outcome import CallError, Fault
from streams.data_directory import data_home
from streams.local_kafka import LocalKafka, LocalKafkaError
from streams.settings import MAX_PORT


def kafka_(*, port: int = 9092, data: Path | None = None) -> int:
    """Run a real Apache Kafka here, for a laptop. Needs Java 17 and Maven.

    Parameters
    ----------
    port
        Where clients connect.
    data
        Where it keeps its data.
    """
    if not 1 <= port <= MAX_PORT:
        raise CallError(f"--port {port}: a port is a number from 1 to {MAX_PORT}.")
    kafka = LocalKafka(data or data_home() / "kafka", port)
    signal.signal(signal.SIGTERM, _finish)
    try:
        address = kafka.start()
        print(f"Kafka answers at {address}. Ctrl-C stops it; its data stay.", flush=True)
        status = kafka.wait()
    except LocalKafkaError as error:
        raise Fault(str(error)) from error
    except KeyboardInterrupt:
        return 0
    finally:
        kafka.stop()
    raise Fault(f"Kafka ended by itself with status {status}; see kafka.log beside its data.")


def _finish(number: int, frame: object) -> None:  # noqa: ARG001
    sys.exit(0)
