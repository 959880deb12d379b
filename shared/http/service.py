"""Puts a service together: routers, guard, edge, errors, health and document; and serves it."""

from __future__ import annotations

import contextlib
import math
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Lifespan

from shared import telemetry
from shared.clock import Clock
from shared.collector import spare_long_lived_objects
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_log
from shared.http.catalogue import Catalogue
from shared.http.context import path_within
from shared.http.document_pages import document_pages
from shared.http.documents import HEADERS, document_of
from shared.http.edge import Edge
from shared.http.health import SERVICE_TAG, Check, Look, Welcome, health_router
from shared.http.metrics import HttpMetrics, new_registry
from shared.http.names import Readable, Spellings
from shared.http.problems import Problems, install_problem_handlers
from shared.http.rate_limits import RateLimits
from shared.http.routing import DeclaredRoute, Router
from shared.http.unparsed import Protocol
from shared.identity.access import AccessTable
from shared.identity.actor import Actor
from shared.identity.authentication import Authenticator
from shared.identity.development import ISSUER, DevelopmentKey
from shared.identity.jwks import PublishedKeys
from shared.identity.keys import KeyDirectory
from shared.identity.tokens import Claims, SigningKeys, TokenVerifier
from shared.logging import access_log, configure_logging
from shared.settings import Settings, load_settings
from shared.starting import beginning, listen, must_be_reachable

# Asked on every request whether it is on, the framework looks up three providers: off, it looks up none.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
COULD_NOT_START = 3
"""The exit status of a service that could not begin to serve, as uvicorn has it."""
GRACE = 10
"""Seconds a stopping service waits for the requests it is serving."""


class Service(FastAPI):
    """An app whose document is read off the declarations of its routes."""

    problems: Problems
    access: AccessTable
    end_waits: Callable[[], None] | None
    """Called when the service is about to stop: whoever waits for something to come, waits no more."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made when first asked for."""
        if self.openapi_schema is None:
            self.openapi_schema = document_of(self, self.problems)
        return self.openapi_schema


def build_app(
    *,
    title: str,
    description: str,
    version: str,
    routers: Sequence[Router],
    pages: Router | None = None,
    settings: Settings,
    authenticator: Authenticator,
    live: LiveLog | None = None,
    readable: Readable | None = None,
    catalogue: Catalogue | None = None,
    checks: Mapping[str, Check] | None = None,
    lifespan: Lifespan[FastAPI] | None = None,
    end_waits: Callable[[], None] | None = None,
    registry: CollectorRegistry | None = None,
    looks: Sequence[Look] = (),
) -> Service:
    """The ASGI app of a service.

    `pages` are for people and no part of the API: no document and no access table tells of them.
    `live` knows the codes by which requests name things, and `readable` which of these who may know of; while it takes
    the log up anew, nothing is answered. `catalogue` explains the codes of the service itself; `checks` are what
    readiness rests on; `registry` takes the service's own figures, and `looks` renew those that have to be asked for;
    `end_waits` lets go of those who wait without end, so that the service can stop.
    """
    registry = new_registry() if registry is None else registry
    problems = Problems(catalogue or {}, settings.errors_base_url)
    app = Service(
        title=title,
        description=description,
        version=version,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry=_traced() if settings.telemetry else NO_TELEMETRY,
        openapi_tags=_tags(routers),
        servers=[
            {
                "url": settings.public_url or settings.effective_root_path or "/",
                "description": "This service.",
            }
        ],
    )
    app.problems = problems
    app.end_waits = end_waits
    app.state.authenticator = authenticator
    app.state.live = live
    app.state.spelling = None
    if live is not None:
        app.state.spelling = Spellings(live.store)
        live.on_restart(app.state.spelling.clear)
    per_caller, per_address = settings.effective_requests_per_minute
    limits = RateLimits(per_caller, per_address) if per_caller or per_address else None
    app.state.rate_limits = limits
    app.state.readable = readable
    app.state.registry = registry
    # Routes are copied and not included: an included router is matched twice on every request.
    for router in routers:
        app.router.routes.extend(router.routes)
    front = None
    for page in () if pages is None else pages.routes:
        page.include_in_schema = False
        if page.path == "/":
            front = page.endpoint
        else:
            app.router.routes.append(page)
    welcome = Welcome(service=title, description=description)
    health = health_router(welcome, checks or {}, registry, problems.catalogue, looks, front)
    app.router.routes.extend(health.routes)
    app.router.routes.extend(document_pages(title))
    _check_all_declared(app)
    app.access = {pair: access for router in routers for pair, access in router.access.items()}
    # Nobody has looked at the credentials of who asks for what there is not: the address counts.
    install_problem_handlers(
        app, problems, None if limits is None else lambda scope: limits.take(None, scope)
    )
    app.add_middleware(
        Edge,
        problems=problems,
        metrics=HttpMetrics(registry),
        access_log=access_log(settings.log_level, settings.log_format) if settings.access_log else None,
        public_url=settings.public_url,
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PUT"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
            expose_headers=list(HEADERS),
        )
    return app


def _traced() -> TelemetryConfig:
    """A span for each request of the API, to where the process traces; its figures are those of `/metrics`."""
    return {
        "tracer_provider": telemetry.provider(),
        "metrics": False,
        "logs": False,
        "operation_spans": False,
        "exclude": lambda scope: not path_within(scope).startswith("/v1/"),
    }


def _tags(routers: Sequence[Router]) -> list[dict[str, Any]]:
    """What each group of routes is about, as its router says, in the order of the routers."""
    about = dict(one for router in routers for one in router.tags.items()) | SERVICE_TAG
    return [{"name": tag, "description": text} for tag, text in about.items()]


def _check_all_declared(app: FastAPI) -> None:
    """Raises when a route of the API was not declared with who may use it: nothing is open by oversight."""
    for route in app.routes:
        path: str = getattr(route, "path", "")
        if path.startswith("/v1") and not isinstance(route, DeclaredRoute):
            raise ValueError(f"{path} is not guarded: declare it with a Router")


def build_authenticator(
    settings: Settings,
    keys: KeyDirectory,
    clock: Clock,
    heritage: Callable[[Actor], Actor] = lambda actor: actor,
) -> Authenticator:
    """Tokens from the identity provider when one is set, else (never in production) from the development key.

    `heritage` gives an actor the rights of the organisations that theirs succeeded.
    """
    signing: SigningKeys
    if settings.oidc_issuer and settings.oidc_jwks_url:
        signing, issuer = PublishedKeys(settings.oidc_jwks_url), settings.oidc_issuer
        longest, claims = settings.oidc_longest_token_hours * 3600, settings.claims
    elif settings.environment == "production":
        raise ValueError("production needs an identity provider")
    else:
        signing, issuer = DevelopmentKey(settings.effective_development_key_file), ISSUER
        longest, claims = math.inf, Claims()
    verifier = TokenVerifier(
        signing,
        issuer=issuer,
        audience=settings.oidc_audience,
        clock=clock,
        longest=longest,
        claims=claims,
    )
    return Authenticator(verifier, keys, clock, heritage=heritage)


class Server(uvicorn.Server):
    """Lets go of those who wait for what is to come before it waits for those who are being served."""

    def __init__(self, config: uvicorn.Config, end_waits: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._end_waits = end_waits

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        if self._end_waits is not None:
            self._end_waits()
        await super().shutdown(sockets)


def run(create_app: Callable[[Settings], Service], port: int, *, with_read_model: bool = False) -> None:
    """The process of a service: serves on its port, or on the one that the settings name, until told to stop."""
    with beginning():
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        if settings.telemetry:
            telemetry.begin_tracing(create_app.__module__.split(".")[1])
        must_be_reachable(settings.log_named_by, settings.effective_log_url)
        if with_read_model:
            url = settings.effective_read_model_url
            must_be_reachable(settings.read_model_named_by, url, directory=True)
        with closing(open_log(settings)) as store:
            store.check_ready()
        listening = listen(settings.host, settings.port or port)
        app = create_app(settings)
    serve(app, listening, settings)


def serve(app: Service, listening: socket.socket, settings: Settings) -> None:
    """Serves until told to stop, then finishes what it is serving."""
    spare_long_lived_objects()
    server = server_of(app, settings)
    with contextlib.suppress(KeyboardInterrupt):
        server.run([listening])
    if not server.started:
        sys.exit(COULD_NOT_START)


def server_of(app: Service, settings: Settings) -> uvicorn.Server:
    """The server of a service, set up as its settings say."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        root_path=settings.effective_root_path,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=GRACE,
    )
    return Server(config, app.end_waits)
