"""The routes of API keys: issued, listed and taken back; by administrators only."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.key.model import ApiKey, issue_key
from services.commitments.plan.repository import Directory
from shared.aggregate.index import Index
from shared.aggregate.repository import Repository
from shared.eventlog.codec import instant_text
from shared.eventlog.live import LiveLog
from shared.events.identity import Key, KeyApproved, KeyIssued, KeyRevoked
from shared.events.streams import resolve, stream_of
from shared.http.catalogue import Catalogue, Explained
from shared.http.description import Listed
from shared.http.pagination import page_after
from shared.http.requests import request_of
from shared.http.resource import Now, caught_up, command_of
from shared.http.responses import InstantText, page_of, read_answer, written_answer
from shared.http.routing import Router
from shared.identity.access import Access
from shared.identity.actor import Actor, Role
from shared.identity.keys import generate_key
from shared.rules.guards import known_organization

_ADMINISTERS: Final = frozenset({Role.ADMIN})
Scope = Literal["read", "write"]


class ApiKeyWritten(msgspec.Struct, kw_only=True):
    """A key was approved, or taken back."""

    id: Annotated[
        UUID, Field(description="The id of its stream in the log; it names the key in a path, too.")
    ]
    key_id: Annotated[str, Field(description="The middle part of the key itself, by which paths name it.")]
    version: int
    position: int


class ApiKeyIssued(ApiKeyWritten, kw_only=True):
    """A key was made. Keep `secret` now: it is not stored, and the answer to a repeated request has none."""

    approved: Annotated[
        bool,
        Field(description="Whether it opens anything: not before a second administrator has approved it."),
    ]
    secret: Annotated[
        str | msgspec.UnsetType,
        Field(
            description="The key as it is sent in `Authorization: Bearer` or `X-Api-Key`.",
            examples=["bk_3f9c21a07b44_" + "0123456789abcdef" * 4],
        ),
    ] = msgspec.UNSET


class Revocation(msgspec.Struct, kw_only=True):
    """Who took a key back, when and why."""

    reason: str
    recorded_by: Actor
    recorded_at: InstantText


class Approval(msgspec.Struct, kw_only=True):
    """Which second administrator approved a key, and when."""

    recorded_by: Actor
    recorded_at: InstantText


class ApiKeyDocument(msgspec.Struct, kw_only=True):
    """A key on record, without its secret."""

    id: UUID
    key_id: str
    role: Role
    organization: str
    scopes: list[str]
    description: str | None
    holder: Annotated[str, Field(description="The subject id of the person who answers for it.")]
    approved: Annotated[bool, Field(description="Whether nobody has to approve it any more.")]
    approval: Approval | None
    recorded_by: Annotated[Actor, Field(description="Who asked for it, and was told its secret.")]
    issued_at: InstantText
    expires_at: InstantText
    revocation: Revocation | None
    version: int
    position: int


def key_document(key: ApiKey) -> ApiKeyDocument:
    """A key as administrators are shown it."""
    approved, revoked = key.approval, key.revocation
    return ApiKeyDocument(
        id=key.id,
        key_id=key.issued.key_id,
        role=key.issued.role,
        organization=key.issued.organization,
        scopes=list(key.issued.scopes),
        description=key.issued.description,
        holder=key.holder,
        approved=key.approved,
        approval=approved
        and Approval(recorded_by=approved.recorded_by, recorded_at=instant_text(approved.recorded_at)),
        recorded_by=key.recorded_by,
        issued_at=instant_text(key.began_at),
        expires_at=instant_text(key.issued.expires_at),
        revocation=revoked
        and Revocation(
            reason=revoked.event.reason,
            recorded_by=revoked.recorded_by,
            recorded_at=instant_text(revoked.recorded_at),
        ),
        version=key.version,
        position=key.position,
    )


def key_routes(live: LiveLog, directory: Directory) -> Router:
    """Every route of API keys."""
    router = Router(
        "api-keys",
        "Keys for scripts: who holds them, who approved them.",
        key_id=Annotated[
            str, Field(description="The `key_id`, which is the middle part of the key itself, or the `id`.")
        ],
    )
    keys: Repository[ApiKey] = Repository(live, ApiKey, "api-key")
    index: Index[ApiKey] = Index(live, ApiKey, key=lambda key: key.issued.key_id)

    async def known(key_id: str) -> ApiKey:
        found = await keys.get(resolve("api-key", key_id))
        if found is None:
            raise keys.unknown()
        return found

    issuing = request_of(
        KeyIssued,
        without=("key_id", "secret_sha256"),
        name="ApiKeyRequest",
        doc="For whom a key acts, what it may do, and until when.",
        role=Annotated[Role, Field(description="Any but `system`.", examples=["dipres"])],
        scopes=(
            Annotated[
                tuple[Scope, ...],
                Field(min_length=1, max_length=2, description="`read`, `write` or both."),
            ],
            ("read",),
        ),
    )

    @router.post(
        "/v1/api-keys",
        access=Access(
            _ADMINISTERS,
            note="a role that one does not have waits for a second one; nobody is given `system`",
        ),
        body=issuing,
        answers=ApiKeyIssued,
    )
    async def issue_api_key(request: Request, body: Any) -> Response:
        """Issues a key and tells its secret, this once.

        A key for another role than one's own opens nothing before a second administrator has approved it. Only a hash
        of the secret is stored. A request repeated with its `Idempotency-Key` is answered with the same key and without
        the secret: if the first answer was lost, revoke that key and issue another.
        """
        new = generate_key()
        scopes = tuple(sorted(set(body.scopes)))
        proposed = body.struct(key_id=new.key_id, secret_sha256=new.secret_sha256, scopes=scopes)

        command = await command_of(request)

        def decide() -> Key:
            known_organization(proposed.organization, directory.organizations.keys, "/organization")
            return issue_key(proposed, keys.context(command))

        outcome = await keys.create(stream_of("api-key", new.key_id), decide, command)
        first = await keys.last_event(outcome)
        assert isinstance(first, Key)
        told: dict[str, Any] = {"key_id": first.key_id, "approved": isinstance(first, KeyIssued)}
        if not outcome.replayed:
            told["secret"] = new.presented
        answer = written_answer(request, outcome, f"/v1/api-keys/{first.key_id}", **told)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @router.get(
        "/v1/api-keys",
        access=Access(_ADMINISTERS, note="without the secrets, which nobody keeps", log_position=True),
        query=Listed,
        answers=page_of(ApiKeyDocument),
    )
    async def list_api_keys(request: Request, asked: Listed) -> Response:
        """Every key ever issued, those expired and taken back among them."""
        await caught_up(request, live, asked.wait_for)
        body = page_after(
            request,
            index.all(),
            lambda key: [key.began_position],
            key_document,
            cursor=asked.cursor,
            limit=asked.limit,
            total=bool(asked.include),
        )
        return read_answer(request, body, position=live.position)

    @router.get(
        "/v1/api-keys/{key_id}",
        access=Access(_ADMINISTERS, note="without its secret", etag=True, log_position=True),
        query=Now,
        answers=ApiKeyDocument,
    )
    async def get_api_key(request: Request, key_id: str, asked: Now) -> Response:
        """One key, with who asked for it, who approved it and who took it back."""
        await caught_up(request, live, asked.wait_for)
        key = await known(key_id)
        return read_answer(request, key_document(key), version=key.version, position=keys.reflected(key))

    @router.post(
        "/v1/api-keys/{key_id}/approvals",
        access=Access(
            _ADMINISTERS,
            if_match="optional",
            note="never who asked for the key, nor a key that they asked for or hold",
        ),
        body=request_of(
            KeyApproved, without=("key_id",), name="KeyApprovalRequest", doc="An approval says nothing more."
        ),
        body_required=False,
        answers=ApiKeyWritten,
    )
    async def approve_api_key(request: Request, key_id: str, body: Any) -> Response:
        """Approves a key that another administrator asked for: within moments it opens what its role may see."""
        command = await command_of(request)
        key_id = (await known(key_id)).issued.key_id
        approved = body.struct(key_id=key_id)
        outcome = await keys.change(
            stream_of("api-key", key_id),
            lambda key: key.approve(approved, keys.context(command)),
            command,
        )
        return written_answer(request, outcome, f"/v1/api-keys/{key_id}", key_id=key_id)

    @router.post(
        "/v1/api-keys/{key_id}/revocations",
        access=Access(_ADMINISTERS, if_match="optional"),
        body=request_of(
            KeyRevoked, without=("key_id",), name="RevocationRequest", doc="Why a key is taken back."
        ),
        answers=ApiKeyWritten,
    )
    async def revoke_api_key(request: Request, key_id: str, body: Any) -> Response:
        """Takes a key back: within moments it opens nothing any more."""
        command = await command_of(request)
        key_id = (await known(key_id)).issued.key_id
        revoked = body.struct(key_id=key_id)
        outcome = await keys.change(
            stream_of("api-key", key_id),
            lambda key: key.revoke(revoked, keys.context(command)),
            command,
        )
        return written_answer(request, outcome, f"/v1/api-keys/{key_id}", key_id=key_id)

    return router


ERRORS: Catalogue = {
    "unknown-api-key": Explained(404, "Unknown key", "No key was ever issued under this id."),
    "key-already-revoked": Explained(409, "Key already revoked", "The key was taken back before."),
    "key-already-approved": Explained(
        409, "Key already approved", "It was approved before, or was issued in the role of whoever asked."
    ),
    "key-approver-is-requester": Explained(
        409,
        "Approver asked for it",
        "Whoever asked for a key does not approve it, nor does a key that they asked for or hold: that takes a second "
        "administrator.",
    ),
    "key-holder-reserved": Explained(
        422, "Reserved holder", "`holder` is the subject id of a person, as in their token."
    ),
    "key-role-reserved": Explained(422, "Reserved role", "Only policies of the services act as `system`."),
    "key-scopes-unknown": Explained(422, "Unknown scopes", "Give `read`, `write` or both."),
}
