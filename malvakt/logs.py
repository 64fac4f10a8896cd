"""Logs: one line an event, to standard error; Faust's chatter about what is normal left out."""

import logging
import sys
from typing import Any

import structlog

CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
            "formatter": "line",
        }
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {
        "mode": {"level": "ERROR"},
        "faust.tables.recovery": {"level": "ERROR"},
        "faust.transport.drivers.aiokafka": {"level": "ERROR"},
    },
}
"""For `logging.config.dictConfig`, as Faust's worker wants it."""


def log_to_stderr() -> None:
    """Send our own log there too, in the same shape."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
