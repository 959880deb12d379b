"""Action items: read with their history; progressed and completed by their owners, extended, moved or cancelled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.meetings.api.action_item_answers import ActionItemAnswer
from services.meetings.api.answers import HistoryItem, Written
from services.meetings.api.parameters import (
    ActionItemId,
    KnownAt,
    Version,
    WaitFor,
    action_items_of,
    caught_up,
    disclosures_of,
    meetings_of,
)
from services.meetings.api.rendering import MEETING_TELLS, TIES, action_item_document, history_item
from services.meetings.api.request_parts import part_from
from services.meetings.api.requests import (
    CancellationBody,
    CompletionBody,
    ExtensionBody,
    ProgressBody,
    ReassignmentBody,
)
from services.meetings.domain.action_item import ActionItem
from shared.events.commitments import Evidence
from shared.events.facts import Event
from shared.http.context import actor_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.records import command_of, disclosed, disclosed_history, written
from shared.http.routing import service_router
from shared.http.schemas import Page
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from shared.references import Told

_OWN = "reserved ones: ministries only where they owe it or may know of its meeting"
_OWNERS = frozenset({Role.MINISTRY, Role.DIPRES, Role.ADVISORY})
_TELLS = Access(
    _OWNERS | {Role.DCI}, own_organization=_OWNERS, if_match="required", note="owners tell of their own"
)
_DECIDES = Access(frozenset({Role.DCI}), if_match="required", note="with a reason")

ACCESS: AccessTable = {
    ("GET", "/v1/action-items/{id}"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("GET", "/v1/action-items/{id}/history"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("POST", "/v1/action-items/{id}/progress"): _TELLS,
    ("POST", "/v1/action-items/{id}/completions"): _TELLS,
    ("POST", "/v1/action-items/{id}/extensions"): _DECIDES,
    ("POST", "/v1/action-items/{id}/reassignments"): _DECIDES,
    ("POST", "/v1/action-items/{id}/cancellations"): _DECIDES,
}
router = service_router(ACCESS)
_WRITTEN: dict[str, Any] = {
    "status_code": 201,
    "tags": ["action items"],
    "responses": {201: {"model": Written}},
}


async def _record(request: Request, identifier: str, decide: Callable[[ActionItem, date], Event]) -> Response:
    """One event that depends on this action item alone."""
    cases = action_items_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.change(found, decide, await command_of(request))
    return written(outcome, f"/v1/action-items/{outcome.stream_id}")


@router.get("/v1/action-items/{id}", tags=["action items"], response_model=ActionItemAnswer)
async def action_item(
    request: Request,
    identifier: ActionItemId,
    version: Version = None,
    known_at: KnownAt = None,
    wait_for: WaitFor = None,
) -> Response:
    """An action item and its state, which changes when its day passes, without any event.

    A past view gives the state as of the day the version was recorded, or of the moment.
    """
    cases = await caught_up(action_items_of(request), wait_for)
    actor = actor_of(request)
    if version is None and known_at is None:
        found = await cases.visible(identifier, actor)
        day, position = cases.clock.today(), found.position
    else:
        past = await cases.as_it_was(identifier, actor, version=version, known_at=known_at)
        found, day, position = past.state, cases.clock.day_of(past.moment), past.position
    meeting = await meetings_of(request).disclosure_of(found.assigned.said.meeting)
    same_state = found.verdict_on(day) == found.verdict_on(cases.clock.day_of(found.recorded_at))
    return await disclosed(
        request,
        Told(action_item_document(found, day, meeting_known=meeting.open_to(actor))),
        disclosures_of(request).of,
        version=found.version,
        position=position,
        whole=actor.organization in found.circle(),
        same_for_version=lambda: same_state and meeting.settled_for(actor),
    )


@router.get("/v1/action-items/{id}/history", tags=["action items"], response_model=Page[HistoryItem])
async def action_item_history(
    request: Request,
    identifier: ActionItemId,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    wait_for: WaitFor = None,
) -> Response:
    """Everything that was recorded of an action item, in order."""
    cases = await caught_up(action_items_of(request), wait_for)
    actor = actor_of(request)
    found = await cases.visible(identifier, actor)
    after = decode_cursor(request, cursor)
    version, position = found.version, found.position
    lines, more = await cases.history(found, after_version=after[0] if after else 0, limit=limit)
    meeting = await meetings_of(request).disclosure_of(found.assigned.said.meeting)
    items = [
        history_item(line, hidden=() if meeting.open_to(actor) else (*MEETING_TELLS, *TIES)) for line in lines
    ]
    return await disclosed_history(
        request,
        items,
        disclosures_of(request).of,
        more=more,
        version=version,
        position=position,
        whole=actor.organization in found.circle(),
        same_for_version=lambda: meeting.settled_for(actor),
    )


@router.post("/v1/action-items/{id}/progress", **_WRITTEN)
async def report_progress(request: Request, identifier: ActionItemId, body: ProgressBody) -> Response:
    """Its owner tells how far it is."""
    actor = actor_of(request)
    return await _record(
        request, identifier, lambda it, today: it.report_progress(today=today, actor=actor, **vars(body))
    )


@router.post("/v1/action-items/{id}/completions", **_WRITTEN)
async def complete(request: Request, identifier: ActionItemId, body: CompletionBody) -> Response:
    """It is done, on the evidence given."""
    actor = actor_of(request)
    evidence = tuple(part_from(item, Evidence) for item in body.evidence)
    return await _record(
        request,
        identifier,
        lambda it, today: it.complete(
            today=today,
            actor=actor,
            evidence=evidence,
            completed_on=body.completed_on,
            remarks=body.remarks,
        ),
    )


@router.post("/v1/action-items/{id}/extensions", **_WRITTEN)
async def extend(request: Request, identifier: ActionItemId, body: ExtensionBody) -> Response:
    """Gives its owner more time."""
    return await _record(request, identifier, lambda it, today: it.extend(today=today, **vars(body)))


@router.post("/v1/action-items/{id}/reassignments", **_WRITTEN)
async def reassign(request: Request, identifier: ActionItemId, body: ReassignmentBody) -> Response:
    """Hands it to another organisation, or to another person in it."""
    cases = action_items_of(request)
    found = await cases.visible(identifier, actor_of(request))
    outcome = await cases.reassign(found, await command_of(request), **vars(body))
    return written(outcome, f"/v1/action-items/{outcome.stream_id}")


@router.post("/v1/action-items/{id}/cancellations", **_WRITTEN)
async def cancel_action_item(request: Request, identifier: ActionItemId, body: CancellationBody) -> Response:
    """It is no longer owed."""
    return await _record(request, identifier, lambda it, today: it.cancel(today=today, **vars(body)))
