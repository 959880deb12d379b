"""Each POST tells one fact of a commitment: it is judged, it moves, it ends, or its record is set right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from services.commitments.api.commitment_answers import NumberedWritten, Written
from services.commitments.api.commitment_bodies import (
    AssessmentBody,
    BudgetEstimateBody,
    CommentBody,
    CompletionBody,
    CorrectionBody,
    DeadlineRevisionBody,
    DiscardBody,
    MergerBody,
    MilestoneBody,
    MilestoneCompletionBody,
    ProgressReportBody,
    PublicationBody,
    ReassignmentBody,
    ReopeningBody,
    ReviewBody,
    RiskAssessmentBody,
    budget_lines_from,
    evidence_from,
)
from services.commitments.api.commitments import Identifier, commitments_of
from services.commitments.domain.commitment import Commitment
from shared.eventlog.commands import Outcome
from shared.events.commitments import MilestoneSet, ProgressReported
from shared.events.facts import Event
from shared.http.context import actor_of
from shared.http.records import command_of, written
from shared.http.routing import service_router
from shared.identity.access import Access, AccessTable
from shared.identity.actor import Role

UNIT = frozenset({Role.DCI})
_JUDGES = Access(UNIT, if_match="required", note="judges")
_KEEPS = Access(UNIT, if_match="required", note="keeps the record")
_DELIVERS = Access(
    UNIT | {Role.MINISTRY},
    own_organization=frozenset({Role.MINISTRY}),
    if_match="required",
    note="lead, responsible service and collaborating organisations tell of their own",
)

ACCESS: AccessTable = {
    ("POST", "/v1/commitments/{id}/assessments"): _JUDGES,
    ("POST", "/v1/commitments/{id}/progress-reports"): _DELIVERS,
    ("POST", "/v1/commitments/{id}/progress-reports/{n}/reviews"): Access(
        UNIT, if_match="required", note="never the author of the report"
    ),
    ("POST", "/v1/commitments/{id}/deadline-revisions"): _JUDGES,
    ("POST", "/v1/commitments/{id}/reassignments"): _JUDGES,
    ("POST", "/v1/commitments/{id}/completions"): _JUDGES,
    ("POST", "/v1/commitments/{id}/discards"): _JUDGES,
    ("POST", "/v1/commitments/{id}/reopenings"): _JUDGES,
    ("POST", "/v1/commitments/{id}/mergers"): _JUDGES,
    ("POST", "/v1/commitments/{id}/milestones"): _JUDGES,
    ("POST", "/v1/commitments/{id}/milestones/{n}/completions"): _DELIVERS,
    ("POST", "/v1/commitments/{id}/risk-assessments"): _JUDGES,
    ("POST", "/v1/commitments/{id}/budget-estimates"): Access(
        UNIT | {Role.DIPRES}, if_match="required", note="the budget office says what it costs"
    ),
    ("POST", "/v1/commitments/{id}/comments"): Access(
        UNIT | {Role.MINISTRY, Role.DIPRES},
        own_organization=frozenset({Role.MINISTRY}),
        if_match="required",
        note="ministries on their own",
    ),
    ("POST", "/v1/commitments/{id}/publications"): _KEEPS,
    ("POST", "/v1/commitments/{id}/corrections"): _KEEPS,
}
router = service_router(ACCESS)
_WRITTEN: dict[str, Any] = {
    "status_code": 201,
    "tags": ["commitments"],
    "responses": {201: {"model": Written}},
}
_NUMBERED: dict[str, Any] = _WRITTEN | {"responses": {201: {"model": NumberedWritten}}}


async def _record(request: Request, identifier: str, decide: Callable[[Commitment, date], Event]) -> Response:
    """One event that depends on this commitment alone."""
    commitments = commitments_of(request)
    commitment = await commitments.visible(identifier, actor_of(request))
    outcome = await commitments.change(commitment, decide, await command_of(request))
    return _answer(outcome, commitment)


def _answer(outcome: Outcome, commitment: Commitment, **more: Any) -> Response:
    location = f"/v1/commitments/{outcome.stream_id}?version={outcome.version}"
    return written(outcome, location, code=commitment.code, **more)


@router.post("/v1/commitments/{id}/assessments", **_WRITTEN)
async def assess(request: Request, identifier: Identifier, body: AssessmentBody) -> Response:
    """Judges how the commitment is going on a day, or keeps the rating of an assessor who gives no judgement."""
    return await _record(request, identifier, lambda it, today: it.assess(today=today, **vars(body)))


@router.post("/v1/commitments/{id}/progress-reports", **_NUMBERED)
async def report_progress(request: Request, identifier: Identifier, body: ProgressReportBody) -> Response:
    """Reports progress, or that nothing has changed."""
    told = {**vars(body), "evidence": evidence_from(body.evidence)}
    actor = actor_of(request)
    return await _record_numbered(
        request, identifier, lambda it, today: it.report_progress(today=today, actor=actor, **told)
    )


@router.post("/v1/commitments/{id}/progress-reports/{n}/reviews", **_WRITTEN)
async def review_progress(request: Request, identifier: Identifier, n: int, body: ReviewBody) -> Response:
    """Accepts a progress report or sends it back; never its author, and once."""
    actor = actor_of(request)
    return await _record(
        request, identifier, lambda it, _: it.review_progress(actor=actor, report=n, **vars(body))
    )


@router.post("/v1/commitments/{id}/deadline-revisions", **_WRITTEN)
async def revise_deadline(request: Request, identifier: Identifier, body: DeadlineRevisionBody) -> Response:
    """Moves a deadline, or sets it for the first time; the old day is kept."""
    return await _record(request, identifier, lambda it, today: it.revise_deadline(today=today, **vars(body)))


@router.post("/v1/commitments/{id}/reassignments", **_WRITTEN)
async def reassign_lead(request: Request, identifier: Identifier, body: ReassignmentBody) -> Response:
    """Hands the commitment to another organisation."""
    commitments = commitments_of(request)
    commitment = await commitments.visible(identifier, actor_of(request))
    outcome = await commitments.reassign_lead(commitment, await command_of(request), **vars(body))
    return _answer(outcome, commitment)


@router.post("/v1/commitments/{id}/completions", **_WRITTEN)
async def complete(request: Request, identifier: Identifier, body: CompletionBody) -> Response:
    """Completes the commitment as promised, on evidence."""
    told = {**vars(body), "evidence": evidence_from(body.evidence)}
    return await _record(request, identifier, lambda it, today: it.complete(today=today, **told))


@router.post("/v1/commitments/{id}/discards", **_WRITTEN)
async def discard(request: Request, identifier: Identifier, body: DiscardBody) -> Response:
    """Gives the commitment up, for one of three reasons and with an explanation."""
    return await _record(request, identifier, lambda it, today: it.discard(today=today, **vars(body)))


@router.post("/v1/commitments/{id}/reopenings", **_WRITTEN)
async def reopen(request: Request, identifier: Identifier, body: ReopeningBody) -> Response:
    """Undoes a completion, a discard or a merger from a day on."""
    return await _record(request, identifier, lambda it, today: it.reopen(today=today, **vars(body)))


@router.post("/v1/commitments/{id}/mergers", **_WRITTEN)
async def merge(request: Request, identifier: Identifier, body: MergerBody) -> Response:
    """Merges the commitment into another one, in which it goes on."""
    commitments = commitments_of(request)
    commitment = await commitments.visible(identifier, actor_of(request))
    outcome = await commitments.merge(commitment, await command_of(request), **vars(body))
    return _answer(outcome, commitment)


@router.post("/v1/commitments/{id}/milestones", **_NUMBERED)
async def set_milestone(request: Request, identifier: Identifier, body: MilestoneBody) -> Response:
    """Plans a step on the way or, with its number, plans one anew."""
    return await _record_numbered(
        request, identifier, lambda it, today: it.set_milestone(today=today, **vars(body))
    )


@router.post("/v1/commitments/{id}/milestones/{n}/completions", **_WRITTEN)
async def complete_milestone(
    request: Request, identifier: Identifier, n: int, body: MilestoneCompletionBody
) -> Response:
    """Reaches a planned step; the day it was due stays as planned."""
    told = {**vars(body), "evidence": evidence_from(body.evidence)}
    actor = actor_of(request)
    return await _record(
        request,
        identifier,
        lambda it, today: it.complete_milestone(today=today, actor=actor, number=n, **told),
    )


@router.post("/v1/commitments/{id}/risk-assessments", **_WRITTEN)
async def assess_risks(request: Request, identifier: Identifier, body: RiskAssessmentBody) -> Response:
    """Rates the risks, from 1 (low) to 4 (high)."""
    return await _record(request, identifier, lambda it, today: it.assess_risks(today=today, **vars(body)))


@router.post("/v1/commitments/{id}/budget-estimates", **_WRITTEN)
async def estimate_budget(request: Request, identifier: Identifier, body: BudgetEstimateBody) -> Response:
    """Puts figures to what it costs."""
    told = {**vars(body), "lines": budget_lines_from(body.lines)}
    return await _record(request, identifier, lambda it, today: it.estimate_budget(today=today, **told))


@router.post("/v1/commitments/{id}/comments", **_WRITTEN)
async def comment(request: Request, identifier: Identifier, body: CommentBody) -> Response:
    """Leaves a remark on the record."""
    actor = actor_of(request)
    return await _record(
        request, identifier, lambda it, today: it.comment(today=today, actor=actor, **vars(body))
    )


@router.post("/v1/commitments/{id}/publications", **_WRITTEN)
async def change_visibility(request: Request, identifier: Identifier, body: PublicationBody) -> Response:
    """Publishes the commitment, or changes its circle of readers."""
    return await _record(request, identifier, lambda it, _: it.change_visibility(**vars(body)))


@router.post("/v1/commitments/{id}/corrections", **_WRITTEN)
async def correct(request: Request, identifier: Identifier, body: CorrectionBody) -> Response:
    """Sets a field of the registration right; what was said before stays on record."""
    commitments = commitments_of(request)
    commitment = await commitments.visible(identifier, actor_of(request))
    outcome = await commitments.correct(commitment, await command_of(request), **vars(body))
    return _answer(outcome, commitment)


async def _record_numbered(
    request: Request, identifier: str, decide: Callable[[Commitment, date], ProgressReported | MilestoneSet]
) -> Response:
    """One event that is numbered within its commitment; the answer names its number."""
    commitments = commitments_of(request)
    commitment = await commitments.visible(identifier, actor_of(request))
    number = 0

    def numbered(it: Commitment, today: date) -> Event:
        nonlocal number
        event = decide(it, today)
        number = event.number
        return event

    outcome = await commitments.change(commitment, numbered, await command_of(request))
    if outcome.replayed:
        event = await commitments.told(outcome)
        assert isinstance(event, ProgressReported | MilestoneSet)
        number = event.number
    return _answer(outcome, commitment, number=number)
