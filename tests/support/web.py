"""A small service with one route of each kind, and clients that drive it without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from shared.clock import Clock
from shared.errors import KeyReused, NotFound, RuleBroken, StaleVersion, Unavailable
from shared.events.identity import KeyIssued
from shared.http.answers import read_answer, written_answer
from shared.http.catalogue import Explained
from shared.http.context import actor_of, correlation_id_of, expected_of
from shared.http.idempotency import idempotency_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor, page
from shared.http.routing import service_router
from shared.http.schemas import CivilDay, Line, Money, Page, RequestModel
from shared.http.service import build_app
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from shared.identity.authentication import Authenticator
from shared.identity.development import AUDIENCE, ISSUER, DevelopmentKey, issue_development_token
from shared.identity.keys import KeyDirectory, NewKey, generate_key
from shared.identity.tokens import TokenVerifier
from shared.settings import Settings

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)

TABLE: AccessTable = {
    ("GET", "/v1/things"): Access(EVERYONE, anonymous=True, note="public ones"),
    ("POST", "/v1/things"): Access(frozenset({Role.DCI})),
    ("GET", "/v1/things/{id}"): Access(EVERYONE, etag=True, log_position=True),
    ("GET", "/v1/things/{id}.txt"): Access(EVERYONE, anonymous=True),
    ("POST", "/v1/things/{id}/notes"): Access(
        frozenset({Role.DCI, Role.MINISTRY}), own_organization=frozenset({Role.MINISTRY}), if_match="required"
    ),
    ("PUT", "/v1/things/{id}"): Access(frozenset({Role.ADMIN}), if_match="optional"),
    ("GET", "/v1/faults/{kind}"): Access(EVERYONE, anonymous=True),
    ("GET", "/v1/lines"): Access(EVERYONE, anonymous=True),
    ("GET", "/v1/events"): Access(EVERYONE, anonymous=True),
}


class NewThing(RequestModel):
    """What a thing is made of."""

    title: Line
    due_on: CivilDay | None = None
    cost: Money | None = None
    share: float | None = Field(default=None, ge=0)
    extra: Any = None


class Thing(BaseModel):
    """What is known of a thing."""

    id: str
    title: str


Pad = Annotated[int, Query(ge=0, le=1_000_000)]

router = service_router(TABLE)


@router.get("/v1/things", response_model=Page[Thing])
async def things(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    kind: Annotated[list[str] | None, Query()] = None,
    on: CivilDay | None = None,
) -> dict[str, Any]:
    """Things numbered from one to five hundred."""
    after = decode_cursor(request, cursor)
    first = after[0] + 1 if after else 1
    items = [Thing(id=str(n), title=f"Thing {n}") for n in range(first, min(first + limit, 501))]
    last = int(items[-1].id)
    return page(items, [last] if last < 500 else None, request)


@router.post("/v1/things", status_code=201, response_model=Thing)
async def add_thing(request: Request, body: NewThing) -> Response:
    """Adds a thing."""
    once = await idempotency_of(request)
    seen = {
        "title": body.title,
        "actor": actor_of(request).subject,
        "correlation_id": correlation_id_of(request),
        "key": None if once is None else once.key_hash.hex(),
        "fingerprint": None if once is None else once.fingerprint.hex(),
    }
    return written_answer(seen, position=12, version=1, location="/v1/things/1")


@router.get("/v1/things/{id}", response_model=Thing)
async def thing(request: Request, id: str, pad: Pad = 0) -> Response:  # the path parameter is public
    """A thing, seven versions old."""
    return read_answer(request, {"id": id, "title": "x" * pad}, version=7, position=12)


@router.get("/v1/things/{id}.txt", response_class=PlainTextResponse)
async def thing_as_text(id: str) -> Response:  # the path parameter is public
    """A thing as text."""
    return Response(f"thing {id}", media_type="text/plain")


@router.put("/v1/things/{id}", status_code=201, response_model=Thing)
async def put_thing(request: Request, id: str, body: NewThing) -> Response:  # as above
    """Puts a thing."""
    return written_answer({"id": id, "expected": _listed(expected_of(request))}, position=13, version=2)


@router.post("/v1/things/{id}/notes", status_code=201, response_model=Thing)
async def add_note(request: Request, id: str, body: NewThing) -> Response:  # as above
    """Adds a note to a thing, seven versions old."""
    expected = expected_of(request)
    if expected is not None and 7 not in expected:
        raise StaleVersion("stale-version", "The thing has changed since.", current=7)
    return written_answer({"id": id, "expected": _listed(expected)}, position=13, version=8)


@router.get("/v1/faults/{kind}")
async def fault(kind: str) -> Response:
    """Goes wrong in the way asked for."""
    faults: Mapping[str, Exception] = {
        "missing": NotFound("thing-not-found", "There is no such thing."),
        "rule": RuleBroken("thing-closed", "The thing is closed."),
        "reused": KeyReused("key-reused", "That key was used for another request."),
        "unavailable": Unavailable("unavailable", "The log does not answer.", retry_after=3),
    }
    raise faults.get(kind) or RuntimeError("a secret in the exception's text")


@router.get("/v1/lines")
async def lines(count: int = 3, fails: bool = False) -> StreamingResponse:
    """Lines, one at a time; asked to fail, it does so after the last."""

    async def written() -> AsyncIterator[bytes]:
        for number in range(count):
            yield b'{"line":%d}\n' % number
        if fails:
            raise RuntimeError("the lines have run out")

    return StreamingResponse(written(), media_type="application/jsonl")


@router.get("/v1/events", response_class=EventSourceResponse)
async def events() -> AsyncIterator[ServerSentEvent]:
    """Events without end."""
    number = 0
    while True:
        number += 1
        yield ServerSentEvent(data=number)


class Installation:
    """The small service, the clock it goes by, and credentials for it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = NOW
        self.clock = Clock(now=lambda: self.now)
        self.keys = KeyDirectory()
        self.settings = Settings(data_dir=folder, **settings)
        self.key_file = folder / "development.key"
        verifier = TokenVerifier(
            DevelopmentKey(self.key_file), issuer=ISSUER, audience=AUDIENCE, clock=self.clock
        )
        self.authenticator = Authenticator(verifier, self.keys, self.clock)
        self.ready = "engine answers"
        self.app: FastAPI = build_app(
            title="Things",
            description="A service to try the machinery on.",
            version="1",
            routers=[router],
            access=TABLE,
            settings=self.settings,
            authenticator=self.authenticator,
            catalogue={"thing-closed": Explained(409, "Thing closed", "Open it first.")},
            checks={"engine": self._check},
        )

    async def _check(self) -> str:
        if not self.ready:
            raise RuntimeError("postgresql://user:password@host does not answer")
        return self.ready

    def token(self, role: Role = Role.DCI, organization: str = "DCI", **options: Any) -> dict[str, str]:
        """The header that presents a token."""
        token = issue_development_token(
            self.key_file, role=role, organization=organization, now=self.now, **options
        )
        return {"Authorization": f"Bearer {token}"}

    def key(self, *scopes: str, role: Role = Role.DCI, lifetime: timedelta = timedelta(days=1)) -> NewKey:
        """An API key in force."""
        key = generate_key()
        self.keys.apply(
            KeyIssued(
                key_id=key.key_id,
                secret_sha256=key.secret_sha256,
                role=role,
                organization="DCI",
                scopes=scopes,
                expires_at=self.now + lifetime,
            )
        )
        return key

    @asynccontextmanager
    async def client(self, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client that sends these headers (underscores for dashes) with every request."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://things.test",
            headers={"Accept-Encoding": "identity", **given},
        ) as client:
            yield client


def _listed(expected: frozenset[int] | None) -> list[int] | None:
    return None if expected is None else sorted(expected)
