"""The guard before every route: who asks, may they, and is the request one this route can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterable, Sequence
from email.message import Message
from functools import lru_cache
from typing import Any, ClassVar, get_args, get_origin

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import Forbidden, NotFound
from shared.http.body import JsonRequest
from shared.http.context import context_of, credentials_required
from shared.http.direct import ABSENT, direct_way
from shared.http.idempotency import parse_idempotency_key
from shared.http.preconditions import parse_if_match, required_if_match
from shared.http.problems import ErrorItem, RequestProblemError
from shared.identity.access import Access, AccessTable
from shared.identity.authentication import Authenticator
from shared.identity.caller import READ, WRITE

_READS = frozenset({"GET", "HEAD"})
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
_ONCE = frozenset({b"authorization", b"x-api-key", b"content-type", b"if-match", b"idempotency-key"})
_NOBODY = Access(frozenset())


class RecordRoute(APIRoute):
    """A route that lets a request through only after its row of the access table, before the body is read."""

    access_table: ClassVar[AccessTable] = {}

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if len(self.methods or ()) != 1:
            raise ValueError(f"{path}: declare one method per route, as the access table does")

    @property
    def access(self) -> Access | None:
        """The row of this route, or None when the table has none."""
        (method,) = self.methods or {"GET"}
        return self.access_table.get((method, self.path))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's own handler, behind the guard."""
        handle = super().get_route_handler()
        direct = direct_way(self)
        (method,) = self.methods or {"GET"}
        access = self.access or _NOBODY
        scope_needed = READ if method in _READS else WRITE
        known, repeatable = query_names(self.dependant)
        takes_body = self.body_field is not None
        takes_key = method == "POST"

        async def guarded(request: Request) -> Response:
            scope = request.scope
            context = context_of(request)
            headers = context.headers
            if "\x00" in scope["path"]:
                raise NotFound("not-found", "There is no such thing.")
            if len(headers) != len(scope["headers"]):
                _refuse_doubled(scope["headers"])
            authenticator: Authenticator = scope["app"].state.authenticator
            caller = await authenticator.authenticate(headers)
            if caller is not None:
                if not access.admits(caller.actor.role):
                    raise Forbidden("role-not-allowed", "Your role may not do this.")
                if scope_needed not in caller.scopes:
                    raise Forbidden("scope-not-granted", f"This needs the scope {scope_needed}.")
                context.actor = caller.actor
            elif not access.anonymous:
                raise credentials_required()
            if scope["query_string"]:
                _check_query(request, known, repeatable)
            if takes_body:
                _check_media_type(headers)
            if access.if_match == "required":
                context.expected = required_if_match(_text(headers.get(b"if-match")))
            elif access.if_match == "optional" and b"if-match" in headers:
                context.expected = parse_if_match(headers[b"if-match"].decode("latin-1"))
            if takes_key and b"idempotency-key" in headers:
                context.idempotency_key = parse_idempotency_key(headers[b"idempotency-key"])
            document: Any = ABSENT
            if takes_body:
                request = JsonRequest(scope, request.receive)
                document = await request.read()
            if direct is not None:
                answer = await direct(request, document)
                if answer is not None:
                    return answer
            return await handle(request)

        return guarded


def service_router(access: AccessTable) -> APIRouter:
    """A router whose routes, given with their whole path, are guarded by `access`."""
    guarded = type("GuardedRoute", (RecordRoute,), {"access_table": access})
    return APIRouter(route_class=guarded)


def check_access_table(app: FastAPI, access: AccessTable) -> None:
    """Raises when a route of the API has no row, or a row has no route: nothing is open by oversight."""
    served = set[tuple[str, str]]()
    for route in app.routes:
        if isinstance(route, APIRoute) and route.path.startswith("/v1"):
            if not isinstance(route, RecordRoute):
                raise ValueError(f"{route.path} is not guarded: make its router with service_router()")
            (method,) = route.methods or {"GET"}
            if route.access is None or access.get((method, route.path)) is not route.access:
                raise ValueError(f"{method} {route.path} has no row in the access table")
            served.add((method, route.path))
    idle = [f"{method} {path}" for method, path in access if (method, path) not in served]
    if idle:
        raise ValueError(f"the access table speaks of routes that do not exist: {', '.join(idle)}")


def query_names(dependant: Dependant) -> tuple[frozenset[str], frozenset[str]]:
    """The query parameters an endpoint and its dependencies read, and those of them that may be repeated."""
    names: dict[str, Any] = {}
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names |= {one.alias or name: one.annotation for name, one in annotation.model_fields.items()}
        else:
            names[field.alias] = annotation
    repeatable = {name for name, annotation in names.items() if _is_list(annotation)}
    for inner in dependant.dependencies:
        inner_names, inner_repeatable = query_names(inner)
        names |= dict.fromkeys(inner_names)
        repeatable |= inner_repeatable
    return frozenset(names), frozenset(repeatable)


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in {list, set, tuple, frozenset, Sequence} or annotation in {list, set, tuple, frozenset}:
        return True
    return any(_is_list(inner) for inner in get_args(annotation) if inner is not annotation)


def _refuse_doubled(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Two proxies may disagree on which of two values holds, so we take neither."""
    seen = set[bytes]()
    for name, _ in headers:
        if name in seen and name in _ONCE:
            detail = f"Give the header {name.decode('latin-1')} once."
            raise RequestProblemError("malformed-request", detail)
        seen.add(name)


def _check_query(request: Request, known: frozenset[str], repeatable: frozenset[str]) -> None:
    seen = set[str]()
    unknown: list[ErrorItem] = []
    for name, value in request.query_params.multi_items():
        pointer = f"/query/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in known:
            unknown.append(ErrorItem(pointer, "There is no such parameter."))
        elif name in seen and name not in repeatable:
            detail = "Give this parameter once."
            raise RequestProblemError("query-repeated", detail, errors=[ErrorItem(pointer, detail)])
        elif _NOT_TEXT.search(value) is not None:
            detail = "The value holds a character that is not text."
            raise RequestProblemError("text-not-storable", detail, errors=[ErrorItem(pointer, detail)])
        seen.add(name)
    if unknown:
        raise RequestProblemError(
            "query-unknown", "The query names parameters that do not exist here.", errors=unknown
        )


def _check_media_type(headers: dict[bytes, bytes]) -> None:
    value = headers.get(b"content-type")
    if value is None:
        # Without a body either, it is for validation to say what is missing.
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            raise _unsupported("The body has no Content-Type; send application/json.")
    elif not _is_json(value):
        raise _unsupported("The body must be application/json, in UTF-8.")
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise _unsupported("Compressed bodies are not taken.")


@lru_cache(maxsize=64)
def _is_json(value: bytes) -> bool:
    message = Message()
    message["content-type"] = value.decode("latin-1")
    kind = message.get_content_type()
    named_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return named_json and (message.get_content_charset() or "utf-8") in {"utf-8", "us-ascii"}


def _unsupported(detail: str) -> RequestProblemError:
    return RequestProblemError("media-type-not-supported", detail, headers={"Accept": "application/json"})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
