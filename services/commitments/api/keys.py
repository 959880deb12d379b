"""API keys: issued, listed and taken back; by administrators only."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.api.commitment_bodies import Code, Explanation
from services.commitments.api.commitments import WaitFor
from services.commitments.api.fact_answers import Answer
from services.commitments.api.plan import Include, listed
from services.commitments.application.keys import Keys
from services.commitments.domain.api_key import ApiKey
from shared.eventlog.codec import instant_text
from shared.http.answers import read_answer
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.records import LONGEST_WAIT, command_of, written
from shared.http.routing import service_router
from shared.http.schemas import Instant, Line, Page, RequestModel
from shared.identity.access import Access, AccessTable
from shared.identity.actor import Role

_ADMINISTERS = frozenset({Role.ADMIN})

ACCESS: AccessTable = {
    ("POST", "/v1/api-keys"): Access(_ADMINISTERS, note="nobody is given a key of the role `system`"),
    ("GET", "/v1/api-keys"): Access(
        _ADMINISTERS, note="without the secrets, which nobody keeps", log_position=True
    ),
    ("POST", "/v1/api-keys/{key_id}/revocations"): Access(_ADMINISTERS, if_match="optional"),
}
router = service_router(ACCESS)

Scope = Literal["read", "write"]
KeyId = Annotated[str, Path(description="The id of the key, which is the middle part of the key itself.")]


class ApiKeyBody(RequestModel):
    """For whom a key acts, what it may do, and until when."""

    role: Role = Field(description="Any but `system`.", examples=["dipres"])
    organization: Code = Field(examples=["DIPRES"])
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=2)] = Field(
        default=("read",), description="`read`, `write` or both."
    )
    expires_at: Instant = Field(description="After now, and within a year.")
    description: Line | None = Field(
        default=None, description="What it is for; no secrets, no people's names."
    )


class RevocationBody(RequestModel):
    """Why a key is taken back."""

    reason: Explanation


class ApiKeyWritten(Answer):
    """A key was issued or taken back."""

    id: UUID
    key_id: str
    version: int
    position: int


class ApiKeyIssued(ApiKeyWritten):
    """A key was issued. Keep `secret` now: it is not stored, and the answer to a repeated request has none."""

    secret: Annotated[str | None, StringConstraints(pattern="^bk_")] = Field(
        default=None,
        description="The key as it is sent in `Authorization: Bearer` or `X-Api-Key`.",
        examples=["bk_3f9c21a07b44_" + "0123456789abcdef" * 4],
    )


class RevocationAnswer(Answer):
    """When and why a key was taken back."""

    reason: str
    recorded_at: Instant


class ApiKeyAnswer(Answer):
    """A key on record, without its secret."""

    id: UUID
    key_id: str
    role: Role
    organization: str
    scopes: list[Scope]
    description: str | None
    issued_at: Instant
    expires_at: Instant
    revocation: RevocationAnswer | None
    version: int
    position: int


class ApiKeyPage(Page[ApiKeyAnswer]):
    """Keys in the order in which they were issued; `total` only when asked for."""

    total: int | None = None


def keys_of(request: Request) -> Keys:
    """The use cases of the app that serves this request."""
    keys: Keys = request.scope["app"].state.keys
    return keys


@router.post("/v1/api-keys", status_code=201, tags=["api keys"], responses={201: {"model": ApiKeyIssued}})
async def issue_api_key(request: Request, body: ApiKeyBody) -> Response:
    """Issues a key and tells its secret, this once.

    Only a hash of the secret is stored. A request repeated with its `Idempotency-Key` is answered with the same key
    and without the secret: if the first answer was lost, revoke that key and issue another.
    """
    issued = await keys_of(request).issue(
        role=body.role,
        organization=body.organization,
        scopes=body.scopes,
        expires_at=body.expires_at,
        description=body.description,
        command=await command_of(request),
    )
    secret = {} if issued.presented is None else {"secret": issued.presented}
    answer = written(issued.outcome, "/v1/api-keys", key_id=issued.key_id, **secret)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/v1/api-keys", tags=["api keys"], response_model=ApiKeyPage)
async def api_keys(
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    include: Include = None,
    wait_for: WaitFor = None,
) -> Response:
    """Every key ever issued, those expired and taken back among them."""
    keys = keys_of(request)
    if wait_for is not None:
        await keys.wait_for(wait_for, LONGEST_WAIT)
    body = listed(
        request,
        keys.all(),
        lambda key: [key.issued_position],
        _members,
        after=decode_cursor(request, cursor),
        limit=limit,
        total=bool(include),
    )
    return read_answer(request, body, position=keys.position)


@router.post(
    "/v1/api-keys/{key_id}/revocations",
    status_code=201,
    tags=["api keys"],
    responses={201: {"model": ApiKeyWritten}},
)
async def revoke_api_key(request: Request, key_id: KeyId, body: RevocationBody) -> Response:
    """Takes a key back: within moments it opens nothing any more."""
    outcome = await keys_of(request).revoke(key_id, body.reason, await command_of(request))
    return written(outcome, "/v1/api-keys", key_id=key_id)


def _members(key: ApiKey) -> dict[str, Any]:
    revocation = None
    if key.revocation is not None and key.revoked_at is not None:
        revocation = {"reason": key.revocation.reason, "recorded_at": instant_text(key.revoked_at)}
    return {
        "id": key.id,
        "key_id": key.key_id,
        "role": key.issued.role,
        "organization": key.issued.organization,
        "scopes": key.issued.scopes,
        "description": key.issued.description,
        "issued_at": instant_text(key.issued_at),
        "expires_at": instant_text(key.issued.expires_at),
        "revocation": revocation,
        "version": key.version,
        "position": key.position,
    }
