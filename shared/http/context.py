"""What is known of a request besides its path and body, gathered once at the edge and in the route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.types import Scope

from shared.errors import Unauthenticated
from shared.identity.actor import Actor
from shared.identity.caller import Caller

KEY = "bitacora.context"


class RequestContext(msgspec.Struct):
    """One request: its correlation id, the actor once authenticated, and the conditions it states.

    `headers` holds the last value of each header. `expected` is what `If-Match` admits: None for any version.
    `largest_body` is how many bytes the route takes, once there is a route; `answer_headers` go with its answer.
    `public_url` is where callers find the service, if that is not where the request came in.
    """

    correlation_id: str
    headers: dict[bytes, bytes]
    trace_id: str | None = None
    actor: Actor | None = None
    caller: Caller | None = None
    admitted: bool = False
    """Whether somebody looked who the caller is: a route through which another one answers does not look again."""
    expected: frozenset[int] | None = None
    idempotency_key: str | None = None
    respelled: Callable[[Any], Any] | None = None
    """What makes of the body, as JSON, the same with the codes on record; where there is an `Idempotency-Key`."""
    largest_body: int = 0
    digest_of_form: bytes | None = None
    """A digest of the parts of a form, which is the same however they were sent; None for any other body."""
    public_url: str = ""
    answer_headers: list[tuple[bytes, bytes]] = msgspec.field(default_factory=list)


def context_of(request: Request) -> RequestContext:
    """The context of the request being served."""
    context: RequestContext = request.scope[KEY]
    return context


def context_in(scope: Scope) -> RequestContext | None:
    """The context in an ASGI scope, or None when the request never came through the edge."""
    context: RequestContext | None = scope.get(KEY)
    return context


def visitor_of(request: Request) -> Actor | None:
    """Who is asking; None for somebody without credentials, on the routes that admit them."""
    return context_of(request).actor


def actor_of(request: Request) -> Actor:
    """Who is asking, on a route that admits nobody without credentials."""
    actor = context_of(request).actor
    if actor is None:
        raise credentials_required()
    return actor


def correlation_id_of(request: Request) -> str:
    """The id under which this request's events and log lines are found; the caller's own `X-Request-Id`."""
    return context_of(request).correlation_id


def expected_of(request: Request) -> frozenset[int] | None:
    """The versions the caller accepts to act upon (`If-Match`); None: whatever the version is."""
    return context_of(request).expected


def idempotency_key_of(request: Request) -> str | None:
    """The caller's `Idempotency-Key`, already checked, or None."""
    return context_of(request).idempotency_key


def credentials_required() -> Unauthenticated:
    """The answer to somebody who presents no credentials where some are needed."""
    return Unauthenticated("credentials-required", "This needs a bearer token or an API key.")


def address_within(request: Request) -> URL:
    """Where the caller asked, as they can ask there again, whatever stands between us."""
    context = context_in(request.scope)
    if context is None or not context.public_url:
        return URL(scope=request.scope)
    return URL(context.public_url + path_within(request.scope))


def path_within(scope: Scope) -> str:
    """The path below the one a proxy serves us under, if it left that on."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path
