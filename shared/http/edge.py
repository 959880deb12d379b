"""The one middleware: what holds for every request and answer, whichever route serves it."""

from __future__ import annotations

import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.answer_stream import AnswerStream, HeadAnsweredError
from shared.http.context import KEY, RequestContext, path_within
from shared.http.metrics import HttpMetrics
from shared.http.problems import Problems, body_too_large, unexpected
from shared.logging import AccessLog, log_context

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE = b"0" * 32
_random = random.Random()  # noqa: S311 - names requests, guards nothing; seeded by the system
_VARIANT = {digit: "89ab"[index % 4] for index, digit in enumerate("0123456789abcdef")}


class Edge:
    """Names, bounds, measures and logs each request; hands its answer through an `AnswerStream`.

    A fault that reaches it is answered with a 500 problem here, so that such an answer too carries its request
    id and is counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        problems: Problems,
        metrics: HttpMetrics,
        access_log: AccessLog | None = None,
        public_url: str = "",
    ) -> None:
        self.app = app
        self.problems = problems
        self.metrics = metrics
        self.access_log = access_log
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; what is not HTTP passes untouched."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        context = RequestContext(
            _request_id(headers), headers, _trace_id(headers), public_url=self.public_url
        )
        method: str = scope["method"]
        if method == "HEAD":
            # Whoever serves GET serves HEAD; a copy, because the server itself looks at the original.
            scope = {**scope, "method": "GET"}
        scope[KEY] = context
        stream = AnswerStream(
            send, method, path_within(scope), headers, context.correlation_id, context.answer_headers
        )
        names = {"request_id": context.correlation_id}
        if context.trace_id is not None:
            names["trace_id"] = context.trace_id
        token = log_context.set(names)
        try:
            if b"transfer-encoding" in headers and b"content-length" not in headers:
                receive = _bounded(receive, context)
            await self.app(scope, receive, stream.send)
        except HeadAnsweredError:
            return
        except Exception as error:
            if stream.head_answered and _only_head_answered(error):
                return
            if stream.started:
                # Too late for an answer of ours: the server cuts the connection, so that nobody takes a part
                # for the whole.
                raise
            await unexpected(self.problems, scope, error)(scope, receive, stream.send)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path_format", "unmatched")
            self.metrics.observe(method, route, stream.status, seconds)
            if self.access_log is not None:
                actor = context.actor
                subject = actor.subject if actor else None
                self.access_log(method, scope["path"], stream.status, seconds, subject)
            log_context.reset(token)


def _bounded(receive: Receive, context: RequestContext) -> Receive:
    """Counts a body that came without a length; where no route says how much it takes, nobody reads it."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if 0 < context.largest_body < received:
            raise body_too_large(context.largest_body)
        return message

    return bounded


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given) is not None:
        return given.decode("ascii")
    # A random UUID, written straight from its digits: the library's own takes ten times as long, most of it to ask the
    # system for randomness that nobody relies on here.
    text = f"{_random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"


def _trace_id(headers: dict[bytes, bytes]) -> str | None:
    given = headers.get(b"traceparent")
    match = None if given is None else _TRACE.fullmatch(given)
    if match is None or match[1] == _NO_TRACE or match[0].startswith(b"ff"):
        return None
    return match[1].decode("ascii")


def _only_head_answered(error: Exception) -> bool:
    return isinstance(error, ExceptionGroup) and error.split(HeadAnsweredError)[1] is None
