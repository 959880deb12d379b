"""What the baseline takes and answers: the same fields under the same constraints as the commitments service."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints

from shared.events.vocabulary import (
    CommitmentKind,
    Judgement,
    Nature,
    OriginKind,
    ResultType,
    Scope,
    Visibility,
)
from shared.rules.traffic_light import Status

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class In(BaseModel):
    """A part of a request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Origin(In):
    """Where the promise was made."""

    kind: OriginKind
    source: Line | None = None
    source_on: date | None = None
    quote: Text | None = None
    document_url: HttpUrl | None = None
    decision: Line | None = None


class PublicDeadline(In):
    """The day promised in public, and where."""

    on: date
    origin: Line | None = None


class InternalDeadline(In):
    """The unit's own day."""

    on: date


class TeamMember(In):
    """One seat of the working team."""

    subject: Line | None = None
    position: Line
    institution: Line
    area: Line | None = None


class Document(In):
    """A document that backs the commitment."""

    title: Line
    url: HttpUrl | None = None
    dated_on: date | None = None
    superseded: bool = False


class CommitmentFields(In):
    """What a commitment can say of itself, in requests and in answers."""

    code: Code
    title: Line
    lead_organization: Code
    kind: CommitmentKind = CommitmentKind.COMMITMENT
    visibility: Visibility = Visibility.INTERNAL
    parent: Code | None = None
    split_from: Code | None = None
    pillar: Code | None = None
    result_type: ResultType | None = None
    origin: Origin | None = None
    public_deadline: PublicDeadline | None = None
    internal_deadline: InternalDeadline | None = None
    no_deadline_reason: Text | None = None
    collaborating_organizations: Annotated[list[Code], Field(max_length=50)] = []
    responsible_service: Line | None = None
    adviser: Line | None = None
    instrument: Line | None = None
    stage: Line | None = None
    priority: Line | None = None
    key_words: Annotated[list[Line], Field(max_length=50)] = []
    region: Line | None = None
    nature: Nature | None = None
    scope: Scope | None = None
    initiative_type: Line | None = None
    programmatic_alignment: Line | None = None
    goal: Text | None = None
    background: Text | None = None
    general_objective: Text | None = None
    specific_objectives: Annotated[list[Text], Field(max_length=50)] = []
    description: Text | None = None
    legislative_strategy: Text | None = None
    communications_strategy: Text | None = None
    working_team: Annotated[list[TeamMember], Field(max_length=50)] = []
    documents: Annotated[list[Document], Field(max_length=200)] = []


class NewCommitment(CommitmentFields):
    """A commitment to register."""

    effective_on: date | None = None


class NewAssessment(In):
    """How the commitment is going, in someone's judgement, and why."""

    judgement: Judgement
    reason: Text
    effective_on: date | None = None
    rating: Line | None = None
    scale: Line | None = None


class Written(BaseModel):
    """The answer to a write; `position` is the row of the audit table."""

    id: UUID
    code: str
    version: int
    position: int


class Assessment(BaseModel):
    """The judgement that holds now."""

    model_config = ConfigDict(from_attributes=True)

    judgement: Judgement
    reason: str | None
    effective_on: date
    rating: str | None
    scale: str | None


class Commitment(CommitmentFields):
    """A commitment as it stands now."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    effective_on: date
    assessment: Assessment | None
    completed_on: date | None
    discarded_on: date | None
    status: Status
    status_rule: str
