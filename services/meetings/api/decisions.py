"""Decisions: read with their history, acknowledged, tied to budget lines, and published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.meetings.api.answers import DecisionAnswer, DecisionWritten, HistoryItem
from services.meetings.api.parameters import (
    KnownAt,
    Number,
    Version,
    WaitFor,
    caught_up,
    decisions_of,
    disclosures_of,
    meetings_of,
)
from services.meetings.api.rendering import DECISION_TELLS, TIES, decision_document, history_item
from services.meetings.api.requests import AcknowledgementBody, PublicationBody, TiedBudgetLineBody
from services.meetings.domain.decision import Decision
from shared.eventlog.commands import Outcome
from shared.events.facts import Event
from shared.http.context import actor_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.records import command_of, disclosed, disclosed_history, written
from shared.http.routing import service_router
from shared.http.schemas import Page
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from shared.references import Told

_OWN = "reserved ones: ministries only their own"
_BUDGET_OFFICE = Access(frozenset({Role.DIPRES}), if_match="required")

ACCESS: AccessTable = {
    ("GET", "/v1/decisions/{number}"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("GET", "/v1/decisions/{number}/history"): Access(EVERYONE, note=_OWN, etag=True, log_position=True),
    ("POST", "/v1/decisions/{number}/acknowledgements"): _BUDGET_OFFICE,
    ("POST", "/v1/decisions/{number}/budget-lines"): _BUDGET_OFFICE,
    ("POST", "/v1/decisions/{number}/publications"): Access(frozenset({Role.DCI}), if_match="required"),
}
router = service_router(ACCESS)
_WRITTEN: dict[str, Any] = {
    "status_code": 201,
    "tags": ["decisions"],
    "responses": {201: {"model": DecisionWritten}},
}


async def _record(request: Request, number: str, decide: Callable[[Decision], Event]) -> Response:
    """One event that depends on this decision alone."""
    cases = decisions_of(request)
    found = await cases.visible(number, actor_of(request))
    outcome = await cases.change(found, decide, await command_of(request))
    return _answer(outcome, found)


def _answer(outcome: Outcome, found: Decision) -> Response:
    return written(outcome, f"/v1/decisions/{found.number}", number=found.number)


@router.get("/v1/decisions/{number}", tags=["decisions"], response_model=DecisionAnswer)
async def decision(
    request: Request,
    number: Number,
    version: Version = None,
    known_at: KnownAt = None,
    wait_for: WaitFor = None,
) -> Response:
    """A decision: its text as it was sealed, with errata, acknowledgements and budget lines beside it."""
    cases = await caught_up(decisions_of(request), wait_for)
    actor = actor_of(request)
    if version is None and known_at is None:
        found = await cases.visible(number, actor)
        position = found.position
    else:
        past = await cases.as_it_was(number, actor, version=version, known_at=known_at)
        found, position = past.state, past.position
    meeting = await meetings_of(request).disclosure_of(found.agreed.said.meeting)
    return await disclosed(
        request,
        Told(decision_document(found, cases.clock.day_of, meeting_known=meeting.open_to(actor))),
        disclosures_of(request).of,
        version=found.version,
        position=position,
        whole=actor.organization in found.circle(),
        same_for_version=lambda: meeting.settled_for(actor),
    )


@router.get("/v1/decisions/{number}/history", tags=["decisions"], response_model=Page[HistoryItem])
async def decision_history(
    request: Request,
    number: Number,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    wait_for: WaitFor = None,
) -> Response:
    """Everything that was recorded of a decision, in order."""
    cases = await caught_up(decisions_of(request), wait_for)
    actor = actor_of(request)
    found = await cases.visible(number, actor)
    after = decode_cursor(request, cursor)
    version, position = found.version, found.position
    lines, more = await cases.history(found, after_version=after[0] if after else 0, limit=limit)
    meeting = await meetings_of(request).disclosure_of(found.agreed.said.meeting)
    hidden = () if meeting.open_to(actor) else (*DECISION_TELLS, *TIES)
    items = [history_item(line, hidden=hidden) for line in lines]
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


@router.post("/v1/decisions/{number}/acknowledgements", **_WRITTEN)
async def acknowledge(request: Request, number: Number, body: AcknowledgementBody) -> Response:
    """The budget office says whether this is what was agreed, or on which earlier day it said so."""
    clock = decisions_of(request).clock
    return await _record(
        request,
        number,
        lambda it: it.acknowledge(today=clock.today(), day_of=clock.day_of, **vars(body)),
    )


@router.post("/v1/decisions/{number}/budget-lines", **_WRITTEN)
async def tie_budget_line(request: Request, number: Number, body: TiedBudgetLineBody) -> Response:
    """Names the budget line in which the decision ended, and whether it was in the first request of the year."""
    clock = decisions_of(request).clock
    return await _record(
        request,
        number,
        lambda it: it.tie_budget_line(today=clock.today(), day_of=clock.day_of, **vars(body)),
    )


@router.post("/v1/decisions/{number}/publications", **_WRITTEN)
async def publish_decision(request: Request, number: Number, body: PublicationBody) -> Response:
    """Changes who may know of the decision: at least those who may know of its meeting."""
    found = await decisions_of(request).visible(number, actor_of(request))
    outcome = await meetings_of(request).publish_decision(found, await command_of(request), **vars(body))
    return _answer(outcome, found)
