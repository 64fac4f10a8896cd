"""Every metric of a process, in one list; each says what it tells the person on call.

Names follow Prometheus: seconds, totals, no abbreviations.
"""

import contextlib
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import Counter, Gauge, Histogram, make_wsgi_app

EVENTS = Counter(
    "malvakt_events_total",
    "CRM records read, by type of event (by topic, where not folded) and what became of them."
    " `rejected` rising: a producer sends bad input, see crm.rejected; `forwarded` rising: a producer uses"
    " the wrong key; `recounted`: history is read again for a new definition.",
    ["type", "outcome"],
)
LATENCY_SECONDS = Histogram(
    "malvakt_latency_seconds",
    "From the moment the broker received an event until its effects are acknowledged: `ledger` until its"
    " row and partials are, `scorecard` until its KPI records are, `goals` until"
    " it is where goals stand. The oldest event of each batch.",
    ["agent"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)
LAG = Gauge(
    "malvakt_lag_records",
    "Records that wait to be read, by topic, on this worker's partitions; of topics that it has read of"
    " since partitions last moved. Growing: add workers.",
    ["topic"],
)
BATCH_RECORDS = Histogram(
    "malvakt_batch_records",
    "Records in one batch. Grows with the load by itself; large for long means the worker is behind.",
    ["agent"],
    buckets=(1, 10, 100, 1_000, 5_000, 10_000, 20_000, 40_000),
)
STEP_SECONDS = Histogram(
    "malvakt_step_seconds",
    "Time of each step of a batch: fold, rows (changelog acknowledged), outputs (acknowledged)."
    " rows and outputs slow: the broker is.",
    ["agent", "step"],
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
WRITTEN = Counter(
    "malvakt_records_written_total",
    "Records written and acknowledged, by topic.",
    ["topic"],
)
STALLED = Gauge(
    "malvakt_delivery_stalled",
    "Batches that have waited for two seconds or more for a broker that is slow or away. Above 0: figures"
    " are not being published.",
)
RECOVERED = Counter(
    "malvakt_recovered_rows_total",
    "Rows read from changelogs, by topic. Rising: partitions are being taken over.",
    ["topic"],
)
RECOVERY_SECONDS = Gauge(
    "malvakt_recovery_seconds",
    "How long the last change of partitions took until all of this worker's were ready: `rows` to read them"
    " from the changelogs, `views` to build what is summed over them.",
    ["part"],
)
READY = Gauge(
    "malvakt_ready_partitions",
    "Partitions that are being worked on. Fewer than assigned for long: recovery hangs, see the log.",
)
CLOCK_SECONDS = Gauge(
    "malvakt_clock_seconds",
    "What time it is by the last tick, in seconds since 1970. A minute behind the time of day, or more:"
    " windows do not close and growth stands still; look at the worker that has the first partition.",
)
ROWS = Gauge("malvakt_rows", "Rows held, by table.", ["table"])

ALERTS_RAISED = Counter(
    "malvakt_alerts_raised_total",
    "Alerts written to kpi.alerts, by kind; one that comes again after a crash counts again.",
    ["kind"],
)
FORECAST_LEARNED = Gauge(
    "malvakt_forecast_learned_timestamp_seconds",
    "When forecasts were last learned, in seconds since 1970. More than a day ago where there are goals:"
    " there are no forecasts, see the log.",
)
FORECAST_LEARNING_SECONDS = Gauge(
    "malvakt_forecast_learning_seconds",
    "How long that took, in a process of its own that takes what is left of the processors.",
)
FORECAST_RECORDS = Gauge(
    "malvakt_forecast_records",
    "Day records that forecasts are made of, of all scopes: what they hold in memory grows with it.",
)
FORECAST_FAILED = Counter(
    "malvakt_forecast_failed_total",
    "Times that learning failed, and goals whose outlook did. Rising: goals are judged by their pace"
    " alone, see the log.",
)

ALERTS_DELIVERED = Counter(
    "malvakt_alerts_delivered_total",
    "Messages that an address has taken, by route.",
    ["route"],
)
ALERTS_FAILED = Counter(
    "malvakt_alerts_failed_total",
    "Attempts to send that failed, by route; each is made again. Rising: the address is wrong, or its"
    " server away; see the log.",
    ["route"],
)
ALERTS_WAITING = Gauge(
    "malvakt_alerts_waiting",
    "Messages that should have been sent and are not yet, by route; those that wait for quiet hours to end"
    " or for a digest are not among them. Above 0 for long: nobody hears.",
    ["route"],
)
ALERTS_OLDEST_SECONDS = Gauge(
    "malvakt_alerts_oldest_seconds",
    "For how long the oldest of them has waited, by route.",
    ["route"],
)

WALLS = Gauge("malvakt_walls", "Walls and pages that are connected to this web process.")
WALL_CHANGES = Counter("malvakt_wall_changes_total", "Changes that walls were told of.")
WALL_COUNTED_SECONDS = Gauge(
    "malvakt_wall_counted_timestamp_seconds",
    "Up to when all that came in has been counted and is shown by a web process, in seconds since 1970;"
    " 0 where that is not known, and in other processes. A minute ago or more: walls say that they are"
    " behind; look at the workers.",
)


SILENT_S = 10.0
"""For how long whoever connected may be silent: each holds a thread meanwhile."""


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each who asks in a thread of their own, so that nobody waits for another who says nothing."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = SILENT_S

    def handle(self) -> None:
        """Answer, unless whoever connected says nothing for too long, or is gone."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: a scrape every few seconds is no news."""


def serve(port: int, healthy: Callable[[], bool]) -> Callable[[], None]:
    """Serve `/metrics` and `/healthz` from threads; returns how to stop it. `healthy` is asked in them."""
    metrics = make_wsgi_app()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            return metrics(environ, start_response)
        fine = healthy()
        status = "200 OK" if fine else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [b"ready\n" if fine else b"not ready\n"]

    server: WSGIServer = make_server("", port, app, _Server, _Quiet)
    threading.Thread(target=server.serve_forever, daemon=True, name="metrics").start()
    return server.shutdown
