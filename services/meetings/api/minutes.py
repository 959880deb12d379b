"""The minutes of a meeting: drafted, circulated, observed upon, approved, and mended by errata."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from services.meetings.api.answers import Approved, NumberedWritten, Written
from services.meetings.api.meetings import CONVENERS, answer
from services.meetings.api.parameters import MeetingId, meetings_of
from services.meetings.api.request_parts import part_from
from services.meetings.api.requests import (
    ApprovalBody,
    CirculationBody,
    ErratumBody,
    MinutesBody,
    ObservationAnswerBody,
    ObservationBody,
)
from shared.events.meetings import (
    ErratumAdded,
    MinutesDrafted,
    MinutesItem,
    ObservationRaised,
    Recipient,
)
from shared.http.context import actor_of
from shared.http.records import command_of
from shared.http.routing import service_router
from shared.identity.access import Access, AccessTable
from shared.identity.actor import Role

_WRITES = Access(frozenset({Role.DCI}), if_match="required", note="writes the minutes")

ACCESS: AccessTable = {
    ("POST", "/v1/meetings/{id}/minutes"): _WRITES,
    ("POST", "/v1/meetings/{id}/circulations"): _WRITES,
    ("POST", "/v1/meetings/{id}/observations"): Access(
        frozenset({Role.DCI, Role.MINISTRY, Role.DIPRES, Role.ADVISORY}),
        own_organization=frozenset({Role.MINISTRY, Role.DIPRES, Role.ADVISORY}),
        if_match="required",
        note="those the minutes were sent to",
    ),
    ("POST", "/v1/meetings/{id}/observations/{n}/answers"): _WRITES,
    ("POST", "/v1/meetings/{id}/approvals"): Access(
        CONVENERS, if_match="required", note="never the author of the draft; advisory: bilaterals"
    ),
    ("POST", "/v1/meetings/{id}/errata"): _WRITES,
}
router = service_router(ACCESS)
ObservationNumber = Annotated[int, Path(alias="n", ge=1, le=100_000, description="Its number, from 1.")]


def _told(model: type) -> dict[str, Any]:
    return {"status_code": 201, "tags": ["minutes"], "responses": {201: {"model": model}}}


@router.post("/v1/meetings/{id}/minutes", **_told(NumberedWritten))
async def draft_minutes(request: Request, identifier: MeetingId, body: MinutesBody) -> Response:
    """Writes the minutes, or writes them anew; the draft is numbered."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    items = tuple(part_from(item, MinutesItem) for item in body.items)
    outcome = await cases.draft_minutes(found, await command_of(request), items=items)
    event = await cases.told(outcome)
    assert isinstance(event, MinutesDrafted)
    return answer(outcome, number=event.draft)


@router.post("/v1/meetings/{id}/circulations", **_told(Written))
async def circulate(request: Request, identifier: MeetingId, body: CirculationBody) -> Response:
    """Sends the draft to those named, who may now observe upon it; or says on which earlier day it was sent."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    recipients = tuple(part_from(recipient, Recipient) for recipient in body.recipients)
    outcome = await cases.circulate(
        found, await command_of(request), recipients=recipients, effective_on=body.effective_on
    )
    return answer(outcome)


@router.post("/v1/meetings/{id}/observations", **_told(NumberedWritten))
async def observe(request: Request, identifier: MeetingId, body: ObservationBody) -> Response:
    """Raises an observation upon the circulated draft."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.observe(
        found, await command_of(request), text=body.text, agenda_item=body.agenda_item
    )
    event = await cases.told(outcome)
    assert isinstance(event, ObservationRaised)
    return answer(outcome, number=event.number)


@router.post("/v1/meetings/{id}/observations/{n}/answers", **_told(Written))
async def answer_observation(
    request: Request, identifier: MeetingId, number: ObservationNumber, body: ObservationAnswerBody
) -> Response:
    """Answers an observation, once; what is accepted shows in the next draft."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.change(
        found,
        await command_of(request),
        lambda it: it.answer_observation(number=number, accepted=body.accepted, answer=body.answer),
    )
    return answer(outcome)


@router.post("/v1/meetings/{id}/approvals", **_told(Approved))
async def approve(request: Request, identifier: MeetingId, body: ApprovalBody | None = None) -> Response:  # noqa: ARG001 - read so that unknown fields are refused
    """Approves and seals the minutes: their decisions are numbered, and their action items assigned, all at once."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.approve(found, await command_of(request))
    sealed = await cases.approved(outcome)
    return answer(outcome, digest=sealed.digest, decisions=sealed.decisions, action_items=sealed.action_items)


@router.post("/v1/meetings/{id}/errata", **_told(NumberedWritten))
async def add_erratum(request: Request, identifier: MeetingId, body: ErratumBody) -> Response:
    """Puts a mistake in sealed minutes right, beside the text; both are shown from now on."""
    cases = meetings_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.add_erratum(found, await command_of(request), **vars(body))
    event = await cases.told(outcome)
    assert isinstance(event, ErratumAdded)
    return answer(outcome, number=event.number)
