"""What the service answers about commitments, as its document describes it; `rendering.py` makes the bytes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from services.commitments.api.fact_answers import (
    ActorAnswer,
    Answer,
    AssessmentAnswer,
    BudgetAnswer,
    ClosingAnswer,
    CommentAnswer,
    CorrectionAnswer,
    DeadlineRevisionAnswer,
    DocumentAnswer,
    EscalationAnswer,
    InternalDeadlineAnswer,
    MilestoneAnswer,
    OriginAnswer,
    ProgressReportAnswer,
    PublicDeadlineAnswer,
    ReassignmentAnswer,
    ReopeningAnswer,
    RisksAnswer,
    TeamMemberAnswer,
)
from shared.events.vocabulary import CommitmentKind, Judgement, Nature, ResultType, Scope, Visibility
from shared.http.schemas import CivilDay, Instant
from shared.rules.traffic_light import Status


class Written(Answer):
    """A fact was recorded: the version it brought the commitment to, and its position in the log."""

    id: UUID
    code: str = Field(examples=["SEG-014"])
    version: int = Field(examples=[7])
    position: int = Field(examples=[1204])


class NumberedWritten(Written):
    """A report or milestone was recorded, under this number."""

    number: int = Field(examples=[1])


class CommitmentAnswer(Answer):
    """A commitment as the record tells of it."""

    id: UUID
    code: str
    title: str
    kind: CommitmentKind
    visibility: Visibility
    status: Status | None = Field(description="Null for a merged commitment.")
    status_rule: str = Field(examples=["traffic_light_1"])
    status_because: int | None = Field(description="The position of the event that the status follows from.")
    judgement: Judgement | None
    lead_organization: str = Field(description="Who answers for it now.")
    collaborating_organizations: list[str]
    responsible_service: str | None
    adviser: str | None
    parent: str | None
    split_from: str | None
    merged_into: str | None
    pillar: str | None
    result_type: ResultType | None
    origin: OriginAnswer | None
    public_deadline: PublicDeadlineAnswer | None
    internal_deadline: InternalDeadlineAnswer | None
    no_deadline_reason: str | None
    effective_on: CivilDay = Field(description="The first day it counts.")
    instrument: str | None
    stage: str | None = Field(description="As last reported.")
    percent: float | None = Field(description="How much is done, as last reported.")
    priority: str | None
    key_words: list[str]
    region: str | None
    nature: Nature | None
    scope: Scope | None
    initiative_type: str | None
    programmatic_alignment: str | None
    goal: str | None
    background: str | None
    general_objective: str | None
    specific_objectives: list[str]
    description: str | None
    legislative_strategy: str | None
    communications_strategy: str | None
    working_team: list[TeamMemberAnswer]
    documents: list[DocumentAnswer]
    assessment: AssessmentAnswer | None
    risks: RisksAnswer | None
    budget: BudgetAnswer | None
    closing: ClosingAnswer | None
    progress_reports: list[ProgressReportAnswer]
    milestones: list[MilestoneAnswer]
    deadline_revisions: list[DeadlineRevisionAnswer]
    reassignments: list[ReassignmentAnswer]
    reopenings: list[ReopeningAnswer]
    comments: list[CommentAnswer]
    corrections: list[CorrectionAnswer]
    escalations: list[EscalationAnswer]
    registered_at: Instant
    updated_at: Instant
    version: int
    position: int


class HistoryItem(Answer):
    """One event of the commitment, as it was recorded."""

    version: int
    position: int
    type: str = Field(examples=["commitments.assessed"])
    recorded_at: Instant
    effective_on: CivilDay | None = Field(
        description="The day it took effect, where the event is about a day."
    )
    recorded_by: ActorAnswer
    correlation_id: str | None = Field(
        description="The request; null where it would lead to something hidden."
    )
    causation_id: int | None = Field(description="The position of the event that triggered it.")
    decision: str | None = Field(description="The number of the decision behind it.")
    data: dict[str, Any]
