"""Structured logs: one line an event, with the id of the request or task it belongs to."""

import logging.config
import sys
from typing import Any

import orjson
import structlog


def drop_what_is_said_twice(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drop the line that says a request has started: the one that says how it ended says all of it."""
    if event.get("event") == "request_started":
        raise structlog.DropEvent
    return event


def configure_logging(*, json: bool, level: str) -> None:
    """Send structlog's and the standard library's records to standard error, as JSON or for reading."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Plain tracebacks: a formatter that shows local variables would write keys and addresses into the log.
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    render: list[Any] = [console]
    if json:
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_to_json)]
    foreign = [*shared, structlog.stdlib.add_logger_name]
    logging.config.dictConfig(_standard_logging(render, foreign, level))
    structlog.configure(
        processors=[drop_what_is_said_twice, *shared, structlog.processors.StackInfoRenderer(), *render],
        # Straight to the stream: the standard library's handlers take longer than all the rest of a line.
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )


def _to_json(event: structlog.typing.EventDict, **_: object) -> str:
    return orjson.dumps(event, default=repr).decode()


def _standard_logging(
    processors: list[structlog.typing.Processor], foreign: list[structlog.typing.Processor], level: str
) -> dict[str, object]:
    """Return the configuration of the standard library's logging: one handler, one formatter, which is structlog's."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": foreign,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *processors],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {"django.server": {"level": "WARNING"}},
    }
