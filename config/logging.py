"""Structured logs: one line an event, with the id of the request or task it belongs to."""

import logging.config
from typing import Any

import structlog


def drop_what_is_said_twice(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drop the line that says a request has started: the one that says how it ended says all of it."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


def configure_logging(*, json: bool, level: str) -> None:
    """Send both structlog's and the standard library's records through one formatter to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: a formatter that shows local variables would write keys and addresses into the log.
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    renderer = structlog.processors.JSONRenderer() if json else console
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    final += [structlog.processors.format_exc_info] if json else []
    logging.config.dictConfig(_standard_logging([*final, renderer], shared, level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            drop_what_is_said_twice,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _standard_logging(
    processors: list[structlog.typing.Processor], foreign: list[structlog.typing.Processor], level: str
) -> dict[str, object]:
    """Return the configuration of the standard library's logging: one handler, one formatter, which is structlog's."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": foreign,
        "processors": processors,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"django.server": {"level": "WARNING"}},
    }
