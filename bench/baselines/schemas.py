"""What the baseline answers. What it takes are the very request models of the commitments service."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.commitments.api.fact_answers import (
    DocumentAnswer,
    InternalDeadlineAnswer,
    OriginAnswer,
    PublicDeadlineAnswer,
    TeamMemberAnswer,
)
from shared.events.vocabulary import CommitmentKind, Judgement, Nature, ResultType, Scope, Visibility
from shared.http.schemas import CivilDay, Instant
from shared.rules.traffic_light import Status


class Written(BaseModel):
    """The answer to a write; `position` is the row of the audit table."""

    id: UUID
    code: str
    version: int
    position: int


class AssessmentNow(BaseModel):
    """The judgement that holds now."""

    model_config = ConfigDict(from_attributes=True)

    effective_on: date
    judgement: Judgement | None
    reason: str | None
    rating: str | None
    scale: str | None


class CommitmentNow(BaseModel):
    """A commitment as it stands now: every field of its registration, the latest judgement, and the status."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    title: str
    kind: CommitmentKind
    visibility: Visibility
    status: Status | None
    status_rule: str
    judgement: Judgement | None
    lead_organization: str
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
    effective_on: CivilDay
    instrument: str | None
    stage: str | None
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
    assessment: AssessmentNow | None
    registered_at: Instant
    updated_at: Instant
    version: int
