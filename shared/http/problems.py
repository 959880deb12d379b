"""Errors as RFC 9457 problem documents: the one place that knows what an error looks like over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from shared.errors import (
    BitacoraError,
    CorruptEvent,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionRequired,
    RuleBroken,
    StaleVersion,
    Unauthenticated,
    Unavailable,
)
from shared.http.catalogue import BY_STATUS, CODES, Catalogue, Explained
from shared.http.context import context_in
from shared.languages import texts_of, wished

MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="bitacora"'

_STATUS: tuple[tuple[type[BitacoraError], int], ...] = (
    (InvalidInput, 422),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (RuleBroken, 409),
    (StaleVersion, 412),
    (PreconditionRequired, 428),
    (Unavailable, 503),
)
_log = structlog.get_logger(__name__)


class ErrorItem(msgspec.Struct, frozen=True):
    """One value at fault; `pointer` leads into the body, or begins with /query, /path or /header."""

    pointer: str
    detail: str


class Fault(NamedTuple):
    """One value at fault, with a sentence about it; `texts`, put together and filled with `values`, say the same.

    Without them the sentence is such a text itself, if it has been translated.
    """

    pointer: str
    detail: str
    texts: Sequence[str] = ()
    values: Mapping[str, Any] = {}


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as the caller receives it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: tuple[ErrorItem, ...] = ()


class RequestProblemError(Exception):
    """A request that is wrong as HTTP, before any rule of the domain has been asked."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers


class Problems:
    """Makes problem documents; `catalogue` gives each code its title, `base_url` begins its `type`."""

    def __init__(self, catalogue: Catalogue, base_url: str = "/errors/") -> None:
        self.catalogue = {**CODES, **catalogue}
        self.base_url = base_url

    def response(
        self,
        scope: Scope,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer to a request in `scope` that met the error `code`."""
        context = context_in(scope)
        explained = self.catalogue.get(code)
        title = explained.title if explained else code.replace("-", " ").capitalize()
        items = [ErrorItem(one.pointer, one.detail) for one in errors]
        if explained is not None and _in_spanish(scope):
            said = detail
            title, detail = _told_in_spanish(explained, detail)
            items = [ErrorItem(one.pointer, _fault_in_spanish(one, said, detail)) for one in errors]
            headers = {**(headers or {}), "Content-Language": "es"}
        document = ProblemDocument(
            type=self.base_url + code,
            title=title,
            status=status,
            detail=detail,
            instance=quote(scope["path"], safe="/:@!$&'()*+,;=-._~", errors="replace"),
            request_id=context.correlation_id if context else "",
            errors=tuple(items),
        )
        return Response(_encoded(document), status, headers, MEDIA_TYPE)


def _in_spanish(scope: Scope) -> bool:
    """Whether the caller wishes Spanish, rather than English; whoever wishes nothing is told in English."""
    asked = next((value for name, value in scope["headers"] if name == b"accept-language"), None)
    return asked is not None and wished(asked.decode("latin-1"), ("es", "en")) == "es"


def _told_in_spanish(explained: Explained, detail: str) -> tuple[str, str]:
    """The title and the detail in Spanish: the sentence or, where it has none, what the code means and it as it is."""
    spanish = texts_of(__package__, "es").gettext
    told = spanish(detail)
    if told == detail:
        told = f"{spanish(explained.explanation)} (En inglés: {detail})"
    return spanish(explained.title), told


def _fault_in_spanish(fault: Fault, said: str, detail: str) -> str:
    """What is wrong with a value, in Spanish; `detail` says in Spanish what was `said` of the whole."""
    spanish = texts_of(__package__, "es").gettext
    texts = fault.texts or (fault.detail,)
    told = [spanish(one) for one in texts]
    if told == list(texts):
        return detail if fault.detail == said else fault.detail
    return "".join(told).format(**fault.values) if fault.texts else told[0]


def body_too_large(limit: int) -> RequestProblemError:
    """The answer to a body of more than `limit` bytes; what is left of it is not read."""
    detail = f"The body is larger than {size_of(limit)}, which is the most that this path takes."
    return RequestProblemError("body-too-large", detail, headers={"Connection": "close"})


def size_of(limit: int) -> str:
    """So many bytes, for people."""
    kilobytes = limit // 1024
    return f"{kilobytes} kB" if kilobytes < 1024 else f"{kilobytes // 1024} MB"


def install_problem_handlers(
    app: FastAPI, problems: Problems, count: Callable[[Scope], Mapping[str, str]] | None = None
) -> None:
    """Answers every error of `app` with a problem document.

    `count` takes note of a request that no route has taken, and refuses it from somebody who has asked too often; it
    gives the headers that tell how things stand.
    """

    async def known(request: Request, error: BitacoraError) -> Response:
        return _known(problems, request.scope, error)

    async def unreadable(request: Request, error: CorruptEvent) -> Response:
        _log.error("event_unreadable", path=request.url.path, position=error.position, reason=error.reason)
        return _known(problems, request.scope, event_unreadable())

    async def malformed(request: Request, error: RequestProblemError) -> Response:
        status = problems.catalogue[error.code].status
        return problems.response(
            request.scope, status, error.code, error.detail, errors=error.errors, headers=error.headers
        )

    async def framework(request: Request, error: HTTPException) -> Response:
        told: Mapping[str, str] = {}
        if count is not None and error.status_code in (404, 405):
            try:
                told = count(request.scope)
            except RequestProblemError as refused:
                return await malformed(request, refused)
        if error.status_code == 405:
            answer = _not_allowed(problems, request.scope, app)
        else:
            answer = _framework(problems, request.scope, error)
        answer.headers.update(told)
        return answer

    app.exception_handlers.update(
        {
            BitacoraError: known,
            CorruptEvent: unreadable,
            RequestProblemError: malformed,
            HTTPException: framework,
        }
    )


def event_unreadable() -> Unavailable:
    """The answer to who asks for what a corrupt event is part of."""
    return Unavailable(
        "event-unreadable",
        "The record of this holds an event that cannot be read; its keepers have to put it aside first.",
        retry_after=60,
    )


def unexpected(problems: Problems, scope: Scope, error: Exception) -> Response:
    """The answer to a fault of ours: the traceback goes to the log, nothing of it to the caller."""
    _log.error("unexpected_error", method=scope["method"], path=scope["path"], exc_info=error)
    return problems.response(
        scope, 500, "internal-error", "Something went wrong on our side; quote the request_id to report it."
    )


def _known(problems: Problems, scope: Scope, error: BitacoraError) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
    if status is None:
        return unexpected(problems, scope, error)
    headers: dict[str, str] = {}
    errors: tuple[Fault, ...] = ()
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = CHALLENGE
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, StaleVersion) and error.current is not None:
        headers["ETag"] = f'"{error.current}"'
    elif isinstance(error, InvalidInput) and error.pointer:
        errors = (Fault(error.pointer, error.message),)
    return problems.response(scope, status, error.code, error.message, errors=errors, headers=headers)


def _not_allowed(problems: Problems, scope: Scope, app: FastAPI) -> Response:
    """The answer to a method that no route of the path takes, with those that one takes."""
    found = {
        method
        for route in app.routes
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    allowed = ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))
    return problems.response(
        scope, 405, "method-not-allowed", f"This path takes {allowed}.", headers={"Allow": allowed}
    )


def _framework(problems: Problems, scope: Scope, error: HTTPException) -> Response:
    code = BY_STATUS.get(error.status_code)
    if code is None:
        code = "internal-error" if error.status_code >= 500 else "malformed-request"
    headers = dict(error.headers or {})
    if error.status_code == 401:
        headers.setdefault("WWW-Authenticate", CHALLENGE)
    # The framework's own detail may quote an exception, so the catalogue speaks instead.
    return problems.response(
        scope, error.status_code, code, problems.catalogue[code].explanation, headers=headers
    )


def _encoded(document: ProblemDocument) -> bytes:
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        # A name in the request held half of a surrogate pair, which no UTF-8 document can repeat.
        errors = tuple(
            ErrorItem(item.pointer.encode(errors="replace").decode(), item.detail) for item in document.errors
        )
        return msgspec.json.encode(msgspec.structs.replace(document, errors=errors))
