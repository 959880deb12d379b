"""Structured logs on standard error: one line per event, as JSON or for the eye, and never a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
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
HIDDEN = "[hidden]"
_CREDENTIALS = (
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{6,}+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\b(b[kc])_(\w{1,32}?)_\w+"), rf"\1_\2_{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{1,2000}+\.[\w-]{1,8000}+\.[\w-]*+"), HIDDEN),
    (re.compile(r"(\w://[^\s/:@]{0,200}+):[^\s@]{1,500}+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"(?i)(password|secret|token)(=|%3D)[^\s&'\"\\]+"), rf"\1\2{HIDDEN}"),
)
"""What a credential looks like in any text: in a traceback, in the words of a library, in an address.

Bounded and without steps back, because others may have written the text.
"""
_LEVELS = logging.getLevelNamesMapping()


def configure_logging(level: str = "info", log_format: Literal["json", "console"] = "json") -> None:
    """Sends our logs and those of the libraries to standard error in one format; call it once, at start."""
    threshold = _LEVELS[level.upper()]
    shared: list[Processor] = [
        add_request,
        hide_secrets,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer(serializer=_encoded)
    else:
        # Plain: a prettier traceback shows the values of variables, credentials among them.
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)

    def rendered(logger: WrappedLogger, name: str, event: EventDict) -> str:
        return without_credentials(str(renderer(logger, name, event)))

    structlog.configure(
        processors=[*shared, rendered],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                rendered,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=threshold, force=True)
    # httpx writes a line per request at info, with the whole URL.
    logging.getLogger("httpx").setLevel(logging.WARNING)


AccessLog = Callable[[str, str, int, float, str | None], None]
"""Takes note of one answered request: method, path, status, seconds it took, subject."""


class _AccessLine(msgspec.Struct, omit_defaults=True):
    event: str
    level: str
    timestamp: datetime
    method: str
    path: str
    status: int
    milliseconds: float
    subject: str | None
    request_id: str
    trace_id: str | None = None


def access_log(level: str, log_format: Literal["json", "console"]) -> AccessLog | None:
    """The writer of one line per request; None when the level leaves such lines out.

    As JSON it goes around structlog, whose way takes as long as a third of the request itself.
    """
    if _LEVELS[level.upper()] > logging.INFO:
        return None
    if log_format == "console":
        log = structlog.get_logger("access")

        def readable(method: str, path: str, status: int, seconds: float, subject: str | None) -> None:
            took = round(seconds * 1000, 2)
            log.info("request", method=method, path=path, status=status, milliseconds=took, subject=subject)

        return readable
    encode = msgspec.json.Encoder().encode

    def as_json(method: str, path: str, status: int, seconds: float, subject: str | None) -> None:
        names = log_context.get() or {}
        line = _AccessLine(
            event="request",
            level="info",
            timestamp=datetime.now(UTC),
            method=method,
            path=without_key(path.encode(errors="replace").decode()),
            status=status,
            milliseconds=round(seconds * 1000, 2),
            subject=subject,
            request_id=names.get("request_id", ""),
            trace_id=names.get("trace_id"),
        )
        sys.stderr.write(encode(line).decode() + "\n")

    return as_json


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
            event[name] = HIDDEN
    return event


def without_credentials(text: str) -> str:
    """A text with what looks like a credential blanked."""
    for pattern, instead in _CREDENTIALS:
        text = pattern.sub(instead, text)
    return text


def without_key(path: str) -> str:
    """The path of a request without the secret that opens a calendar."""
    return _CREDENTIALS[1][0].sub(_CREDENTIALS[1][1], path) if "/bc_" in path else path


def _encoded(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()
