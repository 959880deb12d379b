"""What became of agreed decisions: listed, read, and settled where one could not be carried out."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Path, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.api.commitment_bodies import Code, Explanation
from services.commitments.api.commitments import WaitFor
from services.commitments.api.fact_answers import ActorAnswer, Answer
from services.commitments.api.plan import Include, listed
from services.commitments.application.decision_outcomes import DecisionOutcomes, Filters, Settled
from services.commitments.domain.decision_outcome import OutcomeState
from shared.eventlog.codec import instant_text
from shared.events.meeting_vocabulary import DecisionKind
from shared.events.vocabulary import Visibility
from shared.http.answers import read_answer
from shared.http.context import actor_of
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit, decode_cursor
from shared.http.records import LONGEST_WAIT, command_of, shown, written
from shared.http.routing import service_router
from shared.http.schemas import CivilDay, Instant, Page, RequestModel
from shared.identity.access import EVERYONE, Access, AccessTable
from shared.identity.actor import Role
from shared.rules.visibility import knows_of_everything

_KNOWN = "as far as they may know of the decision; the secretariat of its body may"
_SETTLES = Access(frozenset({Role.DCI}), if_match="required", note="settles what could not be carried out")

ACCESS: AccessTable = {
    ("GET", "/v1/decision-outcomes"): Access(EVERYONE, note=_KNOWN, log_position=True),
    ("GET", "/v1/decision-outcomes/{number}"): Access(EVERYONE, note=_KNOWN, etag=True, log_position=True),
    ("POST", "/v1/decision-outcomes/{number}/resolutions"): _SETTLES,
    ("POST", "/v1/decision-outcomes/{number}/waivers"): _SETTLES,
}
router = service_router(ACCESS)

Number = Annotated[
    str, Path(alias="number", description="The number of the decision.", examples=["SEG-2012-014"])
]
BodyCode = Annotated[str, Query(min_length=1, max_length=64)]
StateFilter = Annotated[OutcomeState | None, Query(description="Only those that stand like this.")]
BodyFilter = Annotated[BodyCode | None, Query(description="Only decisions of this body.")]
OrganizationFilter = Annotated[
    Code | None, Query(description="Only decisions that concern this organisation.")
]


class SettlementBody(RequestModel):
    """Why an unresolved decision is settled like this."""

    remarks: Explanation


class ResolutionBody(SettlementBody):
    """How an unresolved decision came to be carried out."""

    by_hand: bool = Field(
        False,
        description="It was done by hand, by facts that name it as their `decision`; otherwise it is tried now.",
    )


class OutcomeWritten(Answer):
    """A decision was settled: the version it brought the outcome to, and its position in the log."""

    id: UUID
    number: str = Field(examples=["SEG-2012-014"])
    version: int
    position: int


class DoneAnswer(Answer):
    """One thing a decision did, and the version it brought the commitment or indicator to."""

    type: str = Field(examples=["commitments.deadline_revised"])
    version: int
    commitment: str | None
    indicator: str | None


class DifficultyAnswer(Answer):
    """Which rule stood against a decision, and with which commitment or indicator."""

    code: str = Field(examples=["commitment-closed"])
    reason: str
    commitment: str | None
    indicator: str | None
    position: int


class SettlementAnswer(Answer):
    """Who settled it, and with what remarks."""

    remarks: str
    recorded_by: ActorAnswer
    position: int


class OutcomeAnswer(Answer):
    """What became of a decision. What it did, or could not do, is told to a ministry only where it is concerned."""

    id: UUID
    number: str = Field(examples=["SEG-2012-014"])
    state: OutcomeState
    kind: DecisionKind
    body: str
    meeting: UUID | None = Field(description="Null where only the decision is for you to know.")
    agreed_on: CivilDay
    organizations: list[str] = Field(description="Those the decision concerns.")
    decision_position: int = Field(description="The position of the decision; what it caused names it.")
    did: list[DoneAnswer] | None = Field(
        description="Empty where there was nothing to do, null where it is not for you to know or was not done."
    )
    difficulty: DifficultyAnswer | None = Field(description="Kept when it was settled since.")
    settlement: SettlementAnswer | None = Field(description="The resolution or the waiver.")
    acted_at: Instant = Field(description="When the decision was first tried.")
    updated_at: Instant
    version: int
    position: int


class OutcomePage(Page[OutcomeAnswer]):
    """Outcomes in the order in which the decisions were first tried; `total` only when asked for."""

    total: int | None = None


def outcomes_of(request: Request) -> DecisionOutcomes:
    """The use cases of the app that serves this request."""
    outcomes: DecisionOutcomes = request.scope["app"].state.decision_outcomes
    return outcomes


@router.get("/v1/decision-outcomes", tags=["decisions"], response_model=OutcomePage)
async def decision_outcomes(
    request: Request,
    state: StateFilter = None,
    body: BodyFilter = None,
    organization: OrganizationFilter = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    include: Include = None,
    wait_for: WaitFor = None,
) -> Response:
    """What became of agreed decisions; `state=unresolved` are those that somebody has to look at."""
    outcomes = outcomes_of(request)
    actor = actor_of(request)
    if wait_for is not None:
        await outcomes.wait_for(wait_for, LONGEST_WAIT)
    found = listed(
        request,
        list(outcomes.listed(actor, Filters(state, body, organization))),
        lambda settled: [settled.outcome.first_position],
        _members,
        after=decode_cursor(request, cursor),
        limit=limit,
        total=bool(include),
    )
    return read_answer(request, found, position=outcomes.position)


@router.get("/v1/decision-outcomes/{number}", tags=["decisions"], response_model=OutcomeAnswer)
async def decision_outcome(request: Request, number: Number, wait_for: WaitFor = None) -> Response:
    """What became of one decision; 404 until it was tried, some moments after the minutes were approved."""
    outcomes = outcomes_of(request)
    actor = actor_of(request)
    if wait_for is not None:
        await outcomes.wait_for(wait_for, LONGEST_WAIT)
    settled = await outcomes.visible(number, actor)
    body = msgspec.json.encode(_members(settled))
    return shown(
        request,
        body,
        version=settled.outcome.version,
        position=settled.outcome.position,
        # A ministry may be told more, or less, of the same version: the secretariat of a body changes.
        same_for_version=lambda: knows_of_everything(actor),
    )


@router.post(
    "/v1/decision-outcomes/{number}/resolutions",
    status_code=201,
    tags=["decisions"],
    responses={201: {"model": OutcomeWritten}},
)
async def resolve(request: Request, number: Number, body: ResolutionBody) -> Response:
    """Carries an unresolved decision out after all: all of it, now that what stood against it is mended.

    What was done by hand is not done again: the outcome names the facts by which people did it.
    """
    outcomes = outcomes_of(request)
    settled = await outcomes.visible(number, actor_of(request))
    carry_out = outcomes.resolve_by_hand if body.by_hand else outcomes.resolve
    outcome = await carry_out(settled, await command_of(request), remarks=body.remarks)
    return written(outcome, _location(settled), number=settled.outcome.decision)


@router.post(
    "/v1/decision-outcomes/{number}/waivers",
    status_code=201,
    tags=["decisions"],
    responses={201: {"model": OutcomeWritten}},
)
async def waive(request: Request, number: Number, body: SettlementBody) -> Response:
    """Settles that a decision will not be carried out: it was overtaken by another, say."""
    outcomes = outcomes_of(request)
    settled = await outcomes.visible(number, actor_of(request))
    outcome = await outcomes.waive(settled, await command_of(request), remarks=body.remarks)
    return written(outcome, _location(settled), number=settled.outcome.decision)


def _location(settled: Settled) -> str:
    return f"/v1/decision-outcomes/{settled.outcome.decision}"


def _members(settled: Settled) -> dict[str, Any]:
    outcome, decision, in_full = settled
    agreed = decision.agreed
    return {
        "id": outcome.id,
        "number": outcome.decision,
        "state": outcome.state,
        "kind": agreed.kind,
        "body": agreed.body,
        "meeting": agreed.meeting if in_full or agreed.visibility is not Visibility.RESERVED else None,
        "agreed_on": agreed.agreed_on,
        "organizations": agreed.organizations,
        "decision_position": decision.position,
        "did": _did(settled) if in_full else None,
        "difficulty": _difficulty(settled) if in_full else None,
        "settlement": _settlement(settled) if in_full else None,
        "acted_at": instant_text(outcome.first_recorded_at),
        "updated_at": instant_text(outcome.recorded_at),
        "version": outcome.version,
        "position": outcome.position,
    }


def _did(settled: Settled) -> list[dict[str, Any]] | None:
    entry = settled.outcome.carried_out
    if entry is None:
        return None
    return [
        {"type": one.type, "version": one.version, "commitment": one.commitment, "indicator": one.indicator}
        for one in entry.said.did
    ]


def _difficulty(settled: Settled) -> dict[str, Any] | None:
    entry = settled.outcome.difficulty
    if entry is None:
        return None
    said = entry.said
    return {
        "code": said.code,
        "reason": said.reason,
        "commitment": said.commitment,
        "indicator": said.indicator,
        "position": entry.position,
    }


def _settlement(settled: Settled) -> dict[str, Any] | None:
    entry = settled.outcome.waiver or settled.outcome.carried_out
    if entry is None or entry.said.remarks is None:
        return None
    return {"remarks": entry.said.remarks, "recorded_by": entry.by, "position": entry.position}
