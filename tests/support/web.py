"""A small service with one route of each kind, and clients that drive it without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

import httpx
import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shared.aggregate.command import Outcome
from shared.clock import Clock
from shared.errors import KeyReused, NotFound, RuleBroken, StaleVersion, Unavailable
from shared.events.facts import COMPUTED, Event, Part
from shared.events.identity import KeyIssued
from shared.events.types import Amount, CivilDay, Currency, FactDay, Line
from shared.http.catalogue import Explained
from shared.http.context import actor_of, correlation_id_of, expected_of
from shared.http.idempotency import idempotency_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.requests import request_of
from shared.http.responses import page, page_of, read_answer, written_answer
from shared.http.routing import Query, Router
from shared.http.service import Service, build_app
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role
from shared.identity.authentication import Authenticator
from shared.identity.development import AUDIENCE, ISSUER, DevelopmentKey, issue_development_token
from shared.identity.keys import KeyDirectory, NewKey, generate_key
from shared.identity.tokens import TokenVerifier
from shared.settings import Settings

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)
ID = UUID("6b1e9a52-0f4d-4c39-8a57-1d2c3b4a5f60")


class Cost(Part, frozen=True, kw_only=True):
    """What a thing costs."""

    amount: Amount
    currency: Currency


class ThingAdded(Event, frozen=True, kw_only=True):
    """A thing was added."""

    TYPE: ClassVar[str] = "things.added"

    number: int = COMPUTED
    title: Annotated[Line, Field(examples=["A thing"])]
    added_on: FactDay
    due_on: CivilDay | None = None
    cost: Cost | None = None
    share: Annotated[float | None, Field(ge=0)] = None
    extra: Any = None


class Thing(msgspec.Struct, kw_only=True):
    """What is known of a thing."""

    id: str
    title: str


class Written(msgspec.Struct, kw_only=True):
    """What was recorded of a thing."""

    id: UUID
    version: int
    position: int


class Things(Query):
    """A question for a list of things."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None
    kind: list[str] | None = None
    on: CivilDay | None = None


class Padded(Query):
    """A question for a thing with a title of some length."""

    pad: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Lines(Query):
    """A question for lines; asked to fail, the answer does so after the last."""

    count: int = 3
    fails: bool = False


NewThing = request_of(ThingAdded, name="NewThing", doc="What a thing is made of.")
router = Router("things", id=str, kind=str)


def recorded(version: int, position: int) -> Outcome:
    """What a command led to."""
    return Outcome(ID, version, position)


@router.get(
    "/v1/things",
    access=Access(EVERYONE, anonymous=True, note="public ones"),
    query=Things,
    answers=page_of(Thing),
)
async def things(request: Request, asked: Things) -> Response:
    """Things numbered from one to five hundred."""
    after = decode_cursor(request, asked.cursor)
    first = after[0] + 1 if after else 1
    items = [Thing(id=str(n), title=f"Thing {n}") for n in range(first, min(first + asked.limit, 501))]
    last = int(items[-1].id)
    return read_answer(request, page(items, [last] if last < 500 else None, request))


@router.post("/v1/things", access=Access(frozenset({Role.DCI})), body=NewThing, answers=Written)
async def add_thing(request: Request, body: Any) -> Response:
    """Adds a thing."""
    once = await idempotency_of(request)
    seen = {
        "title": body.title,
        "actor": actor_of(request).subject,
        "correlation_id": correlation_id_of(request),
        "key": None if once is None else once.key_hash.hex(),
        "fingerprint": None if once is None else once.fingerprint.hex(),
    }
    return written_answer(request, recorded(1, 12), "/v1/things/1", **seen)


@router.get(
    "/v1/things/{id}.txt", access=Access(EVERYONE, anonymous=True), answers=None, media_type="text/plain"
)
async def thing_as_text(request: Request, id: str) -> Response:
    """A thing as text."""
    return Response(f"thing {id}", media_type="text/plain")


@router.get(
    "/v1/things/{id}",
    access=Access(EVERYONE, etag=True, log_position=True),
    query=Padded,
    answers=Thing,
)
async def thing(request: Request, id: str, asked: Padded) -> Response:
    """A thing, seven versions old."""
    return read_answer(request, {"id": id, "title": "x" * asked.pad}, version=7, position=12)


@router.put(
    "/v1/things/{id}",
    access=Access(frozenset({Role.ADMIN}), if_match="optional"),
    body=NewThing,
    answers={201: Written},
)
async def put_thing(request: Request, id: str, body: Any) -> Response:
    """Puts a thing."""
    return written_answer(
        request, recorded(2, 13), f"/v1/things/{id}", expected=_listed(expected_of(request))
    )


@router.post(
    "/v1/things/{id}/notes",
    access=Access(
        frozenset({Role.DCI, Role.MINISTRY}), own_organization=frozenset({Role.MINISTRY}), if_match="required"
    ),
    body=NewThing,
    answers=Written,
)
async def add_note(request: Request, id: str, body: Any) -> Response:
    """Adds a note to a thing, seven versions old."""
    expected = expected_of(request)
    if expected is not None and 7 not in expected:
        raise StaleVersion("stale-version", "The thing has changed since.", current=7)
    return written_answer(request, recorded(8, 13), f"/v1/things/{id}", expected=_listed(expected))


@router.get("/v1/faults/{kind}", access=Access(EVERYONE, anonymous=True), answers=None)
async def fault(request: Request, kind: str) -> Response:
    """Goes wrong in the way asked for."""
    faults: Mapping[str, Exception] = {
        "missing": NotFound("thing-not-found", "There is no such thing."),
        "rule": RuleBroken("thing-closed", "The thing is closed."),
        "reused": KeyReused("key-reused", "That key was used for another request."),
        "unavailable": Unavailable("unavailable", "The log does not answer.", retry_after=3),
    }
    raise faults.get(kind) or RuntimeError("a secret in the exception's text")


@router.get(
    "/v1/lines",
    access=Access(EVERYONE, anonymous=True),
    query=Lines,
    answers=None,
    media_type="application/jsonl",
)
async def lines(request: Request, asked: Lines) -> Response:
    """Lines, one at a time."""

    async def written() -> AsyncIterator[bytes]:
        for number in range(asked.count):
            yield b'{"line":%d}\n' % number
        if asked.fails:
            raise RuntimeError("the lines have run out")

    return StreamingResponse(written(), media_type="application/jsonl")


@router.get(
    "/v1/events", access=Access(EVERYONE, anonymous=True), answers=None, media_type="text/event-stream"
)
async def events(request: Request) -> Response:
    """Events without end."""

    async def written() -> AsyncIterator[bytes]:
        for number in count(1):
            yield b"data: %d\n\n" % number

    return StreamingResponse(written(), media_type="text/event-stream")


TABLE = router.access


class Installation:
    """The small service, the clock it goes by, and credentials for it."""

    def __init__(self, folder: Path, routers: Sequence[Router] = (router,), **settings: Any) -> None:
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
        self.app: Service = build_app(
            title="Things",
            description="A service to try the machinery on.",
            version="1",
            routers=routers,
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
    async def client(self, root_path: str = "", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client that sends these headers (underscores for dashes) with every request.

        `root_path` is the path below which a proxy serves us, and with which the client's own paths begin.
        """
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        transport = httpx.ASGITransport(app=self.app, root_path=root_path)
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://things.test",
            headers={"Accept-Encoding": "identity", **given},
        ) as client:
            yield client


def _listed(expected: frozenset[int] | None) -> list[int] | None:
    return None if expected is None else sorted(expected)
