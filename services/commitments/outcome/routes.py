"""The routes of what became of agreed decisions: listed, read, and settled where one could not be carried out."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.outcome.model import OutcomeState
from services.commitments.outcome.repository import DecisionOutcomes, Filters, Settled
from shared.aggregate.aggregate import DayOf
from shared.aggregate.documents import document_of
from shared.events.commitments import Done
from shared.events.meeting_vocabulary import DecisionKind
from shared.events.types import BodyCode, OrganizationCode, Reason
from shared.events.vocabulary import Visibility
from shared.http.catalogue import Catalogue, Explained
from shared.http.context import actor_of
from shared.http.description import Listed
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.pagination import page_after
from shared.http.requests import RequestModel
from shared.http.resource import Now, caught_up, command_of
from shared.http.responses import page_of, read_answer, written_answer
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor, Role
from shared.rules.visibility import reads_everything

_KNOWN: Final = "as far as they may know of the decision; the secretariat of its body may"
_SETTLES: Final = Access(
    frozenset({Role.DCI}), if_match="required", note="settles what could not be carried out"
)

_DONE: Final = document_of(Done)


class SettlementRequest(RequestModel):
    """Why an unresolved decision is settled like this."""

    remarks: Annotated[Reason, Field(examples=["The ministry did it in January."])]


class ResolutionRequest(SettlementRequest):
    """How an unresolved decision came to be carried out."""

    by_hand: Annotated[
        bool,
        Field(
            description="It was done by hand, by facts that name it as their `decision`; otherwise it is tried now."
        ),
    ] = False


class OutcomeQuery(Listed):
    """Which outcomes are listed."""

    state: Annotated[OutcomeState | None, Field(description="Only those that stand like this.")] = None
    body: Annotated[BodyCode | None, Field(description="Only decisions of this body.")] = None
    organization: Annotated[
        OrganizationCode | None, Field(description="Only decisions that concern this organisation.")
    ] = None


class OutcomeWritten(msgspec.Struct, kw_only=True):
    """A decision was settled: the version it brought the outcome to, and its position in the log."""

    id: UUID
    number: Annotated[str, Field(examples=["SEG-2012-014"])]
    version: int
    position: int


class Difficulty(msgspec.Struct, kw_only=True):
    """Which rule stood against a decision, and with which commitment or indicator."""

    code: Annotated[str, Field(examples=["commitment-closed"])]
    reason: str
    commitment: str | None
    indicator: str | None
    position: int


class Settlement(msgspec.Struct, kw_only=True):
    """Who settled it, and with what remarks."""

    remarks: str
    recorded_by: Actor
    position: int


class OutcomeDocument(msgspec.Struct, kw_only=True):
    """What became of a decision. What it did, or could not do, is told to a ministry only where it is concerned."""

    id: UUID
    number: Annotated[str, Field(examples=["SEG-2012-014"])]
    state: OutcomeState
    kind: DecisionKind
    body: str
    meeting: Annotated[UUID | None, Field(description="Null where only the decision is for you to know.")]
    agreed_on: date
    organizations: Annotated[list[str], Field(description="Those the decision concerns.")]
    decision_position: Annotated[
        int, Field(description="The position of the decision; what it caused names it.")
    ]
    did: Annotated[
        list[_DONE] | None,  # type: ignore[valid-type]
        Field(
            description="Empty where there was nothing to do, null where it is not for you to know or was not done."
        ),
    ]
    difficulty: Annotated[Difficulty | None, Field(description="Kept when it was settled since.")]
    settlement: Annotated[Settlement | None, Field(description="The resolution or the waiver.")]
    acted_on: Annotated[date, Field(description="When the decision was first tried.")]
    acted_at: RecordedAt
    updated_on: RecordedOn
    updated_at: RecordedAt
    version: int
    position: int


def outcome_document(settled: Settled, day_of: DayOf, actor: Actor) -> OutcomeDocument:
    """What became of a decision, for a reader of it."""
    document = _document(settled, day_of)
    return (
        document
        if reads_everything(actor)
        else msgspec.structs.replace(document, acted_at=None, updated_at=None)
    )


def _document(settled: Settled, day_of: DayOf) -> OutcomeDocument:
    outcome, decision, in_full = settled
    agreed = decision.agreed
    return OutcomeDocument(
        id=outcome.id,
        number=outcome.decision,
        state=outcome.state,
        kind=agreed.kind,
        body=agreed.body,
        meeting=agreed.meeting if in_full or agreed.visibility is not Visibility.RESERVED else None,
        agreed_on=agreed.agreed_on,
        organizations=list(agreed.organizations),
        decision_position=decision.position,
        did=_did(settled) if in_full else None,
        difficulty=_difficulty(settled) if in_full else None,
        settlement=_settlement(settled) if in_full else None,
        **recorded("acted", outcome.began_at, day_of),
        **recorded("updated", outcome.recorded_at, day_of),
        version=outcome.version,
        position=outcome.position,
    )


def _did(settled: Settled) -> list[Any] | None:
    entry = settled.outcome.carried_out
    if entry is None:
        return None
    return [
        _DONE(type=one.type, version=one.version, commitment=one.commitment, indicator=one.indicator)
        for one in entry.event.did
    ]


def _difficulty(settled: Settled) -> Difficulty | None:
    entry = settled.outcome.difficulty
    if entry is None:
        return None
    event = entry.event
    return Difficulty(
        code=event.code,
        reason=event.reason,
        commitment=event.commitment,
        indicator=event.indicator,
        position=entry.position,
    )


def _settlement(settled: Settled) -> Settlement | None:
    entry = settled.outcome.waiver or settled.outcome.carried_out
    if entry is None or entry.event.remarks is None:
        return None
    return Settlement(remarks=entry.event.remarks, recorded_by=entry.recorded_by, position=entry.position)


def outcome_routes(outcomes: DecisionOutcomes) -> Router:
    """Every route of decision outcomes."""
    router = Router(
        "decisions",
        "What came of the decisions that ask something of commitments and indicators.",
        number=Annotated[str, Field(description="The number of the decision.", examples=["SEG-2012-014"])],
    )

    @router.get(
        "/v1/decision-outcomes",
        access=Access(EVERYONE, note=_KNOWN, log_position=True),
        query=OutcomeQuery,
        answers=page_of(OutcomeDocument),
    )
    async def list_decision_outcomes(request: Request, asked: OutcomeQuery) -> Response:
        """What became of agreed decisions; `state=unresolved` are those that somebody has to look at."""
        await caught_up(request, outcomes.live, asked.wait_for)
        filters = Filters(asked.state, asked.body, asked.organization)
        actor, day_of = actor_of(request), outcomes.clock.day_of
        listed = list(outcomes.listed(actor, filters))
        body = page_after(
            request,
            listed,
            lambda settled: [settled.outcome.began_position],
            lambda settled: outcome_document(settled, day_of, actor),
            cursor=asked.cursor,
            limit=asked.limit,
            total=bool(asked.include),
        )
        last = max((settled.outcome.position for settled in listed), default=0)
        return read_answer(request, body, position=outcomes.live.position, told=last)

    @router.get(
        "/v1/decision-outcomes/{number}",
        access=Access(EVERYONE, note=_KNOWN, etag=True, log_position=True),
        query=Now,
        answers=OutcomeDocument,
    )
    async def get_decision_outcome(request: Request, number: str, asked: Now) -> Response:
        """What became of one decision; 404 until it was tried, some moments after the minutes were approved."""
        await caught_up(request, outcomes.live, asked.wait_for)
        actor = actor_of(request)
        outcome = await outcomes.find(number, actor)
        return read_answer(
            request,
            outcome_document(outcomes.settled(outcome, actor), outcomes.clock.day_of, actor),
            version=outcome.version,
            position=outcome.position,
            told=outcome.position,
            quarantined=outcome.quarantined,
            # A ministry may be told more, or less, of the same version: the secretariat of a body changes.
            unchanged=lambda: reads_everything(actor),
        )

    @router.post(
        "/v1/decision-outcomes/{number}/resolutions",
        access=_SETTLES,
        body=ResolutionRequest,
        answers=OutcomeWritten,
    )
    async def resolve_decision_outcome(request: Request, number: str, body: ResolutionRequest) -> Response:
        """Carries an unresolved decision out after all: all of it, now that what stood against it is mended.

        What was done by hand is not done again: the outcome names the facts by which people did it.
        """
        carry_out = outcomes.resolve_by_hand if body.by_hand else outcomes.resolve
        return await _settle(request, number, carry_out, body.remarks)

    @router.post(
        "/v1/decision-outcomes/{number}/waivers",
        access=_SETTLES,
        body=SettlementRequest,
        answers=OutcomeWritten,
    )
    async def waive_decision_outcome(request: Request, number: str, body: SettlementRequest) -> Response:
        """Settles that a decision will not be carried out: it was overtaken by another, say."""
        return await _settle(request, number, outcomes.waive, body.remarks)

    async def _settle(request: Request, number: str, settle: Any, remarks: str) -> Response:
        actor = actor_of(request)
        settled = outcomes.settled(await outcomes.find(number, actor), actor)
        outcome = await settle(settled, await command_of(request), remarks)
        decision = settled.outcome.decision
        return written_answer(request, outcome, f"/v1/decision-outcomes/{decision}", number=decision)

    return router


# --- refusals ------------------------------------------------------------------------------------------------------

ERRORS: Catalogue = {
    "unknown-decision-outcome": Explained(
        404,
        "Unknown decision outcome",
        "No decision of that number was tried yet, or none you may know of.",
    ),
    "decision-carried-out": Explained(
        409, "Decision carried out", "The decision was carried out already: a decision acts once."
    ),
    "decision-waived": Explained(409, "Decision waived", "Somebody settled that it will not be carried out."),
    "decision-still-unresolved": Explained(
        409,
        "Decision still unresolved",
        "What the decision asks for is against a rule even now, and none of it was done: mend what `detail` names and "
        "try again, say that it was done `by_hand`, or waive the decision.",
    ),
    "nothing-done-by-hand": Explained(
        409,
        "Nothing done by hand",
        "No fact on what the decision is about names it: record what was done with its number as `decision`, then "
        "resolve it with `by_hand`.",
    ),
    "decision-effect-malformed": Explained(
        422,
        "Malformed effect",
        "The decision does not say what it does in the way that its kind asks for.",
    ),
    "split-of-one": Explained(
        422, "Not one commitment", "A decision splits one commitment: it names that, and no other."
    ),
    "decision-without-commitments": Explained(
        422, "Decision without commitments", "A decision of this kind names the commitments it concerns."
    ),
    "target-value-malformed": Explained(
        422,
        "Malformed target",
        'Decimal text such as "28.56": 15 digits before the point and 20 after at most.',
    ),
}
