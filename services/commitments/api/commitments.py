"""A commitment enters the record, is read as it is or was, and shows its history."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.api.commitment_answers import CommitmentAnswer, HistoryItem, Written
from services.commitments.api.commitment_bodies import CommitmentBody, registered_from
from services.commitments.api.rendering import Renderings, history_item, rendered, same_since_recorded
from services.commitments.application.commitments import Commitments
from services.commitments.application.disclosures import Disclosures
from services.commitments.domain.registration import usual_visibility
from shared.http.context import actor_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.records import LONGEST_WAIT, command_of, disclosed, disclosed_history, written
from shared.http.routing import service_router
from shared.http.schemas import Instant, Page
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from shared.references import Told

Identifier = Annotated[str, Path(alias="id", description="The UUID or the code.", examples=["SEG-014"])]
Version = Annotated[
    int | None, Query(ge=1, le=2**31, description="The commitment as it was at this version.")
]
KnownAt = Annotated[Instant | None, Query(description="The commitment as the log knew it at this moment.")]
WaitFor = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**53,
        description=f"A `Log-Position`: the answer reflects it, or is 503 after {LONGEST_WAIT:g} seconds.",
    ),
]

ACCESS: AccessTable = {
    ("POST", "/v1/commitments"): Access(frozenset({Role.DCI}), note="registers"),
    ("GET", "/v1/commitments/{id}"): Access(
        EVERYONE, note="reserved ones: ministries only where they are concerned", etag=True, log_position=True
    ),
    ("GET", "/v1/commitments/{id}/history"): Access(
        EVERYONE, note="reserved ones: ministries only where they are concerned", etag=True, log_position=True
    ),
}
router = service_router(ACCESS)


def commitments_of(request: Request) -> Commitments:
    """The use cases of the app that serves this request."""
    commitments: Commitments = request.scope["app"].state.commitments
    return commitments


def disclosures_of(request: Request) -> Disclosures:
    """What the app that serves this request knows of who may know what."""
    disclosures: Disclosures = request.scope["app"].state.disclosures
    return disclosures


@router.post("/v1/commitments", status_code=201, tags=["commitments"], responses={201: {"model": Written}})
async def register_commitment(request: Request, body: CommitmentBody) -> Response:
    """Registers a commitment. What was agreed in a bilateral meeting is `reserved` until it is published."""
    commitments = commitments_of(request)
    proposed = registered_from(
        body,
        effective_on=body.effective_on or commitments.clock.today(),
        visibility=body.visibility or usual_visibility(body.origin.kind if body.origin else None),
    )
    outcome = await commitments.register(proposed, await command_of(request))
    return written(outcome, f"/v1/commitments/{outcome.stream_id}", code=proposed.code)


@router.get("/v1/commitments/{id}", tags=["commitments"], response_model=CommitmentAnswer)
async def commitment(
    request: Request,
    identifier: Identifier,
    version: Version = None,
    known_at: KnownAt = None,
    wait_for: WaitFor = None,
) -> Response:
    """A commitment as it is today, at a version, or as the log knew it at a moment.

    Past views give the status as of the day the version was recorded, or of the moment. The ETag is the version; a
    status that changed because a deadline passed since is sent whole even to a caller who holds that version.
    """
    commitments = commitments_of(request)
    actor = actor_of(request)
    if wait_for is not None:
        await commitments.wait_for(wait_for, LONGEST_WAIT)
    clock, disclosure_of = commitments.clock, disclosures_of(request).of
    if version is not None or known_at is not None:
        past = await commitments.as_it_was(identifier, actor, version=version, known_at=known_at)
        told = Told(rendered(past.state, clock.day_of(past.moment)))
        return await disclosed(
            request, told, disclosure_of, version=past.state.version, position=past.position
        )
    found = await commitments.visible(identifier, actor)
    # What is found may move on while others are asked about: this is the version that is told.
    now, today = found.version, clock.today()
    renderings: Renderings = request.scope["app"].state.renderings
    return await disclosed(
        request,
        renderings.of(found, today),
        disclosure_of,
        version=now,
        position=commitments.reflected(found),
        same_for_version=lambda: (
            found.version == now and same_since_recorded(found, today, clock.day_of(found.recorded_at))
        ),
    )


@router.get("/v1/commitments/{id}/history", tags=["commitments"], response_model=Page[HistoryItem])
async def commitment_history(
    request: Request,
    identifier: Identifier,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    wait_for: WaitFor = None,
) -> Response:
    """Everything that was recorded of a commitment, in order: what, when, by whom, and on which decision."""
    commitments = commitments_of(request)
    actor = actor_of(request)
    if wait_for is not None:
        await commitments.wait_for(wait_for, LONGEST_WAIT)
    after: list[Any] | None = decode_cursor(request, cursor)
    found, lines, more = await commitments.history(
        identifier, actor, after_version=after[0] if after else 0, limit=limit
    )
    items = [history_item(line) for line in lines]
    return await disclosed_history(
        request,
        items,
        disclosures_of(request).of,
        more=more,
        version=found.version,
        position=commitments.reflected(found),
    )
