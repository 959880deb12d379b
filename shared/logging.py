"""Structured logs on standard error: one line per event, as JSON or for the eye, and never a secret."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Literal

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

log_context: ContextVar[Mapping[str, str] | None] = ContextVar("log_context", default=None)
"""What every line written while a request is served says about that request."""

SECRETS = frozenset(
    {
        "authorization",
        "x-api-key",
        "x_api_key",
        "api_key",
        "cookie",
        "password",
        "secret",
        "token",
        "presented",
    }
)
_LEVELS = logging.getLevelNamesMapping()


def configure_logging(level: str = "info", log_format: Literal["json", "console"] = "json") -> None:
    """Sends our logs and those of the libraries to standard error in one format; call it once, at start."""
    threshold = _LEVELS[level.upper()]
    shared: list[Processor] = [
        add_request,
        hide_secrets,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor
    if log_format == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer(serializer=_encoded)
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    # httpx writes a line per request at info, with the whole URL.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def add_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Names the request being served, so that its lines can be found together."""
    request = log_context.get()
    if request is not None:
        for name, value in request.items():
            event.setdefault(name, value)
    return event


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Blanks the values whose name says they are secret."""
    for name in event:
        if name.lower() in SECRETS:
            event[name] = "[hidden]"
    return event


def _encoded(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
